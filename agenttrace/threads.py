"""Taking the context along: into a thread, a pool, or wherever a function is called later."""

from __future__ import annotations

import concurrent.futures
import contextvars
import functools
import inspect
from collections.abc import Callable
from typing import TypeVar

from typing_extensions import ParamSpec

from .current import get_current
from .wrapping import ContextOnly, wrap_callable
from .wrapping.callables import underlying_function

__all__ = ["ThreadPoolExecutor", "keep_context"]

P = ParamSpec("P")
R = TypeVar("R")


def keep_context(function: Callable[P, R]) -> Callable[P, R]:
    """``function``, to be called anywhere, running in the context that is current now.

    The current span becomes the parent of spans in the call, whichever thread makes it and when; session, user,
    metadata and tags go along. A plain function sees all context variables as they are now (each call its own copy); a
    coroutine function or generator function the OpenTelemetry context alone, since it runs in the task that drives it.

    Args:
        function: Any callable.

    Returns:
        A callable with the same signature, safe to call from several threads at once.

    Raises:
        TypeError: If ``function`` can't be called.

    Example:
        >>> with trace_step("fetch all"):
        ...     thread = threading.Thread(target=keep_context(fetch), args=(url,))
        ...     thread.start()
    """
    if not callable(function):
        raise TypeError(f"keep_context() takes a function, not {type(function).__name__}")
    if isinstance(function, staticmethod):
        return staticmethod(keep_context(function.__func__))
    inner = underlying_function(function)
    if inspect.iscoroutinefunction(inner) or inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner):
        context = get_current()
        return wrap_callable(function, lambda args, kwargs: ContextOnly(context))
    captured = contextvars.copy_context()

    @functools.wraps(function)
    def kept(*args: P.args, **kwargs: P.kwargs) -> R:
        # One context can be entered by one thread at a time, so each call gets a copy; that copies no values.
        return captured.copy().run(function, *args, **kwargs)

    return kept


class ThreadPoolExecutor(concurrent.futures.ThreadPoolExecutor):
    """The standard library's ``ThreadPoolExecutor`` whose tasks run in the context they were submitted in.

    Example:
        >>> with trace_step("fetch all"), ThreadPoolExecutor(max_workers=4) as pool:
        ...     pages = list(pool.map(fetch, urls))
    """

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> concurrent.futures.Future[R]:
        """Schedule ``fn(*args, **kwargs)`` in the current context; see `concurrent.futures.Executor.submit`."""
        return super().submit(functools.partial(contextvars.copy_context().run, fn, *args, **kwargs))
