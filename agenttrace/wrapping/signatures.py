"""The two signatures of a callable: what a call of it takes, and what its author shows."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any


def call_signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """What a call of ``function`` itself takes, or None where that can't be read (many C functions).

    Neither ``__wrapped__`` nor a ``__signature__`` that a decorator put on ``function`` counts: frameworks that inject
    arguments show another signature than the one they call by.
    """
    return _read(_bare(function), follow_wrapped=False)


def shown_signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """What ``inspect.signature`` shows of ``function``, or None where there is nothing that can be read.

    A decorator that takes ``*args`` and ``**kwargs`` is looked through, to the names that the user knows.
    """
    return _read(function, follow_wrapped=True)


def _read(function: Callable[..., Any], *, follow_wrapped: bool) -> inspect.Signature | None:
    try:
        if sys.version_info >= (3, 14):
            import annotationlib

            # Annotations are evaluated when they are asked for, and nobody here asks: one that can't be is no fault.
            return inspect.signature(
                function, follow_wrapped=follow_wrapped, annotation_format=annotationlib.Format.FORWARDREF
            )
        return inspect.signature(function, follow_wrapped=follow_wrapped)
    except Exception:  # TypeError and ValueError by contract; anything at all from a `__signature__` property
        return None


def _bare(function: Any) -> Any:
    """The same callable made of functions that have nothing but their code and defaults. It is never called."""
    if isinstance(function, FunctionType):
        bare = FunctionType(function.__code__, {}, function.__name__, function.__defaults__, function.__closure__)
        bare.__kwdefaults__ = function.__kwdefaults__
        return bare
    if isinstance(function, MethodType):
        return MethodType(_bare(function.__func__), function.__self__)
    if isinstance(function, functools.partial):
        return functools.partial(_bare(function.func), *function.args, **function.keywords)
    if is_callable_object(function):
        return MethodType(_bare(type(function).__call__), function)
    return function


def is_callable_object(function: Any) -> bool:
    """Whether ``function`` is called by a ``__call__`` that its class defines in Python."""
    return not isinstance(function, type) and isinstance(
        inspect.getattr_static(type(function), "__call__", None), FunctionType
    )
