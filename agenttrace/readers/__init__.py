"""Readers: what a provider's client returned → what OpenInference says of a model call. One file a provider.

A reader is chosen by what the value is, so no provider's library is imported, and none is patched.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from .. import faults
from ..semconv.types import ModelCall
from .interface import Assembler, Reader, StreamForm

__all__ = [
    "Assembler",
    "Reader",
    "StreamForm",
    "checked_call",
    "find_chunk_reader",
    "find_reader",
    "find_stream_form",
    "read_with",
    "register_reader",
    "unregister_reader",
]

Found = TypeVar("Found")

_lock = threading.Lock()
_added: tuple[Reader, ...] = ()
_own: tuple[Reader, ...] | None = None


def register_reader(reader: Reader) -> Reader:
    """Have ``reader`` asked, before all others, about what functions marked `trace_llm` and `trace_embedding` return.

    Args:
        reader: An instance of a subclass of `Reader`. One that is registered already stays where it is.

    Returns:
        The same reader.

    Raises:
        TypeError: If ``reader`` is no instance of `Reader`, a class for example, or lacks a method that it needs.

    Example:
        >>> register_reader(AcmeReader())
    """
    global _added
    if not isinstance(reader, Reader):
        written = f"{reader.__name__}()" if isinstance(reader, type) else "an instance of a subclass of Reader"
        raise TypeError(f"register_reader() takes a reader, not {type(reader).__name__}: write {written}")
    _check_complete(reader)
    with _lock:
        if all(known is not reader for known in _added):
            _added = (reader, *_added)
    return reader


def _check_complete(reader: Reader) -> None:
    kind = type(reader)
    for asks, answers in (("reads", "read"), ("reads_chunk", "assembler"), ("reads_tool", "read_tool")):
        if getattr(kind, asks) is not getattr(Reader, asks) and getattr(kind, answers) is getattr(Reader, answers):
            raise TypeError(f"{kind.__name__} has {asks}() but no {answers}(): write that, too")
    if all(
        getattr(kind, asks) is getattr(Reader, asks) for asks in ("reads", "reads_chunk", "reads_tool", "stream_form")
    ):
        raise TypeError(f"{kind.__name__} reads nothing: write reads() and read(), or reads_chunk() and assembler()")


def unregister_reader(reader: Reader) -> None:
    """Forget ``reader``, if it is known."""
    global _added
    with _lock:
        _added = tuple(known for known in _added if known is not reader)


def read_with(reader: Reader, response: object) -> ModelCall:
    """What ``reader`` says of ``response``; nothing where it fails, which is logged once."""
    try:
        return checked_call(reader.read(response), _name_of(reader))
    except BaseException as error:
        faults.contain(f"reading a response with the reader {_name_of(reader)}", error)
        return {}


def checked_call(call: object, name: str) -> ModelCall:
    """``call`` without what is nothing that a `ModelCall` has; a mistake of a reader's author is logged once.

    Args:
        call: What a reader or an assembler gave.
        name: The reader's name.
    """
    if not isinstance(call, dict):
        faults.warn_once(
            f"agenttrace: the reader {name} gave {type(call).__name__}, not a ModelCall: nothing of it is recorded."
        )
        return {}
    unknown = [str(key)[:40] for key in call if key not in ModelCall.__annotations__]
    if unknown:
        faults.warn_once(
            f"agenttrace: the reader {name} gave {', '.join(map(repr, unknown[:5]))}, which no ModelCall has, so it "
            f"is not recorded; a ModelCall has {', '.join(ModelCall.__annotations__)}."
        )
    return {key: value for key, value in call.items() if key in ModelCall.__annotations__}  # type: ignore[return-value]


def find_reader(response: object) -> Reader | None:
    """The reader of ``response``, a whole response, or None."""
    return _find(lambda reader: reader if reader.reads(response) else None)


def find_chunk_reader(chunk: object) -> Reader | None:
    """The reader of the stream that ``chunk`` is of, or None."""
    return _find(lambda reader: reader if reader.reads_chunk(chunk) else None)


def find_stream_form(stream: object) -> StreamForm | None:
    """How ``stream`` is used, if a reader knows it for a provider's stream object, or None."""
    return _find(lambda reader: reader.stream_form(stream))


def _find(ask: Callable[[Reader], Found | None]) -> Found | None:
    for reader in _readers():
        try:
            found = ask(reader)
        except BaseException as error:
            faults.contain(f"asking the reader {_name_of(reader)}", error)
            continue
        if found is not None:
            return found
    return None


def _name_of(reader: Reader) -> str:
    return reader.name or type(reader).__name__


def _readers() -> Iterator[Reader]:
    yield from _added
    global _own
    if _own is None:
        _own = _make_own()
    yield from _own


def _make_own() -> tuple[Reader, ...]:
    from .anthropic import AnthropicReader
    from .cohere import CohereReader
    from .google import GoogleReader
    from .huggingface import HuggingFaceReader
    from .langchain import LangChainReader
    from .litellm import LiteLLMReader
    from .llama_index import LlamaIndexReader
    from .mistral import MistralReader
    from .ollama import OllamaReader
    from .openai import OpenAIReader
    from .openai_agents import OpenAIAgentsReader
    from .pydantic_ai import PydanticAIReader
    from .smolagents import SmolagentsReader

    # Those that go by class alone or by the most telling shape come first; OpenAI's shape, which many share, is last.
    return (
        AnthropicReader(),
        GoogleReader(),
        MistralReader(),
        CohereReader(),
        OllamaReader(),
        HuggingFaceReader(),
        SmolagentsReader(),
        LangChainReader(),
        LlamaIndexReader(),
        LiteLLMReader(),
        OpenAIAgentsReader(),
        PydanticAIReader(),
        OpenAIReader(),
    )
