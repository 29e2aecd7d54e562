"""The events of Anthropic's streams → the message they amount to.

Raw streams and the helpers of ``messages.stream()`` give the same events. What the helpers give beside them repeats
what these say, and is used only where a program passes on nothing else.
"""

from __future__ import annotations

from typing import Any

from ...semconv.fields import as_list, field, fields, is_a, text_field
from ...semconv.types import ModelCall
from ..interface import Assembler
from ..pieces import Pieces, Room, plain_copy
from ..turns import join_turns
from .messages import read_anthropic_message

__all__ = ["AnthropicAssembler", "is_anthropic_event"]

_RAW_EVENTS = (
    "RawMessageStartEvent",
    "RawMessageDeltaEvent",
    "RawMessageStopEvent",
    "RawContentBlockStartEvent",
    "RawContentBlockDeltaEvent",
    "RawContentBlockStopEvent",
)
_HELPERS_EVENTS = ("TextEvent", "ThinkingEvent", "InputJsonEvent", "SignatureEvent", "CitationEvent")
_EVENT_CLASSES = (
    *_RAW_EVENTS,
    *(f"Beta{name}" for name in (*_RAW_EVENTS, *_HELPERS_EVENTS, "CompactionEvent")),
    *_HELPERS_EVENTS,
    "ParsedBetaTextEvent",
)
_EVENT_FIELDS = {
    "message_start": "message",
    "message_delta": "delta",
    "message_stop": "type",
    "content_block_start": "content_block",
    "content_block_delta": "delta",
    "content_block_stop": "index",
}
_BLOCK_OF_DELTA = {"thinking_delta": "thinking", "signature_delta": "thinking", "input_json_delta": "tool_use"}
_FIELD_OF_DELTA = {"partial_json": "input"}
_MOST_USAGE = 10_000


def is_anthropic_event(value: object) -> bool:
    """Whether ``value`` is an event of Anthropic's streams: an object of its client, or a mapping of that shape."""
    if not isinstance(value, dict):
        return is_a(value, "anthropic", *_EVENT_CLASSES)
    needed = _EVENT_FIELDS.get(text_field(value, "type") or "")
    return needed is not None and field(value, needed) is not None


class AnthropicAssembler(Assembler):
    """Puts the events of one stream together."""

    def __init__(self) -> None:
        """Nothing so far."""
        self._room = Room()
        self._turns = [_Turn(self._room)]

    def add(self, chunk: object) -> None:
        """Take in ``chunk``, an event; one of an unknown type says nothing."""
        chunk = fields(chunk)
        kind = text_field(chunk, "type")
        turn = self._turns[-1]
        if kind == "message_start":
            if turn.has_started and self._room.take(1):
                turn = _Turn(self._room)
                self._turns.append(turn)
            turn.start(field(chunk, "message"))
        elif kind == "content_block_start":
            turn.start_block(field(chunk, "index"), field(chunk, "content_block"))
        elif kind == "content_block_delta":
            turn.add_to_block(field(chunk, "index"), field(chunk, "delta"))
        elif kind == "content_block_stop":
            turn.stop_block(field(chunk, "index"), field(chunk, "content_block"))
        elif kind == "message_delta":
            turn.end(field(chunk, "delta"), field(chunk, "usage"))
        elif kind == "message_stop":
            turn.stop(field(chunk, "message"))
        elif kind == "text":
            turn.add_text(field(chunk, "text"))

    def result(self) -> ModelCall:
        """The message so far; several where the chunks of several calls were passed on as one stream."""
        return join_turns([read_anthropic_message(turn.message()) for turn in self._turns if turn.has_started])


