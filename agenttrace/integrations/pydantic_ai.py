"""Pydantic AI, traced through what it documents for it: a capability, with hooks around runs, requests and tools.

Pydantic AI's own instrumentation stays off: both together would record everything twice.
"""

# Pydantic AI isn't installed where the whole project is type-checked, so its classes are Any to mypy there:
# mypy: disallow-subclassing-any=False, disallow-untyped-decorators=False

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import KW_ONLY, dataclass
from typing import Any

from openinference.semconv.trace import SpanAttributes

from .. import faults
from ..context import using_session
from ..current import get_current
from ..running import RunningSpan
from ..tracing import Mark, trace_agent, trace_llm, trace_step, trace_tool
from .blocks import open_block
from .needs import needs

with needs("pydantic-ai-slim>=2.66.0", extra="pydantic-ai"):
    from pydantic_ai.agent import AbstractAgent
    from pydantic_ai.capabilities import AbstractCapability, CapabilityOrdering
    from pydantic_ai.exceptions import (
        ApprovalRequired,
        CallDeferred,
        SkipToolExecution,
        ToolFailedError,
        ToolRetryError,
    )
    from pydantic_ai.models import Model, StreamedResponse
    from pydantic_ai.models.wrapper import WrapperModel

__all__ = ["traced_model", "tracing_capability"]

# Of what a request is sent with, these are no parameters of the model, and may hold secrets.
_NO_PARAMETERS = frozenset({"extra_headers", "extra_body", "timeout", "request_timeout", "first_event_timeout"})


def tracing_capability() -> AbstractCapability[Any]:
    """A capability that records an agent's runs as OpenInference spans.

    A run is an AGENT span, and in it are one LLM for each request to a model, streamed or not, one TOOL for each call
    of a tool, and one CHAIN for an output function, or for an output that was not accepted. What is sent back to the
    model to be mended is an error of its own span alone; a call that waits for approval or for somebody else is none.
    A conversation's id is the session, unless one is set already. Marks of your own in tools nest where they run.

    Returns:
        The capability, for any number of agents; an agent that is given two has one. It raises nothing of its own, and
        without ``register()`` it records nothing.

    Example:
        >>> from pydantic_ai import Agent
        >>> agent = Agent("openai:gpt-4o-mini", tools=[get_weather], capabilities=[tracing_capability()])
        >>> agent.run_sync("What is the weather in Oslo?")
    """
    return _Tracing()


def traced_model(model: Model | str) -> Model:
    """``model``, with an LLM span for each request, for where no agent runs it (``pydantic_ai.direct``).

    Args:
        model: Any model, or a model's name as Pydantic AI has them. It is wrapped and not changed. An agent that has
            `tracing_capability` needs no such model; with one, the capability is who records.

    Returns:
        A model that is used as this one.

    Raises:
        TypeError: If ``model`` is no model, an agent for example.

    Example:
        >>> from pydantic_ai.direct import model_request_sync
        >>> model_request_sync(traced_model("openai:gpt-4o-mini"), [ModelRequest.user_text_prompt("Hello!")])
    """
    if isinstance(model, AbstractAgent):
        raise TypeError(
            "traced_model() takes a model, not an agent: write Agent(…, capabilities=[tracing_capability()]) instead"
        )
    if not isinstance(model, (Model, str)):
        given = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
        raise TypeError(f'traced_model() takes a model, or a name such as "openai:gpt-4o-mini", not {given}')
    return _TracedModel(model)


