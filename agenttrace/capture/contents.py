"""What an object is to be written as, before anything in it is looked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias

from .text import Excerpt


class Contents(NamedTuple):
    """A JSON array or object to be: where its entries come from, not yet read."""

    source: Iterable[Any]
    """Yields the items, or ``(key, value)`` pairs, once. May raise, and may never end."""
    size: int | None
    """How many entries there are, None where only reading them would tell."""
    pairs: bool
    """Whether the entries are pairs: an object, not an array."""
    name: str
    """The type's name, for the marks of cycles and depth."""
    ready: dict[str, Any] | None = None
    """All the entries, where they had to be read to know them."""


class Instead(NamedTuple):
    """Another value, to be written in the place of the object."""

    value: Any


Scalar: TypeAlias = "str | int | float | bool | None"
Described: TypeAlias = "Contents | Instead | Excerpt | Scalar"


def record(name: str, fields: dict[str, Any]) -> Contents:
    """An object with the entries ``fields``."""
    return Contents(fields.items(), len(fields), True, name, fields)
