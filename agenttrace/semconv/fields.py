"""Reading a field of a mapping or an object without running a line of its code.

What providers' clients return are pydantic models, dataclasses, typed dictionaries and their like. Their fields lie in
the instance; properties and ``__getattr__`` are the program's code, which may raise, wait or answer to any name. So is
``isinstance``, which asks an object for its ``__class__``: what something is, its type alone says here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from gc import get_referents
from types import GetSetDescriptorType, MappingProxyType, MemberDescriptorType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from .. import faults
from ..blame import is_meant_for_program

__all__ = [
    "as_list",
    "class_field",
    "class_name",
    "derives_from",
    "field",
    "fields",
    "from_package",
    "has_fields",
    "int_field",
    "is_a",
    "is_dict",
    "is_list",
    "is_record",
    "is_text",
    "is_unset",
    "list_field",
    "package_of",
    "package_of_class",
    "text_field",
    "text_of",
]

_bases_of = type.__dict__["__mro__"].__get__
_namespace_of = type.__dict__["__dict__"].__get__
_module_of = type.__dict__["__module__"].__get__
_name_of = type.__dict__["__name__"].__get__

_MOST_COPIED = 262_144  # items of a list of a subclass, which is read by list's own methods
# What clients have as the value of a field that nobody has set.
_UNSET = frozenset({"NotGiven", "Omit", "Unset", "UnsetType", "PydanticUndefinedType", "ellipsis"})
# By these in its namespace a class declares which fields its instances have: pydantic's, dataclasses, attrs.
_DECLARATIONS = ("__pydantic_fields_set__", "__fields__", "__dataclass_fields__", "__attrs_attrs__")

_DESCRIPTORS = (GetSetDescriptorType, MemberDescriptorType)

# Kept as long as the class lives and no longer; threads may race to add the same entry, which does no harm.
_plans: WeakKeyDictionary[type, _Plan] = WeakKeyDictionary()


def field(value: object, *names: str) -> Any:
    """What ``value`` has under the first of ``names`` that it has and that isn't None, else None.

    Args:
        value: A mapping, or an object with fields.
        names: The field's names, the likeliest first: providers differ, and so do their releases.

    Example:
        >>> field({"total_tokens": 3}, "totalTokens", "total_tokens")
        3
    """
    kind = type(value)
    if value is None or kind is str or kind is list or kind is int or kind is float or kind is bool:
        return None
    try:
        if kind is dict:
            for name in names:
                found = value.get(name)  # type: ignore[attr-defined]
                if found is not None:
                    return found
            return None
        for source in _sources(value):
            for name in names:
                found = dict.get(source, name)
                if found is not None and _is_set(found):
                    return found
    except BaseException as error:  # from a key that can't be compared
        faults.contain("looking up a field", error)
        return None
    slots = _plan_of(kind).slots
    if not slots:
        return None
    return next((found for name in names for found in _slots_named(value, name)), None)


def text_field(value: object, *names: str) -> str | None:
    """As `field`, where it is a string that isn't empty; an enumeration's member is its value."""
    found = field(value, *names)
    return found or None if type(found) is str else text_of(found) or None


def text_of(value: object) -> str | None:
    """``value`` as an exact string, where it is one, or a member of an enumeration of strings; else None."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]
    if value is None or kind is dict or kind is list or kind is int or kind is bool or kind is float:
        return None
    inner = field(value, "_value_")
    if type(inner) is str:
        return inner
    return str.__str__(value) if issubclass(kind, str) else None


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
    """``value`` where it is a list or a tuple, which can be read without consuming it; else an empty one.

    One of a subclass is read by the methods of ``list`` and ``tuple``, not by its own.
    """
    kind = type(value)
    if kind is list or kind is tuple:
        return value  # type: ignore[return-value]
    for base in (list, tuple):
        if issubclass(kind, base):
            return base.__getitem__(value, slice(0, _MOST_COPIED))  # type: ignore[call-overload, no-any-return]
    return ()


def is_list(value: object) -> bool:
    """Whether ``value`` is a list or a tuple."""
    return issubclass(type(value), (list, tuple))


def is_text(value: object) -> bool:
    """Whether ``value`` is a string."""
    return issubclass(type(value), str)


def is_dict(value: object) -> bool:
    """Whether ``value`` is a dictionary."""
    return issubclass(type(value), dict)


def is_unset(value: object) -> bool:
    """Whether ``value`` is what a client has in the place of a value that nobody has set (``openai.NOT_GIVEN``)."""
    return _name_of(type(value)) in _UNSET


def is_record(value: object) -> bool:
    """Whether the class of ``value`` declares its fields, as pydantic's models and dataclasses do.

    Whatever else has fields may be a client and have its keys among them.
    """
    if issubclass(type(value), type):  # pydantic's metaclass has these names too
        return False
    return any(name in _namespace_of(base) for base in _bases_of(type(value)) for name in _DECLARATIONS)


def fields(value: object) -> dict[str, Any]:
    """All that `field` finds in ``value``, by name, None left out."""
    found: dict[str, Any] = dict(_slots_of(value))
    for source in reversed(_sources(value)):
        present = [*dict.items(source)]
        found.update({name: item for name, item in present if type(name) is str and _is_set(item)})
    return found


