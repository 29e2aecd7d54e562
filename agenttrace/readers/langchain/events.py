"""One answer of one of LangChain's models, put together from the events of its blocks (``stream_events`` version 3)."""

from __future__ import annotations

from typing import Any

from ...semconv.fields import field, fields, text_field
from ...semconv.parts import drop_none
from ...semconv.types import Message
from ..pieces import Pieces, Room, plain_copy
from .messages import read_chat_message
from .turns import Turn

__all__ = ["EVENTS", "EventTurn"]

EVENTS = frozenset(
    {"message-start", "content-block-start", "content-block-delta", "content-block-finish", "message-finish"}
)
"""The events of one message."""
_GROWING = {"text": "text", "reasoning": "reasoning", "tool_call_chunk": "args"}
"""What grows in a block of each kind that does."""
_GROWN_BY = {"text-delta": "text", "reasoning-delta": "reasoning", "tool-call-delta": "tool_call_chunk"}
_CALLS = ("tool_call", "tool_call_chunk", "invalid_tool_call")


class EventTurn(Turn):
    """An answer whose blocks begin, grow and finish, several at a time."""

    def __init__(self, room: Room) -> None:
        """Nothing so far."""
        super().__init__(room)
        self._blocks: dict[int, _Block] = {}

    def add(self, event: object) -> None:
        """Take in an event."""
        kind = text_field(event, "event")
        if kind == "message-start":
            metadata = field(event, "metadata")
            self.identify({**fields(metadata), "model_provider": field(metadata, "provider")})
        elif kind == "message-finish":
            self.identify(field(event, "metadata"))
            self.count(field(event, "usage"))
            self.ended = True
        else:
            block = self._block(field(event, "index"))
            if block is not None:
                block.add(field(event, "content"), field(event, "delta"))

    def messages(self) -> list[Message]:
        """The message so far, its blocks in order."""
        blocks = [self._blocks[index].written() for index in sorted(self._blocks)]
        calls = [block for block in blocks if block.get("type") in _CALLS]
        return [read_chat_message({"content": blocks, "tool_calls": calls})]

    def _block(self, index: object) -> _Block | None:
        number = index if type(index) is int else len(self._blocks)
        if number not in self._blocks and self.room.take(1):
            self._blocks[number] = _Block(self.room)
        return self._blocks.get(number)


class _Block:
    """One block: what it began or finished as, and how it grew meanwhile."""

    __slots__ = ("_grown", "_known", "_room")

    def __init__(self, room: Room) -> None:
        self._room = room
        self._known: dict[str, Any] = {}
        self._grown: Pieces | None = None

    def add(self, content: object, delta: object) -> None:
        """Take in the block as it is now, or what is added to it."""
        if content is not None:
            self._take(content)
            return
        kind = text_field(delta, "type")
        snapshot = field(delta, "fields")
        if kind == "block-delta" and snapshot is not None:  # the whole block so far, in older releases
            self._grown = None
            self._take(snapshot)
        elif kind in _GROWN_BY:
            self._known.setdefault("type", _GROWN_BY[kind])  # where its beginning was missed
            if self._grown is None:
                self._grown = Pieces(self._room)
            self._grown.add(field(delta, "text", "reasoning", "args"))

    def written(self) -> dict[str, Any]:
        """The block so far."""
        growing = _GROWING.get(self._known.get("type", ""))
        if growing is None or self._grown is None:
            return self._known
        return {**self._known, growing: self._grown.text()}

    def _take(self, content: object) -> None:
        """Keep ``content`` but for what is there already, piece by piece."""
        kind = text_field(content, "type") or ""
        found = fields(content)
        if self._grown is not None and kind in _GROWING:
            found.pop(_GROWING[kind], None)
        elif not found.get(_GROWING.get(kind, "")):
            found = drop_none(**{name: value for name, value in found.items() if name != _GROWING.get(kind)})
        self._known = plain_copy(found, self._room) or self._known
