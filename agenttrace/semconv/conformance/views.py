"""One view of a span, wherever it comes from: OpenTelemetry's SDK, OTLP as JSON or protobuf, or the local store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["EventView", "SpanView", "views_of"]


@dataclass(frozen=True)
class EventView:
    """What the rules look at of an event."""

    name: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class SpanView:
    """What the rules look at of a span. Identifiers are lower-case hexadecimal."""

    trace_id: str
    span_id: str
    name: str
    attributes: Mapping[str, Any]
    events: tuple[EventView, ...] = ()
    link_count: int = 0
    """To how many other spans it refers."""
    dropped_attributes: int = 0
    """How many attributes the limits of whoever recorded it cut off."""


_PROTOBUF_MESSAGES = frozenset({"ExportTraceServiceRequest", "TracesData", "ResourceSpans", "ScopeSpans", "Span"})


def views_of(spans: object) -> Iterator[SpanView]:
    """The spans in ``spans``, each as a view.

    Args:
        spans: A span of OpenTelemetry's SDK, a record of the local store, OTLP/JSON as `json.loads` gives it, an
            ``ExportTraceServiceRequest`` or ``ResourceSpans`` of OTLP's protobuf, or an iterable of any of these.

    Raises:
        TypeError: If it is something else.
        ValueError: If it is JSON and not OTLP's.
    """
    found = _views_in(spans)
    if found is not None:
        yield from found
        return
    if isinstance(spans, (str, bytes)) or not isinstance(spans, Iterable):
        raise _not_taken(spans)
    for item in spans:
        found = _views_in(item)
        if found is None:
            raise _not_taken(item)
        yield from found


def _views_in(source: Any) -> Iterable[SpanView] | None:
    """The spans in one object, told by what it has; None for what is none of those known."""
    if isinstance(source, SpanView):
        return (source,)
    if isinstance(source, Mapping):
        from .otlp_json import views_of_json

        return views_of_json(source)
    if hasattr(source, "get_span_context") and hasattr(source, "attributes"):
        return (_view_of_sdk_span(source),)
    if hasattr(source, "trace_id") and hasattr(source, "attributes") and hasattr(source, "scope_name"):
        return (_view_of_record(source),)
    if getattr(getattr(source, "DESCRIPTOR", None), "name", None) in _PROTOBUF_MESSAGES:
        from .otlp_protobuf import views_of_protobuf

        return views_of_protobuf(source)
    return None


def _view_of_sdk_span(span: Any) -> SpanView:
    context = span.get_span_context()
    return SpanView(
        trace_id="" if context is None else f"{context.trace_id:032x}",
        span_id="" if context is None else f"{context.span_id:016x}",
        name=str(span.name),
        attributes=dict(span.attributes or {}),
        events=tuple(EventView(str(event.name), dict(event.attributes or {})) for event in span.events),
        link_count=len(span.links),
        dropped_attributes=span.dropped_attributes,
    )


def _view_of_record(record: Any) -> SpanView:
    return SpanView(
        trace_id=record.trace_id,
        span_id=record.span_id,
        name=record.name,
        attributes=record.attributes,
        events=tuple(EventView(event.name, event.attributes) for event in record.events),
        link_count=len(record.links),
        dropped_attributes=record.dropped_attributes,
    )


def _not_taken(source: object) -> TypeError:
    return TypeError(
        f"check() takes spans of OpenTelemetry's SDK or of the local store, OTLP data (JSON as json.loads() gives it, "
        f"or protobuf objects), or an iterable of these, not {type(source).__name__}; "
        "read_otlp_json() reads the text of an OTLP/JSON file"
    )
