"""The OpenAI Agents SDK, traced through what it documents for it: a processor of its own traces.

The SDK opens a trace for each run, and in it spans for agents, turns, model calls, tools, handoffs and guardrails, and
tells its processors when each begins and ends, in the context in which the body runs.
"""

# The SDK isn't installed where the whole project is type-checked, so its classes are Any to mypy there:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from typing import Any, Concatenate, TypeVar

from openinference.semconv.trace import SpanAttributes
from typing_extensions import ParamSpec

from .. import faults
from ..context import Scope, using_session
from ..current import get_current
from ..provider import find_source
from ..readers.responses import read_response
from ..semconv.fields import as_list, field, fields, list_field, text_field
from ..span import NO_SPAN
from ..span import Span as OwnSpan
from ..tracing import Mark, trace_agent, trace_guardrail, trace_llm, trace_step, trace_tool
from .hook_spans import MOST_OPEN, HookSpans
from .needs import needs

with needs("openai-agents>=0.20.0", extra="openai-agents"):
    from agents.tracing import Span, Trace, TracingProcessor

__all__ = ["tracing_processor"]

P = ParamSpec("P")
S = TypeVar("S")
V = TypeVar("V")

_MARKS: dict[str, Mark] = {
    "agent": trace_agent,
    "function": trace_tool,
    "generation": trace_llm,
    "guardrail": trace_guardrail,
    "response": trace_llm,
    "task": trace_agent,
}
_NAMED_BY_KIND = ("generation", "handoff", "response")
_REDACTED = "Error details are redacted."
"""What the SDK has for an error's text where a run's ``trace_include_sensitive_data`` is off."""
_PARAMETERS = (
    *("temperature", "top_p", "max_output_tokens", "max_tool_calls", "tool_choice", "parallel_tool_calls"),
    *("reasoning", "text", "truncation", "service_tier", "top_logprobs"),
)


def tracing_processor() -> TracingProcessor:
    """A processor that records the traces of the OpenAI Agents SDK as OpenInference spans.

    A trace is an AGENT span by the workflow's name, and in it are one AGENT for each agent that ran (with its place in
    the graph of handoffs), CHAINs for its turns and handoffs, one LLM for each model call, one TOOL for each call of a
    function and one GUARDRAIL for each guardrail. A trace's ``group_id`` is the session. Marks of your own in tools,
    guardrails and hooks nest where they run.

    The SDK's own exporter sends its traces to OpenAI. ``set_trace_processors([tracing_processor()])`` puts this one in
    its place, ``add_trace_processor(tracing_processor())`` beside it.

    Returns:
        The processor, of which there is one for the program: given to the SDK twice, it records once. It raises
        nothing, and without ``register()`` it records nothing.

    Example:
        >>> from agents import set_trace_processors
        >>> set_trace_processors([tracing_processor()])
        >>> result = await Runner.run(agent, "What is the weather in Oslo?")
    """
    return _the_processor


def _contained(method: Callable[Concatenate[S, P], None]) -> Callable[Concatenate[S, P], None]:
    """``method``, which then logs what goes wrong in it instead of raising."""

    @functools.wraps(method)
    def contained_method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except BaseException as error:
            faults.contain(f"{method.__name__}() for the OpenAI Agents SDK", error)

    return contained_method


class _Place:
    """Where one open span of the SDK's is."""

    __slots__ = ("agents", "handled", "key", "of", "tools")

    def __init__(self, key: str, of: object, above: _Place | None) -> None:
        self.of = id(of)
        """Which of the SDK's objects it is of. Its id alone, as below."""
        self.key = key
        """What our span is found by; that of the one above, where it has none of its own."""
        self.agents: tuple[tuple[str, str], ...] = () if above is None else above.agents
        """Key and name of the agents that it is in, itself included, the innermost last."""
        self.tools: dict[str, Any] = {}
        """The definitions of the tools that a model was offered in it, by name."""
        self.handled = id(sys.exc_info()[1])
        """Which exception was being handled when it began. Its id alone: nothing of the program's is kept."""

    def error(self) -> BaseException | None:
        """The exception that the span's body is being left with."""
        error = sys.exc_info()[1]
        return None if id(error) == self.handled else error


class _Story:
    """What happened in one open trace so far."""

    __slots__ = ("came_from", "failure", "redacted", "session")

    def __init__(self, session: Scope | None) -> None:
        self.session = session
        self.came_from: dict[str, str] = {}
        """For an agent that was handed over to, who did so."""
        self.failure: str | None = None
        """What the last agent failed with, in the SDK's words."""
        self.redacted = False
        """Whether the SDK keeps the texts of errors to itself."""


