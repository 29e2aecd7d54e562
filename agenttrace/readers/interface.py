"""What a reader is: the one who knows what a provider's client returns.

A reader is asked about every result of a function marked `trace_llm` (or `trace_embedding`), so it decides by class
name and by shape, and reads with `agenttrace.semconv.fields` alone: nothing of the provider is imported, no method of
an object is called, nothing is consumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..semconv.types import ModelCall

__all__ = ["Assembler", "Reader", "StreamForm"]


class StreamForm(NamedTuple):
    """How a provider's stream object is used, so that one that stands in its place can watch.

    Iterating it, closing it, and entering it as a context manager need no word. The rest is what this provider's stream
    has beside: every name is looked up only when the program does.
    """

    iterators: frozenset[str] = frozenset()
    """Attributes, and methods without arguments, that give another iterator over the same stream (``text_stream``)."""
    finishers: frozenset[str] = frozenset()
    """Methods that run the stream to its end and return something of it (``get_final_message``, ``until_done``)."""
    snapshots: tuple[str, ...] = ()
    """Fields or properties, dotted where one is a field's, that hold the whole response once the stream was read,
    however it was (``current_message_snapshot``). Asked for when it ended and no chunk was seen."""
    opens: frozenset[str] = frozenset({"__enter__", "__aenter__"})
    """Methods, special ones included, that give the stream proper: itself, or for a manager another object."""


class Assembler:
    """Puts the chunks of one stream together. Made anew for each stream; called from one thread at a time."""

    def add(self, chunk: object) -> None:
        """Take in ``chunk``, as it is now; keep nothing of it but text and numbers."""
        raise NotImplementedError

    def result(self) -> ModelCall:
        """What the chunks so far amount to; also of a stream that broke off."""
        raise NotImplementedError


class Reader:
    """Knows the responses of one provider's client, whole and streamed. Subclass it, and give it to `register_reader`.

    Methods may assume nothing of what they are given, and what they raise is logged and taken as "no".

    Example:
        >>> class AcmeReader(Reader):
        ...     name = "acme"
        ...     def reads(self, response: object) -> bool:
        ...         return is_a(response, "acme", "Answer")
        ...     def read(self, response: object) -> ModelCall:
        ...         return {"output_messages": [{"role": "assistant", "content": field(response, "text")}]}
    """

    name: str = ""
    """The provider, for messages."""

    def reads(self, response: object) -> bool:
        """Whether ``response`` is a whole response of this provider: its client's object, or a mapping so shaped."""
        return False

    def read(self, response: object) -> ModelCall:
        """What ``response``, for which `reads` said yes, says of the call."""
        raise NotImplementedError

    def reads_chunk(self, chunk: object) -> bool:
        """Whether ``chunk`` is the first, or any other, chunk of this provider's streams."""
        return False

    def assembler(self) -> Assembler:
        """A new assembler for a stream of chunks for which `reads_chunk` said yes."""
        raise NotImplementedError

    def stream_form(self, stream: object) -> StreamForm | None:
        """How ``stream`` is used, if it is an object of this provider's client that gives chunks; else None.

        Plain generators and async generators need none: they are followed anyway.
        """
        return None

    def reads_tool(self, tool: object) -> bool:
        """Whether ``tool`` defines a tool in a form of this provider's own, neither a mapping nor a function."""
        return False

    def read_tool(self, tool: object) -> Mapping[str, object]:
        """``tool``, for which `reads_tool` said yes, as the mapping that is sent to the provider."""
        raise NotImplementedError