@dataclass
class _Tracing(AbstractCapability[Any]):
    """Opens a span around each of what the hooks stand around."""

    _: KW_ONLY
    id: str | None = "agenttrace"
    """A default of the class says that an agent has one of these: Pydantic AI makes one of several."""

    @classmethod
    def get_serialization_name(cls) -> str | None:
        return None

    def get_ordering(self) -> CapabilityOrdering:
        return CapabilityOrdering(position="outermost")

    def get_wrapper_model(self, model: Model) -> Model:
        return _TracedModel(model)

    async def wrap_run(self, ctx: Any, *, handler: Any) -> Any:
        with _session_of(ctx):
            span = _open(trace_agent, lambda: _run_options(ctx))
            result = await _ended_by(span, handler)
            _finish(span, lambda: result.output)
            return result

    async def wrap_tool_execute(self, ctx: Any, *, call: Any, tool_def: Any, args: Any, handler: Any) -> Any:
        span = _open(trace_tool, lambda: _tool_options(call, tool_def, args))
        _set(span, lambda running: running.handle().set_tool(id=call.tool_call_id))
        try:
            result = await handler(args)
        except BaseException as error:
            _end_tool(span, error)
            raise
        _finish(span, lambda: result)
        return result

    async def on_tool_validate_error(self, ctx: Any, *, call: Any, tool_def: Any, args: Any, error: Any) -> Any:
        # The tool never ran; without a span there would be no trace of the call but in the messages.
        span = _open(trace_tool, lambda: _tool_options(call, tool_def, args))
        _set(span, lambda running: running.handle().set_tool(id=call.tool_call_id))
        _fail(span, error.__cause__ or error)
        raise error

    async def wrap_output_process(self, ctx: Any, *, output_context: Any, output: Any, handler: Any) -> Any:
        if not output_context.has_function:
            return await handler(output)
        name = output_context.function_name or "output function"
        span = _open(trace_step, lambda: {"name": name, "input": output})
        result = await _ended_by(span, lambda: handler(output))
        _finish(span, lambda: result)
        return result

    async def on_output_validate_error(self, ctx: Any, *, output_context: Any, output: Any, error: Any) -> Any:
        _record_rejected(output, error)
        raise error

    async def on_output_process_error(self, ctx: Any, *, output_context: Any, output: Any, error: Any) -> Any:
        if not output_context.has_function:
            _record_rejected(output, error)
        raise error


class _TracedModel(WrapperModel):
    """Opens a span around each request."""

    async def request(self, messages: Any, model_settings: Any, model_request_parameters: Any) -> Any:
        span = self._open(messages, model_settings, model_request_parameters)
        with _asked(self, messages, span):
            response = await _ended_by(
                span, lambda: self.wrapped.request(messages, model_settings, model_request_parameters)
            )
        _finish(span, lambda: response)
        return response

    @asynccontextmanager
    async def request_stream(
        self, messages: Any, model_settings: Any, model_request_parameters: Any, run_context: Any = None
    ) -> AsyncGenerator[StreamedResponse]:
        span = self._open(messages, model_settings, model_request_parameters)
        stream: StreamedResponse | None = None
        try:
            async with AsyncExitStack() as stack:
                with _asked(self, messages, span):
                    stream = await stack.enter_async_context(
                        self.wrapped.request_stream(messages, model_settings, model_request_parameters, run_context)
                    )
                _set(span, RunningSpan.pause)  # who reads the stream is no part of the request
                yield stream
        except BaseException as error:
            if stream is not None:
                so_far = stream
                _set(span, lambda running: running.handle().set_output(so_far.get()))
            _fail(span, error)
            raise
        _finish(span, lambda: None if stream is None else stream.get())

    def _open(self, messages: Any, settings: Any, parameters: Any) -> RunningSpan | None:
        if _is_recorded_by_another(self, messages):
            return None
        return _open(trace_llm, lambda: self._options(messages, settings, parameters))

    def _options(self, messages: Any, settings: Any, parameters: Any) -> dict[str, Any]:
        model_name = self.wrapped.model_name
        known = {name: value for name, value in (settings or {}).items() if name not in _NO_PARAMETERS}
        tools = [*parameters.function_tools, *parameters.output_tools]
        return {
            "name": f"chat {model_name}",
            "input": {"messages": messages, **({"tools": tools} if tools else {})},
            "model": model_name,
            "invocation_parameters": {"model": model_name, **known},
        }


class _Asked:
    """A request that is being recorded."""

    __slots__ = ("last_message", "model")

    def __init__(self, model: Model, messages: Any) -> None:
        self.model: Model | None = model
        self.last_message: Any = messages[-1] if messages else None


_request: ContextVar[_Asked | None] = ContextVar("agenttrace-pydantic-ai-request", default=None)


