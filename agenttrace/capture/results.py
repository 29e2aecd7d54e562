"""What a generator yielded, as one output: strings joined, anything else as a JSON list."""

from __future__ import annotations

from typing import Any

from ..semconv.quiet import quietly
from .encode import encode_json, encode_text, max_value_bytes
from .shorten import bounded_json
from .text import bounded_text, excerpt

# Kept free for the brackets of a list and the mark that says how many items were left out.
_MARK_BYTES = 64
# Each item's own part of the room, whatever it is: a million empty strings are bounded too.
_ITEM_OVERHEAD = 2
# In less than this not much more than the mark of what was cut would fit.
_LEAST_ROOM = 64


class YieldedItems:
    """Collects items as text, as they are when they are yielded, and none of the items themselves.

    An item that is larger than what is left of a recorded value's room is cut, and from then on items are only counted.
    """

    __slots__ = ("_all_text", "_omitted", "_parts", "_room")

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._all_text = True
        self._omitted = 0
        self._room = max_value_bytes() - _MARK_BYTES

    def add(self, item: Any) -> None:
        """Collect ``item``."""
        if self._all_text and type(item) is not str:
            self._go_on_as_json()
        if self._room < _LEAST_ROOM:
            self._omitted += 1
        elif self._all_text:
            self._keep(item if _size(item, self._room) <= self._room else _cut(item, self._room))
        else:
            self._add_json(item)

    def output(self) -> tuple[str, str]:
        """What was yielded, and its MIME type: ``text/plain`` if all items were strings, else ``application/json``."""
        if self._all_text and self._parts:
            text = "".join(self._parts)
            return encode_text(f"{text}… [{self._omitted} more items]" if self._omitted else text), "text/plain"
        parts = self._parts
        if self._omitted:
            parts = [*parts, encode_json(f"… {self._omitted} more items")]
        return f"[{','.join(parts)}]", "application/json"

    def _go_on_as_json(self) -> None:
        texts, self._parts, self._all_text = self._parts, [], False
        self._room = max_value_bytes() - _MARK_BYTES
        for text in texts:
            if self._room < _LEAST_ROOM:
                self._omitted += 1
            else:
                self._add_json(text)

    def _add_json(self, item: Any) -> None:
        text = encode_json(item)
        self._keep(text if _size(text, self._room) <= self._room else quietly(bounded_json, item, self._room))

    def _keep(self, text: str) -> None:
        self._parts.append(text)
        self._room -= _size(text, self._room) + _ITEM_OVERHEAD


def _size(text: str, room: int) -> int:
    """The bytes of ``text``; one of more characters than ``room`` is not looked at."""
    length = len(text)
    return length if length > room or text.isascii() else len(text.encode("utf-8", "backslashreplace"))


def _cut(text: str, room: int) -> str:
    return bounded_text(excerpt(text, room), room)
