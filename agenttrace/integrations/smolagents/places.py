"""Where in an agent's run the program is: what the agent finds there in the place of its own attributes.

smolagents' agents reach what they use through ``self``: ``self.model.generate(…)``, ``self.python_executor(…)``. While
an agent's own code runs, those attributes give a stand-in that records the call and makes it on the real object. Which
code that is, the OpenTelemetry context says, so that another agent, another thread and the user's own code see the
agent as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...current import Context, attach, create_key, detach, get_current

__all__ = [
    "PLAIN_CLASS",
    "InsideStep",
    "Place",
    "StepPlace",
    "attached",
    "code_step",
    "current_place",
    "innermost_place",
    "inside_step",
    "name_of",
    "open_step",
]

PLAIN_CLASS = "_agenttrace_plain_class"
"""The attribute of a traced agent's class that has the class that it is made of."""
_PLACE_KEY = create_key("agenttrace-smolagents-place")


class Place:
    """A stretch of one agent's run, in which some of the agent's attributes have stand-ins.

    Args:
        agent: The agent.
        node: Its node in the graph of agents.
    """

    def __init__(self, agent: Any, node: str) -> None:
        self._agent = agent
        self.node = node

    @property
    def agent(self) -> Any:
        """The agent; None once it is over."""
        return self._agent

    @property
    def step(self) -> StepPlace | None:
        """The step that goes on here."""
        return None

    def stand_in(self, name: str, value: Any) -> Any:
        """What the agent finds here as its attribute ``name``, which is ``value``."""
        return value

    def step_opened(self, step: StepPlace) -> None:
        """``step`` begins, which is a part of this."""

    def step_closed(self, step: StepPlace) -> None:
        """``step`` is over."""

    def step_ended(self, memory_step: Any) -> None:
        """A step is over, of which smolagents keeps ``memory_step``."""

    def entered_in(self, context: Context) -> Context:
        """``context``, in which this is the place."""
        return Context({**context, _PLACE_KEY: self})


class StepPlace(Place):
    """One step of an agent, from its first look at the memory until its callbacks have run.

    Args:
        agent: The agent.
        node: See `Place`.
    """

    def __init__(self, agent: Any, node: str) -> None:
        super().__init__(agent, node)
        self.context: Context | None = None
        """The context of what belongs to the step; None once it is over."""
        self.code_context: Context | None = None
        """The context of the code that the step runs, while that runs."""
        self.failure_is_shown = False
        """Whether a span below says already what went wrong."""

    @property
    def step(self) -> StepPlace | None:
        """See `Place.step`."""
        return None if self.context is None else self

    def opened(self, context: Context) -> None:
        """The step begins."""
        self.context = self.entered_in(context)
        _open_steps[id(self)] = self

    def closed(self) -> None:
        """The step is over."""
        # Contexts may outlive it, in threads that the user's code started: they are to keep no agent.
        self.context = self.code_context = self._agent = None
        _open_steps.pop(id(self), None)


class InsideStep(Place):
    """Code that isn't the agent's own inside a step of it: there the agent is as it is.

    Args:
        step: The step.
    """

    def __init__(self, step: StepPlace) -> None:
        super().__init__(None, step.node)
        self._step = step

    @property
    def agent(self) -> Any:
        """See `Place.agent`."""
        return self._step.agent

    @property
    def step(self) -> StepPlace | None:
        """See `Place.step`."""
        return self._step.step


# By their own ids, in the order in which they began. One agent may have several: its tool may run it once more.
_open_steps: dict[int, StepPlace] = {}


def open_step(agent: Any) -> StepPlace | None:
    """The step of ``agent`` that goes on here, or, where the context doesn't say, the one that began last."""
    here = current_place(agent)
    return _newest(agent) if here is None else here.step


def code_step(agent: Any) -> StepPlace | None:
    """The step of ``agent`` whose code calls from here.

    Code is run in threads without a context. But another agent with the same executor may be the one whose code it is,
    while this agent's step waits.
    """
    here = current_place(agent)
    return _newest(agent, with_code=True) if here is None else here.step


def _newest(agent: Any, *, with_code: bool = False) -> StepPlace | None:
    for step in reversed(list(_open_steps.values())):
        if step.agent is agent and not (with_code and step.code_context is None):
            return step
    return None


@contextmanager
def inside_step(step: StepPlace | None) -> Iterator[None]:
    """Run the block where what it does belongs to: in ``step``, in the code that it runs if it runs some.

    Where the context of the caller says already where it is, it stays. But some releases of smolagents start threads
    for tools, and all start one for code, without handing the context on.

    Args:
        step: The step; None outside of every step.
    """
    if step is None or innermost_place() is not None:
        yield
        return
    with attached(step.code_context or step.context):
        yield


def innermost_place() -> Place | None:
    """The place of whichever agent runs here; None outside of every run."""
    found = get_current().get(_PLACE_KEY)
    return found if isinstance(found, Place) else None


def current_place(agent: Any) -> Place | None:
    """The place that ``agent`` is in, here; None where another agent runs, or none."""
    found = innermost_place()
    return found if found is not None and found.agent is agent else None


@contextmanager
def attached(context: Context | None) -> Iterator[None]:
    """Make ``context`` current while the block runs; None leaves what is current."""
    if context is None:
        yield
        return
    previous = get_current()
    token = attach(context)
    try:
        yield
    finally:
        detach(token, context, previous)


def name_of(agent: Any) -> str:
    """What an agent is called: by its team, or else by its class."""
    name = getattr(agent, "name", None)
    return name if isinstance(name, str) and name else type(agent).__name__
