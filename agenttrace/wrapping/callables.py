"""Which wrapper a callable needs, and what of the callable the wrapper keeps."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

from .activity import OpenCall
from .asyncgenerators import AsyncSteps, PlainAsyncSteps
from .calls import coroutine_runner, traced_function
from .generators import PlainSteps, Steps
from .native import native_async_generator_function, native_coroutine_function, native_generator_function
from .signatures import call_signature, is_callable_object
from .steps import steps_opener

# What functools.lru_cache adds to the function it makes, in no __dict__ that functools.wraps could copy.
_CACHE_METHODS = ("cache_info", "cache_clear", "cache_parameters")


def wrap_callable(function: Callable[..., Any], open_call: OpenCall) -> Callable[..., Any]:
    """A function of the same kind as ``function`` that opens an activity around each call.

    Args:
        function: Any callable: a function of any kind, a method, a `functools.partial`, an object with ``__call__``.
        open_call: Opens the activity of one call.

    Returns:
        A plain function, coroutine function, generator function or async generator function, whichever ``function``
        is, with its name, docstring, signature and attributes.
    """
    wrapper = _wrapper(function, open_call)
    functools.update_wrapper(wrapper, function)
    wrapper.__name__ = callable_name(function)
    if not hasattr(function, "__qualname__"):
        wrapper.__qualname__ = wrapper.__name__
        wrapper.__module__ = getattr(type(function), "__module__", wrapper.__module__)
    if isinstance(function, functools.partial):
        wrapper.__doc__ = underlying_function(function).__doc__
    for name in _CACHE_METHODS:
        if hasattr(function, name):
            setattr(wrapper, name, getattr(function, name))
    return wrapper


def underlying_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that a partial, a bound method or a callable object runs in the end."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, types.MethodType):
            function = function.__func__
        elif is_callable_object(function):
            function = type(function).__call__
        else:
            return function


def callable_name(function: Callable[..., Any]) -> str:
    """The name a person would call ``function`` by."""
    name = getattr(function, "__name__", None)
    if isinstance(name, str):
        return name
    if isinstance(function, functools.partial):
        return callable_name(function.func)
    return type(function).__name__


def _wrapper(function: Callable[..., Any], open_call: OpenCall) -> Callable[..., Any]:
    inner = underlying_function(function)
    if _is_only_marked(inner):
        return traced_function(function, open_call)
    if inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(function):
        return _native(native_coroutine_function, coroutine_runner(function, open_call), function)
    if inspect.isasyncgenfunction(inner):
        open_steps = steps_opener(function, open_call, AsyncSteps, PlainAsyncSteps)
        return _native(native_async_generator_function, open_steps, function)
    if inspect.isgeneratorfunction(inner):
        wrapper = _native(native_generator_function, steps_opener(function, open_call, Steps, PlainSteps), function)
        code = getattr(inner, "__code__", None)
        if code is not None and code.co_flags & inspect.CO_ITERABLE_COROUTINE:
            return types.coroutine(wrapper)
        return wrapper
    return traced_function(function, open_call)


def _native(
    make: Callable[..., Any], hand_over: Callable[..., Any], function: Callable[..., Any]
) -> Callable[..., Any]:
    signature = call_signature(function)
    if signature is None:
        # Any arguments are taken, and a wrong call raises when the result is awaited or iterated.
        signature = inspect.Signature(
            [
                inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
                inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD),
            ]
        )
    wrapper: Callable[..., Any] = make(hand_over, signature)
    return wrapper


def _is_only_marked(inner: Callable[..., Any]) -> bool:
    """Whether ``inner`` is called a coroutine function by `inspect.markcoroutinefunction` alone (Python 3.12 on).

    Its body runs when it is called, so the wrapper's must too; the mark is among the attributes that the wrapper gets.
    """
    if not isinstance(inner, types.FunctionType) or inner.__code__.co_flags & inspect.CO_COROUTINE:
        return False
    return inspect.iscoroutinefunction(inner)
