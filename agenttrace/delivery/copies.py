"""Copies of ended spans that differ from the original for our destinations only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

__all__ = ["ForeignSpans"]

_CACHE_SIZE = 16


class _Copy(ReadableSpan):
    """An ended span under another resource. What the original dropped at its limits is still told."""

    def __init__(self, span: ReadableSpan, resource: Resource) -> None:
        super().__init__(
            name=span.name,
            context=span.context,
            parent=span.parent,
            resource=resource,
            attributes=span.attributes,
            events=span.events,
            links=span.links,
            kind=span.kind,
            status=span.status,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
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


class ForeignSpans:
    """Prepares spans of a provider that isn't ours: under our resource's attributes, and at our sample rate.

    Its other exporters see the spans as they were.

    Args:
        resource: What the copy's resource has in addition; wins where both name an attribute.
        defaults: What the copy's resource has where neither names it.
        sample_rate: The share of traces to deliver, 0 to 1, chosen by trace id so that traces stay whole.
    """

    def __init__(self, resource: Resource, defaults: Resource, sample_rate: float | None = None) -> None:
        self._resource = resource
        self._defaults = defaults
        self._merged: dict[int, tuple[Resource, Resource]] = {}
        self._bound = None if sample_rate is None else TraceIdRatioBased(sample_rate).bound
        self._limit = TraceIdRatioBased.TRACE_ID_LIMIT

    def __call__(self, span: ReadableSpan) -> ReadableSpan | None:
        """The copy of ``span`` to deliver; None where its trace is left out."""
        context = span.context
        if self._bound is not None and context is not None and context.trace_id & self._limit >= self._bound:
            return None
        return _Copy(span, self._merge(span.resource))

    def _merge(self, original: Resource) -> Resource:
        # One provider has one resource, or two after a fork, so merging is done once. The original is kept along: as
        # long as it lives no other object can have its id.
        known = self._merged.get(id(original))
        if known is None:
            if len(self._merged) >= _CACHE_SIZE:
                self._merged.clear()
            known = self._merged[id(original)] = (original, self._defaults.merge(original).merge(self._resource))
        return known[1]
