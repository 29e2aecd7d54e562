"""What an assembler keeps of a stream: texts and numbers, up to a limit, and nothing of the chunks themselves."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import ollama
import pytest
from huggingface_hub import ChatCompletionStreamOutput
from langchain_core.messages import AIMessageChunk
from smolagents.models import ChatMessageStreamDelta

from agenttrace.readers.cohere import CohereReader
from agenttrace.readers.huggingface import HuggingFaceReader
from agenttrace.readers.interface import Reader
from agenttrace.readers.langchain import LangChainReader
from agenttrace.readers.mistral import MistralReader
from agenttrace.readers.ollama import OllamaReader
from agenttrace.readers.smolagents import SmolagentsReader

from . import test_huggingface as huggingface_tests
from . import test_mistral as mistral_tests
from .test_cohere import delta
from .test_damaged import CHUNKS

MEBIBYTE = 1024 * 1024
PIECES: dict[str, tuple[Reader, Callable[[str], object]]] = {
    "mistral": (
        MistralReader(),
        lambda text: mistral_tests.models.CompletionEvent.model_validate(
            {"data": mistral_tests.chunk({"content": text})}
        ),
    ),
    "cohere": (CohereReader(), lambda text: delta("content-delta", 0, content={"text": text})),
    "ollama": (OllamaReader(), lambda text: ollama.GenerateResponse(model="m", response=text)),
    "huggingface": (
        HuggingFaceReader(),
        lambda text: ChatCompletionStreamOutput.parse_obj_as_instance(huggingface_tests.chunk({"content": text})),
    ),
    "smolagents": (SmolagentsReader(), lambda text: ChatMessageStreamDelta(content=text)),
    "langchain": (LangChainReader(), lambda text: AIMessageChunk(content=text)),
    "langchain's blocks": (
        LangChainReader(),
        lambda text: AIMessageChunk(content=[{"type": "text", "text": text, "index": 0}]),
    ),
    "langchain's events": (
        LangChainReader(),
        lambda text: {"event": "content-block-delta", "index": 0, "delta": {"type": "text-delta", "text": text}},
    ),
}


@pytest.mark.parametrize(("reader", "made"), PIECES.values(), ids=PIECES)
def test_an_endless_stream_is_kept_up_to_a_limit(reader: Reader, made: Callable[[str], object]) -> None:
    """Of a model that never stops the first four mebibytes are kept, with a word on what was left out."""
    assembler = reader.assembler()
    for _ in range(6):
        assembler.add(made("x" * MEBIBYTE))
    message: Any = assembler.result()["output_messages"][0]
    text = message.get("content") or message["contents"][0]["text"]
    assert 3 * MEBIBYTE < text.count("x") <= 4 * MEBIBYTE
    assert str(6 * MEBIBYTE) in text[-100:]


def emptied(value: Any) -> None:
    """Take everything out of ``value`` and what is in it."""
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        emptied(inner)
    if isinstance(value, (dict, list)):
        value.clear()


@pytest.mark.parametrize(("reader", "chunk"), CHUNKS, ids=lambda value: getattr(value, "name", str(value)[:40]))
def test_nothing_of_a_chunk_is_kept(reader: Reader, chunk: dict[str, Any]) -> None:
    """What a program does to a chunk that it has read changes nothing of what was recorded."""
    mine = copy.deepcopy(chunk)
    assembler = reader.assembler()
    assembler.add(mine)
    before = copy.deepcopy(assembler.result())
    emptied(mine)
    assert assembler.result() == before
