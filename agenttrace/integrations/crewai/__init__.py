"""CrewAI, traced through the event bus that it documents for it.

CrewAI says on its bus when crews, tasks, agents, model calls, tools, flows, memory and guardrails begin and end, and
each event names the one that it happened in.
"""

# CrewAI isn't installed where the whole project is type-checked, so its classes are Any to mypy there:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from ..needs import needs

with needs("crewai>=1.15.0", extra="crewai"):
    from crewai.events import BaseEventListener, crewai_event_bus
    from crewai.events.event_bus import CrewAIEventsBus

    from .beginnings import BEGINNINGS
    from .endings import ENDINGS
    from .events import FIRST_PIECES, on_beginning, on_ending, on_piece

__all__ = ["event_listener", "remove_event_listener"]

_HANDLERS: dict[type[Any], Callable[[Any, Any], Coroutine[Any, Any, None]]] = {
    **dict.fromkeys(BEGINNINGS, on_beginning),
    **dict.fromkeys(ENDINGS, on_ending),
    **dict.fromkeys(FIRST_PIECES, on_piece),
}


def event_listener() -> BaseEventListener:
    """Record what CrewAI runs from here on as OpenInference spans.

    A crew's kickoff is an AGENT span, and in it are a CHAIN for each task, an AGENT for each agent that works on one
    (with its place in the graph of delegation), one LLM for each model call, one TOOL for each call of a tool, one
    GUARDRAIL for each guardrail, and RETRIEVERs for what memory and knowledge found. A flow is a CHAIN with one for
    each of its methods. Marks of your own in tools, models, flows, guardrails and callbacks nest where they run.

    CrewAI calls its listeners in a thread of its own, a little after the fact, so a run's last span may end after
    ``kickoff()`` has returned: ``crewai_event_bus.flush()`` waits for that. At the program's end it is done by itself.

    Returns:
        The listener, registered. There is one for the program: called again, it changes nothing. It raises nothing, and
        without ``register()`` it records nothing.

    Example:
        >>> register(project_name="packing")
        >>> event_listener()
        >>> crew.kickoff(inputs={"city": "Oslo"})
    """
    return _Listener()


def remove_event_listener() -> None:
    """Record nothing of CrewAI's any more, as before `event_listener`.

    A run that is under way is recorded as far as it got. ``with crewai_event_bus.scoped_handlers():`` does the same for
    a listener that was made in its block.

    Example:
        >>> remove_event_listener()
    """
    for event, handler in _HANDLERS.items():
        crewai_event_bus.off(event, handler)


class _Listener(BaseEventListener):
    """Registers the handlers, which are functions, so that the bus knows each only once."""

    def setup_listeners(self, crewai_event_bus: CrewAIEventsBus) -> None:
        """See `BaseEventListener.setup_listeners`."""
        for event, handler in _HANDLERS.items():
            crewai_event_bus.register_handler(event, handler)
