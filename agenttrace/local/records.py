"""A span as it is read back: from the local store, or from OpenTelemetry's SDK, with the same names either way."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from openinference.semconv.resource import ResourceAttributes
from openinference.semconv.trace import OpenInferenceSpanKindValues, SpanAttributes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

DEFAULT_PROJECT = "default"
"""The project of spans whose resource names none, which is where Phoenix puts them too."""

_QUIET_NANOSECONDS = 10 * 60 * 1_000_000_000
_COUNTED_KINDS = frozenset({OpenInferenceSpanKindValues.LLM.value, OpenInferenceSpanKindValues.EMBEDDING.value})


class TokenCounts(NamedTuple):
    """How many tokens a model read and wrote; None for what isn't known."""

    prompt: int | None
    completion: int | None
    total: int | None


NO_TOKENS = TokenCounts(None, None, None)


@dataclass(frozen=True)
class EventRecord:
    """Something that happened at one moment of a span: an exception, the first item of a generator."""

    name: str
    time: int
    """Nanoseconds since 1970."""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LinkRecord:
    """Another span that a span refers to without being its child."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SpanRecord:
    """One span. Identifiers are lower-case hexadecimal, times are nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start_time: int
    end_time: int | None
    """None while the span is running."""
    otel_kind: str = "INTERNAL"
    """OpenTelemetry's span kind: INTERNAL, CLIENT, SERVER, PRODUCER or CONSUMER."""
    status: str = "UNSET"
    """UNSET, OK or ERROR."""
    status_description: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[EventRecord, ...] = ()
    links: tuple[LinkRecord, ...] = ()
    resource: Mapping[str, Any] = field(default_factory=dict)
    scope_name: str = ""
    """The library that made the span (OpenTelemetry's instrumentation scope)."""
    scope_version: str = ""
    dropped_attributes: int = 0
    """How many attributes the provider's limits cut off."""

    @property
    def kind(self) -> str | None:
        """OpenInference's span kind (AGENT, TOOL, LLM, …) in capitals, or None for a span that has none."""
        return kind_of(self.attributes)

    @property
    def project(self) -> str:
        """The project that the span's resource names, or ``default``."""
        project = self.resource.get(ResourceAttributes.PROJECT_NAME)
        return project if isinstance(project, str) and project else DEFAULT_PROJECT

    @property
    def is_error(self) -> bool:
        """Whether the span ended with status ERROR."""
        return self.status == "ERROR"

    @property
    def duration(self) -> int | None:
        """Nanoseconds from start to end, at least 0; None while the span is running."""
        return None if self.end_time is None else max(0, self.end_time - self.start_time)

    @property
    def tokens(self) -> TokenCounts:
        """The token counts on this very span."""
        return tokens_of(self.attributes)


@dataclass(frozen=True)
class TraceSummary:
    """What a list of traces says of one. Times are nanoseconds since 1970."""

    trace_id: str
    name: str
    """The first root's name."""
    kind: str | None
    project: str
    start_time: int
    """When its first span started."""
    end_time: int | None
    """When its last span ended; None while one is running."""
    last_time: int
    """The latest moment that is known of it, when a span started or ended."""
    span_count: int
    error_count: int
    tokens: TokenCounts
    is_complete: bool
    """Whether all of its spans have ended and the parent of each is here. False for a run that is going on or was
    killed, and for the part of a run that another program began and recorded elsewhere."""

    @property
    def duration(self) -> int | None:
        """Nanoseconds from the first start to the last end; None while a span is running."""
        return None if self.end_time is None else max(0, self.end_time - self.start_time)

    def is_quiet(self, now: int) -> bool:
        """Whether a span is running, as far as is known, and nothing new has come for 10 minutes.

        Then it may be waiting for something slow, or its process was killed.

        Args:
            now: The present, in nanoseconds since 1970.
        """
        return self.end_time is None and now - self.last_time >= _QUIET_NANOSECONDS


