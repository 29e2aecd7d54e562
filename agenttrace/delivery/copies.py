"""Copies of ended spans that differ from the original for our destinations only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import Link, Status

from agenttrace.provider import SCOPE_NAME
from agenttrace.semconv.hiding import EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE
from agenttrace.semconv.masking import REDACTED

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

    from agenttrace.semconv.mask import Mask

__all__ = ["ForeignSpans", "MaskedSpans"]

_CACHE_SIZE = 16


class _Copy(ReadableSpan):
    """An ended span, with some things changed. What the original dropped at its limits is still told."""

    def __init__(self, span: ReadableSpan, **changes: Any) -> None:
        kept = {
            "resource": span.resource,
            "attributes": span.attributes,
            "events": span.events,
            "links": span.links,
            "status": span.status,
        }
        super().__init__(
            name=span.name,
            context=span.context,
            parent=span.parent,
            kind=span.kind,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
            **{**kept, **changes},
        )
        self._dropped = (span.dropped_attributes, span.dropped_events, span.dropped_links)

    @property
    def dropped_attributes(self) -> int:
        return self._dropped[0]

    @property
    def dropped_events(self) -> int:
        return self._dropped[1]

    @property
    def dropped_links(self) -> int:
        return self._dropped[2]


class MaskedSpans:
    """Prepares every span as a `TraceConfig` says: those of other libraries, and what was set on ours past the marks.

    Other exporters see the spans as they were.

    Args:
        mask: What may be recorded.
    """

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        # A batch may be sent several times; a span is masked once, since that may call a function of the user's.
        self._made: WeakKeyDictionary[ReadableSpan, ReadableSpan] = WeakKeyDictionary()

    def __call__(self, span: ReadableSpan) -> ReadableSpan:
        """The copy of ``span`` to deliver."""
        made = self._made.get(span)
        if made is None:
            scope = span.instrumentation_scope
            is_own = scope is not None and scope.name == SCOPE_NAME
            made = self._made[span] = self._own(span) if is_own else self._foreign(span)
        return made

    def _foreign(self, span: ReadableSpan) -> ReadableSpan:
        mask = self._mask
        description = span.status.description
        status = None if description is None else mask.foreign_status(description)
        return _Copy(
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
        return _Copy(
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


class ForeignSpans:
    """Prepares spans of a provider that isn't ours: under our resource's attributes, and at our sample rate.

    Its other exporters see the spans as they were.

    Args:
        resource: What the copy's resource has in addition; wins where both name an attribute.
        defaults: What the copy's resource has where neither names it.
        sample_rate: The share of traces to deliver, 0 to 1, chosen by trace id so that traces stay whole.
        masked: What hides what is to be hidden; None where nothing is.
    """

    def __init__(
        self,
        resource: Resource,
        defaults: Resource,
        sample_rate: float | None = None,
        masked: MaskedSpans | None = None,
    ) -> None:
        self._resource = resource
        self._defaults = defaults
        self._masked = masked
        self._merged: dict[int, tuple[Resource, Resource]] = {}
        self._bound = None if sample_rate is None else TraceIdRatioBased(sample_rate).bound
        self._limit = TraceIdRatioBased.TRACE_ID_LIMIT

    def __call__(self, span: ReadableSpan) -> ReadableSpan | None:
        """The copy of ``span`` to deliver; None where its trace is left out."""
        context = span.context
        if self._bound is not None and context is not None and context.trace_id & self._limit >= self._bound:
            return None
        shown = span if self._masked is None else self._masked(span)
        return _Copy(shown, resource=self._merge(span.resource))

    def _merge(self, original: Resource) -> Resource:
        # One provider has one resource, or two after a fork, so merging is done once. The original is kept along: as
        # long as it lives no other object can have its id.
        known = self._merged.get(id(original))
        if known is None:
            if len(self._merged) >= _CACHE_SIZE:
                self._merged.clear()
            known = self._merged[id(original)] = (original, self._defaults.merge(original).merge(self._resource))
        return known[1]
