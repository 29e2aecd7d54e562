"""Generators: the steps that a native generator (see `native`) takes through the user's one.

Each step of the body runs inside the activity, and nothing of the consumer's does.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from inspect import CO_ITERABLE_COROUTINE
from types import GeneratorType
from typing import Any

from .activity import Activity, OpenCall


class Steps:
    """One run of a generator's body inside an activity, a step at a time.

    After a step that returns, `take` gives what the body yielded; a step that finds the body done raises StopIteration.
    No step holds a value longer than it runs, and none is taken inside an ``except`` block of tracing's own, which the
    body could see in ``sys.exc_info()`` and its exceptions in their ``__context__``.

    Args:
        body: The generator.
        activity: Entered around each step.
        underway: Whether the body waits at a ``yield`` already, for what is sent to it.
    """

    __slots__ = ("_activity", "_body", "_underway", "_yielded")

    def __init__(self, body: GeneratorType[Any, Any, Any], activity: Activity, underway: bool = False) -> None:
        self._body = body
        self._activity = activity
        # What an awaitable generator (`types.coroutine`) yields is the event loop's; what it returns is its result.
        code = getattr(body, "gi_code", None)
        is_awaitable = code is not None and code.co_flags & CO_ITERABLE_COROUTINE
        if not is_awaitable:
            activity.expect_items()
        self._underway = underway
        self._yielded: list[Any] = []

    def take(self) -> Any:
        """What the last step yielded; forgotten here, so that the consumer alone holds it."""
        return self._yielded.pop()

    def start(self, _: None = None) -> None:
        """Go on to the first item; a body that is underway stays where it is, and there is None to take."""
        if self._underway:
            self._yielded.append(None)
        else:
            self.send(None)

    def send(self, value: Any) -> None:
        """Go on to the next item."""
        __tracebackhide__ = True
        activity = self._activity
        activity.enter()
        try:
            item = self._body.send(value)
        except StopIteration as stop:
            activity.exhausted(stop.value)
            raise
        except BaseException as error:
            activity.raised(error)
            raise
        self._yielded.append(item)
        activity.pause()
        activity.add_item(item)

    def throw(self, error: BaseException) -> None:
        """Raise ``error`` where the body waits, and go on to the next item.

        So is a body closed, too: ``GeneratorExit`` is thrown at it, and whatever it makes of that is passed on.
        """
        __tracebackhide__ = True
        activity = self._activity
        activity.enter()
        try:
            item = self._body.throw(error)
        except StopIteration as stop:
            activity.exhausted(stop.value)
            raise
        except BaseException as raised:
            activity.raised(raised)
            raise
        self._yielded.append(item)
        activity.pause()
        activity.add_item(item)

    def __del__(self) -> None:
        # Dropped before the first step, or while the interpreter goes down: nothing else ends the activity then.
        self._activity.closed()


class PlainSteps:
    """The same steps with nothing around them."""

    __slots__ = ("_body", "_yielded")

    def __init__(self, body: Generator[Any, Any, Any]) -> None:
        self._body = body
        self._yielded: list[Any] = []

    def take(self) -> Any:
        """What the last step yielded."""
        return self._yielded.pop()

    def send(self, value: Any) -> None:
        """Go on to the next item."""
        self._yielded.append(self._body.send(value))

    start = send

    def throw(self, error: BaseException) -> None:
        """Raise ``error`` where the body waits, and go on to the next item."""
        self._yielded.append(self._body.throw(error))


def steps_opener(function: Callable[..., Any], open_call: OpenCall) -> Callable[..., Steps | PlainSteps]:
    """A function of ``(args, kwargs)`` that opens the activity and gives the steps of ``function``'s generator."""

    def open_steps(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Steps | PlainSteps:
        __tracebackhide__ = True
        activity = open_call(args, kwargs)
        if activity is None:
            return PlainSteps(function(*args, **kwargs))
        try:
            body = function(*args, **kwargs)
        except BaseException as error:
            activity.raised(error)
            raise
        return Steps(body, activity)

    return open_steps
