"""GUARDRAIL spans of an agent's final-answer checks."""

from __future__ import annotations

from typing import Any

from ...tracing import trace_guardrail
from ...wrapping.callables import callable_name
from ...wrapping.stand_in import StandIn, stood_for
from ..blocks import open_block
from .activities import SpanActivity, call_inside, opened
from .places import InsideStep, StepPlace
from .values import unwrapped

__all__ = ["ChecksPlace"]

_SCALARS = (type(None), bool, int, float, str)


class ChecksPlace(InsideStep):
    """Where an agent checks its answer.

    Args:
        step: The step that the answer comes from.
    """

    def stand_in(self, name: str, value: Any) -> Any:
        """See `Place.stand_in`."""
        if name != "final_answer_checks" or not isinstance(value, (list, tuple)):
            return value
        return [_CheckStandIn(check, self._step) for check in value]


class _CheckStandIn(StandIn):
    """Stands for a check, whose name smolagents quotes to the model when the answer doesn't pass."""

    __slots__ = ("_agenttrace_step",)

    def __init__(self, check: Any, step: StepPlace) -> None:
        super().__init__(check)
        object.__setattr__(self, "_agenttrace_step", step)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Check an answer."""
        __tracebackhide__ = True
        check, step = stood_for(self), object.__getattribute__(self, "_agenttrace_step")
        try:
            passed = call_inside(opened("a check", lambda: _open(check, step, args)), check, args, kwargs)
        except BaseException:
            step.failure_is_shown = True
            raise
        if _is_no(passed):
            step.failure_is_shown = True
        return passed


class _CheckActivity(SpanActivity):
    def returned_value(self, value: Any) -> None:
        handle = self.running.handle()
        handle.set_output(value)
        if _is_no(value):
            handle.set_status("ERROR", "the answer did not pass")


def _is_no(passed: Any) -> bool:
    """Whether smolagents takes it as a no, such as the None of a check that forgot to return something.

    What else is taken as one only its own ``__bool__`` knows, which is smolagents' to call.
    """
    return type(passed) in _SCALARS and not passed


def _open(check: Any, step: StepPlace, args: tuple[Any, ...]) -> SpanActivity | None:
    running = open_block(trace_guardrail, callable_name(check), input=unwrapped(args[0]) if args else None)
    return None if running is None else _CheckActivity(running, InsideStep(step))
