"""Anthropic's client: messages, and their streams in every form that it has.

Clients for Bedrock, Vertex AI and Foundry give objects of the same classes, so who ran the model isn't told from them.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...semconv.fields import field, is_a, text_field
from ...semconv.parts import drop_none
from ...semconv.types import ModelCall
from ..interface import Assembler, Reader, StreamForm
from .events import AnthropicAssembler, is_anthropic_event
from .messages import is_anthropic_message, read_anthropic_message

__all__ = ["AnthropicReader"]

_RAW_STREAMS = ("Stream", "AsyncStream")
_HELPERS = (
    "MessageStream",
    "AsyncMessageStream",
    "MessageStreamManager",
    "AsyncMessageStreamManager",
    "BetaMessageStream",
    "BetaAsyncMessageStream",
    "BetaMessageStreamManager",
    "BetaAsyncMessageStreamManager",
)
_RAW_FORM = StreamForm()
_HELPERS_FORM = StreamForm(
    iterators=frozenset({"text_stream"}),
    finishers=frozenset({"get_final_message", "get_final_text", "until_done"}),
    snapshots=("current_message_snapshot",),
)


class AnthropicReader(Reader):
    """Reads what Anthropic's client returns (``Message``, ``BetaMessage``), and mappings of the same shape."""

    name = "anthropic"

    def reads(self, response: object) -> bool:
        """Whether ``response`` is a message."""
        return is_anthropic_message(response)

    def read(self, response: object) -> ModelCall:
        """What the message says of the call."""
        return read_anthropic_message(response)

    def reads_chunk(self, chunk: object) -> bool:
        """Whether ``chunk`` is an event of a stream of messages."""
        return is_anthropic_event(chunk)

    def assembler(self) -> Assembler:
        """An assembler of events."""
        return AnthropicAssembler()

    def stream_form(self, stream: object) -> StreamForm | None:
        """How the client's streams are used: raw ones, and what ``messages.stream()`` gives."""
        if is_a(stream, "anthropic", *_HELPERS):
            return _HELPERS_FORM
        return _RAW_FORM if is_a(stream, "anthropic", *_RAW_STREAMS) else None

    def reads_tool(self, tool: object) -> bool:
        """Whether ``tool`` is a function that the client's ``beta_tool`` made a tool."""
        return is_a(tool, "anthropic", "BaseFunctionTool")

    def read_tool(self, tool: object) -> Mapping[str, object]:
        """The tool's definition."""
        return drop_none(
            name=text_field(tool, "name"),
            description=text_field(tool, "description"),
            input_schema=field(tool, "input_schema"),
        )
