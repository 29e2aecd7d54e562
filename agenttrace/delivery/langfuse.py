"""What Langfuse is told in its own words, where it would not read it from OpenInference's.

The names are those of Langfuse's page "OpenTelemetry (OTEL) for LLM Observability", section "Attribute Mapping", which
says that they win over all others; the keys of usage and cost are those of "Token & Cost Tracking" (both as in
langfuse-docs 011ec69, read on 2026-11-24). What these pages read from OpenInference's names is left to them: session,
user, a model call's model, token counts without details, input and output where they are no conversation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

import orjson
from openinference.semconv.trace import OpenInferenceSpanKindValues, RerankerAttributes, SpanAttributes

from agenttrace import faults
from agenttrace.yielded import first_item_event

from .langfuse_values import input_and_output

__all__ = ["TimedEvent", "attributes_for"]

Attributes = Mapping[str, Any]
Told = Iterator[tuple[str, Any]]

_LLM = OpenInferenceSpanKindValues.LLM.value
_TYPES = {
    OpenInferenceSpanKindValues.AGENT.value: "agent",
    OpenInferenceSpanKindValues.CHAIN.value: "chain",
    OpenInferenceSpanKindValues.EMBEDDING.value: "embedding",
    OpenInferenceSpanKindValues.EVALUATOR.value: "evaluator",
    OpenInferenceSpanKindValues.GUARDRAIL.value: "guardrail",
    _LLM: "generation",
    # Langfuse has neither of the next two; said outright, as a model's name would make a generation of one that is not.
    OpenInferenceSpanKindValues.PROMPT.value: "span",
    OpenInferenceSpanKindValues.RERANKER.value: "retriever",
    OpenInferenceSpanKindValues.RETRIEVER.value: "retriever",
    OpenInferenceSpanKindValues.TOOL.value: "tool",
}
_MODELS = (SpanAttributes.EMBEDDING_MODEL_NAME, RerankerAttributes.RERANKER_MODEL_NAME)
_PARAMETERS = (SpanAttributes.LLM_INVOCATION_PARAMETERS, SpanAttributes.EMBEDDING_INVOCATION_PARAMETERS)
_OF_INPUT = {
    "input_cached_tokens": SpanAttributes.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_READ,
    "input_cache_creation": SpanAttributes.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_WRITE,
    "input_audio_tokens": SpanAttributes.LLM_TOKEN_COUNT_PROMPT_DETAILS_AUDIO,
}
_OF_OUTPUT = {
    "output_reasoning_tokens": SpanAttributes.LLM_TOKEN_COUNT_COMPLETION_DETAILS_REASONING,
    "output_audio_tokens": SpanAttributes.LLM_TOKEN_COUNT_COMPLETION_DETAILS_AUDIO,
}
_COSTS = {
    "input": SpanAttributes.LLM_COST_PROMPT,
    "output": SpanAttributes.LLM_COST_COMPLETION,
    "total": SpanAttributes.LLM_COST_TOTAL,
}
_FIRST_TOKEN = first_item_event(_LLM)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class TimedEvent(Protocol):
    """An event of a span, as OpenTelemetry's SDK has it."""

    @property
    def name(self) -> str:
        """What happened."""

    @property
    def timestamp(self) -> int:
        """When, in nanoseconds since 1970."""


def attributes_for(attributes: Attributes, events: Sequence[TimedEvent] = ()) -> dict[str, Any]:
    """What a span's copy for Langfuse has in addition.

    Args:
        attributes: What the copy has, after everything that is to be hidden was hidden: nothing is read but these.
        events: The copy's events, for when the model's first token came.

    Returns:
        Attributes by Langfuse's names, none of which the span has already: what a program says to Langfuse itself
        stands. Never raises.

    Example:
        >>> attributes_for({"openinference.span.kind": "TOOL", "tag.tags": ["beta"]})
        {'langfuse.observation.type': 'tool', 'langfuse.trace.tags': ['beta']}
    """
    told: dict[str, Any] = {}
    for tell in _TELLERS:
        try:
            told.update(tell(attributes))
        except BaseException as error:  # one thing less is shown; the others, and the span, are
            faults.contain("describing a span for Langfuse", error)
    try:
        told.update(_first_token(events))
    except BaseException as error:
        faults.contain("describing a span for Langfuse", error)
    return {name: value for name, value in told.items() if name not in attributes}


