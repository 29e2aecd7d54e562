"""What a generator yielded, as one output: strings joined, anything else as a JSON list."""

from __future__ import annotations

from typing import Any

from .encode import encode_json, encode_text, max_value_bytes

# Kept free for the mark that says how much was left out.
_MARK_BYTES = 64
# Each item's own part of the room, whatever it is: a million empty strings are bounded too.
_ITEM_OVERHEAD = 2


class YieldedItems:
    """Collects items as text, as they are when they are yielded, and none of the items themselves.

    Once what was collected is as large as a recorded value may be, the rest is only counted.
    """

    __slots__ = ("_all_text", "_omitted", "_parts", "_room")

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._all_text = True
        self._omitted = 0
        self._room = max_value_bytes() - _MARK_BYTES

    def add(self, item: Any) -> None:
        """Collect ``item``."""
        if self._room <= 0:
            self._omitted += 1
            return
        if self._all_text and type(item) is not str:
            self._all_text = False
            self._parts = [encode_json(part) for part in self._parts]
        if self._all_text:
            text = item if len(item) <= self._room else f"{item[: self._room]}… [truncated: {len(item)} characters]"
        else:
            text = encode_json(item)
        self._room -= len(text) + _ITEM_OVERHEAD
        self._parts.append(text)

    def output(self) -> tuple[str, str]:
        """What was yielded, and its MIME type: ``text/plain`` if all items were strings, else ``application/json``."""
        if self._all_text and self._parts:
            text = "".join(self._parts)
            return encode_text(f"{text}… [{self._omitted} more items]" if self._omitted else text), "text/plain"
        return self._json_list(), "application/json"

    def _json_list(self) -> str:
        room = max_value_bytes() - _MARK_BYTES
        kept: list[str] = []
        for part in self._parts:
            room -= len(part.encode()) + _ITEM_OVERHEAD
            if room < 0:
                break
            kept.append(part)
        omitted = self._omitted + len(self._parts) - len(kept)
        if omitted:
            kept.append(encode_json(f"… {omitted} more items"))
        return f"[{','.join(kept)}]"
