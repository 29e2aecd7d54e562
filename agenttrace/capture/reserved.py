"""OpenInference's flat attributes → values of the types that the specification gives them, within bounds."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import orjson
from openinference.semconv.trace import ImageAttributes

from .. import faults
from ..semconv.arrays import floats_of
from ..semconv.fields import as_list, is_list, is_text
from ..semconv.masking import REDACTED, current_mask
from ..semconv.quiet import quietly
from ..semconv.vocabulary import ValueType, lists_in, type_of
from .encode import AttributeValue, encode_attribute, encode_json, encode_text, max_value_bytes
from .redaction import hide_in_string
from .shares import fair_share
from .shorten import bounded_json
from .text import Excerpt, bounded_text, cut_mark

__all__ = ["encode_reserved"]

_ROOM_OF_ALL = 3
"""The texts of one set of attributes together may take so many times what one value may."""
_LEAST_SHARE = 256  # bytes that every text gets, however many there are
_MOST_STRINGS = 1000  # in one list of them
_BEYOND = 2**63  # the first integer that OpenTelemetry can't send
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
    left_out: list[str] = []
    floats = _MOST_FLOATS
    for key, value in flat.items():
        if value is None:
            continue
        kind = type_of(key)
        try:
            if kind is ValueType.FLOATS:
                made = _vector(value, floats)
                floats -= len(made) if type(made) is list else 0
            elif key.endswith(ImageAttributes.IMAGE_URL) and type(value) is str:
                made = encode_text(current_mask().image(key, value))  # before it is cut, which no image survives
            else:
                made = _ENCODERS[kind](value)
        except BaseException as error:
            faults.contain("encoding an attribute", error)
            made = None
        if made is None:
            left_out.append(key)
        else:
            encoded[key] = made
    return _fitted(_without_gaps(encoded, left_out) if left_out else encoded)


def _without_gaps(encoded: dict[str, AttributeValue], left_out: list[str]) -> dict[str, AttributeValue]:
    """``encoded`` with lists numbered anew in which an object has nothing left."""
    present = {place for key in encoded for place in lists_in(key)}
    gone: dict[str, list[int]] = {}
    for path, index in sorted({place for key in left_out for place in lists_in(key)} - present):
        gone.setdefault(path, []).append(index)
    return {_renumbered(key, gone): value for key, value in encoded.items()} if gone else encoded


def _renumbered(key: str, gone: Mapping[str, list[int]]) -> str:
    made, end = "", 0
    for path, index in lists_in(key):
        made += f"{key[end : len(path)]}.{index - bisect_left(gone.get(path, ()), index)}"
        end = len(path) + 1 + len(str(index))
    return made + key[end:]


def _text(value: object) -> str:
    if is_text(value):
        return encode_text(value)  # type: ignore[arg-type]
    scalar = encode_attribute(value)
    return scalar if type(scalar) is str else encode_json(value)


def _json(value: object) -> str:
    """``value`` as JSON: a text is that already, or where it isn't (a model wrote it) the JSON of a string."""
    if type(value) is not str:
        return encode_json(value)
    limit = max_value_bytes()
    if len(value) > limit:
        return encode_json(value)
    if not value or value.isspace():
        return "{}"
    try:
        orjson.loads(value)
    except ValueError:
        return encode_json(value)
    shown = hide_in_string(value)
    size = len(shown) if shown.isascii() else len(shown.encode())
    return shown if size <= limit else encode_json(value)


def _number(value: object) -> int | float | None:
    kind = type(value)
    made = value
    if kind is Decimal or kind is Fraction:
        made = _as_float(value)
    elif kind is not int and kind is not float:
        made = encode_attribute(value)
    return made if type(made) is int or (type(made) is float and math.isfinite(made)) else None


def _as_float(value: Any) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def _integer(value: object) -> int | None:
    number = _number(value)
    if type(number) is float and number.is_integer():
        number = int(number)
    return number if type(number) is int and -_BEYOND <= number < _BEYOND else None


def _float(value: object) -> float | None:
    number = _number(value)
    return None if number is None else _as_float(number)


def _score(value: object) -> int | float | None:
    """A number of either type, within what OpenTelemetry can send."""
    number = _number(value)
    return _float(value) if type(number) is int and not -_BEYOND <= number < _BEYOND else number


def _identifier(value: object) -> AttributeValue:
    number = _integer(value)
    return _text(value) if number is None else number


def _boolean(value: object) -> bool | None:
    return value if type(value) is bool else None


def _strings(value: object) -> list[str]:
    return [_text(item) for item in (as_list(value)[:_MOST_STRINGS] if is_list(value) else (value,))]


def _vector(value: object, room: int) -> AttributeValue | None:
    return REDACTED if type(value) is str and value == REDACTED else floats_of(value, room)


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
    if type_of(key) is not ValueType.JSON:
        return bounded_text(_shown(text), share)
    try:
        return quietly(bounded_json, orjson.loads(text), share)
    except ValueError:  # of JSON that is nested too deeply to be read again
        return encode_json(bounded_text(_shown(text), share // 2))


def _shown(text: str) -> Excerpt:
    """``text``, which may have been cut once, with the length that it had before."""
    mark = _MARK.search(text, max(0, len(text) - _LONGEST_MARK))
    return Excerpt(text, len(text)) if mark is None else Excerpt(text[: mark.start()], int(mark[1]))


_MARK = re.compile(re.escape(cut_mark(0)).replace("0", r"([0-9]{1,18})") + r"\Z")
_LONGEST_MARK = len(cut_mark(10**18))
_ENCODERS: dict[ValueType | None, Callable[[object], AttributeValue | None]] = {
    ValueType.STRING: _text,
    ValueType.JSON: _json,
    ValueType.INTEGER: _integer,
    ValueType.FLOAT: _float,
    ValueType.NUMBER: _score,
    ValueType.BOOLEAN: _boolean,
    ValueType.IDENTIFIER: _identifier,
    ValueType.STRINGS: _strings,
    None: encode_attribute,
}