class _Processor(TracingProcessor):
    """Opens and ends a span of ours with each trace and span of the SDK's."""

    def __init__(self) -> None:
        self._spans = HookSpans("the OpenAI Agents SDK")
        self._places: dict[str, _Place] = {}
        self._stories: dict[str, _Story] = {}

    @_contained
    def on_trace_start(self, trace: Trace) -> None:
        if self._knows(trace.trace_id, trace):
            return
        group = getattr(trace, "group_id", None)
        session = using_session(group) if isinstance(group, str) and group else None
        _keep(self._stories, trace.trace_id, _Story(session))
        _keep(self._places, trace.trace_id, _Place(trace.trace_id, trace, None))
        if session is not None:
            session.__enter__()
        metadata = getattr(trace, "metadata", None)
        self._spans.start(trace.trace_id, trace_agent, trace.name, current=True, metadata=metadata)

    @_contained
    def on_trace_end(self, trace: Trace) -> None:
        place, story = self._places.pop(trace.trace_id, None), self._stories.pop(trace.trace_id, None)
        if place is None or story is None:
            return
        if story.failure is not None and place.error() is None:  # a streamed run tells of its failure elsewhere
            self._spans.span(trace.trace_id).set_status("error", story.failure)
        self._end(trace.trace_id, place, story)
        if story.session is not None:
            story.session.__exit__(None, None, None)

    @_contained
    def on_span_start(self, span: Span[Any]) -> None:
        if self._knows(span.span_id, span):
            return
        data, kind, above_id = span.span_data, span.span_data.type, span.parent_id or span.trace_id
        above = self._places.get(above_id)
        parent = above_id if above is None else above.key
        place = _Place(span.span_id, span, above)
        _keep(self._places, span.span_id, place)
        if kind == "task" and self._spans.span(parent) is not NO_SPAN:
            place.key = parent  # the run's, which says nothing that the trace, or the tool it runs in, doesn't
            return
        options: dict[str, Any] = {}
        if kind == "agent":
            story = self._stories.get(span.trace_id)
            before = None if story is None else story.came_from.pop(data.name, None)
            outer = place.agents[-1][1] if place.agents else None
            options = {"graph_node_id": data.name, "graph_node_parent_id": before or outer}
            place.agents = (*place.agents, (span.span_id, data.name))
        elif kind == "generation":
            options = {"model": data.model}
        mark = _MARKS.get(kind, trace_step)
        ours = self._spans.start(span.span_id, mark, _name_of(data), parent=parent, current=True, **options)
        if kind == "agent":
            ours.set_agent_name(data.name)

    @_contained
    def on_span_end(self, span: Span[Any]) -> None:
        place = self._places.pop(span.span_id, None)
        if place is None or place.key != span.span_id:
            return
        data, kind = span.span_data, span.span_data.type
        above = self._places.get(span.parent_id or span.trace_id)
        story = self._stories.get(span.trace_id) or _Story(None)
        ours = self._spans.span(span.span_id)
        output = None
        if ours is not NO_SPAN:
            output = _record(data, ours, above)
            self._tell_agent(data, place, span.trace_id)
        if kind == "handoff" and data.from_agent and data.to_agent:
            story.came_from[data.to_agent] = data.from_agent
        failure = None if span.error is None else _text_of(span.error)
        if kind == "agent":
            story.failure = failure
        if failure is not None:
            story.redacted |= _REDACTED in fields(field(span.error, "data")).values()
            if story.redacted or place.error() is None:
                ours.set_status("error", failure)
        self._end(span.span_id, place, story, output)

    def shutdown(self) -> None:
        """See `TracingProcessor.shutdown`: nothing to do, since ``register()`` sees to what is left at the end."""

    @_contained
    def force_flush(self) -> None:
        source = find_source(get_current())
        flush = None if source is None else getattr(source.provider, "force_flush", None)  # the SDK's providers have it
        if flush is not None:
            flush()

    def _knows(self, key: str, of: object) -> bool:
        """Whether it was told already that ``of`` begins: a processor that the SDK has twice is told twice."""
        place = self._places.get(key)
        return place is not None and place.of == id(of)

    def _end(self, key: str, place: _Place, story: _Story, output: Any = None) -> None:
        error = place.error()
        if error is None:
            self._spans.finish(key, output)
        elif story.redacted:
            self._spans.span(key).set_status("error", type(error).__name__)
            self._spans.finish(key, output)
        else:
            self._spans.fail(key, error)

    def _tell_agent(self, data: Any, place: _Place, trace_id: str) -> None:
        """Record what a model was asked and said on its agent, and on the trace unless the agent is another's tool.

        The SDK doesn't tell what an agent was given and gave: it is what its first model call was asked and its last
        one said.
        """
        if data.type not in ("generation", "response") or not place.agents:
            return
        asked, said = _asked(data), _said(data)
        for key in (place.agents[-1][0], *((trace_id,) if len(place.agents) == 1 else ())):
            ours = self._spans.span(key)
            if asked is not None and SpanAttributes.INPUT_VALUE not in (
                getattr(ours.otel_span, "attributes", None) or ()
            ):
                ours.set_input(asked)
            if said is not None:
                ours.set_output(said)


