"""What came over the wire: requests and spans as values, and the counts that decide whether anything was lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Ledger", "ReceivedRequest", "ReceivedSpan", "Tally", "read_span_ids", "read_spans"]

_STATUS = {0: "UNSET", 1: "OK", 2: "ERROR"}


@dataclass
class ReceivedSpan:
    """A span as it came over the wire."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str | None
    attributes: dict[str, Any]
    resource: dict[str, Any]
    scope: str
    status: str
    events: list[str]
    dropped_attributes: int
    status_message: str = ""


@dataclass
class ReceivedRequest:
    """One request: how it came, and the spans in it."""

    path: str
    headers: dict[str, str]
    spans: list[ReceivedSpan]
    size: int


@dataclass(frozen=True)
class Tally:
    """What a server has counted.

    Args:
        delivered: Spans that were taken, each counted once.
        duplicated: How many more times any of them came.
        accepted: Requests that were taken.
        attempts: Requests that arrived, those that met a fault among them.
        payload_bytes: Bytes of what was taken, after decompression.
        wire_bytes: Bytes of the bodies of what was taken, as they came. gRPC's are counted after decompression.
        largest: Bytes of the largest request that was taken, after decompression.
    """

    delivered: int = 0
    duplicated: int = 0
    accepted: int = 0
    attempts: int = 0
    payload_bytes: int = 0
    wire_bytes: int = 0
    largest: int = 0


@dataclass
class Ledger:
    """Counts spans by their ids, whatever program, process or retry they came from."""

    span_ids: dict[str, int] = field(default_factory=dict)
    """How often each span came, in the order of their first coming."""
    accepted: int = 0
    payload_bytes: int = 0
    wire_bytes: int = 0
    largest: int = 0

    def enter(self, span_ids: Iterable[str], size: int, wire_size: int) -> None:
        """Count one request that was taken."""
        counted = self.span_ids
        for span_id in span_ids:
            counted[span_id] = counted.get(span_id, 0) + 1
        self.accepted += 1
        self.payload_bytes += size
        self.wire_bytes += wire_size
        self.largest = max(self.largest, size)

    def tally(self, attempts: int) -> Tally:
        """The sums, of which ``attempts`` is the server's to count."""
        delivered = len(self.span_ids)
        return Tally(
            delivered=delivered,
            duplicated=sum(self.span_ids.values()) - delivered,
            accepted=self.accepted,
            attempts=attempts,
            payload_bytes=self.payload_bytes,
            wire_bytes=self.wire_bytes,
            largest=self.largest,
        )


def read_span_ids(payload: Any) -> list[str]:
    """The ids alone of the spans in an ``ExportTraceServiceRequest``."""
    return [
        span.span_id.hex()
        for resource_spans in payload.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]


def read_spans(payload: Any) -> Iterable[ReceivedSpan]:
    """The spans of an ``ExportTraceServiceRequest``."""
    for resource_spans in payload.resource_spans:
        resource = _attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield ReceivedSpan(
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex() or None,
                    attributes=_attributes(span.attributes),
                    resource=resource,
                    scope=scope_spans.scope.name,
                    status=_STATUS[span.status.code],
                    events=[event.name for event in span.events],
                    dropped_attributes=span.dropped_attributes_count,
                    status_message=span.status.message,
                )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None
