"""The handler that LangChain calls where a run starts and ends."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import ToolMessage
from langchain_core.runnables.config import var_child_runnable_config
from openinference.semconv.trace import OpenInferenceMimeTypeValues, OpenInferenceSpanKindValues, SpanAttributes

from ... import faults
from ...capture.errors import describe
from ...readers.langchain.messages import identity_of
from ...span import Span
from ...tracing import Mark, trace_agent, trace_llm, trace_retriever, trace_tool
from ...yielded import first_item_event
from ..content import content
from ..hook_spans import MOST_OPEN, HookSpans
from .reading import (
    NODE,
    is_control_flow,
    mark_of_chain,
    name_of,
    node_of,
    parameters_by_name,
    readable,
    session_of,
)

__all__ = ["callback_handler"]

Hook = TypeVar("Hook", bound=Callable[..., None])

_TEXT = OpenInferenceMimeTypeValues.TEXT.value
_FIRST_TOKEN = first_item_event(OpenInferenceSpanKindValues.LLM.value)
_HIDDEN = "langsmith:hidden"  # LangGraph's public tag for what is no step of the user's
_OWN_TAGS = ("seq:step:", "map:key:", "retry:attempt:", "langsmith:", "nostream", NODE)
_OWN_METADATA = ("ls_", "lc_", "langgraph_", "checkpoint_", "__pregel")
_MODELS = ("model", "model_name", "model_id", "deployment_name", "azure_deployment")
_NO_PARAMETERS = ("_type", "tools", "functions")
_NESTED = "|"  # in the name of a node's place, between those of graphs within graphs


def callback_handler() -> BaseCallbackHandler:
    """The handler that traces a LangChain or LangGraph run.

    Give it to one run, ``graph.invoke(state, {"callbacks": [callback_handler()]})``, or to all runs of one object,
    ``graph.with_config(callbacks=[callback_handler()])``. It works with ``invoke``, ``stream``, ``batch`` and their
    asynchronous forms, and hands itself on to whatever the run calls.

    Returns:
        Always the same one, which LangChain therefore calls once however often it is given.

    Example:
        >>> register(project_name="weather")
        >>> graph.invoke({"messages": [("user", "Oslo?")]}, {"callbacks": [callback_handler()]})
    """
    return _handler


class _Run:
    """What is known of a run that has begun."""

    __slots__ = ("has_tokens", "is_agent", "name", "offered", "visible")

    def __init__(self, name: str, is_agent: bool, visible: UUID | None, above: _Run | None) -> None:
        self.name = name
        self.is_agent = is_agent
        self.visible = visible
        """The run whose span stands for it: itself, or where it is hidden the one above."""
        self.offered: dict[str, Any] = {} if above is None else above.offered
        """Parameters of the tools that models of the same tree were offered, by name: callbacks of tools lack them."""
        self.has_tokens: bool = False


_runs: dict[UUID, _Run] = {}


def _current_run() -> UUID | None:
    """The run whose body the calling code is."""
    config = var_child_runnable_config.get()
    run = _runs.get(getattr(config.get("callbacks"), "parent_run_id", None)) if config else None  # type: ignore[arg-type]
    return None if run is None else run.visible


_spans = HookSpans("LangChain", locate=_current_run)


def _contained(hook: Hook) -> Hook:
    """``hook``, whose mistakes are logged once in agenttrace's own way, and not by LangChain each time."""

    @functools.wraps(hook)
    def contained_hook(*args: Any, **kwargs: Any) -> None:
        try:
            hook(*args, **kwargs)
        except BaseException as error:
            faults.contain(f"LangChain's {hook.__name__}", error)

    return cast("Hook", contained_hook)


