"""OpenInference's flat attributes → values of the types that the specification gives them, within bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from ..semconv.vocabulary import ValueType, type_of
from .encode import AttributeValue, encode_attribute, encode_json, encode_text, max_value_bytes
from .shares import fair_share
from .text import bounded_text, excerpt

__all__ = ["encode_reserved"]

_ROOM_OF_ALL = 3
"""The texts of one set of attributes together may take so many times what one value may."""
_LEAST_SHARE = 256  # bytes that every text gets, however many there are
_MOST_FLOATS = 262_144  # in the vectors of one span together
_OVERHEAD = 1.1  # what UTF-8 may take beyond the characters, roughly, before it is looked at


def encode_reserved(flat: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """``flat`` with each value as the type that its attribute has.

    Args:
        flat: Names and values; of any type, since they come from the program or its model's provider.

    Returns:
        The same names with strings, valid JSON, integers and floats, each bounded as one recorded value is and all
        together to three times that. What can't be made one is left out: a count that is no number, a vector too large.

    Example:
        >>> encode_reserved({"llm.token_count.prompt": 12.0, "llm.invocation_parameters": {"temperature": 0}})
        {'llm.token_count.prompt': 12, 'llm.invocation_parameters': '{"temperature":0}'}
    """
    encoded: dict[str, AttributeValue] = {}
    floats = _MOST_FLOATS
    for key, value in flat.items():
        kind = type_of(key)
        if value is None:
            continue
        if kind is ValueType.FLOATS:
            vector = _vector(value, floats)
            if vector is not None:
                floats -= len(vector) if isinstance(vector, list) else 0
                encoded[key] = vector
            continue
        made = _ENCODERS.get(kind, encode_attribute)(value) if kind is not None else encode_attribute(value)
        if made is not None:
            encoded[key] = made
    return _fitted(encoded)


def _text(value: object) -> str:
    if isinstance(value, str):
        return encode_text(value)
    scalar = encode_attribute(value)
    return scalar if type(scalar) is str else encode_json(value)


def _json(value: object) -> str:
    """``value`` as JSON: a text is that already, or where it isn't (a model wrote it) the JSON of a string."""
    if not isinstance(value, str):
        return encode_json(value)
    if not value.strip():
        return "{}"
    limit = max_value_bytes()
    if len(value) <= limit:
        try:
            orjson.loads(value)
        except ValueError:
            return encode_json(value)
        text = encode_text(value)
        if len(text) == len(value):
            return text
    return encode_json(value)


def _number(value: object) -> int | float | None:
    made = value if type(value) in (int, float) else encode_attribute(value)
    if type(made) is int or (type(made) is float and math.isfinite(made)):
        return made
    return None


def _integer(value: object) -> int | None:
    number = _number(value)
    if type(number) is float:
        return int(number) if number.is_integer() and abs(number) < 2**63 else None
    return number if type(number) is int and abs(number) < 2**63 else None


def _float(value: object) -> float | None:
    number = _number(value)
    try:
        return None if number is None else float(number)
    except OverflowError:
        return None


def _identifier(value: object) -> AttributeValue:
    return value if type(value) is int and abs(value) < 2**63 else _text(value)


def _boolean(value: object) -> bool | None:
    return value if type(value) is bool else None


def _vector(value: object, room: int) -> AttributeValue | None:
    """A vector of any library's making as a list of floats; None where it is none, or more than ``room`` floats."""
    if isinstance(value, str):
        return encode_text(value)  # what stands for one that is hidden
    items = value if isinstance(value, (list, tuple)) else _array_items(value, room)
    if items is None or not items or len(items) > room:
        return None
    try:
        made = [float(item) for item in items]
    except Exception:  # not numbers, or one that float has no room for
        return None
    return made if math.isfinite(sum(made)) else None


def _array_items(value: Any, room: int) -> list[Any] | None:
    """The items of a one-dimensional array of numpy, torch or the standard library."""
    module = type(value).__module__.partition(".")[0]
    if module not in ("numpy", "torch", "array", "jax", "jaxlib", "tensorflow"):
        return None
    try:
        if getattr(value, "ndim", 1) != 1 or len(value) > room:
            return None
        items = value.tolist() if hasattr(value, "tolist") else list(value)
    except Exception:  # on a device that is gone, or lazy and failing
        return None
    return items if isinstance(items, list) else None


def _fitted(encoded: dict[str, AttributeValue]) -> dict[str, AttributeValue]:
    """``encoded`` with the longest texts cut where all together are too long."""
    lengths = [len(value) for value in encoded.values() if type(value) is str]
    room = _ROOM_OF_ALL * max_value_bytes()
    if sum(lengths) * _OVERHEAD <= room:
        return encoded
    share = max(_LEAST_SHARE, int(fair_share(lengths, room / _OVERHEAD)))
    return {
        key: _cut(key, value, share) if type(value) is str and len(value) > share else value
        for key, value in encoded.items()
    }


def _cut(key: str, text: str, share: int) -> str:
    if type_of(key) is ValueType.JSON:
        return encode_json(bounded_text(excerpt(text, share), share // 2))
    return bounded_text(excerpt(text, share), share)


_ENCODERS: dict[ValueType, Callable[[object], AttributeValue | None]] = {
    ValueType.STRING: _text,
    ValueType.JSON: _json,
    ValueType.INTEGER: _integer,
    ValueType.FLOAT: _float,
    ValueType.NUMBER: _number,
    ValueType.BOOLEAN: _boolean,
    ValueType.IDENTIFIER: _identifier,
    ValueType.STRINGS: encode_attribute,
}