_the_processor = _Processor()


def _keep(places: dict[str, V], key: str, value: V) -> None:
    """Add to ``places``; where the SDK never says that things are over, the oldest is let go."""
    if len(places) >= MOST_OPEN:
        places.pop(next(iter(places)), None)
    places[key] = value


def _name_of(data: Any) -> str:
    if data.type == "turn":
        return f"turn {data.turn}"
    if data.type == "mcp_tools":
        return f"list tools of {data.server}"
    return str(data.type if data.type in _NAMED_BY_KIND else getattr(data, "name", None) or data.type)


def _record(data: Any, ours: OwnSpan, above: _Place | None) -> Any:
    """Record what a span's data says at its end; gives its output."""
    if data.type == "response":
        return _record_response(data, ours, above)
    if data.type == "generation":
        return _record_generation(data, ours)
    if data.type == "function":
        return _record_function(data, ours, above)
    if data.type == "agent":
        ours.set_metadata(_without_none(tools=data.tools, handoffs=data.handoffs, output_type=data.output_type))
    elif data.type == "handoff":
        ours.update_name(f"handoff to {data.to_agent}")
        ours.set_input(_without_none(from_agent=data.from_agent))
        return _without_none(to_agent=data.to_agent)
    elif data.type == "guardrail":
        return {"triggered": data.triggered}
    elif data.type == "mcp_tools":
        return data.result
    elif data.type == "custom" and data.data:
        ours.set_metadata(data.data)
    elif hasattr(data, "input"):  # a voice's transcription and speech
        ours.set_input(data.input)
        return getattr(data, "output", None)
    return None


def _record_response(data: Any, ours: OwnSpan, above: _Place | None) -> Any:
    response = data.response
    if data.input is not None:
        ours.set_input(_without_none(instructions=getattr(response, "instructions", None), input=data.input))
    if response is not None:
        ours.set_invocation_parameters(
            _without_none(**{name: field(response, name) for name in ("model", *_PARAMETERS)})
        )
        if above is not None:
            above.tools = {name: tool for tool in list_field(response, "tools") if (name := text_field(tool, "name"))}
    elif data.usage is not None:
        ours.set_token_counts(data.usage)
    return response


def _record_generation(data: Any, ours: OwnSpan) -> Any:
    if data.input is not None:
        settings = _without_none(**fields(data.model_config))
        ours.set_input({"messages": data.input, "model": data.model, "model_settings": settings})
    if data.usage is not None:
        ours.set_token_counts(data.usage)
    output = as_list(data.output)
    return output[0] if len(output) == 1 else data.output


def _record_function(data: Any, ours: OwnSpan, above: _Place | None) -> Any:
    tool = None if above is None else above.tools.get(data.name)
    ours.set_tool(data.name, description=text_field(tool, "description"), parameters=field(tool, "parameters"))
    if data.input is not None:
        ours.set_input(_from_json(data.input))
    if data.mcp_data:
        ours.set_metadata({"mcp": data.mcp_data})
    return data.output


def _asked(data: Any) -> Any:
    """What the user said last in what a model was asked; all of it where that is no text."""
    messages = data.input
    for message in reversed(as_list(messages)):
        if field(message, "role") == "user":
            return field(message, "content")
    return messages


def _said(data: Any) -> str | None:
    """The text that a model said."""
    output = data.response if data.type == "response" else data.output
    call = read_response(output[0] if isinstance(output, list) and len(output) == 1 else output) or {}
    texts: list[str] = []
    for message in call.get("output_messages", ()):
        texts.append(message.get("content", ""))
        texts.extend(part["text"] for part in message.get("contents", ()) if part["type"] == "text")
    return "".join(text for text in texts if isinstance(text, str)) or None


def _text_of(error: Any) -> str:
    """An error of the SDK's as one line: its message, and what its data says went wrong."""
    told = field(field(error, "data"), "error", "message")
    return f"{error['message']}: {told}" if told is not None else str(error["message"])


def _from_json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text


def _without_none(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
