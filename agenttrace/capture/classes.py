"""Looking at a class without running a line of its code, however its metaclass answers.

``isinstance``, ``hasattr``, ``cls.__mro__`` and ``x.__class__`` all ask methods that the program may have replaced.
What is read here comes from the slots of ``type`` itself.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MemberDescriptorType
from typing import Any

MISSING = object()
"""Stands for "there is none" where None may be a value."""

_bases_of = type.__dict__["__mro__"].__get__
_namespace_of = type.__dict__["__dict__"].__get__
_module_of = type.__dict__["__module__"].__get__
_qualified_name_of = type.__dict__["__qualname__"].__get__


def bases_of(cls: type) -> tuple[type, ...]:
    """``cls`` and its base classes in the order in which attributes are looked up."""
    found: tuple[type, ...] = _bases_of(cls)
    return found


def find_in_class(cls: type, name: str) -> Any:
    """What ``cls`` or its nearest base defines as ``name``, unbound, or :data:`MISSING`."""
    for base in _bases_of(cls):
        namespace: Mapping[str, Any] = _namespace_of(base)
        if name in namespace:
            return namespace[name]
    return MISSING


def owner_of(cls: type, name: str) -> type | None:
    """The class among ``cls`` and its bases that defines ``name``."""
    for base in _bases_of(cls):
        if name in _namespace_of(base):
            return base  # type: ignore[no-any-return]
    return None


def defines(cls: type, *names: str) -> bool:
    """Whether ``cls`` or a base other than ``object`` defines one of ``names``."""
    for base in _bases_of(cls):
        if base is not object:
            namespace = _namespace_of(base)
            if any(namespace.get(name) is not None for name in names):
                return True
    return False


def module_of(cls: type) -> str:
    """The name of the module that says it made ``cls``, empty if it doesn't say."""
    module = _module_of(cls)
    return module if type(module) is str else ""


def class_name(cls: type) -> str:
    """``module.Class``, or ``Class`` for a builtin, in at most 200 characters."""
    module = module_of(cls)
    name: str = _qualified_name_of(cls)
    return (name if module in ("", "builtins") else f"{module}.{name}")[:200]


def loaded(module: str, name: str) -> Any:
    """The object ``name`` of a module that the program has imported already, else None; nothing is ever imported."""
    found = sys.modules.get(module)
    return None if found is None else vars(found).get(name)


def is_one_of(cls: type, classes: tuple[Any, ...]) -> bool:
    """Whether one of ``classes`` is ``cls`` or a base of it, compared by identity."""
    wanted = {id(candidate) for candidate in classes if candidate is not None}
    return any(id(base) in wanted for base in _bases_of(cls))


def instance_fields(value: object) -> dict[str, Any]:
    """The ``__dict__`` of ``value``, empty if it has none."""
    try:
        fields = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return fields if type(fields) is dict else {}


def read_field(value: object, fields: dict[str, Any], name: str) -> Any:
    """What ``value.name`` is when it is plain data, else :data:`MISSING`; properties and ``__getattr__`` aren't run.

    Args:
        value: The object.
        fields: Its :func:`instance_fields`.
        name: The field.
    """
    if name in fields:
        return fields[name]
    found = find_in_class(type(value), name)
    if type(found) is MemberDescriptorType:
        try:
            return found.__get__(value)
        except AttributeError:  # a slot that was never set
            return MISSING
    return MISSING if found is MISSING or defines(type(found), "__get__") else found
