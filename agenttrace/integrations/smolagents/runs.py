"""The AGENT span of a run: the task, the agent and its team, the answer, and how many tokens the agent itself took."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from smolagents import agents, memory
from smolagents.utils import AgentMaxStepsError

from ...capture.arguments import ArgumentReader
from ...capture.encode import encode_json
from ...running import RunningSpan
from ...semconv.masking import REDACTED, current_mask
from ...tracing import trace_agent
from ..blocks import open_block
from .activities import SpanActivity
from .executors import ExecutorStandIn
from .places import Place, StepPlace, innermost_place, name_of
from .steps import Step
from .values import unwrapped

__all__ = ["Run", "open_run"]

_RUN_RESULT: Any = getattr(agents, "RunResult", ())  # releases before 1.20 have none


class Run(Place):
    """A run of an agent, from its task to its answer.

    Args:
        agent: The agent.
    """

    def __init__(self, agent: Any) -> None:
        super().__init__(agent, name_of(agent))
        self.state: str | None = None
        """How it ended, where smolagents has a word for it."""
        self._counts: tuple[int, int] | None = None
        self._step: StepPlace | None = None

    @property
    def step(self) -> StepPlace | None:
        """See `Place.step`: one at a time."""
        return self._step

    def stand_in(self, name: str, value: Any) -> Any:
        """See `Place.stand_in`: the executor gets the tools before the first step."""
        return ExecutorStandIn(value, self.agent) if name == "python_executor" else value

    def step_opened(self, step: StepPlace) -> None:
        """See `Place.step_opened`."""
        self._step = step

    def step_closed(self, step: StepPlace) -> None:
        """See `Place.step_closed`."""
        if self._step is step:
            self._step = None

    def over(self) -> None:
        """The run is over. Contexts that outlive it are to keep no agent."""
        self._agent = None

    def step_ended(self, memory_step: Any) -> None:
        """See `Place.step_ended`: what it took, and what it says of the run."""
        if isinstance(getattr(memory_step, "error", None), AgentMaxStepsError):
            self.state = "max_steps_error"
        usage = getattr(memory_step, "token_usage", None)
        if usage is not None:
            prompt, completion = self._counts or (0, 0)
            self._counts = prompt + int(usage.input_tokens), completion + int(usage.output_tokens)

    def figures(self) -> dict[str, Any]:
        """What is known at the end, as attributes. None of them is one that backends add up over a trace."""
        found: dict[str, Any] = {}
        if self.state is not None:
            found["smolagents.state"] = self.state
        if self._counts is not None:
            counts = {"prompt": self._counts[0], "completion": self._counts[1], "total": sum(self._counts)}
            found.update({f"smolagents.token_count.{name}": count for name, count in counts.items()})
        return found


class _RunActivity(SpanActivity):
    """The span of a run, be it made in one go or step by step, as its consumer asks for it."""

    def __init__(self, running: RunningSpan, run: Run) -> None:
        super().__init__(running, run)
        self._run = run
        self._is_streamed = False
        self._is_answered = False
        self._answer: Any = None

    def expect_items(self) -> None:
        self._is_streamed = True

    def add_item(self, item: Any) -> None:
        if isinstance(item, memory.FinalAnswerStep):  # of all that is yielded the answer is the output
            self._is_answered = True
            self._answer = getattr(item, "output", getattr(item, "final_answer", None))

    def give_up(self) -> None:
        if self._is_answered:  # the consumer has all that it can get
            self.finish(None)
        else:
            super().give_up()

    def returned_value(self, value: Any) -> None:
        self._wrap_up()
        output = self._answer if self._is_streamed else value
        if isinstance(output, _RUN_RESULT):
            self.running.handle().set_attribute("smolagents.state", output.state)
            output = output.output
        self.running.handle().set_output(unwrapped(output))

    def failed(self, error: BaseException) -> None:
        self._wrap_up()

    def given_up(self) -> None:
        self._wrap_up()

    def _wrap_up(self) -> None:
        step = self._run.step
        if isinstance(step, Step):
            step.is_abandoned = True
            step.close(None)
        self._run.over()
        self.running.handle().set_attributes(self._run.figures())


def open_run(agent: Any, run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> SpanActivity | None:
    """The span of a run that begins here; None where nothing is recorded.

    Args:
        agent: The agent.
        run: Its method ``run`` as smolagents has it, or the user's own class.
        args: The arguments it is called with.
        kwargs: The keyword arguments.
    """
    above, here = innermost_place(), Run(agent)
    given = ArgumentReader(run, (), drop_first=False).read(args, kwargs)
    asked = _without_defaults(run, given)
    running = open_block(trace_agent, f"{here.node}.run", input=asked["task"] if [*asked] == ["task"] else asked)
    if running is None:
        return None
    handle = running.handle()
    handle.set_agent_name(here.node)
    handle.set_graph_node(here.node, name=here.node, parent_id=None if above is None else above.node)
    handle.set_attributes(_described(agent, given))
    return _RunActivity(running, here)


def _without_defaults(run: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """What the caller asked for. Which arguments were left out can't be seen, but which are as if they were."""
    parameters = inspect.signature(run).parameters
    return {
        name: value
        for name, value in given.items()
        if name == "task" or name not in parameters or value is not parameters[name].default
    }


def _described(agent: Any, given: dict[str, Any]) -> dict[str, Any]:
    hides_input = current_mask().hides_input
    described: dict[str, Any] = {
        "smolagents.task": REDACTED if hides_input else given.get("task"),
        "smolagents.max_steps": given.get("max_steps") or agent.max_steps,
        "smolagents.tools_names": [str(name) for name in agent.tools],
    }
    if given.get("additional_args"):
        told = REDACTED if hides_input else encode_json(given["additional_args"])
        described["smolagents.additional_args"] = told
    if getattr(agent, "description", None):
        described["smolagents.description"] = agent.description
    for index, member in enumerate(agent.managed_agents.values()):
        start = f"smolagents.managed_agents.{index}"
        described[f"{start}.name"] = getattr(member, "name", None)
        described[f"{start}.description"] = getattr(member, "description", None)
        described[f"{start}.max_steps"] = getattr(member, "max_steps", None)
        described[f"{start}.tools_names"] = [str(name) for name in getattr(member, "tools", ())]
    return {key: value for key, value in described.items() if value is not None}
