"""A span around a call of an agent's, in a context that says where in its run the agent is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import GeneratorType
from typing import Any, TypeVar

from ... import faults
from ...current import Context
from ...running import RunningSpan
from ...wrapping import Activity
from ...wrapping.calls import traced_function
from .places import Place
from .values import unwrapped

__all__ = ["SpanActivity", "as_generator", "call_inside", "opened"]

OpenedT = TypeVar("OpenedT")


class SpanActivity(Activity):
    """One span and the place it is; entered by whoever opens it.

    Args:
        running: The span, entered; it is left here.
        place: What the context says of where the agent is; None leaves that as it is.
    """

    def __init__(self, running: RunningSpan, place: Place | None = None) -> None:
        running.pause()
        assert running.context is not None
        self.running = running
        self.context: Context | None = running.context if place is None else place.entered_in(running.context)

    def finish(self, value: Any) -> None:
        """See `Activity.finish`."""
        self.record(lambda: self.returned_value(value))
        self.running.exhausted(None)

    def fail(self, error: BaseException) -> None:
        """See `Activity.fail`; this is how a generator ends, too, that is closed."""
        if isinstance(error, GeneratorExit):
            self.give_up()
            return
        self.record(lambda: self.failed(error))
        self.running.raised(error)

    def give_up(self) -> None:
        """See `Activity.give_up`."""
        self.record(self.given_up)
        self.running.closed()

    def end(self) -> None:
        """See `Activity.end`."""
        self.running.end()

    def returned_value(self, value: Any) -> None:
        """Record what the call returned; may raise."""
        self.running.handle().set_output(unwrapped(value))

    def failed(self, error: BaseException) -> None:
        """Record what there is to say beside the error itself; may raise."""

    def given_up(self) -> None:
        """Record what there is to say of a call that nobody waited for the end of; may raise."""

    def record(self, say: Callable[[], None]) -> None:
        """Call ``say``, whatever is raised in it."""
        try:
            say()
        except BaseException as error:
            faults.contain("recording a call of a smolagents agent", error)


def opened(what: str, open_it: Callable[[], OpenedT | None]) -> OpenedT | None:
    """What ``open_it`` opens; None where there is nothing to record, or that failed."""
    try:
        return open_it()
    except BaseException as error:
        faults.contain(f"opening the span of {what} of a smolagents agent", error)
        return None


def call_inside(
    activity: Activity | None, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """``function(*args, **kwargs)`` inside ``activity``, which is told how it ended; None calls it as it is."""
    __tracebackhide__ = True
    if activity is None:
        return function(*args, **kwargs)
    activity.enter()
    return traced_function(function, lambda args, kwargs: activity)(*args, **kwargs)


def as_generator(items: Any) -> Any:
    """``items`` as a generator, which can be followed to its end; what can't be iterated is given back.

    Classes of the user's may give any iterable where smolagents' own give a generator: all that smolagents does with
    it is to iterate it.
    """
    return items if isinstance(items, GeneratorType) or not isinstance(items, Iterable) else _each(items)


def _each(items: Iterable[Any]) -> Any:
    __tracebackhide__ = True
    yield from items
