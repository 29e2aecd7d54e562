"""Attribute values as JSON text and back, with nothing changed on the way.

JSON has no NaN, no bytes, no integers that every reader takes, and orjson refuses what isn't UTF-8. Those few values
are written as an object with one key that starts with ``$``; a mapping that is an attribute's value is written as
``{"$map": {...}}``, so that the two can't be mistaken for each other. Everything else is plain JSON, which the
``sqlite3`` command and its ``json_extract`` read as they are.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from agenttrace.blame import is_meant_for_program

_SIGNED_64_BIT = range(-(2**63), 2**63)
# orjson stops at 254 levels; a mapping takes two of them, and a few go to what stands around the attributes.
_DEEPEST = 100


def plain_attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """``attributes`` as a value that `dump_json` takes and `original_attributes` turns back.

    A value that can't be written (nested more than 100 levels deep) is replaced by a text that says so.
    """
    return {key: value if type(value) is str else _plain_or_excuse(value) for key, value in (attributes or {}).items()}


def original_attributes(plain: Mapping[str, Any]) -> dict[str, Any]:
    """What `plain_attributes` was given. Sequences come back as tuples, which is how spans hold them."""
    return {key: _original(value) for key, value in plain.items()}


def dump_json(value: object) -> str:
    """JSON text of a value made of mappings, lists, texts, integers of 64 bits, booleans and None only."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # A lone surrogate: the standard library writes it as an escape, in ASCII.
        return json.dumps(value, separators=(",", ":"))


def load_json(text: str) -> Any:
    """The value that a JSON text stands for, lone surrogates included.

    Raises:
        ValueError: If ``text`` is not JSON.
    """
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)


def _plain_or_excuse(value: Any) -> Any:
    try:
        return _plain(value, 0)
    except BaseException as error:
        if is_meant_for_program(error):
            raise
        return f"(this value could not be kept: {type(error).__name__})"


def _plain(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        return value if value in _SIGNED_64_BIT else {"$int": hex(value)}  # decimal text stops at 4,300 digits
    if kind is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    if depth == _DEEPEST:
        raise RecursionError
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {"$map": {str(key): _plain(item, depth + 1) for key, item in value.items()}}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item, depth + 1) for item in value]
    return _plain_subclass(value)


def _plain_subclass(value: Any) -> Any:
    # An enum's member, a numpy number: by its value, past whatever its own __str__ or __int__ would do.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return _plain(int.__int__(value), 0)
    if isinstance(value, float):
        return _plain(float.__float__(value), 0)
    return str(value)


def _original(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_original(item) for item in value)
    if isinstance(value, dict):
        [(tag, content)] = value.items()
        return _READERS[tag](content)
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "$int": lambda content: int(content, 16),
    "$float": float,
    "$bytes": base64.b64decode,
    "$map": original_attributes,
}
