"""Copies of ended spans that differ from the original for our destinations only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanKind, Status

from agenttrace.capture.text import valid_text
from agenttrace.provider import SCOPE_NAME
from agenttrace.semconv.hiding import EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE
from agenttrace.semconv.masking import REDACTED

if TYPE_CHECKING:
    from agenttrace.semconv.mask import Mask

__all__ = ["MaskedSpans", "SampledTraces", "SpanCopy", "plain_attributes", "plain_copy"]

_LATEST_TIME = 2**64 - 1
_LEAST_INTEGER, _GREATEST_INTEGER = -(2**63), 2**63 - 1


class SpanCopy(ReadableSpan):
    """An ended span, with some things changed. What the original dropped at its limits is still told."""

    def __init__(self, span: ReadableSpan, **changes: Any) -> None:
        kept = {
            "name": span.name,
            "kind": span.kind,
            "start_time": span.start_time,
            "end_time": span.end_time,
            "instrumentation_scope": span.instrumentation_scope,
            "resource": span.resource,
            "attributes": span.attributes,
            "events": span.events,
            "links": span.links,
            "status": span.status,
        }
        super().__init__(
            context=span.context,
            parent=span.parent,
            **{**kept, **changes},
        )
        self._dropped = (span.dropped_attributes, span.dropped_events, span.dropped_links)

    @property
    def dropped_attributes(self) -> int:
        """How many attributes the original dropped."""
        return self._dropped[0]

    @property
    def dropped_events(self) -> int:
        """How many events the original dropped."""
        return self._dropped[1]

    @property
    def dropped_links(self) -> int:
        """How many links the original dropped."""
        return self._dropped[2]


class MaskedSpans:
    """Prepares every span as a `TraceConfig` says: those of other libraries, and what was set on ours past the marks.

    Other exporters see the spans as they were.

    Args:
        mask: What may be recorded.
    """

    def __init__(self, mask: Mask) -> None:
        self._mask = mask

    def __call__(self, span: ReadableSpan) -> ReadableSpan:
        """The copy of ``span`` to deliver."""
        scope = span.instrumentation_scope
        is_own = scope is not None and scope.name == SCOPE_NAME
        return self._own(span) if is_own else self._foreign(span)

    def _foreign(self, span: ReadableSpan) -> ReadableSpan:
        mask = self._mask
        description = span.status.description
        status = None if description is None else mask.foreign_status(description)
        return SpanCopy(
            span,
            attributes=mask.foreign_attributes(span.attributes or {}),
            events=[_event(event, mask.foreign_attributes(event.attributes or {})) for event in span.events],
            links=[Link(link.context, mask.foreign_attributes(link.attributes or {})) for link in span.links],
            status=Status(span.status.status_code, status),
        )

    def _own(self, span: ReadableSpan) -> ReadableSpan:
        """A span of a mark, which has passed `redact` already: twice would hash a hash."""
        mask = self._mask
        status = span.status
        if mask.hides_error_texts and status.description is not None and not status.description.endswith(REDACTED):
            status = Status(status.status_code, REDACTED)
        return SpanCopy(
            span,
            attributes=mask.hidden_attributes(span.attributes or {}),
            events=[_event(event, self._own_event(event.attributes or {})) for event in span.events],
            links=[Link(link.context, mask.hidden_attributes(link.attributes or {})) for link in span.links],
            status=status,
        )

    def _own_event(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        hidden = self._mask.hidden_attributes(attributes)
        if attributes.get(EXCEPTION_MESSAGE) == REDACTED and EXCEPTION_STACKTRACE in attributes:
            hidden[EXCEPTION_STACKTRACE] = attributes[EXCEPTION_STACKTRACE]  # it was made without texts
        return hidden


def _event(event: Event, attributes: dict[str, Any]) -> Event:
    return Event(event.name, attributes, event.timestamp)


class SampledTraces:
    """Leaves out the traces that a sample rate leaves out, where the provider isn't ours and samples as it likes.

    Args:
        rate: The share of traces to deliver, 0 to 1, chosen by trace id so that traces stay whole.
    """

    def __init__(self, rate: float) -> None:
        self._bound = TraceIdRatioBased(rate).bound

    def __call__(self, span: ReadableSpan) -> ReadableSpan | None:
        """``span``, or None where its trace is left out."""
        context = span.context
        is_left_out = context is not None and context.trace_id & TraceIdRatioBased.TRACE_ID_LIMIT >= self._bound
        return None if is_left_out else span


def plain_copy(span: ReadableSpan) -> ReadableSpan:
    """``span`` with nothing in it that can't be encoded: texts without lone surrogates, odd values as texts."""
    description = span.status.description
    scope = span.instrumentation_scope
    return SpanCopy(
        span,
        name=valid_text(str(span.name)),
        kind=span.kind if isinstance(span.kind, SpanKind) else SpanKind.INTERNAL,
        start_time=_plain_time(span.start_time),
        end_time=_plain_time(span.end_time),
        instrumentation_scope=None if scope is None else _plain_scope(scope),
        attributes=plain_attributes(span.attributes or {}),
        events=[
            Event(valid_text(str(event.name)), plain_attributes(event.attributes or {}), _plain_time(event.timestamp))
            for event in span.events
        ],
        links=[Link(link.context, plain_attributes(link.attributes or {})) for link in span.links],
        status=Status(span.status.status_code, None if description is None else valid_text(str(description))),
    )


def plain_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """``attributes`` with those values as texts that OTLP has no place for."""
    return {valid_text(str(key)): _plain_value(value) for key, value in attributes.items()}


def _plain_time(moment: Any) -> int | None:
    """Nanoseconds since 1970 as OTLP can say them; 0 for what is no time."""
    if moment is None:
        return None
    try:
        return min(max(0, int(moment)), _LATEST_TIME)
    except (OverflowError, TypeError, ValueError):
        return 0


def _plain_scope(scope: InstrumentationScope) -> InstrumentationScope:
    version, schema = scope.version, scope.schema_url
    return InstrumentationScope(
        valid_text(str(scope.name)),
        None if version is None else valid_text(str(version)),
        None if schema is None else valid_text(str(schema)),
        plain_attributes(scope.attributes or {}),
    )


def _plain_value(value: Any) -> Any:
    if isinstance(value, (bool, float)):
        return value
    if isinstance(value, int) and _LEAST_INTEGER <= value <= _GREATEST_INTEGER:
        return value
    if isinstance(value, (list, tuple)):
        return [valid_text(str(item)) for item in value]
    return valid_text(str(value))
