"""Reading a field of a mapping or an object without running a line of its code.

What providers' clients return are pydantic models, dataclasses, typed dictionaries and their like. Their fields lie in
the instance; properties and ``__getattr__`` are the program's code, which may raise, wait or answer to any name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import MappingProxyType, MemberDescriptorType
from typing import Any

_bases_of = type.__dict__["__mro__"].__get__
_namespace_of = type.__dict__["__dict__"].__get__
_module_of = type.__dict__["__module__"].__get__


def field(value: object, *names: str) -> Any:
    """What ``value`` has under the first of ``names`` that it has and that isn't None, else None.

    Args:
        value: A mapping, or an object with fields.
        names: The field's names, the likeliest first: providers differ, and so do their releases.

    Example:
        >>> field({"total_tokens": 3}, "totalTokens", "total_tokens")
        3
    """
    for source in _sources(value):
        for name in names:
            found = source.get(name)
            if found is not None:
                return found
    return _slot(value, names)


def text_field(value: object, *names: str) -> str | None:
    """As `field`, where it is a string that isn't empty; an enumeration's member is its value."""
    found = field(value, *names)
    if isinstance(found, str):
        inner = field(found, "_value_")
        found = inner if isinstance(inner, str) else found
        return found or None
    inner = field(found, "_value_")  # enumeration members that are no strings
    return inner if isinstance(inner, str) and inner else None


def int_field(value: object, *names: str) -> int | None:
    """As `field`, where it is a whole number that isn't negative."""
    found = field(value, *names)
    if type(found) is float and found.is_integer():
        found = int(found)
    return found if type(found) is int and found >= 0 else None


def list_field(value: object, *names: str) -> Sequence[Any]:
    """As `field`, where it is a list or a tuple; else an empty one."""
    return as_list(field(value, *names))


def as_list(value: object) -> Sequence[Any]:
    """``value`` where it is a list or a tuple, which can be read without consuming it; else an empty one."""
    return value if isinstance(value, (list, tuple)) else ()


def fields(value: object) -> dict[str, Any]:
    """All that `field` finds in ``value``, by name, None left out."""
    found: dict[str, Any] = {}
    for source in reversed(_sources(value)):
        found.update((name, item) for name, item in dict.items(source) if item is not None and type(name) is str)
    return found


def is_a(value: object, root: str, *class_names: str) -> bool:
    """Whether ``value`` is an instance of a class of one of these names from the package ``root``, or of a subclass.

    Example:
        >>> is_a(completion, "openai", "ChatCompletion")
        True
    """
    return any(
        base.__name__ in class_names and _module_of(base).partition(".")[0] == root
        for base in _bases_of(type(value))
        if type(_module_of(base)) is str
    )


def from_package(value: object, root: str) -> bool:
    """Whether the class of ``value``, or a base of it, is from the package ``root``."""
    return any(
        type(module) is str and module.partition(".")[0] == root for module in map(_module_of, _bases_of(type(value)))
    )


def has_fields(value: object, names: Iterable[str]) -> bool:
    """Whether ``value`` has all of these, None counted as having."""
    sources = _sources(value)
    return all(any(name in source for source in sources) or _slot(value, (name,)) is not None for name in names)


def _sources(value: object) -> list[dict[str, Any]]:
    """The dictionaries in which the fields of ``value`` lie."""
    if isinstance(value, dict):
        return [value]
    if type(value) is MappingProxyType:
        return [dict(value)]
    found = []
    for holder in ("__dict__", "__pydantic_extra__"):
        try:
            source = object.__getattribute__(value, holder)
        except AttributeError:
            continue
        if isinstance(source, dict):
            found.append(source)
    return found


def _slot(value: object, names: Iterable[str]) -> Any:
    for name in names:
        for base in _bases_of(type(value)):
            found = _namespace_of(base).get(name)
            if type(found) is MemberDescriptorType:
                try:
                    inner = found.__get__(value)
                except AttributeError:  # a slot that was never set
                    continue
                if inner is not None:
                    return inner
    return None
