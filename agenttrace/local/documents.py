"""Records as values that any JSON reader takes, for ``--json``."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .figures import utc_time_text
from .tree import arrange, walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .records import SpanRecord, TokenCounts, TraceSummary

_MILLISECOND = 1_000_000
# Python writes no integer of more than 4,300 digits in decimal.
_DECIMAL_BITS = 14_000


def trace_document(summary: TraceSummary, spans: Sequence[SpanRecord]) -> dict[str, Any]:
    """A trace with all of its spans, in the order of the tree."""
    ordered = [node.span for node, _ in walk(arrange(spans))]
    return {**summary_document(summary), "spans": [span_document(span) for span in ordered]}


def summary_document(summary: TraceSummary) -> dict[str, Any]:
    """One entry of a list of traces."""
    return {
        "trace_id": summary.trace_id,
        "project": summary.project,
        "name": summary.name,
        "kind": summary.kind,
        "complete": summary.is_complete,
        **_times(summary.start_time, summary.end_time, summary.duration),
        "span_count": summary.span_count,
        "error_count": summary.error_count,
        "tokens": _tokens(summary.tokens),
    }


def span_document(span: SpanRecord) -> dict[str, Any]:
    """A span with everything that was recorded on it."""
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "name": span.name,
        "kind": span.kind,
        "otel_kind": span.otel_kind,
        **_times(span.start_time, span.end_time, span.duration),
        "status": span.status,
        "status_description": span.status_description,
        "attributes": jsonable(span.attributes),
        "dropped_attributes": span.dropped_attributes,
        "events": [
            {"name": event.name, "time": utc_time_text(event.time), "attributes": jsonable(event.attributes)}
            for event in span.events
        ],
        "links": [
            {"trace_id": link.trace_id, "span_id": link.span_id, "attributes": jsonable(link.attributes)}
            for link in span.links
        ],
        "resource": jsonable(span.resource),
        "scope": {"name": span.scope_name, "version": span.scope_version},
    }


def jsonable(value: Any) -> Any:
    """``value`` with what JSON lacks made text: NaN and infinities by name, bytes in base 64, endless integers in hex.

    Mappings' keys become texts and sequences lists.
    """
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(float(value))]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, int) and value.bit_length() > _DECIMAL_BITS:
        return hex(value)
    return value


def _times(start: int, end: int | None, duration: int | None) -> dict[str, Any]:
    return {
        "start_time": utc_time_text(start),
        "end_time": None if end is None else utc_time_text(end),
        "duration_ms": None if duration is None else duration / _MILLISECOND,
    }


def _tokens(tokens: TokenCounts) -> dict[str, int | None]:
    return {"prompt": tokens.prompt, "completion": tokens.completion, "total": tokens.total}
