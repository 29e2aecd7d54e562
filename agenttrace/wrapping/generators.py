"""Generators: the steps that a native generator (see `native`) takes through the user's one.

Each step of the body runs inside the activity, and nothing of the consumer's does.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from inspect import CO_ITERABLE_COROUTINE
from types import GeneratorType
from typing import Any

from .activity import Activity
from .steps import StepsOf, TracedStepsOf


class Steps(TracedStepsOf[Generator[Any, Any, Any]]):
    """One run of a generator's body inside an activity, a step at a time.

    A step that finds the body done raises StopIteration. None is taken inside an ``except`` block of tracing's own,
    which the body could see in ``sys.exc_info()`` and its exceptions in their ``__context__``.
    """

    def __init__(self, body: GeneratorType[Any, Any, Any], activity: Activity, underway: bool = False) -> None:
        super().__init__(body, activity, underway)
        # What an awaitable generator (`types.coroutine`) yields is the event loop's; what it returns is its result.
        if not body.gi_code.co_flags & CO_ITERABLE_COROUTINE:
            activity.expect_items()

    def start(self, _: None = None) -> None:
        """Go on to the first item; a body that is underway stays where it is, and there is None to take."""
        if self._underway:
            self._yielded.append(None)
        else:
            self.send(None)

    def send(self, value: Any) -> None:
        """Go on to the next item."""
        self._step(self._body.send, value)

    def throw(self, error: BaseException) -> None:
        """Raise ``error`` where the body waits, and go on to the next item.

        So is a body closed, too: ``GeneratorExit`` is thrown at it, and whatever it makes of that is passed on.
        """
        self._step(self._body.throw, error)

    def _step(self, step: Callable[[Any], Any], argument: Any) -> None:
        __tracebackhide__ = True
        activity = self._activity
        try:
            activity.enter()
            item = step(argument)
        except StopIteration as stop:
            activity.exhausted(stop.value)
            raise
        except BaseException as error:
            activity.raised(error)
            raise
        self._keep(item)


class PlainSteps(StepsOf[Generator[Any, Any, Any]]):
    """The same steps with nothing around them."""

    def send(self, value: Any) -> None:
        """Go on to the next item."""
        self._yielded.append(self._body.send(value))

    start = send

    def throw(self, error: BaseException) -> None:
        """Raise ``error`` where the body waits, and go on to the next item."""
        self._yielded.append(self._body.throw(error))
