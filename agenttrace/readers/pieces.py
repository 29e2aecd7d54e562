"""Text that comes in pieces: kept up to a limit, joined once at the end."""

from __future__ import annotations

from typing import Any

from ..semconv.fields import fields

__all__ = ["Pieces", "Room", "plain_copy"]

_MOST_CHARACTERS = 4 * 1024 * 1024


class Room:
    """How many characters one assembler may still keep. A model that never stops must not fill the memory."""

    __slots__ = ("left",)

    def __init__(self, characters: int = _MOST_CHARACTERS) -> None:
        """Room for so many characters in all."""
        self.left: int = characters

    def take(self, wanted: int) -> bool:
        """Whether there is room for ``wanted`` more, which then is taken: for what can't be cut."""
        if wanted > self.left:
            return False
        self.left -= wanted
        return True


class Pieces:
    """One text, piece by piece."""

    __slots__ = ("_kept", "_length", "_room", "_was_cut")

    def __init__(self, room: Room) -> None:
        """No text so far.

        Args:
            room: The assembler's, which all its texts share.
        """
        self._room = room
        self._kept: list[str] = []
        self._length = 0
        self._was_cut = False

    def __bool__(self) -> bool:
        """Whether there is any text."""
        return self._length > 0

    def add(self, piece: object) -> None:
        """Take in ``piece`` where it is a string; what there is no room for is only counted."""
        if not isinstance(piece, str) or not piece:
            return
        self._length += len(piece)
        kept = piece[: self._room.left]
        if kept and not self._was_cut:
            self._room.left -= len(kept)
            self._kept.append(kept)
        self._was_cut = self._was_cut or len(kept) < len(piece)

    def text(self) -> str:
        """All of it in one string; one that was cut says how long it would be."""
        kept = "".join(self._kept)
        return f"{kept}… [truncated: {self._length} characters]" if self._was_cut else kept


def plain_copy(value: object, room: Room, depth: int = 12) -> Any:
    """A copy of ``value`` in plain dictionaries, lists, strings and numbers: for what comes whole in a chunk.

    Args:
        value: A mapping, an object with fields, a list or a plain value.
        room: What the copy's strings, and the numbers of its containers, are taken from.
        depth: How deep containers are followed.

    Returns:
        The copy. Strings that there is no room for are cut, and containers are None; what is neither is empty.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        text = Pieces(room)
        text.add(value)
        return text.text()
    if depth == 0 or not room.take(1):
        return None
    if isinstance(value, (list, tuple)):
        return [plain_copy(item, room, depth - 1) for item in value]
    return {name: plain_copy(item, room, depth - 1) for name, item in fields(value).items()}
