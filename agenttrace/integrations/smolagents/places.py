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
    "Place",
    "StepPlace",
    "attached",
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
    """

    def __init__(self, agent: Any) -> None:
        self.agent = agent

    def stand_in(self, name: str, value: Any) -> Any:
        """What the agent finds here as its attribute ``name``, which is ``value``."""
        return value

    def step_ended(self, memory_step: Any) -> None:
        """A step is over, of which smolagents keeps ``memory_step``."""

    def entered_in(self, context: Context) -> Context:
        """``context``, in which this is the place."""
        return Context({**context, _PLACE_KEY: self})


class StepPlace(Place):
    """One step of an agent, from its first look at the memory until its callbacks have run.

    Args:
        agent: The agent.
    """

    def __init__(self, agent: Any) -> None:
        super().__init__(agent)
        self.context: Context | None = None
        """The context of what belongs to the step; None once it is over."""
        self.code_context: Context | None = None
        """The context of the code that the step runs, while that runs."""
        self.failure_is_shown = False
        """Whether a span below says already what went wrong."""

    def opened(self, context: Context) -> None:
        """The step begins."""
        self.context = self.entered_in(context)
        _open_steps[id(self.agent)] = self

    def closed(self) -> None:
        """The step is over."""
        self.context = self.code_context = None
        if _open_steps.get(id(self.agent)) is self:
            del _open_steps[id(self.agent)]


# An open step keeps its agent, so that an id is one agent's as long as it is in here.
_open_steps: dict[int, StepPlace] = {}


def open_step(agent: Any) -> StepPlace | None:
    """The step of ``agent`` that began last and isn't over, whatever thread asks."""
    return _open_steps.get(id(agent))


@contextmanager
def inside_step(agent: Any) -> Iterator[StepPlace | None]:
    """Run the block where what it does belongs to: in the step of ``agent``, in the code that it runs if it runs some.

    Where the context of the caller says already where it is, it stays. But some releases of smolagents start threads
    for tools, and all start one for code, without handing the context on.

    Args:
        agent: The agent; the block gets its step, or None outside of every step.
    """
    step = open_step(agent)
    if step is None or innermost_place() is not None:
        yield step
        return
    with attached(step.code_context or step.context):
        yield step


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
