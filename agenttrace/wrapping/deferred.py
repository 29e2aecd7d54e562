"""What a plain function returned and is not done yet: the activity goes on until that is.

A generator, a coroutine or an async generator comes back as one of the same kind, with the same name, that ends the
activity. A future or a task is handed on as it is, and ends the activity when it is done. Any other iterator or
awaitable is the caller's affair alone.
"""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import suppress
from functools import cache
from opcode import opmap
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

from .. import faults
from ..tracebacks import hide_own_frames
from .activity import Activity
from .asyncgenerators import AsyncSteps
from .generators import Steps
from .native import native_async_generator_function, native_generator_function


def wrap_stepped(body: Any, activity: Activity) -> Any:
    """A generator, async generator or coroutine in the place of ``body`` that ends ``activity`` with it.

    One that can't be put in its place, because it has ended or runs right now, is given back itself, as is a coroutine
    that was awaited already.
    """
    try:
        if isinstance(body, GeneratorType):
            wrapped = _wrap_generator(body, activity)
        elif isinstance(body, AsyncGeneratorType):
            wrapped = _wrap_async_generator(body, activity)
        else:
            wrapped = _wrap_coroutine(body, activity)
    except BaseException as error:
        faults.contain("following what a traced function returned", error)
        wrapped = None
    if wrapped is None:
        activity.exhausted(body)
        return body
    wrapped.__name__, wrapped.__qualname__ = body.__name__, body.__qualname__
    return wrapped


def finish_with(value: Any, activity: Activity) -> bool:
    """Let ``activity`` end when ``value`` does, if that is a future; tells whether it is."""
    try:
        kind = type(value)
        if not (hasattr(kind, "_asyncio_future_blocking") or _is_executor_future(kind)):
            return False
        completion = _Completion(_Unfinished(activity, None))
        if value.done():
            completion(value)  # its event loop, if it has one, may be closed and call nothing any more
        else:
            value.add_done_callback(completion)
    except BaseException as error:
        faults.contain("waiting for a future that a traced function returned", error)
        return False
    return True


def _wrap_generator(body: GeneratorType[Any, Any, Any], activity: Activity) -> Any:
    if body.gi_frame is None or body.gi_running:
        return None
    make = (
        _awaitable_generator_function if body.gi_code.co_flags & inspect.CO_ITERABLE_COROUTINE else _generator_function
    )
    underway = inspect.getgeneratorstate(body) == inspect.GEN_SUSPENDED
    wrapped = make()(Steps(body, activity, underway))
    if underway:
        next(wrapped)
    return wrapped


def _wrap_async_generator(body: AsyncGeneratorType[Any, Any], activity: Activity) -> Any:
    if body.ag_frame is None or body.ag_running:
        return None
    underway = _is_underway(body)
    wrapped = _async_generator_function()(AsyncSteps(body, activity, underway))
    if underway:
        with suppress(StopIteration):  # which is how an item comes out of an async generator
            wrapped.asend(None).send(None)
    return wrapped


def _is_underway(body: AsyncGeneratorType[Any, Any]) -> bool:
    suspended = getattr(body, "ag_suspended", None)
    if suspended is not None:
        return bool(suspended)
    # Python 3.10 and 3.11 don't say. 3.10 has run nothing of a new one, 3.11 only the instruction that makes it.
    last = body.ag_frame.f_lasti if body.ag_frame is not None else -1
    return last >= 0 and body.ag_code.co_code[last] != opmap.get("RETURN_GENERATOR")


def _wrap_coroutine(body: CoroutineType[Any, Any, Any], activity: Activity) -> Any:
    if inspect.getcoroutinestate(body) != inspect.CORO_CREATED:
        return None
    return _run_coroutine(body, _Unfinished(activity, body))


async def _run_coroutine(body: Coroutine[Any, Any, Any], guard: _Unfinished) -> Any:
    __tracebackhide__ = True
    activity = guard.release()
    activity.enter()
    try:
        result = await body
    except BaseException as error:
        activity.raised(error)
        hide_own_frames(error)
        raise
    return activity.returned(result)


_STEPS = inspect.Signature([inspect.Parameter("steps", inspect.Parameter.POSITIONAL_ONLY)])


@cache
def _generator_function() -> Callable[[Steps], Generator[Any, Any, Any]]:
    return native_generator_function(_the_only_argument, _STEPS)


@cache
def _awaitable_generator_function() -> Callable[[Steps], Any]:
    return types.coroutine(native_generator_function(_the_only_argument, _STEPS))


@cache
def _async_generator_function() -> Callable[[AsyncSteps], AsyncGenerator[Any, Any]]:
    return native_async_generator_function(_the_only_argument, _STEPS)


def _the_only_argument(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return args[0]


class _Unfinished:
    """Holds an activity that waits for its end; dropped before that, the activity is closed.

    ``body`` is a coroutine that is closed with it when it never ran, so that "was never awaited" is said once, of the
    object that the program dropped.
    """

    __slots__ = ("_body", "_released", "activity")

    def __init__(self, activity: Activity, body: CoroutineType[Any, Any, Any] | None) -> None:
        self.activity = activity
        self._body = body
        self._released = False

    def release(self) -> Activity:
        """The activity, which ends by itself from now on."""
        self._released, self._body = True, None
        return self.activity

    def __del__(self) -> None:
        if self._body is not None:
            self._body.close()
        if not self._released:
            self.activity.closed()


class _Completion:
    """Called by a future that is done."""

    __slots__ = ("_guard",)

    def __init__(self, guard: _Unfinished) -> None:
        self._guard = guard

    def __call__(self, future: Any) -> None:
        activity = self._guard.activity
        try:
            if future.cancelled():
                activity.raised(_cancelled_error(type(future)))
                return
            # asyncio logs "exception was never retrieved" for a future whose exception() nobody called. Calling it
            # here would silence that, so the field behind it is read instead.
            error = future._exception
            if error is not None:
                activity.raised(error)
            else:
                activity.exhausted(future.result())
        except BaseException as fault:
            faults.contain("recording the result of a future", fault)
            activity.closed()


def _cancelled_error(kind: type) -> BaseException:
    if _is_executor_future(kind):
        from concurrent.futures import CancelledError as ExecutorCancelledError

        return ExecutorCancelledError()
    from asyncio import CancelledError

    return CancelledError()


def _is_executor_future(kind: type) -> bool:
    futures = sys.modules.get("concurrent.futures")
    return futures is not None and issubclass(kind, futures.Future)
