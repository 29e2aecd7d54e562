"""What a traced agent's methods do around the plain agent's: one function for each method that smolagents calls.

Each takes the agent, the plain class's method, bound, and the arguments of the call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...current import get_current
from ...wrapping.deferred import wrap_stepped
from .activities import as_generator, call_inside, opened
from .checks import ChecksPlace
from .instrumentor import below_instrumentor
from .places import InsideStep, Place, attached, current_place, open_step
from .runs import open_run
from .steps import Step, StepBody, begin_step
from .suppressed import open_suppressed_run
from .tools import ToolCall, ToolCallPlace, call_tool
from .values import unwrapped

__all__ = ["AROUND", "Around"]

Around = Callable[[Any, Callable[..., Any], "tuple[Any, ...]", "dict[str, Any]"], Any]


def _run(agent: Any, plain: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    __tracebackhide__ = True
    activity = opened("a run", lambda: open_run(agent, plain, args, kwargs))
    if activity is None:
        return call_inside(opened("a run", lambda: open_suppressed_run(agent)), plain, args, kwargs)
    return call_inside(activity, below_instrumentor(plain), args, kwargs)


def _step_stream(agent: Any, plain: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    memory_step = args[0] if args else kwargs.get("memory_step")
    here = current_place(agent)
    if isinstance(here, Step) and memory_step is not None and here.memory_step is memory_step:
        return below_instrumentor(plain)(*args, **kwargs)  # called by what a subclass has in its place
    return _stepped(lambda: begin_step(agent, _numbered(agent, memory_step), memory_step), plain, args, kwargs)


def _numbered(agent: Any, memory_step: Any) -> str:
    number = getattr(memory_step, "step_number", None)
    return f"Step {agent.step_number if number is None else number}"


def _planning_step(agent: Any, plain: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if isinstance(current_place(agent), Step):
        return below_instrumentor(plain)(*args, **kwargs)
    return _stepped(lambda: begin_step(agent, "Planning", None), plain, args, kwargs)


def _stepped(
    begin: Callable[[], Step | None], plain: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    __tracebackhide__ = True
    step = opened("a step", begin)
    if step is None:
        return plain(*args, **kwargs)
    body = StepBody(step)
    try:
        with attached(step.context):
            items = below_instrumentor(plain)(*args, **kwargs)
    except BaseException as error:
        body.raised(error)
        raise
    return wrap_stepped(as_generator(items), body)


def _max_steps_reached(agent: Any, plain: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The answer that is asked for when no step is left is a step of its own in the memory, and so here."""
    __tracebackhide__ = True
    if isinstance(current_place(agent), Step):
        return plain(*args, **kwargs)
    step = opened("a step", lambda: begin_step(agent, _numbered(agent, None), None))
    return call_inside(None if step is None else StepBody(step), plain, args, kwargs)


def _finalize_step(agent: Any, plain: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Callbacks belong to the step that they are called for."""
    __tracebackhide__ = True
    memory_step = args[0] if args else kwargs.get("memory_step")
    step = open_step(agent)
    if not isinstance(step, Step) or (step.memory_step is not None and step.memory_step is not memory_step):
        here = current_place(agent)
        with attached(None if here is None else Place(agent, here.node).entered_in(get_current())):
            return plain(*args, **kwargs)
    step.memory_step = memory_step
    try:
        with attached(None if step.context is None else InsideStep(step).entered_in(step.context)):
            result = plain(*args, **kwargs)
    except BaseException as error:
        step.close(error)
        raise
    step.close(None)
    return result


def _validate_final_answer(agent: Any, plain: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    __tracebackhide__ = True
    step = open_step(agent)
    if step is None or step.context is None:
        return plain(*args, **kwargs)
    with attached(ChecksPlace(step).entered_in(step.context)):
        return plain(*args, **kwargs)


def _execute_tool_call(agent: Any, plain: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    __tracebackhide__ = True
    asked = args[0] if args else kwargs.get("tool_name")
    here = current_place(agent)
    if isinstance(here, ToolCallPlace) and here.name is not None and here.name == asked:
        return below_instrumentor(plain)(*args, **kwargs)  # called by what a subclass has in its place
    arguments = args[1] if len(args) > 1 else kwargs.get("arguments")

    def find() -> ToolCall:
        name = str(asked)
        tool = {**agent.tools, **agent.managed_agents}.get(name, name)
        return ToolCall(name, tool, _filled_in(agent, arguments), asked=arguments)

    return call_tool(open_step(agent), find, plain, args, kwargs)


def _filled_in(agent: Any, arguments: Any) -> Any:
    """What the tool gets: smolagents puts in what the agent's state has under a name that the model writes."""
    if type(arguments) is not dict:
        return arguments
    state = agent.state
    found = {name: state.get(value, value) if isinstance(value, str) else value for name, value in arguments.items()}
    return {name: unwrapped(value) for name, value in found.items()}


AROUND: dict[str, Around] = {
    "run": _run,
    "_step_stream": _step_stream,
    "_generate_planning_step": _planning_step,
    "_handle_max_steps_reached": _max_steps_reached,
    "_finalize_step": _finalize_step,
    "_validate_final_answer": _validate_final_answer,
    "execute_tool_call": _execute_tool_call,
}
"""By the method's name."""
