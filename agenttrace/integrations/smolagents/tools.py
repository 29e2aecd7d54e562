"""TOOL spans of the tools that an agent calls, and AGENT spans of members of its team that aren't traced themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from weakref import ref

from smolagents.utils import AgentToolCallError, AgentToolExecutionError

from ...current import get_current
from ...readers.smolagents import SmolagentsReader
from ...running import RunningSpan
from ...semconv.fields import field, fields
from ...tracing import kind_of, trace_agent, trace_tool
from ...wrapping.stand_in import StandIn, stood_for
from ..blocks import open_block
from .activities import SpanActivity, call_inside, opened
from .instrumentor import below_instrumentor, is_instrumented, records_runs_of
from .places import PLAIN_CLASS, InsideStep, StepPlace, attached, code_step, inside_step

__all__ = ["ToolCall", "ToolCallPlace", "ToolStandIn", "call_tool"]

_reader = SmolagentsReader()


class ToolCall(NamedTuple):
    """A call that is about to be made."""

    name: str | None
    """What the model calls it; None where code calls."""
    tool: Any
    """The tool, a member of the team, or the name of one that there isn't."""
    arguments: Any
    """The tool's own arguments."""
    asked: Any = None
    """The arguments as the model wrote them, by which its call is known; None where code calls."""


class ToolStandIn(StandIn):
    """Stands for a tool, or for a member of the team, where the agent's code calls it as a function.

    Args:
        tool: The tool or agent.
        agent: The agent whose code calls it.
    """

    __slots__ = ("_agenttrace_agent",)

    def __init__(self, tool: Any, agent: Any) -> None:
        super().__init__(tool)
        # The executor, which the agent has, has this: an agent that nobody has any more is to go at once.
        object.__setattr__(self, "_agenttrace_agent", ref(agent))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the tool."""
        __tracebackhide__ = True
        tool, agent = stood_for(self), object.__getattribute__(self, "_agenttrace_agent")()
        step = None if agent is None else code_step(agent)
        return call_tool(step, lambda: ToolCall(None, tool, _named(tool, args, kwargs)), tool.__call__, args, kwargs)


class _WithoutInstrumentor(StandIn):
    """Stands for a tool whose call is recorded already.

    Args:
        tool: The tool.
        step: The step that it is called in.
    """

    __slots__ = ("_agenttrace_step",)

    def __init__(self, tool: Any, step: StepPlace) -> None:
        super().__init__(tool)
        object.__setattr__(self, "_agenttrace_step", step)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the tool."""
        __tracebackhide__ = True
        step = object.__getattribute__(self, "_agenttrace_step")
        with attached(InsideStep(step).entered_in(get_current())):
            return below_instrumentor(stood_for(self).__call__)(*args, **kwargs)


class _ToolCallActivity(SpanActivity):
    """The span of a tool call."""

    def fail(self, error: BaseException) -> None:
        # What the tool raised says more than what smolagents makes of it for the model.
        cause = error.__cause__ if isinstance(error, AgentToolExecutionError) else None
        super().fail(error if cause is None else cause)


class ToolCallPlace(InsideStep):
    """Where an agent runs one of its tools.

    Args:
        step: The step.
        name: What the model calls the tool; None where code calls it.
    """

    def __init__(self, step: StepPlace, name: str | None = None) -> None:
        super().__init__(step)
        self.name = name

    def stand_in(self, name: str, value: Any) -> Any:
        """See `Place.stand_in`."""
        if name == "tools" and is_instrumented() and isinstance(value, dict):
            return {tool_name: _WithoutInstrumentor(tool, self._step) for tool_name, tool in value.items()}
        return value


def call_tool(
    step: StepPlace | None,
    find: Callable[[], ToolCall],
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """``function(*args, **kwargs)``, which calls a tool, recorded below ``step``.

    Args:
        step: The step of the agent whose tool it is; None where there is none.
        find: Says what is called.
        function: What makes the call.
        args: Its arguments.
        kwargs: Its keyword arguments.
    """
    __tracebackhide__ = True
    if step is None:
        return function(*args, **kwargs)
    with inside_step(step):
        activity: SpanActivity | None = None
        try:
            activity = opened("a tool", lambda: _open(step, *find()))
            if activity is None:  # it records itself, if anything does
                with attached(ToolCallPlace(step).entered_in(get_current())):
                    return below_instrumentor(function)(*args, **kwargs)
            return call_inside(activity, below_instrumentor(function), args, kwargs)
        except BaseException as error:
            if activity is not None or not isinstance(error, AgentToolCallError):  # which keeps the tool from running
                step.failure_is_shown = True
            raise


def _open(step: StepPlace, name: str | None, tool: Any, arguments: Any, asked: Any) -> SpanActivity | None:
    if hasattr(type(tool), PLAIN_CLASS):
        return None  # a traced agent, which has a span of its own
    if hasattr(type(tool), "run") and hasattr(tool, "managed_agents"):
        if records_runs_of(tool):
            return None
        running = open_block(trace_agent, tool.name, input=arguments, graph_node_id=tool.name)
        if running is not None:
            running.handle().set_agent_name(tool.name)
            running.handle().set_graph_node(tool.name, name=tool.name, parent_id=step.node)
    elif kind_of(getattr(tool, "forward", None)) == trace_tool.kind:
        return None  # marked by the user
    else:
        running = _open_tool(tool, arguments)
        if running is not None:
            running.handle().set_tool(id=_id_of(step, tool, asked))
    return None if running is None else _ToolCallActivity(running, ToolCallPlace(step, name))


def _open_tool(tool: Any, arguments: Any) -> RunningSpan | None:
    if isinstance(tool, str):
        return open_block(trace_tool, tool, input=arguments)
    function = fields(_reader.read_tool(tool).get("function"))
    name = function.get("name")
    return open_block(
        trace_tool,
        name if isinstance(name, str) else type(tool).__name__,
        input=arguments,
        description=function.get("description"),
        parameters=function.get("parameters"),
    )


def _id_of(step: StepPlace, tool: Any, asked: Any) -> str | None:
    """The id of the model's call that these are the arguments of; None where it is code that calls."""
    answer = getattr(getattr(step, "memory_step", None), "model_output_message", None)
    calls = [call for call in getattr(answer, "tool_calls", None) or () if call.function.name == _tool_name(tool)]
    for call in calls:
        if call.function.arguments is asked or (not asked and len(calls) == 1):
            return str(call.id)
    return None


def _tool_name(tool: Any) -> Any:
    return tool if isinstance(tool, str) else tool.name


def _named(tool: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by the names that the tool gives them, as its ``__call__`` reads them."""
    names = list(fields(field(tool, "inputs") or getattr(tool, "inputs", None)))
    if len(args) == 1 and not kwargs and type(args[0]) is dict and all(name in names for name in args[0]):
        return args[0]
    positional = {names[index] if index < len(names) else f"args_{index}": value for index, value in enumerate(args)}
    return {**positional, **kwargs}
