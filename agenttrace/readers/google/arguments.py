"""A function call whose arguments Gemini streams: one value, or a piece of one, at a path in the arguments."""

from __future__ import annotations

import re
from typing import Any

from ...semconv.fields import field, list_field, text_field
from ..pieces import Pieces, Room, plain_copy
from .usage import field_names

__all__ = ["StreamedArguments"]

# RFC 9535, as far as it names one place: .name, [0], ['name'], ["name"].
_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d{1,6})\]|\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]""")
_WIDEST_GAP = 16  # before an index beyond a list's end; items come in order


class StreamedArguments:
    """What the pieces of one call's arguments amount to."""

    def __init__(self, room: Room) -> None:
        """No arguments so far; all text goes into ``room``."""
        self._room = room
        self._whole: dict[str, Any] = {}
        self._values: dict[str, Any] = {}

    def add(self, call: object) -> None:
        """Take in what one part says of the call: ``partial_args``, or ``args`` that are whole."""
        whole = plain_copy(field(call, "args") or {}, self._room)
        if isinstance(whole, dict):
            self._whole.update(whole)
        for piece in list_field(call, *field_names("partial_args")):
            path = text_field(piece, *field_names("json_path"))
            if path is not None:
                self._add_value(path, piece)

    def written(self) -> dict[str, Any]:
        """The arguments so far. A value whose place can't be made out is named by its path."""
        arguments = dict(self._whole)
        for path, value in self._values.items():
            written = value.text() if isinstance(value, Pieces) else value
            steps = _steps(path)
            if not steps or not _put(arguments, steps, written):
                arguments[path] = written
        return arguments

    def _add_value(self, path: str, piece: object) -> None:
        if path not in self._values and not self._room.take(len(path)):
            return
        text = field(piece, *field_names("string_value"))
        if isinstance(text, str):
            known = self._values.get(path)
            if not isinstance(known, Pieces):
                known = self._values[path] = Pieces(self._room)
            known.add(text)
            return
        value = field(piece, *field_names("number_value"), *field_names("bool_value"))
        if value is not None:
            self._values[path] = int(value) if type(value) is float and value.is_integer() else value
        elif field(piece, *field_names("null_value")) is not None:
            self._values[path] = None
        else:
            self._values.setdefault(path, None)


def _steps(path: str) -> list[str | int]:
    """The names and indexes that ``path`` leads through; none where it is no such path."""
    steps: list[str | int] = []
    position = 1 if path.startswith("$") else 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            return []
        name, index, single, double = match.groups()
        if index is not None:
            steps.append(int(index))
        else:
            quoted = single if single is not None else double
            steps.append(name if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        position = match.end()
    return steps


def _put(arguments: dict[str, Any], steps: list[str | int], value: Any) -> bool:
    """Put ``value`` where ``steps`` lead, making what isn't there yet; whether that could be done."""
    holder: Any = arguments
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        fresh: Any = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(step, int):
            if not isinstance(holder, list) or step > len(holder) + _WIDEST_GAP:
                return False
            holder.extend([None] * (step + 1 - len(holder)))
        elif not isinstance(holder, dict):
            return False
        if following is None:
            holder[step] = value
            return True
        inner = holder[step] if isinstance(step, int) else holder.get(step)
        if inner is None:
            holder[step] = inner = fresh
        holder = inner
    return False
