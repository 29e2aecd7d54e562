"""Async generators: the steps that a native async generator (see `native`) takes through the user's one.

Every step is awaited in the task that asks for it, so that an anyio cancel scope or a timeout which the body holds open
across a ``yield`` is entered and left by one task, as in plain Python.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable
from typing import Any

from .activity import Activity
from .steps import StepsOf, TracedStepsOf


class AsyncSteps(TracedStepsOf[AsyncGenerator[Any, Any]]):
    """One run of an async generator's body inside an activity, a step at a time.

    A step that finds the body done raises StopAsyncIteration.
    """

    def __init__(self, body: AsyncGenerator[Any, Any], activity: Activity, underway: bool = False) -> None:
        super().__init__(body, activity, underway)
        activity.expect_items()

    async def start(self, _: None = None) -> None:
        """Go on to the first item; a body that is underway stays where it is, and there is None to take."""
        if self._underway:
            self._yielded.append(None)
        else:
            await self._step(_first_step(self._body))

    def send(self, value: Any) -> Awaitable[None]:
        """Go on to the next item."""
        return self._step(self._body.asend(value))

    def throw(self, error: BaseException) -> Awaitable[None]:
        """Raise ``error`` where the body waits, and go on to the next item.

        So is a body closed, too: ``GeneratorExit`` is thrown at it, and whatever it makes of that is passed on.
        """
        return self._step(self._body.athrow(error))

    async def _step(self, awaitable: Awaitable[Any]) -> None:
        __tracebackhide__ = True
        activity = self._activity
        try:
            activity.enter()
            item = await awaitable
        except StopAsyncIteration:
            activity.exhausted(None)
            raise
        except BaseException as error:
            activity.raised(error)
            raise
        self._keep(item)


class PlainAsyncSteps(StepsOf[AsyncGenerator[Any, Any]]):
    """The same steps with nothing around them."""

    async def start(self, _: None = None) -> None:
        """Go on to the first item."""
        self._yielded.append(await _first_step(self._body))

    async def send(self, value: Any) -> None:
        """Go on to the next item."""
        self._yielded.append(await self._body.asend(value))

    async def throw(self, error: BaseException) -> None:
        """Raise ``error`` where the body waits, and go on to the next item."""
        self._yielded.append(await self._body.athrow(error))


def _first_step(body: AsyncGenerator[Any, Any]) -> Awaitable[Any]:
    """``body.asend(None)``, without the event loop hearing of ``body``.

    An event loop closes the async generators it has heard of when it ends, all at once; the native one that takes these
    steps is among them and closes ``body`` itself. Were ``body`` among them too, it would be closed twice at a time.
    """
    first_iteration, finalizer = sys.get_asyncgen_hooks()
    if first_iteration is None and finalizer is None:
        return body.asend(None)
    sys.set_asyncgen_hooks(None, None if finalizer is None else _leave_alone)
    try:
        return body.asend(None)
    finally:
        sys.set_asyncgen_hooks(first_iteration, finalizer)


def _leave_alone(body: AsyncGenerator[Any, Any]) -> None:
    """What an event loop that is closed does for an async generator that is dropped: nothing."""
