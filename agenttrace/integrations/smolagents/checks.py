"""GUARDRAIL spans of an agent's final-answer checks."""

from __future__ import annotations

from typing import Any

from ...tracing import trace_guardrail
from ...wrapping.callables import callable_name
from ...wrapping.stand_in import StandIn, stood_for
from ..blocks import open_block
from .activities import SpanActivity, call_inside, opened
from .places import Place, StepPlace
from .values import unwrapped

__all__ = ["ChecksPlace"]


class ChecksPlace(Place):
    """Where an agent checks its answer.

    Args:
        agent: The agent.
        step: The step that the answer comes from.
    """

    def __init__(self, agent: Any, step: StepPlace) -> None:
        super().__init__(agent)
        self._step = step

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
            passed = call_inside(opened("a check", lambda: _open(check, args)), check, args, kwargs)
        except BaseException:
            step.failure_is_shown = True
            raise
        if passed is False:
            step.failure_is_shown = True
        return passed


class _CheckActivity(SpanActivity):
    def returned_value(self, value: Any) -> None:
        handle = self.running.handle()
        handle.set_output(value)
        if value is False:
            handle.set_status("ERROR", "the answer did not pass")


def _open(check: Any, args: tuple[Any, ...]) -> SpanActivity | None:
    running = open_block(trace_guardrail, callable_name(check), input=unwrapped(args[0]) if args else None)
    return None if running is None else _CheckActivity(running)
