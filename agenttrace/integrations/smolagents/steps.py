"""CHAIN spans of an agent's steps and plans: from the first look at the memory until the step's callbacks have run."""

from __future__ import annotations

from typing import Any

from smolagents import memory
from smolagents.utils import AgentError

from ... import faults
from ...capture.errors import describe, exception_attributes
from ...current import Context, get_current
from ...running import RunningSpan
from ...tracing import trace_step
from ...wrapping import Activity
from ..blocks import open_block
from .executors import ExecutorStandIn
from .models import ModelStandIn
from .places import StepPlace, current_place, name_of

__all__ = ["Step", "StepBody", "begin_step"]

_MENDED_EVENT = "agent.step_recovery"
"""What OpenInference's instrumentor calls the event of an error that the model is told of, to mend it."""


class Step(StepPlace):
    """One step, and its span.

    Args:
        agent: The agent.
        name: The span's name.
        running: The span.
        memory_step: What smolagents keeps of the step; None as long as it isn't known.
    """

    def __init__(self, agent: Any, name: str, running: RunningSpan, memory_step: Any) -> None:
        run = current_place(agent)
        super().__init__(agent, name_of(agent) if run is None else run.node)
        self.running = running
        self.memory_step: Any = memory_step
        self.name = name
        self.run = run
        """What the step is a part of; None where it was asked for by itself."""
        self.error: BaseException | None = None
        """What came out of the step's body."""
        self.is_abandoned = False

    def stand_in(self, name: str, value: Any) -> Any:
        """See `Place.stand_in`."""
        if name == "model":
            return ModelStandIn(value)
        return ExecutorStandIn(value, self.agent) if name == "python_executor" else value

    def close(self, error: BaseException | None) -> None:
        """End the span with what is known of the step; nothing when it is over.

        Args:
            error: What came out of the step's callbacks.
        """
        if self.context is None:
            return
        self.closed()
        if self.run is not None:
            self.run.step_closed(self)
        try:
            if self.run is not None:
                self.run.step_ended(self.memory_step)
            self._describe()
            escaped = error or self._escaped()
            if escaped is not None:
                self.running.raised(escaped)
            elif self.is_abandoned and getattr(self.memory_step, "error", None) is None:
                self.running.closed()
            else:
                self.running.exhausted(None)
        except BaseException as fault:
            faults.contain("ending the span of a smolagents step", fault)
            self.running.closed()
        finally:
            # Its frames hold streams that are to be closed when nobody reads them any more.
            self.error = self.memory_step = None

    def _escaped(self) -> BaseException | None:
        """What is the step's own failure: what ended it, and what no span below it shows."""
        mended = getattr(self.memory_step, "error", None)
        if mended is None:
            return self.error
        if not isinstance(mended, BaseException):
            return None
        self._say_mended(mended)
        return None if self.failure_is_shown else mended

    def _say_mended(self, error: BaseException) -> None:
        attributes = exception_attributes(error)
        told = {
            "type": type(error).__name__,
            "message": attributes.get("exception.message", ""),
            "severity": "expected",
        }
        handle = self.running.handle()
        handle.add_event(_MENDED_EVENT, told)
        handle.set_attribute("smolagents.step.error", describe(error))

    def _describe(self) -> None:
        step, handle = self.memory_step, self.running.handle()
        if step is None:
            return
        if isinstance(step, memory.PlanningStep):
            output = step.plan
        else:
            output = getattr(step, "observations", None)
            if output is None:
                output = getattr(step, "action_output", None)
            handle.set_attribute("smolagents.step.number", getattr(step, "step_number", None))
            handle.set_attribute("smolagents.step.is_final_answer", getattr(step, "is_final_answer", None))
        if output is not None:
            handle.set_output(output)
        duration = getattr(getattr(step, "timing", None), "duration", None) or getattr(step, "duration", None)
        handle.set_attribute("smolagents.step.duration", duration)


class StepBody(Activity):
    """The body of a step, which ends before the step does, unless the step was asked for by itself.

    Args:
        step: The step.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        self._is_alone = step.run is None
        self.context: Context | None = step.context

    def add_item(self, item: Any) -> None:
        """See `Activity.add_item`: a plan is known when it is made."""
        if self._step.memory_step is None and isinstance(item, memory.PlanningStep):
            self._step.memory_step = item

    def finish(self, value: Any) -> None:
        """See `Activity.finish`."""
        if self._is_alone:
            self._step.close(None)

    def fail(self, error: BaseException) -> None:
        """See `Activity.fail`."""
        if isinstance(error, GeneratorExit):
            self.give_up()
            return
        self._step.error = error
        if self._is_alone:
            self._step.close(error)

    def give_up(self) -> None:
        """See `Activity.give_up`."""
        self._step.is_abandoned = True
        if self._is_alone:
            self._step.close(None)


def begin_step(agent: Any, name: str, memory_step: Any) -> Step | None:
    """The step that begins here; None where nothing is recorded.

    Args:
        agent: The agent.
        name: The span's name.
        memory_step: See `Step`.
    """
    run = current_place(agent)
    before = None if run is None else run.step
    if isinstance(before, Step) and before.run is run:
        before.close(None)  # a plan, of which releases before 1.20 don't say that it is over
    running = open_block(trace_step, name, input=_asked(agent))
    if running is None:
        return None
    running.pause()
    step = Step(agent, name, running, memory_step)
    step.opened(running.context if running.context is not None else get_current())
    if run is not None:
        run.step_opened(step)
    return step


def _asked(agent: Any) -> Any:
    """What the step is to react to: the newest in the memory."""
    steps = getattr(getattr(agent, "memory", None), "steps", None)
    if not isinstance(steps, list) or not steps:
        return None
    last = steps[-1]
    if isinstance(last, memory.TaskStep):
        return last.task
    if isinstance(last, memory.PlanningStep):
        return last.plan
    said = [getattr(last, "observations", None), getattr(last, "error", None)]
    texts = [describe(part) if isinstance(part, AgentError) else str(part) for part in said if part is not None]
    return "\n".join(texts) or None
