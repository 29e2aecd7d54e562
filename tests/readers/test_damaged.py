"""Answers that aren't what they should be: a field of another type, cut off or missing, anywhere in them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, message_to_dict
from langchain_core.outputs import ChatGeneration, ChatResult

from agenttrace.readers import _make_own
from agenttrace.readers.cohere import CohereReader
from agenttrace.readers.huggingface import HuggingFaceReader
from agenttrace.readers.interface import Reader
from agenttrace.readers.langchain import LangChainReader
from agenttrace.readers.mistral import MistralReader
from agenttrace.readers.ollama import OllamaReader
from agenttrace.readers.smolagents import SmolagentsReader

from . import test_cohere as cohere_tests
from . import test_huggingface as huggingface_tests
from . import test_mistral as mistral_tests
from . import test_ollama as ollama_tests
from .langchain_material import CALLS

MESSAGE = AIMessage(
    [
        {"type": "reasoning", "reasoning": "Hm.", "extras": {"signature": "c2ln"}},
        {"type": "reasoning_content", "reasoning_content": {"text": "Hm."}},
        {"type": "text", "text": "Rain.", "annotations": [{"type": "citation", "url": "https://yr.no"}]},
        {"type": "tool_use", "id": "1", "name": "get_weather", "input": {}},
    ],
    tool_calls=[{"name": "get_weather", "args": {"city": "Oslo"}, "id": "1"}],
    invalid_tool_calls=[{"name": "get_weather", "args": "{", "id": "2", "error": None}],
    usage_metadata={
        "input_tokens": 3,
        "output_tokens": 4,
        "total_tokens": 7,
        "input_token_details": {"cache_read": 2},
        "output_token_details": {"reasoning": 1},
    },
    response_metadata={"model_name": "m", "finish_reason": "stop", "token_usage": {"prompt_tokens": 3}},
    additional_kwargs={"reasoning": {"summary": [{"text": "Hm."}]}, "refusal": "No.", "audio": {"transcript": "Hm."}},
)
RESULT = ChatResult(generations=[ChatGeneration(message=MESSAGE)], llm_output={"token_usage": {"prompt_tokens": 3}})
WHOLE: list[tuple[Reader, dict[str, Any]]] = [
    *(
        (OllamaReader(), {**ollama_tests.COMMON, "message": each, **ollama_tests.DONE})
        for each, _ in ollama_tests.CHATS.values()
    ),
    (
        OllamaReader(),
        {**ollama_tests.COMMON, "response": "Rain.", "thinking": "Hm.", "image": "aQ==", **ollama_tests.DONE},
    ),
    (OllamaReader(), {"model": "m", "embeddings": [[0.1], [0.2]], "prompt_eval_count": 3}),
    *(
        (CohereReader(), {"id": "1", "finish_reason": "COMPLETE", "message": each, "usage": cohere_tests.USAGE})
        for each, _ in cohere_tests.MESSAGES_READ.values()
    ),
    (
        CohereReader(),
        {"id": "1", "texts": ["a"], "embeddings": {"base64": ["AAAAPw=="]}, "meta": {"tokens": {"input_tokens": 1}}},
    ),
    (CohereReader(), {"results": [{"index": 0, "relevance_score": 0.5, "document": {"text": "a"}}]}),
    (HuggingFaceReader(), {"generated_text": "a", "details": {**huggingface_tests.DETAILS, "best_of_sequences": [{}]}}),
    (SmolagentsReader(), {"role": "assistant", "content": "a", "tool_calls": [CALLS[0]], "raw": {}, "token_usage": {}}),
    (LangChainReader(), MESSAGE.model_dump()),
    (LangChainReader(), message_to_dict(MESSAGE)),
    (LangChainReader(), dumpd(MESSAGE)),
    (LangChainReader(), RESULT.model_dump(serialize_as_any=True)),
]
CHUNKS: list[tuple[Reader, dict[str, Any]]] = [
    *(
        (OllamaReader(), {**ollama_tests.COMMON, "message": each, "done": False})
        for each, _ in ollama_tests.CHATS.values()
    ),
    *((CohereReader(), event) for events in cohere_tests.STREAMS.values() for event in events),
    (
        MistralReader(),
        {
            "data": mistral_tests.chunk(
                {"content": mistral_tests.THINKING, "tool_calls": [mistral_tests.call("1", "{}")]},
                "stop",
                usage=mistral_tests.USAGE,
            )
        },
    ),
    (HuggingFaceReader(), huggingface_tests.token("a", details={"generated_tokens": 3}, generated_text="a")),
    *(
        (LangChainReader(), event)
        for event in (
            {"event": "message-start", "metadata": {"provider": "openai", "model": "m"}},
            {"event": "content-block-start", "index": 0, "content": {"type": "text", "text": ""}},
            {"event": "content-block-delta", "index": 0, "delta": {"type": "text-delta", "text": "a"}},
            {"event": "content-block-delta", "index": 1, "delta": {"type": "block-delta", "fields": {"type": "text"}}},
            {"event": "content-block-finish", "index": 0, "content": {"type": "tool_call", "name": "a", "args": {}}},
            {"event": "message-finish", "usage": {"input_tokens": 3}, "metadata": {"finish_reason": "stop"}},
            {"event": "on_chat_model_stream", "run_id": "1", "data": {"chunk": MESSAGE.model_dump()}, "metadata": {}},
        )
    ),
]
JUNK = [
    None,
    "",
    "x",
    0,
    -1,
    1.5,
    True,
    float("nan"),
    [],
    {},
    [None],
    ["x"],
    [[1]],
    [{}],
    {"type": "text"},
    {"a": [1]},
    b"x",
    object(),
]


OWN = _make_own()


@pytest.mark.parametrize(("reader", "whole"), WHOLE, ids=lambda value: getattr(value, "name", str(value)[:40]))
def test_an_answer_is_read_by_one_reader_alone(reader: Reader, whole: dict[str, Any]) -> None:
    """Who reads a mapping doesn't hang on the order in which readers are asked."""
    assert [other.name for other in OWN if other.reads(whole)] == [reader.name]