def class_field(value: object, name: str) -> Any:
    """What the class of ``value``, or a base of it, has under ``name``, as it lies there; None where none has."""
    return next((space[name] for base in _bases_of(type(value)) if name in (space := _namespace_of(base))), None)


def is_a(value: object, root: str, *class_names: str) -> bool:
    """Whether ``value`` is an instance of a class of one of these names from the package ``root``, or of a subclass.

    Example:
        >>> is_a(completion, "openai", "ChatCompletion")
        True
    """
    return derives_from(type(value), root, *class_names)


def derives_from(cls: type, root: str, *class_names: str) -> bool:
    """As `is_a`, of a class and not of its instance."""
    return any(_name_of(base) in class_names and package_of_class(base) == root for base in _bases_of(cls))


def from_package(value: object, root: str) -> bool:
    """Whether the class of ``value``, or a base of it, is from the package ``root``."""
    return any(package_of_class(base) == root for base in _bases_of(type(value)))


def package_of(value: object) -> str:
    """The package that the class of ``value`` is from, ``""`` where it doesn't say."""
    return package_of_class(type(value))


def package_of_class(cls: type) -> str:
    """The package that ``cls`` is from, ``""`` where it doesn't say."""
    module = _module_of(cls)
    return module.partition(".")[0] if type(module) is str else ""


def class_name(value: object) -> str:
    """The name of the class of ``value``."""
    name: str = _name_of(type(value))
    return name


def has_fields(value: object, names: Iterable[str]) -> bool:
    """Whether ``value`` has all of these, None counted as having."""
    sources = _sources(value)
    return all(
        any(dict.__contains__(source, name) for source in sources) or any(True for _ in _slots_named(value, name))
        for name in names
    )


def _is_set(value: object) -> bool:
    return value is not None and _name_of(type(value)) not in _UNSET


class _Plan(NamedTuple):
    """Where the fields of a class's instances lie, found by looking at the class once."""

    is_dict: bool
    is_proxy: bool
    tuple_names: Any
    """The fields of a named tuple; None for what is no tuple, empty for a tuple without."""
    own: Any
    """The descriptor of ``__dict__``, unless the class puts something else there, which would be run."""
    extra: tuple[MemberDescriptorType, ...]
    """Of pydantic's ``__pydantic_extra__``."""
    slots: dict[str, tuple[MemberDescriptorType, ...]]


def _plan_of(cls: type) -> _Plan:
    try:
        known = _plans.get(cls)
        if known is None:
            known = _plans[cls] = _make_plan(cls)
        return known
    except Exception as error:  # a metaclass whose instances have no hash
        if is_meant_for_program(error):
            raise
        return _make_plan(cls)


def _make_plan(cls: type) -> _Plan:
    bases = _bases_of(cls)
    names: Any = None
    if issubclass(cls, tuple):
        names = next((space["_fields"] for base in bases if "_fields" in (space := _namespace_of(base))), ())
        names = names if type(names) is tuple else ()
    own = next((found for base in bases if (found := _namespace_of(base).get("__dict__")) is not None), None)
    slots: dict[str, tuple[MemberDescriptorType, ...]] = {}
    for base in bases:
        for name, found in [*_namespace_of(base).items()]:
            if type(found) is MemberDescriptorType:
                slots[name] = (*slots.get(name, ()), found)
    return _Plan(
        issubclass(cls, dict),
        cls is MappingProxyType,
        names,
        own if any(type(own) is kind for kind in _DESCRIPTORS) else None,
        slots.get("__pydantic_extra__", ()),
        slots,
    )


def _sources(value: object) -> Sequence[dict[str, Any]]:
    """The dictionaries in which the fields of ``value`` lie; they may be of subclasses."""
    plan = _plan_of(type(value))
    if plan.is_dict:
        return (value,)  # type: ignore[return-value]
    if plan.is_proxy:
        return [below for below in get_referents(value) if is_dict(below)]
    if plan.tuple_names is not None:
        items: Any = value
        return [dict(zip(plan.tuple_names, tuple.__iter__(items), strict=False))] if plan.tuple_names else ()
    own: Any = None if plan.own is None else plan.own.__get__(value)
    extra: Any = next((inner for slot in plan.extra if (inner := _slot(value, slot)) is not None), None)
    if extra is None:
        return (own,) if is_dict(own) else ()
    return [source for source in (own, extra) if is_dict(source)]


def _slots_named(value: object, name: str) -> Iterator[Any]:
    for slot in _plan_of(type(value)).slots.get(name, ()):
        inner = _slot(value, slot)
        if inner is not None:
            yield inner


def _slots_of(value: object) -> Iterator[tuple[str, Any]]:
    for name, slots in _plan_of(type(value)).slots.items():
        if not name.startswith("__"):
            inner = next((found for slot in slots if (found := _slot(value, slot)) is not None), None)
            if inner is not None:
                yield name, inner


def _slot(value: object, descriptor: MemberDescriptorType) -> Any:
    try:
        return descriptor.__get__(value)
    except AttributeError:  # a slot that was never set
        return None