@contextmanager
def _asked(model: Model, messages: Any, span: RunningSpan | None) -> Iterator[None]:
    """Let the models that ``model`` hands its request on to know that ``span`` is its record."""
    if span is None:
        yield
        return
    asked = _Asked(model, messages)
    token = _request.set(asked)
    try:
        yield
    finally:
        asked.model = asked.last_message = None  # a task that began meanwhile has the variable for as long as it lasts
        with suppress(ValueError):  # a coroutine that nobody ran to its end is closed in any context
            _request.reset(token)


def _is_recorded_by_another(model: Model, messages: Any) -> bool:
    """Whether the request that ``model`` is asked is part of one that is being recorded."""
    outer = _request.get()
    if outer is None or outer.model is None:
        return False
    try:
        return _holds(outer.model, model) or bool(messages and messages[-1] is outer.last_message)
    except BaseException as error:
        _contain("looking for a request's record", error)
        return False


def _holds(model: Any, inner: Model) -> bool:
    if model is inner:
        return True
    parts = [model.wrapped] if isinstance(model, WrapperModel) else getattr(model, "models", ())
    return any(_holds(part, inner) for part in parts)


def _run_options(ctx: Any) -> dict[str, Any]:
    name = getattr(ctx.agent, "name", None) or "agent"
    metadata = {"run_id": ctx.run_id, **(ctx.metadata if isinstance(ctx.metadata, Mapping) else {})}
    return {
        "name": name,
        "input": ctx.prompt,
        "metadata": {key: value for key, value in metadata.items() if value is not None},
        "attributes": {SpanAttributes.AGENT_NAME: name},
    }


def _tool_options(call: Any, tool_def: Any, args: Any) -> dict[str, Any]:
    return {
        "name": call.tool_name,
        "input": args,
        "description": tool_def.description,
        "parameters": tool_def.parameters_json_schema,
    }


def _session_of(ctx: Any) -> Any:
    try:
        conversation = ctx.conversation_id
        if isinstance(conversation, str) and conversation and SpanAttributes.SESSION_ID not in get_current():
            return using_session(conversation)
    except BaseException as error:
        _contain("reading the conversation's id", error)
    return nullcontext()


def _record_rejected(output: Any, error: BaseException) -> None:
    """Record that what the model gave as output was not accepted."""
    _fail(_open(trace_step, lambda: {"name": "output rejected", "input": output}), error)


def _end_tool(span: RunningSpan | None, error: BaseException) -> None:
    """End a call that ``error`` came out of, which may be the way in which Pydantic AI goes on."""
    if isinstance(error, SkipToolExecution):
        _finish(span, lambda: error.result)
    elif isinstance(error, (ApprovalRequired, CallDeferred)):  # it isn't made yet
        _set(span, lambda running: running.handle().set_metadata(_waiting(error)))
        _finish(span, lambda: None)
    elif isinstance(error, ToolRetryError):
        _set(span, lambda running: running.handle().set_output(error.tool_retry.content))
        _fail(span, error.__cause__ or error)
    else:
        if isinstance(error, ToolFailedError):
            _set(span, lambda running: running.handle().set_output(error.tool_failed.content))
        _fail(span, error)


def _waiting(error: Any) -> dict[str, Any]:
    return {"deferred": type(error).__name__, **(error.metadata or {})}


def _open(mark: Mark, describe: Callable[[], dict[str, Any]]) -> RunningSpan | None:
    try:
        return open_block(mark, **describe())
    except BaseException as error:
        _contain("opening a span", error)
        return None


async def _ended_by(span: RunningSpan | None, call: Callable[[], Any]) -> Any:
    """What ``call`` gives; ``span`` ends with what it raises."""
    try:
        return await call()
    except BaseException as error:
        _fail(span, error)
        raise


def _finish(span: RunningSpan | None, output: Callable[[], Any]) -> None:
    if span is None:
        return
    value = None
    try:
        value = output()
        if value is not None:
            span.handle().set_output(value)
    except BaseException as error:
        _contain("reading an output", error)
    span.exhausted(None)


def _fail(span: RunningSpan | None, error: BaseException) -> None:
    if span is not None:
        span.raised(error)


def _set(span: RunningSpan | None, record: Callable[[RunningSpan], None]) -> None:
    if span is None:
        return
    try:
        record(span)
    except BaseException as error:
        _contain("recording on a span", error)


def _contain(what: str, error: BaseException) -> None:
    faults.contain(f"{what} for Pydantic AI", error)
