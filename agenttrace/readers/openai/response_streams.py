"""The events of OpenAI's streamed responses, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...semconv.fields import field, list_field, text_field
from ...semconv.types import ModelCall
from ..interface import Assembler
from ..pieces import Pieces, Room, plain_copy
from ..turns import join_turns
from .response_items import read_items
from .responses import is_response, read_response, read_response_head

__all__ = ["ResponseAssembler", "is_response_event"]


class _Delta(NamedTuple):
    """Where the piece of text that an event brings belongs."""

    item: str
    """The type of the item."""
    field: str
    """The field of it that is a text, or a list of parts that have texts."""
    part: str | None = None
    """The type of such a part."""
    text: str = "text"
    """The field of such a part."""


_DELTAS = {
    "response.output_text.delta": _Delta("message", "content", "output_text"),
    "response.refusal.delta": _Delta("message", "content", "refusal", "refusal"),
    "response.reasoning_summary_text.delta": _Delta("reasoning", "summary", "summary_text"),
    "response.reasoning_text.delta": _Delta("reasoning", "content", "reasoning_text"),
    "response.function_call_arguments.delta": _Delta("function_call", "arguments"),
    "response.mcp_call_arguments.delta": _Delta("mcp_call", "arguments"),
    "response.custom_tool_call_input.delta": _Delta("custom_tool_call", "input"),
    "response.code_interpreter_call_code.delta": _Delta("code_interpreter_call", "code"),
}
_FIRST = "response.created"
_LAST = ("response.completed", "response.incomplete", "response.failed")


def is_response_event(value: object) -> bool:
    """Whether ``value``, an object or a mapping, is an event of a streamed response.

    Those of the realtime API have the same types; they have an ``event_id`` and are not read.
    """
    kind = text_field(value, "type")
    if kind is None or not (kind.startswith("response.") or kind == "error") or field(value, "event_id") is not None:
        return False
    numbers = (field(value, "sequence_number"), field(value, "output_index"))
    return any(type(number) is int for number in numbers) or is_response(field(value, "response"))


class ResponseAssembler(Assembler):
    """Puts the events of a response together; of several responses one after another too."""

    def __init__(self) -> None:
        """Nothing so far."""
        self._room = Room()
        self._turns: list[_Response] = []

    def add(self, chunk: object) -> None:
        """Take in one event; the ones that only repeat what others said are passed over."""
        kind = text_field(chunk, "type") or ""
        if not self._turns or (kind == _FIRST and self._room.take(1)):
            self._turns.append(_Response(self._room))
        self._turns[-1].add(kind, chunk)

    def result(self) -> ModelCall:
        """The response so far."""
        return join_turns([turn.result() for turn in self._turns])


class _Response:
    """One response, event by event.

    The last event has the whole response. What came before it counts where it never comes, or comes without its output.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._head: ModelCall = {}
        self._whole: ModelCall | None = None
        self._items: dict[int, _Item] = {}
        self._handlers: dict[str, Callable[[object], None]] = {
            **dict.fromkeys((_FIRST, "response.in_progress", "response.queued"), self._add_head),
            **dict.fromkeys(("response.output_item.added", "response.output_item.done"), self._add_item),
            **dict.fromkeys(_DELTAS, self._add_delta),
            **dict.fromkeys(_LAST, self._add_whole),
            "error": self._add_error,
        }

    def add(self, kind: str, event: object) -> None:
        """Take in one event."""
        handler = self._handlers.get(kind)
        if handler is not None:
            handler(event)

    def result(self) -> ModelCall:
        """The response so far."""
        if self._whole is not None:
            return self._whole
        messages = read_items([self._items[index].written() for index in sorted(self._items)])
        return {"output_messages": messages, **self._head} if messages else {**self._head}

    def _add_head(self, event: object) -> None:
        self._head = read_response_head(field(event, "response"))

    def _add_whole(self, event: object) -> None:
        response = field(event, "response")
        self._head = read_response_head(response)
        if list_field(response, "output"):
            self._whole = read_response(response)
            self._items.clear()

    def _add_error(self, event: object) -> None:
        self._head["finish_reason"] = "error"

    def _add_item(self, event: object) -> None:
        index = _index_of(event, "output_index")
        before = self._items.pop(index, None)
        if before is not None:
            self._room.left += before.taken
        self._begin_item(index, field(event, "item"))

    def _add_delta(self, event: object) -> None:
        delta = _DELTAS[text_field(event, "type") or ""]
        index = _index_of(event, "output_index")
        if index not in self._items:  # of a stream that was taken up again in its midst
            self._begin_item(index, {"type": delta.item})
        if index in self._items:
            self._items[index].add(event, delta)

    def _begin_item(self, index: int, item: object) -> None:
        if self._room.left > 0:
            self._items[index] = _Item(item, self._room)


class _Item:
    """One item of the output: as it was announced, with the text that came since."""

    def __init__(self, item: object, room: Room) -> None:
        left = room.left
        self._room = room
        copied = plain_copy(item, room)
        self._fields: dict[str, Any] = copied if isinstance(copied, dict) else {}
        self._texts: dict[tuple[_Delta, int], Pieces] = {}
        self.taken = left - room.left
        """How much of the assembler's room it has."""

    def add(self, event: object, delta: _Delta) -> None:
        """Take in a piece of text."""
        left = self._room.left
        place = (delta, _index_of(event, "content_index", "summary_index"))
        if place not in self._texts:
            if not self._room.take(1):
                return
            self._texts[place] = Pieces(self._room)
        self._texts[place].add(field(event, "delta"))
        self.taken += left - self._room.left

    def written(self) -> dict[str, Any]:
        """The item in the shape that a whole response has."""
        written: dict[str, Any] = dict(self._fields)
        parts: dict[str, list[Any]] = {}
        for (delta, _), pieces in sorted(self._texts.items(), key=lambda entry: entry[0][1]):
            if delta.part is None:
                written[delta.field] = pieces.text()
            else:
                parts.setdefault(delta.field, []).append({"type": delta.part, delta.text: pieces.text()})
        return {**written, **parts}


def _index_of(event: object, *names: str) -> int:
    index = field(event, *names)
    return index if type(index) is int else 0