@pytest.mark.parametrize(("reader", "chunk"), CHUNKS, ids=lambda value: getattr(value, "name", str(value)[:40]))
def test_a_chunk_is_read_by_one_reader_alone(reader: Reader, chunk: dict[str, Any]) -> None:
    """Nor does it of a chunk."""
    assert [other.name for other in OWN if other.reads_chunk(chunk)] == [reader.name]


def places_in(value: Any) -> Iterator[tuple[Any, ...]]:
    """The paths to all that is in ``value``."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (key,)
        yield from ((key, *path) for path in places_in(item))


@st.composite
def damaged(draw: st.DrawFn, whole: dict[str, Any]) -> dict[str, Any]:
    """``whole`` with up to three things in it replaced or taken out."""
    value = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from([*places_in(value)] or [("x",)]))
        holder: Any = value
        for key in path:
            holder = holder[key]
        if isinstance(holder, dict) and draw(st.booleans()):
            holder.pop(last, None)
        else:
            holder[last] = copy.deepcopy(draw(st.sampled_from(JUNK)))
    return value


@given(st.data())
def test_a_damaged_answer_raises_nothing(data: st.DataObject) -> None:
    """Whatever stands where something else should, the answer is read as far as it goes, or left alone."""
    reader, whole = data.draw(st.sampled_from(WHOLE))
    assert reader.reads(whole)
    value = data.draw(damaged(whole))
    if reader.reads(value):
        assert isinstance(reader.read(value), dict)
    assert reader.reads_chunk(value) in (True, False)
    assert reader.stream_form(value) is None


@given(st.data())
def test_a_damaged_chunk_raises_nothing(data: st.DataObject) -> None:
    """A stream goes on through what isn't understood in it, and what is damaged in one chunk spoils no other."""
    reader, first = data.draw(st.sampled_from(CHUNKS))
    others = [chunk for other, chunk in CHUNKS if type(other) is type(reader)]
    chunks = [first, *data.draw(st.lists(st.sampled_from(others), max_size=6))]
    assembler = reader.assembler()
    for chunk in chunks:
        assert reader.reads_chunk(chunk)
        value = data.draw(damaged(chunk))
        assert reader.reads_chunk(value) in (True, False)
        assembler.add(value)
        assembler.add(chunk)
    assert isinstance(assembler.result(), dict)


@pytest.mark.parametrize(
    "reader",
    [CohereReader(), HuggingFaceReader(), LangChainReader(), MistralReader(), OllamaReader(), SmolagentsReader()],
    ids=lambda reader: reader.name,
)
@given(value=st.recursive(st.sampled_from(JUNK), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_a_stranger_is_left_alone(reader: Reader, value: object) -> None:
    """Values of a program's own, of whatever shape, are nobody's answer."""
    assert not reader.reads(value)
    assert not reader.reads_chunk(value)
    assert reader.stream_form(value) is None
    assembler = reader.assembler()
    assembler.add(value)
    assert isinstance(assembler.result(), dict)
