"""What Langfuse makes of a span, for the parts of its mapping that spans of this project can meet.

Documented, page "OpenTelemetry (OTEL) for LLM Observability" (langfuse-docs 011ec69, read on 2026-11-24), "Attribute
Mapping": every `langfuse.*` name and that it wins; `user.id`, `session.id`; `input.value`, `output.value`;
`gen_ai.request.model`, `llm.model_name`; level and message from the status; trace name, input, output and metadata from
the root; environment; where unmapped attributes go. Page "Token & Cost Tracking", same commit: that cached tokens are
taken out of `llm.token_count.prompt`, and that `langfuse.observation.usage_details` is stored as it is.

Not documented, read from the server's source (langfuse/langfuse, OtelIngestionProcessor.ts 769752a and
ObservationTypeMapper.ts 98bf336): what `openinference.span.kind` and `gen_ai.operation.name` make of the type,
`tag.tags`, `llm.invocation_parameters` as JSON, `llm.cost.total`, the flattened messages, and the order in which names
are tried.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agenttrace.local.flattened import items_of

__all__ = ["SpanReceived", "observation_of", "trace_of"]

Attributes = Mapping[str, Any]

EXPLICIT_TYPES = frozenset(
    {"span", "generation", "event", "embedding", "agent", "tool", "chain", "retriever", "guardrail", "evaluator"}
)
TYPES_OF_KINDS = {
    "CHAIN": "chain",
    "RETRIEVER": "retriever",
    "LLM": "generation",
    "EMBEDDING": "embedding",
    "AGENT": "agent",
    "TOOL": "tool",
    "GUARDRAIL": "guardrail",
    "EVALUATOR": "evaluator",
}
TYPES_OF_OPERATIONS = {
    **dict.fromkeys(("chat", "completion", "text_completion", "generate_content", "generate"), "generation"),
    **dict.fromkeys(("invoke_agent", "create_agent"), "agent"),
    "embeddings": "embedding",
    "execute_tool": "tool",
}
MODELS = (
    "langfuse.observation.model.name",
    "gen_ai.response.model",
    "gen_ai.request.model",
    "llm.response.model",
    "llm.model_name",
    "model",
)
ENVIRONMENTS = ("langfuse.environment", "deployment.environment.name", "deployment.environment")
CACHE_READ = ("cache_read.input_tokens", "cache_read_tokens", "prompt_details.cache_read")
CACHE_WRITE = ("cache_creation.input_tokens", "cache_write_tokens", "prompt_details.cache_write")
# Langfuse drops these from what it shows as metadata: they are shown as input and output, or not at all.
CONTENT_PREFIXES = ("input.value", "output.value", "llm.input_messages", "llm.output_messages")
OWN_PREFIXES = ("langfuse.trace.metadata", "langfuse.observation.", "langfuse.trace.input", "langfuse.trace.output")


@dataclass(frozen=True)
class SpanReceived:
    """A span as Langfuse's endpoint decodes it."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str | None
    is_error: bool
    status_message: str | None
    attributes: dict[str, Any]
    resource: dict[str, Any]
    scope: str
    events: list[str] = field(default_factory=list)


def observation_of(span: SpanReceived, *, subtracts_cached: bool = True) -> dict[str, Any]:
    """The observation that ``span`` becomes, by the names of Langfuse's public API.

    Args:
        span: The span.
        subtracts_cached: What Langfuse does with OpenInference's cached tokens since pull request 13572 of 2026-05;
            False for a server from before.
    """
    attributes = span.attributes
    given, made = _content(attributes)
    return {
        "id": span.span_id,
        "traceId": span.trace_id,
        "parentObservationId": span.parent_id,
        "type": _type(attributes).upper(),
        "name": attributes.get("gen_ai.tool.name") or span.name,
        "input": given,
        "output": made,
        "model": _first(attributes, *MODELS),
        "modelParameters": _parameters(attributes),
        "usageDetails": _usage(attributes, subtracts_cached),
        "costDetails": _cost(attributes),
        "level": attributes.get("langfuse.observation.level") or ("ERROR" if span.is_error else "DEFAULT"),
        "statusMessage": attributes.get("langfuse.observation.status_message") or span.status_message,
        "completionStartTime": attributes.get("langfuse.observation.completion_start_time"),
        "environment": _environment(span),
        "metadata": _metadata(span, "observation"),
        # Since version 4 what a trace is filtered by stands on each of its observations.
        "userId": _user(attributes),
        "sessionId": _session(attributes),
        "tags": _tags(attributes),
    }


def trace_of(spans: list[SpanReceived]) -> dict[str, Any]:
    """The trace that ``spans``, which have one trace id, become."""
    root = next((span for span in spans if span.parent_id is None), None)
    metadata = {} if root is None else _metadata(root, "observation")
    for span in spans:
        metadata.update(_prefixed(span.attributes, "langfuse.trace.metadata"))
    given, made = (None, None) if root is None else _content(root.attributes)
    told = [span.attributes for span in spans]
    return {
        "id": spans[0].trace_id,
        "name": next((name for a in told if (name := a.get("langfuse.trace.name"))), root.name if root else None),
        "input": given,
        "output": made,
        "userId": next((user for a in told if (user := _user(a))), None),
        "sessionId": next((session for a in told if (session := _session(a))), None),
        "tags": sorted({tag for a in told for tag in _tags(a)}),
        "release": _first(root.attributes if root else {}, "langfuse.release")
        or _first(spans[0].resource, "langfuse.release"),
        "environment": _environment(root or spans[0]),
        "metadata": metadata,
    }


