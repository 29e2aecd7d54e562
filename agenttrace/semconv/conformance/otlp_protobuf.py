"""Spans as OTLP's protobuf objects → the checker's view, with no protobuf imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .views import EventView, SpanView

_DEEPEST = 100
"""Levels of lists and maps in a value; protobuf itself reads no more from the wire."""


def views_of_protobuf(message: Any) -> Iterator[SpanView]:
    """The spans in an ``ExportTraceServiceRequest``, ``TracesData``, ``ResourceSpans``, ``ScopeSpans`` or ``Span``."""
    for name in ("resource_spans", "scope_spans", "spans"):
        inner = getattr(message, name, None)
        if inner is not None:
            for item in inner:
                yield from views_of_protobuf(item)
            return
    yield SpanView(
        trace_id=message.trace_id.hex(),
        span_id=message.span_id.hex(),
        name=message.name,
        attributes=_attributes(message.attributes),
        events=tuple(EventView(event.name, _attributes(event.attributes)) for event in message.events),
        link_count=len(message.links),
        dropped_attributes=message.dropped_attributes_count,
    )


def _attributes(pairs: Iterable[Any], depth: int = 0) -> dict[str, Any]:
    return {pair.key: _value(pair.value, depth) for pair in pairs}


def _value(value: Any, depth: int) -> Any:
    kind = value.WhichOneof("value")
    if kind is None or depth > _DEEPEST:
        return None
    content = getattr(value, kind)
    if kind == "array_value":
        return tuple(_value(item, depth + 1) for item in content.values)
    if kind == "kvlist_value":
        return _attributes(content.values, depth + 1)
    return content
