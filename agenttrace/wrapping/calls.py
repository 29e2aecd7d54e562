"""Calls that run in one go: functions and coroutines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tracebacks import hide_own_frames
from .activity import OpenCall


def traced_function(function: Callable[..., Any], open_call: OpenCall) -> Callable[..., Any]:
    """``function`` with the activity that ``open_call`` opens around each call."""

    def traced(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        activity = open_call(args, kwargs)
        if activity is None:
            return function(*args, **kwargs)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            activity.raised(error)
            hide_own_frames(error)
            raise
        return activity.returned(result)

    return traced


def coroutine_runner(function: Callable[..., Any], open_call: OpenCall) -> Callable[..., Any]:
    """A coroutine function of ``(args, kwargs)`` that awaits ``function`` with an activity around it."""

    async def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        activity = open_call(args, kwargs)
        if activity is None:
            awaitable = function(*args, **kwargs)
            del args, kwargs
            return await awaitable
        try:
            awaitable = function(*args, **kwargs)
            # The body may drop an argument while it runs, and expects its memory back then.
            del args, kwargs
            result = await awaitable
        except BaseException as error:
            activity.raised(error)
            raise
        return activity.returned(result)

    return run