def _first(attributes: Attributes, *names: str) -> Any:
    return next((value for name in names if (value := attributes.get(name))), None)


def _type(attributes: Attributes) -> str:
    explicit = attributes.get("langfuse.observation.type")
    if explicit in EXPLICIT_TYPES:
        return str(explicit)
    known = TYPES_OF_KINDS.get(attributes.get("openinference.span.kind", "")) or TYPES_OF_OPERATIONS.get(
        attributes.get("gen_ai.operation.name", "")
    )
    if known is not None:
        return known
    if _first(attributes, "gen_ai.tool.name", "gen_ai.tool.call.id"):
        return "tool"
    return "generation" if _first(attributes, *MODELS) else "span"


def _content(attributes: Attributes) -> tuple[Any, Any]:
    """Input and output of the first pair of names of which there is either; the other one is empty then."""
    for pair in (("langfuse.observation.input", "langfuse.observation.output"), ("input.value", "output.value")):
        if not attributes.keys().isdisjoint(pair):
            given, made = (attributes.get(name) for name in pair)
            return _parsed(given), _parsed(made)
    # With dots for nesting, so that a message's role is at `message.role`: no shape that is shown as a conversation.
    messages = [items_of(attributes, f"llm.{side}_messages") for side in ("input", "output")]
    return messages[0] or None, messages[1] or None


def _parsed(value: Any) -> Any:
    """Input and output are kept as texts, and shown as JSON where they are that."""
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


def _parameters(attributes: Attributes) -> dict[str, Any]:
    text = _first(attributes, "langfuse.observation.model.parameters", "llm.invocation_parameters")
    if text is not None:
        parsed = json.loads(text)
        return {k: v if isinstance(v, (str, int, float)) else json.dumps(v) for k, v in parsed.items()}
    start = "gen_ai.request."
    return {k.removeprefix(start): v for k, v in attributes.items() if k.startswith(start) and k != f"{start}model"}


def _usage(attributes: Attributes, subtracts_cached: bool) -> dict[str, Any]:
    if "langfuse.observation.usage_details" in attributes:
        stored: dict[str, Any] = json.loads(attributes["langfuse.observation.usage_details"])
        return stored
    raw: dict[str, int] = {}
    for prefix in ("llm.token_count.", "gen_ai.usage."):
        raw.update({k.removeprefix(prefix): int(v) for k, v in attributes.items() if k.startswith(prefix)})
    names = {"prompt": "input", "input_tokens": "input", "completion": "output", "output_tokens": "output"}
    usage = {names.get(key, key): count for key, count in raw.items()}
    if not subtracts_cached:
        return usage
    for whole, key, sources in (
        ("input", "input_cached_tokens", CACHE_READ),
        ("input", "input_cache_creation", CACHE_WRITE),
        ("output", "output_reasoning_tokens", ("completion_details.reasoning",)),
        ("output", "output_audio_tokens", ("completion_details.audio",)),
    ):
        found = [usage.pop(source) for source in sources if source in usage]
        if found:
            usage[key] = found[0]
            usage[whole] = max(usage.get(whole, 0) - found[0], 0)
    return usage


def _cost(attributes: Attributes) -> dict[str, Any]:
    if "langfuse.observation.cost_details" in attributes:
        stored: dict[str, Any] = json.loads(attributes["langfuse.observation.cost_details"])
        return stored
    total = _first(attributes, "gen_ai.usage.cost", "llm.cost.total")
    return {} if total is None else {"total": total}


def _user(attributes: Attributes) -> Any:
    return _first(attributes, "langfuse.user.id", "user.id")


def _session(attributes: Attributes) -> Any:
    return _first(attributes, "langfuse.session.id", "session.id", "gen_ai.conversation.id")


def _tags(attributes: Attributes) -> list[str]:
    return list(_first(attributes, "langfuse.trace.tags", "tag.tags") or ())


def _environment(span: SpanReceived) -> str:
    return str(_first(span.attributes, *ENVIRONMENTS) or _first(span.resource, *ENVIRONMENTS) or "default")


def _metadata(span: SpanReceived, level: str) -> dict[str, Any]:
    unmapped = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in span.attributes.items()
        if not key.startswith((*CONTENT_PREFIXES, *OWN_PREFIXES))
    }
    return {
        **_prefixed(span.attributes, f"langfuse.{level}.metadata"),
        "attributes": unmapped,
        "resourceAttributes": span.resource,
        "scope": {"name": span.scope},
    }


def _prefixed(attributes: Attributes, prefix: str) -> dict[str, Any]:
    start = f"{prefix}."
    return {key.removeprefix(start): value for key, value in attributes.items() if key.startswith(start)}
