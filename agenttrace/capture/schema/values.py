"""The values that stand in a schema (defaults, members of enumerations, texts) as plain and small JSON values."""

from __future__ import annotations

import math
from enum import Enum
from types import NoneType
from typing import Any

from ...semconv.secrets import is_secret_name

MAX_TEXT_CHARACTERS = 4_000
"""What is kept of one text in a schema: a description, a name."""

MAX_VALUE_CHARACTERS = 500
"""About how many characters of JSON one default may take."""

# What a secret never is; `max_tokens=256` keeps its default.
_HARMLESS = (NoneType, bool, int, float)
_MAX_DEPTH = 5
# orjson and many readers of JSON stop at 64 bits.
_LARGEST_INTEGER = 2**63 - 1


def plain_text(value: str, limit: int = MAX_TEXT_CHARACTERS) -> str:
    """``value`` as a plain ``str`` that UTF-8 can hold, cut to ``limit`` characters."""
    # The methods of str itself: a subclass may have changed its own.
    text = str.encode(str.__getitem__(value, slice(limit + 1)), "utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= limit else text[: limit - 1] + "\u2026"


def plain_value(value: object, limit: int = MAX_VALUE_CHARACTERS) -> Any:
    """``value`` made of new, plain JSON values.

    Args:
        value: None, a bool, an int of up to 64 bits, a finite float, a str, a member of an enumeration with such a
            value, or a list, tuple or dict of those. No method of any other object is called.
        limit: About how many characters the value may take as JSON.

    Raises:
        ValueError: ``value`` is something else, or too large, or nested more than five deep.
    """
    plain, _ = _plain(value, limit, 0)
    return plain


def is_plain_scalar(value: object) -> bool:
    """Whether ``value`` is None, a bool, a number or a str that :func:`plain_value` can represent."""
    try:
        return not isinstance(plain_value(value), (list, dict))
    except ValueError:
        return False


def may_be_secret(name: str, value: object) -> bool:
    """Whether ``name`` sounds like a secret's and ``value`` could be one: the default of ``api_key``, say."""
    return type(value) not in _HARMLESS and is_secret_name(name)


def _plain(value: object, left: int, depth: int) -> tuple[Any, int]:
    """``value`` as plain JSON, and how many characters are left after it."""
    kind = type(value)
    plain: Any
    if value is None or kind is bool:
        plain, cost = value, 5
    elif issubclass(kind, Enum):
        # The attribute that Enum keeps the value in: `value` is often overridden.
        return _plain(object.__getattribute__(value, "_value_"), left, depth + 1)
    elif issubclass(kind, int):
        plain, cost = int.__index__(value), 20  # type: ignore[arg-type]  # issubclass tells mypy nothing of `value`
        if not -_LARGEST_INTEGER - 1 <= plain <= _LARGEST_INTEGER:
            raise ValueError("an integer of more than 64 bits")
    elif issubclass(kind, float):
        plain, cost = float.__float__(value), 20  # type: ignore[arg-type]  # as above
        if not math.isfinite(plain):
            raise ValueError("a float that JSON has no text for")
    elif issubclass(kind, str):
        cost = str.__len__(value) + 2  # type: ignore[arg-type]  # as above
        # Escaped surrogates take six characters each.
        plain = plain_text(value, 6 * cost) if cost <= left else ""  # type: ignore[arg-type]  # as above
    else:
        return _plain_container(value, left - 2, depth + 1)
    if cost > left:
        raise ValueError("too large")
    return plain, left - cost


def _plain_container(value: object, left: int, depth: int) -> tuple[Any, int]:
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deep")
    kind = type(value)
    # Exactly these: going through a subclass would run its code.
    if kind is list or kind is tuple:
        items = []
        for item in value:  # type: ignore[attr-defined]  # `kind` tells mypy nothing of `value`
            plain, left = _plain(item, left, depth)
            items.append(plain)
        return items, left
    if kind is not dict:
        raise ValueError("no JSON value")
    members = {}
    for key, item in value.items():  # type: ignore[attr-defined]  # as above
        if not issubclass(type(key), str):
            raise ValueError("a key that is no text")  # noqa: TRY004  # one exception for every value that does not fit
        name, left = _plain(key, left, depth)
        members[name], left = _plain(item, left, depth)
    return members, left
