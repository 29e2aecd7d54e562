"""What the steps through a generator's body and those through an async generator's have in common.

A native generator (see `native`) takes them: it calls ``start``, ``send`` or ``throw``, then `take` for what the body
yielded. No steps object holds a value longer than a step runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from .activity import Activity, OpenCall

BodyT = TypeVar("BodyT")


class StepsOf(Generic[BodyT]):
    """The body of one run, and what it yielded last.

    Args:
        body: The generator or async generator.
    """

    def __init__(self, body: BodyT) -> None:
        self._body = body
        self._yielded: list[Any] = []

    def take(self) -> Any:
        """What the last step yielded; forgotten here, so that the consumer alone holds it."""
        return self._yielded.pop()


class TracedStepsOf(StepsOf[BodyT]):
    """Steps that are taken inside an activity, which ends with the body.

    Args:
        body: The generator or async generator.
        activity: Entered around each step.
        underway: Whether the body waits at a ``yield`` already, for what is sent to it.
    """

    def __init__(self, body: BodyT, activity: Activity, underway: bool = False) -> None:
        self._activity = activity  # first, for __del__ after an interrupted __init__
        super().__init__(body)
        self._underway = underway

    def _keep(self, item: Any) -> None:
        """The body yielded ``item``."""
        self._yielded.append(item)
        self._activity.pause()
        self._activity.add_item(item)

    def __del__(self) -> None:
        # Dropped before the first step, or when no event loop is left to close it, or while the interpreter goes down:
        # nothing else ends the activity then.
        activity: Activity | None = getattr(self, "_activity", None)
        if activity is not None:
            activity.closed()


TracedT = TypeVar("TracedT")
PlainT = TypeVar("PlainT")


def steps_opener(
    function: Callable[..., Any],
    open_call: OpenCall,
    traced_steps: Callable[[Any, Activity], TracedT],
    plain_steps: Callable[[Any], PlainT],
) -> Callable[[tuple[Any, ...], dict[str, Any]], TracedT | PlainT]:
    """A function of ``(args, kwargs)`` that opens the activity and gives the steps of what ``function`` returns.

    Args:
        function: A generator function or async generator function.
        open_call: Opens the activity of one call.
        traced_steps: Makes the steps inside an activity.
        plain_steps: Makes the steps where there is none.
    """

    def open_steps(args: tuple[Any, ...], kwargs: dict[str, Any]) -> TracedT | PlainT:
        __tracebackhide__ = True
        activity = open_call(args, kwargs)
        if activity is None:
            return plain_steps(function(*args, **kwargs))
        try:
            return traced_steps(function(*args, **kwargs), activity)
        except BaseException as error:
            activity.raised(error)
            raise

    return open_steps
