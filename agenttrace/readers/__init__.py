"""Readers: what a provider's client returned → what OpenInference says of a model call. One file a provider.

A reader is chosen by what the value is, so no provider's library is imported, and none is patched.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from .. import faults
from .interface import Assembler, Reader, StreamForm

__all__ = [
    "Assembler",
    "Reader",
    "StreamForm",
    "find_chunk_reader",
    "find_reader",
    "find_stream_form",
    "register_reader",
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
        TypeError: If ``reader`` is no instance of `Reader`, a class for example.

    Example:
        >>> register_reader(AcmeReader())
    """
    global _added
    if not isinstance(reader, Reader):
        written = f"{reader.__name__}()" if isinstance(reader, type) else "an instance of a subclass of Reader"
        raise TypeError(f"register_reader() takes a reader, not {type(reader).__name__}: write {written}")
    with _lock:
        if all(known is not reader for known in _added):
            _added = (reader, *_added)
    return reader


def unregister_reader(reader: Reader) -> None:
    """Forget ``reader``, if it is known."""
    global _added
    with _lock:
        _added = tuple(known for known in _added if known is not reader)


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
            faults.contain(f"asking the reader {reader.name or type(reader).__name__}", error)
            continue
        if found is not None:
            return found
    return None


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
    from .mistral import MistralReader
    from .ollama import OllamaReader
    from .openai import OpenAIReader
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
        LiteLLMReader(),
        OpenAIReader(),
    )