class _Turn:
    """One message."""

    def __init__(self, room: Room) -> None:
        self.has_started = False
        self._room = room
        self._model: str | None = None
        self._stop_reason: str | None = None
        self._stop_details: Any = None
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, _Block] = {}
        self._text = Pieces(room)

    def start(self, message: object) -> None:
        """Take in the message as it begins, without contents yet, or whole."""
        self.has_started = True
        self._model = text_field(message, "model") or self._model
        self._add_usage(field(message, "usage"))
        self._end(message)
        if not self._blocks:
            for index, block in enumerate(as_list(field(message, "content"))):
                self.start_block(index, block)

    def start_block(self, index: object, block: object) -> None:
        """Take in a block as it begins."""
        self.has_started = True
        if type(index) is not int or index in self._blocks:
            return
        start = plain_copy(block, self._room)
        if isinstance(start, dict):
            self._blocks[index] = _Block(start, self._room)
            if text_field(start, "type") == "fallback":  # from here on another model answers
                self._model = text_field(field(start, "to"), "model") or self._model

    def add_to_block(self, index: object, delta: object) -> None:
        """Take in a piece of a block."""
        if type(index) is not int:
            return
        if index not in self._blocks:  # its beginning was not passed on
            kind = _BLOCK_OF_DELTA.get(text_field(delta, "type") or "", "text")
            self.start_block(index, {"type": kind})
        block = self._blocks.get(index)
        if block is not None:
            block.add(delta)

    def stop_block(self, index: object, block: object) -> None:
        """Take in a block as it ended, which only the helpers' event has; used where nothing else was passed on."""
        if block is not None:
            self.start_block(index, block)

    def end(self, delta: object, usage: object) -> None:
        """Take in why the message ended, and the counts, which are totals."""
        self.has_started = True
        self._end(delta)
        self._add_usage(usage)

    def stop(self, message: object) -> None:
        """Take in the whole message, which only the helpers' event has; used where nothing else was passed on."""
        if message is not None and not self._blocks:
            self.start(message)

    def add_text(self, text: object) -> None:
        """Take in a piece of text of the helpers' own event, where nothing else was passed on."""
        self.has_started = True
        if not self._blocks:
            self._text.add(text)

    def message(self) -> dict[str, Any]:
        """The message in the shape that a whole one has."""
        blocks = [self._blocks[index].written() for index in sorted(self._blocks)]
        if not blocks and self._text:
            blocks = [{"type": "text", "text": self._text.text()}]
        return {
            "role": "assistant",
            "model": self._model,
            "content": blocks,
            "stop_reason": self._stop_reason,
            "stop_details": self._stop_details,
            "usage": self._usage,
        }

    def _end(self, source: object) -> None:
        self._stop_reason = text_field(source, "stop_reason") or self._stop_reason
        details = field(source, "stop_details")
        if details is not None:
            self._stop_details = plain_copy(details, self._room)

    def _add_usage(self, usage: object) -> None:
        """Counts are totals, so the latest holds; but a zero only says that a server didn't count again."""
        for name, value in plain_copy(fields(usage), Room(_MOST_USAGE)).items():
            if value or name not in self._usage:
                self._usage[name] = value


class _Block:
    """One block of content."""

    __slots__ = ("_citations", "_pieces", "_room", "_start")

    def __init__(self, start: dict[str, Any], room: Room) -> None:
        self._start = start
        self._room = room
        self._pieces: dict[str, Pieces] = {}
        self._citations: list[Any] = list(as_list(start.get("citations")))

    def add(self, delta: object) -> None:
        """Take in a piece: whatever its kind, its strings go on with the block's fields of the same name."""
        for name, value in fields(delta).items():
            if name == "citation":
                citation = plain_copy(value, self._room)
                if citation is not None:
                    self._citations.append(citation)
            elif isinstance(value, str) and name != "type":
                target = _FIELD_OF_DELTA.get(name, name)
                if target not in self._pieces:
                    self._pieces[target] = Pieces(self._room)
                self._pieces[target].add(value)

    def written(self) -> dict[str, Any]:
        """The block in the shape that a whole message has."""
        block = dict(self._start)
        for name, pieces in self._pieces.items():
            begun = block.get(name)
            if pieces or not begun:
                block[name] = (begun if isinstance(begun, str) else "") + pieces.text()
        if self._citations:
            block["citations"] = self._citations
        return block
