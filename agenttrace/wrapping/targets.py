"""What a mark can be put on besides a function: a class, and what stands between a function and its class."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from .callables import callable_name

Traced = Callable[["Callable[..., Any]", "bool | None", "type | None"], "Callable[..., Any]"]
"""Makes a traced function from a function, whether its first parameter is an instance or class (None: tell by its
name), and the class whose method it is."""

DESCRIPTORS = (classmethod, staticmethod, property, functools.cached_property)
"""What stands between a function and its class, and can be marked in the function's place."""


def wrap_target(target: Any, traced: Traced, label: str, method: str | None) -> Any:
    """``target`` with its function traced; what is returned is of the same kind.

    Args:
        target: A callable, class, classmethod, staticmethod, property or cached property.
        traced: Makes a traced function.
        label: The mark's name, for messages.
        method: The method of a class that is to be traced; None for ``__call__``.

    Raises:
        TypeError: If a class has no such method, or ``method`` was given for something that is no class.
    """
    if isinstance(target, type):
        return _wrap_class(target, traced, label, method or "__call__")
    if method is not None:
        raise TypeError(f"{label}(method={method!r}) goes on a class, not on {callable_name(target)}")
    return _wrap_member(target, traced, None)


def span_name(function: Callable[..., Any], owner: type | None) -> str:
    """What a span of ``function`` is called: its name, with its class's in front for a method."""
    if owner is not None:
        name = callable_name(function)
        return owner.__name__ if name == "__call__" else f"{owner.__name__}.{name}"
    qualified = getattr(function, "__qualname__", None)
    if not isinstance(qualified, str):
        return callable_name(function)
    return qualified.rpartition("<locals>.")[2]


def _wrap_member(member: Any, traced: Traced, owner: type | None) -> Any:
    if isinstance(member, classmethod):
        return type(member)(_wrap_inner(member.__func__, traced, True, owner))
    if isinstance(member, staticmethod):
        return type(member)(_wrap_inner(member.__func__, traced, False, owner))
    if isinstance(member, property):
        if member.fget is None:
            raise TypeError("a property without a getter has nothing to trace")
        return member.getter(traced(member.fget, True, owner))
    if isinstance(member, functools.cached_property):
        return type(member)(traced(member.func, True, owner))
    return traced(member, None if owner is None else True, owner)


def _wrap_inner(inner: Any, traced: Traced, drop_first: bool, owner: type | None) -> Any:
    """What a classmethod or staticmethod is around: a function, or, as Python allows, one more of its like."""
    return traced(inner, drop_first, owner) if callable(inner) else _wrap_member(inner, traced, owner)


def _wrap_class(target: type, traced: Traced, label: str, method: str) -> type:
    for ancestor in target.__mro__:
        if method in vars(ancestor):
            member = vars(ancestor)[method]
            break
    else:
        methods = [
            name for name in dir(target) if not name.startswith("_") and callable(inspect.getattr_static(target, name))
        ]
        raise TypeError(
            f"{label} on class {target.__name__}: it has no method {method!r}. "
            f"Write {label}(method=…) with one of: {', '.join(methods) or 'none that is public'}"
        )
    if not callable(member) and not isinstance(member, DESCRIPTORS):
        raise TypeError(f"{label} on class {target.__name__}: {method!r} is {type(member).__name__}, not a method")
    traced_member = _wrap_member(member, traced, target)
    setattr(target, method, traced_member)
    if isinstance(traced_member, functools.cached_property):
        traced_member.__set_name__(target, method)  # as the class statement does, which is over
    return target