class _Handler(BaseCallbackHandler):
    """Opens a span where a run starts, and ends it where that ends."""

    # Else an asynchronous run would have this called in a thread, and the body might begin, or end, before.
    run_inline = True

    def __deepcopy__(self, memo: dict[int, Any]) -> _Handler:
        return self

    @_contained
    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **about: Any) -> None:
        """A graph, one of its nodes, or any other runnable."""
        name = name_of(serialized, about)
        mark = mark_of_chain(name, about)
        node = node_of(about)
        span = _begin(run_id, mark, name, about, input=readable(inputs), current=node is not None and _stays_here())
        if span is not None and node is not None:
            _be_agent(about)
            span.set_graph_node(node)
            span.set_metadata({"langgraph_step": about["metadata"].get("langgraph_step")})

    @_contained
    def on_chain_end(self, outputs: Any, *, run_id: UUID, **about: Any) -> None:
        """See `on_chain_start`."""
        _finish(run_id, readable(outputs))

    @_contained
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **about: Any) -> None:
        """See `on_chain_start`."""
        _fail(run_id, error)

    @_contained
    def on_chat_model_start(self, serialized: Any, messages: Sequence[Any], *, run_id: UUID, **about: Any) -> None:
        """A call of a chat model: LangChain calls this once for each conversation."""
        _begin_model_call(run_id, serialized, {"messages": messages[0] if messages else []}, about)

    @_contained
    def on_llm_start(self, serialized: Any, prompts: Sequence[str], *, run_id: UUID, **about: Any) -> None:
        """A call of a model that completes prompts, once for each prompt."""
        _begin_model_call(run_id, serialized, {"prompt": prompts[0] if prompts else ""}, about)
        _spans.span(run_id).set_prompt(prompts[0])

    @_contained
    def on_llm_new_token(self, token: Any, *, run_id: UUID, **about: Any) -> None:
        """A piece of a streamed answer; all that is said of them is when the first came."""
        _note_token(run_id)

    @_contained
    def on_stream_event(self, event: Any, *, run_id: UUID, **about: Any) -> None:
        """As `on_llm_new_token`, in version 3 of ``stream_events``."""
        if event.get("event") == "content-block-delta":
            _note_token(run_id)

    @_contained
    def on_llm_end(self, response: Any, *, run_id: UUID, **about: Any) -> None:
        """See `on_chat_model_start`."""
        _record_answer(_spans.span(run_id), response)
        _finish(run_id, None)

    @_contained
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **about: Any) -> None:
        """See `on_chat_model_start`; what was streamed before is recorded."""
        response = about.get("response")
        if response is not None:
            _record_answer(_spans.span(run_id), response)
        _fail(run_id, error)

    @_contained
    def on_tool_start(self, serialized: Any, input_str: str, *, run_id: UUID, inputs: Any = None, **about: Any) -> None:
        """A call of a tool."""
        name = name_of(serialized, about)
        above = _runs.get(about.get("parent_run_id"))  # type: ignore[arg-type]
        span = _begin(
            run_id,
            trace_tool,
            name,
            about,
            input={"input": input_str} if inputs is None else inputs,
            current=_stays_here(),
            description=(serialized or {}).get("description") or None,
            parameters=None if above is None else above.offered.get(name),
        )
        if span is not None:
            span.set_tool(id=about.get("tool_call_id"))

    @_contained
    def on_tool_end(self, output: Any, *, run_id: UUID, **about: Any) -> None:
        """See `on_tool_start`. A message with the status of an error is what became of one that the tool raised."""
        if not isinstance(output, ToolMessage):
            _finish(run_id, output)
            return
        span = _spans.span(run_id)
        span.set_tool(id=output.tool_call_id)  # older releases say it nowhere else
        if output.status == "error":
            span.set_status("error", str(output.content))
        _finish(run_id, output.content)

    @_contained
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **about: Any) -> None:
        """See `on_tool_start`."""
        _fail(run_id, error)

    @_contained
    def on_retriever_start(self, serialized: Any, query: str, *, run_id: UUID, **about: Any) -> None:
        """A search for documents."""
        _begin(run_id, trace_retriever, name_of(serialized, about), about, input=query, current=_stays_here())

    @_contained
    def on_retriever_end(self, documents: Any, *, run_id: UUID, **about: Any) -> None:
        """See `on_retriever_start`."""
        _finish(run_id, documents)

    @_contained
    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **about: Any) -> None:
        """See `on_retriever_start`."""
        _fail(run_id, error)

    @_contained
    def on_retry(self, retry_state: Any, *, run_id: UUID, **about: Any) -> None:
        """Something failed and is tried again, within the same span."""
        error = retry_state.outcome.exception() if retry_state.outcome is not None else None
        said = {} if error is None else {"error": describe(error)}
        _visible_span(run_id).add_event("retry", {"attempt": retry_state.attempt_number, **said})

    @_contained
    def on_custom_event(self, name: str, data: Any, *, run_id: UUID, **about: Any) -> None:
        """What the program itself reports with ``dispatch_custom_event``."""
        told = content(data)
        _visible_span(run_id).add_event(name, told if isinstance(told, Mapping) else {"data": told})