def _type(attributes: Attributes) -> Told:
    kind = _TYPES.get(attributes.get(SpanAttributes.OPENINFERENCE_SPAN_KIND, ""))
    if kind is not None:
        yield "langfuse.observation.type", kind


def _model(attributes: Attributes) -> Told:
    for name in _MODELS:
        if name in attributes:
            yield "langfuse.observation.model.name", attributes[name]
    for name in _PARAMETERS:
        if name in attributes:
            yield "langfuse.observation.model.parameters", attributes[name]


def _usage(attributes: Attributes) -> Told:
    """Token counts in buckets that don't overlap, as "Usage types are mutually exclusive buckets" asks.

    OpenInference's counts include their details. Langfuse takes cached tokens out of them since pull request 13572 of
    2026-05; servers before it show and price them twice. Said here, they are right for both.
    """
    inner = {key: _count(attributes, name) for key, name in (*_OF_INPUT.items(), *_OF_OUTPUT.items())}
    details = {key: count for key, count in inner.items() if count}
    if not details:
        return
    usage = {}
    for key, name, parts in (
        ("input", SpanAttributes.LLM_TOKEN_COUNT_PROMPT, _OF_INPUT),
        ("output", SpanAttributes.LLM_TOKEN_COUNT_COMPLETION, _OF_OUTPUT),
    ):
        count = _count(attributes, name)
        if count is not None:
            usage[key] = max(count - sum(details.get(part, 0) for part in parts), 0)
    usage.update(details)
    total = _count(attributes, SpanAttributes.LLM_TOKEN_COUNT_TOTAL)
    if total is not None:
        usage["total"] = total
    yield "langfuse.observation.usage_details", _json(usage)


def _count(attributes: Attributes, name: str) -> int | None:
    value = attributes.get(name)
    return value if type(value) is int and value >= 0 else None


def _cost(attributes: Attributes) -> Told:
    costs = {key: attributes[name] for key, name in _COSTS.items() if type(attributes.get(name)) in (int, float)}
    if costs:
        yield "langfuse.observation.cost_details", _json(costs)


def _tags(attributes: Attributes) -> Told:
    tags = attributes.get(SpanAttributes.TAG_TAGS)
    if isinstance(tags, (list, tuple)) and tags:
        yield "langfuse.trace.tags", [str(tag) for tag in tags]


def _metadata(attributes: Attributes) -> Told:
    """Each value by its own name: Langfuse filters by nothing that lies deeper, as "How Metadata Mapping Works" says.

    On the observation and not on the trace, as what one span says of itself isn't true of the others. A root's is
    the trace's, too.
    """
    metadata = attributes.get(SpanAttributes.METADATA)
    if not isinstance(metadata, str):
        return
    try:
        values = json.loads(metadata)
    except (ValueError, RecursionError):  # cut at an attribute's longest length
        return
    for key, value in values.items() if isinstance(values, dict) else ():
        if key and value is not None:
            yield f"langfuse.observation.metadata.{key}", value if isinstance(value, str) else _json(value)


def _content(attributes: Attributes) -> Told:
    """Input and output, both or neither: as soon as it has one, Langfuse looks for the other nowhere else."""
    values = dict(zip(("input", "output"), input_and_output(attributes), strict=True))
    names = {key: f"langfuse.observation.{key}" for key in values}
    own = {SpanAttributes.INPUT_VALUE: "input", SpanAttributes.OUTPUT_VALUE: "output"}
    if all(value is None for value in values.values()) and attributes.keys().isdisjoint(names.values()):
        return
    for recorded, key in own.items():
        value = attributes.get(recorded) if values[key] is None else _json(values[key])
        if value is not None:
            yield names[key], value


def _first_token(events: Sequence[TimedEvent]) -> Told:
    for event in events:
        if event.name == _FIRST_TOKEN:
            moment = _EPOCH + timedelta(microseconds=event.timestamp // 1000)
            yield "langfuse.observation.completion_start_time", moment.isoformat(timespec="microseconds")
            return


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_SUBCLASS).decode()


_TELLERS: tuple[Callable[[Attributes], Told], ...] = (_type, _model, _usage, _cost, _tags, _metadata, _content)