def record_of(span: ReadableSpan) -> SpanRecord:
    """``span``, a span of OpenTelemetry's SDK, as a record."""
    context = span.get_span_context()
    assert context is not None, "a span that was started has a context"
    scope = span.instrumentation_scope
    start_time = _nanoseconds(span.start_time) or 0
    return SpanRecord(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        parent_id=None if span.parent is None else f"{span.parent.span_id:016x}",
        name=span.name if isinstance(span.name, str) else str(span.name),
        start_time=start_time,
        end_time=_nanoseconds(span.end_time),
        otel_kind=span.kind.name,
        status=span.status.status_code.name,
        status_description=span.status.description,
        attributes=dict(span.attributes or {}),
        events=tuple(
            EventRecord(event.name, _nanoseconds(event.timestamp) or start_time, event.attributes or {})
            for event in span.events
        ),
        links=tuple(
            LinkRecord(f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}", link.attributes or {})
            for link in span.links
        ),
        resource=span.resource.attributes,
        scope_name=(scope.name if scope else None) or "",
        scope_version=(scope.version if scope else None) or "",
        dropped_attributes=span.dropped_attributes,
    )


def summarise(spans: Sequence[SpanRecord]) -> TraceSummary:
    """What there is to say in one line about a trace.

    Args:
        spans: All of its spans, at least one, in the order they started.
    """
    present = {span.span_id for span in spans}
    root = next((span for span in spans if span.parent_id not in present), spans[0])
    ends = [span.end_time for span in spans if span.end_time is not None]
    starts = [span.start_time for span in spans]
    return TraceSummary(
        trace_id=root.trace_id,
        name=root.name,
        kind=root.kind,
        project=root.project,
        start_time=min(starts),
        end_time=max(ends) if len(ends) == len(spans) else None,
        last_time=max(starts + ends),
        span_count=len(spans),
        error_count=sum(span.is_error for span in spans),
        tokens=add_tokens((span.kind, span.tokens) for span in spans),
        is_complete=len(ends) == len(spans) and all(not span.parent_id or span.parent_id in present for span in spans),
    )


def kind_of(attributes: Mapping[str, Any]) -> str | None:
    """The OpenInference kind that a span's attributes name, in capitals."""
    kind = attributes.get(SpanAttributes.OPENINFERENCE_SPAN_KIND)
    return kind.upper() if isinstance(kind, str) and kind else None


def tokens_of(attributes: Mapping[str, Any]) -> TokenCounts:
    """The token counts that a span's attributes hold (OpenInference ``llm.token_count.*``)."""
    prompt = _count(attributes.get(SpanAttributes.LLM_TOKEN_COUNT_PROMPT))
    completion = _count(attributes.get(SpanAttributes.LLM_TOKEN_COUNT_COMPLETION))
    total = _count(attributes.get(SpanAttributes.LLM_TOKEN_COUNT_TOTAL))
    if total is None and (prompt is not None or completion is not None):
        total = (prompt or 0) + (completion or 0)
    return TokenCounts(prompt, completion, total)


def add_tokens(counted: Iterable[tuple[str | None, TokenCounts]]) -> TokenCounts:
    """The tokens of a whole trace, none counted twice.

    Some instrumentors repeat the model calls' counts on the agent's span. So the model calls' own are added up, and
    only where none of them has any, the largest count on any other span stands for the trace.

    Args:
        counted: For each span its OpenInference kind and its token counts.
    """
    known = [(kind, tokens) for kind, tokens in counted if tokens.total is not None]
    of_models = [tokens for kind, tokens in known if kind in _COUNTED_KINDS]
    if of_models:
        return TokenCounts(*(_sum_known(column) for column in zip(*of_models, strict=True)))
    return max((tokens for _, tokens in known), key=lambda tokens: tokens.total or 0, default=NO_TOKENS)


def _sum_known(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value < 2**53 else None


def _nanoseconds(value: object) -> int | None:
    # A program may start a span at any "time" it likes; what 64 bits can't hold is moved to their edge.
    if isinstance(value, float) and math.isnan(value):
        return 0
    if not isinstance(value, (int, float)):
        return None
    return int(min(max(value, -(2**63)), 2**63 - 1))