_handler = _Handler()


def _begin(run_id: UUID, mark: Mark, name: str, about: Mapping[str, Any], **options: Any) -> Span | None:
    """Open the span of a run; None where it has none, or has begun already."""
    if run_id in _runs:
        return None
    parent_id = about.get("parent_run_id")
    above = None if parent_id is None else _runs.get(parent_id)
    parent = parent_id if above is None else above.visible
    tags, metadata = about.get("tags") or (), about.get("metadata") or {}
    if len(_runs) >= MOST_OPEN:
        _runs.pop(next(iter(_runs)), None)
    is_hidden = _HIDDEN in tags
    _runs[run_id] = _Run(name, mark is trace_agent, parent if is_hidden else run_id, above)
    if is_hidden:
        return None
    return _spans.start(
        run_id,
        mark,
        name,
        parent=parent,
        within=session_of(metadata) if above is None else None,
        tags=[tag for tag in tags if not tag.startswith(_OWN_TAGS)] or None,
        metadata={key: value for key, value in metadata.items() if not key.startswith(_OWN_METADATA)} or None,
        **options,
    )


def _begin_model_call(run_id: UUID, serialized: Any, asked: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    parameters = about.get("invocation_params") or {}
    metadata = about.get("metadata") or {}
    known = identity_of(metadata)
    named = next((parameters[key] for key in _MODELS if isinstance(parameters.get(key), str)), None)
    span = _begin(
        run_id,
        trace_llm,
        name_of(serialized, about),
        about,
        input=asked,
        model=named or known.get("model_name"),
        provider=known.get("provider"),
        system=known.get("system"),
        invocation_parameters={
            key: value for key, value in parameters.items() if value is not None and key not in _NO_PARAMETERS
        }
        or None,
    )
    tools = parameters.get("tools") or parameters.get("functions")
    if span is not None and tools:
        span.set_tools(tools)
        _runs[run_id].offered.update(parameters_by_name(tools))


def _be_agent(node: Mapping[str, Any]) -> None:
    """Make what runs ``node`` an agent, if no other graph runs that: older releases don't say what that is."""
    graph = _runs.get(node["parent_run_id"])
    if graph is None or graph.is_agent or _NESTED in str(node["metadata"].get("langgraph_checkpoint_ns")):
        return
    graph.is_agent = True
    _spans.span(graph.visible).set_attributes(
        {SpanAttributes.OPENINFERENCE_SPAN_KIND: trace_agent.kind, SpanAttributes.AGENT_NAME: graph.name}
    )


def _finish(run_id: UUID, output: Any) -> None:
    _runs.pop(run_id, None)
    _spans.finish(run_id, output)


def _fail(run_id: UUID, error: BaseException) -> None:
    if is_control_flow(error):
        _spans.span(run_id).add_event(type(error).__name__, {"value": content(error.args[0] if error.args else None)})
        _finish(run_id, None)
        return
    _runs.pop(run_id, None)
    _spans.fail(run_id, error)


def _note_token(run_id: UUID) -> None:
    run = _runs.get(run_id)
    if run is not None and not run.has_tokens:
        run.has_tokens = True
        _spans.span(run_id).add_event(_FIRST_TOKEN)


def _visible_span(run_id: UUID) -> Span:
    run = _runs.get(run_id)
    return _spans.span(run_id if run is None else run.visible)


@_contained
def _record_answer(span: Span, response: Any) -> None:
    """Record what a model answered, if anything; as the output its text, where the answer is nothing else."""
    generations = [generation for each in response.generations for generation in each]
    if not generations:
        return
    message = getattr(generations[0], "message", None) if len(generations) == 1 else None
    span.set_output(response if message is None else message)
    text = getattr(message, "content", None) if message is not None else getattr(generations[0], "text", None)
    if len(generations) == 1 and isinstance(text, str) and not getattr(message, "tool_calls", None):
        span.set_attributes({SpanAttributes.OUTPUT_VALUE: text, SpanAttributes.OUTPUT_MIME_TYPE: _TEXT})


def _stays_here() -> bool:
    """Whether a run that isn't a stream ends in the context that it starts in: so outside of any event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False
