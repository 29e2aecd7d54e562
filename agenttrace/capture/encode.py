"""Any object → bounded text that is always valid: what a span says of a function's arguments and result.

Nothing here raises, blocks on what it reads, consumes or changes the object, or keeps it, and while foreign methods run
tracing is off (:mod:`agenttrace.semconv.quiet`); the time it takes follows
from the limit (:func:`max_value_bytes`) and not from the object's size. Two things it can't promise: an object whose
own ``__repr__`` takes long takes that long here, and a signal that arrives meanwhile (Ctrl-C, an alarm) raises what it
would raise anywhere else in the program (:mod:`agenttrace.blame`).
"""

from __future__ import annotations

from typing import Any, TypeAlias

from orjson import JSONEncodeError

from .. import faults
from ..blame import is_meant_for_program
from ..semconv.quiet import quietly
from . import limits
from .contents import Instead
from .kinds import describe
from .limits import SMALLEST_MAX_VALUE_BYTES, max_value_bytes
from .plain import dump_plain
from .shorten import bounded_json
from .text import UNREADABLE, Excerpt, bounded_text, encode_text, without_secrets

__all__ = ["AttributeValue", "encode_attribute", "encode_json", "encode_text", "encode_value", "max_value_bytes"]

AttributeValue: TypeAlias = "str | bool | int | float | list[str] | list[bool] | list[int] | list[float]"
"""What OpenTelemetry takes as the value of an attribute."""

_TEXT = "text/plain"
_JSON = "application/json"
_UNREADABLE_JSON = f'"{UNREADABLE}"'
_MOST_ITEMS = 1000  # of a list that stays a list; a longer one becomes JSON, which is bounded
_SMALLEST_INTEGER, _LARGEST_INTEGER = -(2**63), 2**63 - 1  # OTLP's are signed


def encode_json(value: object) -> str:
    """``value``, whatever it is, as JSON.

    Args:
        value: Any object. It is read as it is now and not kept.

    Returns:
        Valid JSON of at most :func:`max_value_bytes` bytes of UTF-8. What JSON can't say is a string in it (``"NaN"``,
        integers beyond 64 bits, objects); what is left out is marked with its original size. Values under a secret's
        name are redacted, at any depth and in JSON inside it.

    Example:
        >>> encode_json({"city": "Oslo", "days": 3})
        '{"city":"Oslo","days":3}'
        >>> encode_json([float("nan"), {1, 2}])
        '["NaN",[1,2]]'
    """
    try:
        limit = limits.cached or max_value_bytes()
        try:
            data = dump_plain(value, limit)
        except JSONEncodeError:  # an integer beyond 64 bits or a lone surrogate: for the slow way
            data = None
        except BaseException as error:  # so is a change by another thread, or what a metaclass raises
            if is_meant_for_program(error):
                raise
            data = None
        return _slowly(value, limit) if data is None else data.decode()
    except RecursionError:  # the caller stands at the interpreter's limit: no function can be called any more
        return _UNREADABLE_JSON


def encode_value(value: object) -> tuple[str, str]:
    """``value`` as text, and the MIME type of that text.

    Args:
        value: Any object. It is read as it is now and not kept.

    Returns:
        A string as it is with ``text/plain``, anything else as JSON with ``application/json``; both bounded and valid
        as :func:`encode_text` and :func:`encode_json` say.

    Example:
        >>> encode_value("sunny"), encode_value(21.5)
        (('sunny', 'text/plain'), ('21.5', 'application/json'))
    """
    kind = type(value)
    if kind is str and len(value) <= SMALLEST_MAX_VALUE_BYTES and value.isascii() and '"' not in value:  # type: ignore[arg-type, attr-defined, operator]
        return value, _TEXT  # type: ignore[return-value]
    if kind is str or issubclass(kind, str):
        return encode_text(value), _TEXT  # type: ignore[arg-type]
    return encode_json(value), _JSON


def encode_attribute(value: object) -> AttributeValue:
    """``value``, whatever it is, as a value that an OpenTelemetry attribute can have.

    Args:
        value: Any object. It is read as it is now and not kept.

    Returns:
        ``bool``, ``int`` and ``float`` as they are, ``str`` bounded and valid, a list or tuple of up to 1000 of one of
        these types as a list. Integers beyond signed 64 bits are decimal text; an object that reads as one scalar or
        text (an enumeration's member, a date) is that; anything else is JSON.

    Example:
        >>> encode_attribute(3), encode_attribute(("a", "b")), encode_attribute({"a": 1})
        (3, ['a', 'b'], '{"a":1}')
    """
    try:
        return _attribute(value)
    except RecursionError:
        return UNREADABLE


def _attribute(value: object) -> AttributeValue:
    kind = type(value)
    if kind is str:
        return encode_text(value)  # type: ignore[arg-type]
    if kind is bool or kind is float:
        return value  # type: ignore[return-value]
    if kind is int and _SMALLEST_INTEGER <= value <= _LARGEST_INTEGER:  # type: ignore[operator]
        return value  # type: ignore[return-value]
    if kind is list or kind is tuple:
        kept = _as_list(value)  # type: ignore[arg-type]
        return encode_json(value) if kept is None else kept
    return _as_scalar(value)


def _slowly(value: object, limit: int) -> str:
    try:
        return quietly(bounded_json, value, limit)
    except BaseException as error:
        if issubclass(type(error), RecursionError) or is_meant_for_program(error):
            raise
        faults.report("encoding a value", error)
        return _UNREADABLE_JSON


def _as_scalar(value: object) -> AttributeValue:
    if value is None or type(value) is dict:
        return encode_json(value)
    described = value if type(value) is int else quietly(describe, value)
    if type(described) is Instead:
        described = described.value
    if type(described) is int:
        in_range = _SMALLEST_INTEGER <= described <= _LARGEST_INTEGER
        return described if in_range else encode_json(described).strip('"')
    if type(described) is Excerpt:
        return bounded_text(without_secrets(described), max_value_bytes())
    if type(described) in (bool, float, str):
        return _attribute(described)
    return encode_json(value)


def _as_list(value: list[Any] | tuple[Any, ...]) -> AttributeValue | None:
    """``value`` as a list that an attribute can be, or None."""
    if len(value) > _MOST_ITEMS:
        return None
    items = [*value]
    kind = type(items[0]) if items else str
    if not any(kind is known for known in (str, bool, int, float)) or any(type(item) is not kind for item in items):
        return None
    if kind is int and not _SMALLEST_INTEGER <= min(items) <= max(items) <= _LARGEST_INTEGER:
        return None
    if kind is str:
        if sum(map(len, items)) > max_value_bytes() // 4:
            return None  # too near the limit to be sure of the bytes
        return [encode_text(item) for item in items]
    return items
