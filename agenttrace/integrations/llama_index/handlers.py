"""The two handlers that LlamaIndex's dispatcher calls: one for calls, one for what happens in them."""

# mypy: disallow-subclassing-any=False
# Where LlamaIndex isn't installed, as where this project is checked, mypy knows no more of its classes.

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.span import BaseSpan
from llama_index.core.instrumentation.span_handlers import BaseSpanHandler
from openinference.semconv.trace import OpenInferenceSpanKindValues, SpanAttributes

from ... import faults
from ...yielded import first_item_event
from ..content import content
from . import calls, contents

__all__ = ["EVENT_HANDLER", "SPAN_HANDLER"]

_FIRST_TOKEN = first_item_event(OpenInferenceSpanKindValues.LLM.value)


class _SpanHandler(BaseSpanHandler[BaseSpan]):
    """Opens and ends spans. LlamaIndex's own lists of spans, which only grow, stay empty."""

    @classmethod
    def class_name(cls) -> str:
        """LlamaIndex's name for it."""
        return "AgenttraceSpanHandler"

    def span_enter(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,
        instance: Any | None = None,
        parent_id: str | None = None,
        tags: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """A call begins."""
        _contained("a call", lambda: calls.begin(id_, instance, bound_args.arguments, parent_id))

    def span_exit(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,
        instance: Any | None = None,
        result: Any | None = None,
        **kwargs: Any,
    ) -> None:
        """A call returned."""
        _contained("the result of a call", lambda: calls.end(id_, result))

    def span_drop(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,
        instance: Any | None = None,
        err: BaseException | None = None,
        **kwargs: Any,
    ) -> None:
        """An error came out of a call."""
        _contained("the error of a call", lambda: calls.fail(id_, err))

    def close(self) -> None:
        """The dispatcher is shut down, or this is taken off it: what is open ends."""
        _contained("its end", calls.give_up_all)

    def new_span(self, *args: Any, **kwargs: Any) -> BaseSpan | None:
        """Nothing: this handler keeps its spans itself."""

    def prepare_to_exit_span(self, *args: Any, **kwargs: Any) -> BaseSpan | None:
        """Nothing: see `new_span`."""

    def prepare_to_drop_span(self, *args: Any, **kwargs: Any) -> BaseSpan | None:
        """Nothing: see `new_span`."""


class _EventHandler(BaseEventHandler):
    """Records what LlamaIndex tells of a call while it runs."""

    @classmethod
    def class_name(cls) -> str:
        """LlamaIndex's name for it."""
        return "AgenttraceEventHandler"

    def handle(self, event: BaseEvent, **kwargs: Any) -> Any:
        """Record ``event``, where there is anything to record of its kind."""
        record = _RECORDERS.get(type(event).__name__)
        if record is not None:
            _contained(type(event).__name__, lambda: record(event))


def _contained(what: str, work: Callable[[], None]) -> None:
    # The dispatcher drops what a handler raises without a word.
    try:
        work()
    except BaseException as error:
        faults.contain(f"recording {what} of LlamaIndex", error)


def _model_call(event: Any) -> None:
    """What a model is called with beside its arguments: the settings of its object."""
    call, told = calls.call_of(event.span_id), calls.told_of(event.span_id)
    if call is None:
        return
    call.tells = True
    if told is not None:
        contents.add_settings(calls.span_of(told), call, {**event.model_dict, **event.additional_kwargs})


def _token(event: Any) -> None:
    call = calls.call_of(calls.told_of(event.span_id))
    if call is not None and not call.has_tokens:
        call.has_tokens = True
        calls.span_of(event.span_id).add_event(_FIRST_TOKEN)


def _answer(event: Any) -> None:
    calls.end_stream(event.span_id, event.response)


def _exception(event: Any) -> None:
    """What broke a stream off; of any other call its own span tells."""
    calls.fail_stream(event.span_id, event.exception)


def _template(event: Any) -> None:
    call = calls.call_of(event.span_id)
    if call is not None:
        call.template = contents.template_of(event.template, event.template_args)


def _reranking(event: Any) -> None:
    span = calls.span_of(event.span_id)
    span.set_attribute(SpanAttributes.OPENINFERENCE_SPAN_KIND, OpenInferenceSpanKindValues.RERANKER.value)
    query = getattr(event.query, "query_str", event.query)
    span.set_reranker(query=query, model=event.model_name, top_k=event.top_n, input_documents=event.nodes)


def _reranked(event: Any) -> None:
    calls.span_of(event.span_id).set_reranker(output_documents=event.nodes)


def _cancelled(event: Any) -> None:
    calls.span_of(event.span_id).add_event("cancelled", {"reason": content(event.reason)})


_RECORDERS: dict[str, Callable[[Any], None]] = {
    "LLMChatStartEvent": _model_call,
    "LLMCompletionStartEvent": _model_call,
    "LLMChatInProgressEvent": _token,
    "LLMCompletionInProgressEvent": _token,
    "LLMChatEndEvent": _answer,
    "LLMCompletionEndEvent": _answer,
    "LLMPredictStartEvent": _template,
    "LLMStructuredPredictStartEvent": _template,
    "ExceptionEvent": _exception,
    "ReRankStartEvent": _reranking,
    "ReRankEndEvent": _reranked,
    "SpanCancelledEvent": _cancelled,
}

SPAN_HANDLER: BaseSpanHandler[BaseSpan] = _SpanHandler()
"""The one handler of calls: however many dispatchers have it, each call is recorded once."""
EVENT_HANDLER: BaseEventHandler = _EventHandler()
"""The one handler of events."""
