"""The fast way to JSON: prove in bounded time that a value is small and of plain builtins, then let orjson write it.

Nearly every traced call's arguments are such a value, so this is the hottest code of the library. The proof goes level
by level, each with a handful of loops that run in C (``set(map(type, values))`` and its like), and asks for a length
before it looks at what is inside: a 50 MB string or a list of ten million items is turned away at the price of a
``len()``. A cycle ends when the levels or the room do. Names are looked at on the way, for those of secrets: what has
one goes the slow way, which redacts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from gc import get_referents
from itertools import chain
from typing import Any

from orjson import dumps

from ..semconv.secret_texts import has_nested_secret
from ..semconv.secrets import harmless
from .redaction import hides_secrets, holds_secret

DEEPEST = 100
"""Levels of nesting that are recorded. orjson writes 254, and some readers of JSON fewer than a thousand."""

_ROOM_OF_ELEMENT = 4  # what a list item or dictionary entry is counted as, beside the characters in it
_FEW = 8  # entries up to which a loop in Python is faster than setting up those that run in C

_BACKSLASH = ord("\\")  # looking for a number in bytes is twice as fast as for bytes

_INFINITY = float("inf")
_flatten = chain.from_iterable
_are_harmless = harmless.issuperset
_ONLY_STR = {str}
_ONLY_DICT = {dict}
_SCALARS = frozenset({int, float, bool, type(None)})
_NUMBERS = frozenset({int, float, bool})


def dump_plain(value: object, limit: int) -> bytes | None:  # noqa: C901  a call costs a tenth of the budget
    """``value`` as JSON of at most ``limit`` bytes, or None where it isn't a small tree of plain builtins.

    Plain are exact ``str``, ``int``, ``float``, ``bool``, ``None``, ``dict`` with ``str`` keys, ``list`` and ``tuple``:
    no method of a foreign object is called but a metaclass's ``__hash__``.

    Raises:
        Exception: Where orjson finds what only it can see (an integer beyond 64 bits, a lone surrogate) or another
            thread changes the value meanwhile. Take it as None.
    """
    kind = type(value)
    room = limit
    if kind is dict:
        if len(value) > _FEW:  # type: ignore[arg-type]
            room = _room_left((value,), (), room)  # type: ignore[arg-type]
        else:
            dicts: tuple[dict[Any, Any], ...] = ()
            lists: tuple[Any, ...] = ()
            for key, item in value.items():  # type: ignore[attr-defined]
                kind = type(item)
                if kind is str:
                    room -= len(item)
                elif kind is int or item is None or kind is bool:
                    pass
                elif kind is list or kind is tuple:
                    lists += (item,)
                elif kind is dict:
                    dicts += (item,)
                elif kind is not float or not -_INFINITY < item < _INFINITY:
                    return None
                if type(key) is not str:
                    return None
                room -= len(key)
            if not _are_harmless(value) and holds_secret((value,)):  # type: ignore[arg-type]
                return None
            if dicts or lists:
                room = _room_left(dicts, lists, room)
    elif kind is list or kind is tuple:
        room = _room_left((), (value,), room)
    elif kind is str:
        room -= len(value)  # type: ignore[arg-type]
    elif kind is float:
        room = 0 if -_INFINITY < value < _INFINITY else -1  # type: ignore[operator]
    elif kind not in _SCALARS:
        return None
    if room < 0:
        return None
    data = dumps(value)
    if len(data) > limit or (_BACKSLASH in data and has_nested_secret(data) and hides_secrets()):
        return None
    return data


def _room_left(dicts: Sequence[dict[Any, Any]], lists: Sequence[Any], room: int) -> int:
    """What is left of ``room`` after everything in the containers, negative where they aren't plain or don't fit."""
    for _ in range(DEEPEST - 1):
        room -= (sum(map(len, dicts)) + sum(map(len, lists))) * _ROOM_OF_ELEMENT
        if room < 0:
            return -1
        if dicts:
            room = _room_after_keys(dicts, room)
        # What the cycle collector sees in them, in one call that runs no code of theirs: all values and items, and the
        # keys of a dictionary that has others than strings.
        values = lists[0] if len(lists) == 1 and not dicts else get_referents(*dicts, *lists)
        kinds = set(map(type, values))
        if kinds == _ONLY_DICT:
            dicts, lists = values, ()
        elif kinds == _ONLY_STR:
            return room - sum(map(len, values))
        elif kinds <= _SCALARS:
            return room if float not in kinds or _are_finite(values, kinds) else -1
        else:
            dicts, lists, room = _sort_out(values, room)
            if not dicts and not lists:
                return room
    return -1


def _room_after_keys(dicts: Sequence[dict[Any, Any]], room: int) -> int:
    # The dictionaries of one level mostly have the same keys: look at each once and count it for every dictionary.
    keys = dicts[0] if len(dicts) == 1 else set().union(*dicts)
    if set(map(type, keys)) != _ONLY_STR:
        return -1 if keys else room
    if not _are_harmless(keys) and holds_secret(dicts):
        return -1
    left = room - sum(map(len, keys)) * len(dicts)
    if left < 0 and len(dicts) > 1:
        left = room - sum(map(len, _flatten(dicts)))
    return left


def _are_finite(values: Iterable[Any], kinds: set[type]) -> bool:
    # A NaN or infinity among them makes the sum one too; so may very large numbers, which then go the slow way.
    if kinds <= _NUMBERS:
        return bool(-_INFINITY < sum(values) < _INFINITY)
    return -_INFINITY < sum([value for value in values if type(value) is float]) < _INFINITY


def _sort_out(values: Iterable[Any], room: int) -> tuple[list[dict[Any, Any]], list[Any], int]:
    """The containers among ``values`` of several types, and the room that the rest leaves, -1 if any isn't plain."""
    dicts: list[dict[Any, Any]] = []
    lists: list[Any] = []
    for value in values:
        kind = type(value)
        if kind is str:
            room -= len(value)
        elif kind is int or value is None or kind is bool:
            pass
        elif kind is dict:
            dicts.append(value)
        elif kind is list or kind is tuple:
            lists.append(value)
        elif kind is not float or not -_INFINITY < value < _INFINITY:
            return [], [], -1
    return dicts, lists, room
