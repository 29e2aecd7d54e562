"""OpenInference's flat attributes → values of the types that the specification gives them, within bounds."""

from __future__ import annotations

import math
import sys
from bisect import bisect_left
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import orjson
from openinference.semconv.trace import EmbeddingAttributes, ImageAttributes, SpanAttributes

from .. import faults
from ..semconv.arrays import floats_of
from ..semconv.fields import as_list, is_list, is_text
from ..semconv.masking import REDACTED, current_mask
from ..semconv.quiet import quietly
from ..semconv.vocabulary import OMITTED, ValueType, lists_in, type_of
from .encode import AttributeValue, encode_attribute, encode_json, encode_text, max_value_bytes
from .plain import dump_plain
from .redaction import hide_in_string
from .shares import fair_share
from .shorten import bounded_json
from .text import bounded_text, excerpt, without_secrets

__all__ = ["encode_reserved"]

_ROOM_OF_ALL = 3
"""The texts of one set of attributes together may take so many times what one value may."""
_LEAST_SHARE = 256  # bytes that every text gets, however many there are
_WORTH_READING = 8  # times the room of a JSON text that is read to be cut as JSON
_MOST_STRINGS = 1000  # in one list of them
_BEYOND = 2**63  # the first integer that OpenTelemetry can't send
_MOST_FLOATS = 131_072  # in the vectors of one span together: what OpenTelemetry takes some 20 ms to look through
_VECTOR = EmbeddingAttributes.EMBEDDING_VECTOR
_OMITTED_VECTORS = f"{OMITTED}{SpanAttributes.EMBEDDING_EMBEDDINGS}.vectors"
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
    limit = max_value_bytes()
    room = int(_ROOM_OF_ALL * limit / _OVERHEAD)
    # What is no text yet takes time in proportion to what it may take: at first each gets an equal share of the room.
    objects = sum(1 for key, value in flat.items() if type(value) is not str and _is_object(key, value))
    allowed = _Allowed(limit, min(limit, max(_LEAST_SHARE, room // objects)) if objects else limit)
    left_out: list[str] = []
    encoded = _encode(flat, allowed, room, left_out)
    if encoded is None:
        equal = max(_LEAST_SHARE, room // len(flat))
        allowed, left_out = _Allowed(equal, equal), []
        encoded = _encode(flat, allowed, sys.maxsize, left_out) or {}
    if allowed.objects < limit:
        encoded.update(_at_length(flat, encoded, allowed, limit, room))
    if not left_out:
        return encoded
    encoded = _without_gaps(encoded, left_out)
    vectors = sum(key.endswith(_VECTOR) for key in left_out)
    if vectors:
        encoded[_OMITTED_VECTORS] = vectors
    return encoded


class _Allowed(NamedTuple):
    """So many bytes each value may take."""

    texts: int
    objects: int
    """What is no text yet."""


def _encode(
    flat: Mapping[str, Any], allowed: _Allowed, room: int, left_out: list[str]
) -> dict[str, AttributeValue] | None:
    """``flat`` as values; None as soon as the texts among them have more than ``room`` characters.

    Args:
        flat: Names and values.
        allowed: How long one may get.
        room: How long all together may get.
        left_out: Gets the names of what can't be made a value.
    """
    encoded: dict[str, AttributeValue] = {}
    floats = _MOST_FLOATS
    for key, value in flat.items():
        if value is None:
            continue
        kind = type_of(key)
        limit = allowed.texts if type(value) is str else allowed.objects
        try:
            if kind is ValueType.FLOATS:
                made = _vector(value, floats)
                floats -= len(made) if type(made) is list else 0
            elif key.endswith(ImageAttributes.IMAGE_URL) and type(value) is str:
                made = _text(current_mask().image(key, value), limit)  # before it is cut, which no image survives
            else:
                made = _ENCODERS[kind](value, limit)
        except BaseException as error:
            faults.contain("encoding an attribute", error)
            made = None
        if made is None:
            left_out.append(key)
        else:
            encoded[key] = made
            if type(made) is str:
                room -= len(made)
                if room < 0:
                    return None
    return encoded


def _at_length(
    flat: Mapping[str, Any], encoded: Mapping[str, AttributeValue], allowed: _Allowed, limit: int, room: int
) -> dict[str, AttributeValue]:
    """Those of ``encoded`` that may have been cut, again, each as long as is fair to the others."""
    wants: list[int] = []
    again: dict[str, Any] = {}
    for key, made in encoded.items():
        if type(made) is str:
            value = flat[key]
            is_text = type(value) is str
            may_be_cut = len(made) > (allowed.texts if is_text else allowed.objects) // 2
            if may_be_cut:
                again[key] = value
            wants.append(min(limit, len(value) if is_text else limit) if may_be_cut else len(made))
    share = int(min(limit, fair_share(wants, room))) if again else 0
    longer = _Allowed(max(share, allowed.texts), share)
    return (_encode(again, longer, sys.maxsize, []) if share > allowed.objects else None) or {}


def _is_object(key: str, value: object) -> bool:
    """Whether ``value`` is neither a text nor a number nor a vector."""
    kind = type(value)
    return not (kind is int or kind is float or kind is bool or value is None or key.endswith(_VECTOR))


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


def _text(value: object, limit: int) -> str:
    if is_text(value):
        text: Any = value
        if limit >= max_value_bytes():
            return encode_text(text)
        return bounded_text(without_secrets(excerpt(text, limit)), limit)
    written = _as_json(value, limit)
    return orjson.loads(written) if written[:1] == '"' else written


def _json(value: object, limit: int) -> str:
    """``value`` as JSON: a text is that already, or where it isn't (a model wrote it) the JSON of a string."""
    if type(value) is not str:
        return _as_json(value, limit)
    if len(value) > _WORTH_READING * limit:
        return _as_json(value, limit)
    if not value or value.isspace():
        return "{}"
    try:
        meant = orjson.loads(value)
    except ValueError:
        return _as_json(value, limit)
    shown = hide_in_string(value)
    size = len(shown) if shown.isascii() else len(shown.encode())
    return shown if size <= limit else _as_json(meant, limit)


def _as_json(value: object, limit: int) -> str:
    if limit >= max_value_bytes():
        return encode_json(value)
    try:
        data = dump_plain(value, limit)
    except Exception:  # for the slow way, as `encode_json` takes it
        data = None
    return quietly(bounded_json, value, limit) if data is None else data.decode()


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


def _identifier(value: object, limit: int) -> AttributeValue:
    number = _integer(value)
    return _text(value, limit) if number is None else number


def _boolean(value: object) -> bool | None:
    return value if type(value) is bool else None


def _strings(value: object, limit: int) -> list[str]:
    return [_text(item, limit) for item in (as_list(value)[:_MOST_STRINGS] if is_list(value) else (value,))]


def _anything(value: object, limit: int) -> AttributeValue:
    made = encode_attribute(value)
    return _text(made, limit) if type(made) is str else made


def _vector(value: object, room: int) -> AttributeValue | None:
    return REDACTED if type(value) is str and value == REDACTED else floats_of(value, room)


_ENCODERS: dict[ValueType | None, Callable[[object, int], AttributeValue | None]] = {
    ValueType.STRING: _text,
    ValueType.JSON: _json,
    ValueType.INTEGER: lambda value, _: _integer(value),
    ValueType.FLOAT: lambda value, _: _float(value),
    ValueType.NUMBER: lambda value, _: _score(value),
    ValueType.BOOLEAN: lambda value, _: _boolean(value),
    ValueType.IDENTIFIER: _identifier,
    ValueType.STRINGS: _strings,
    None: _anything,
}
