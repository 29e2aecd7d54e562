"""Encoded spans as values: how many bytes, how many spans, in halves, or several as one.

A payload is a serialised ``ExportTraceServiceRequest``. Two of them behind each other are one again, as protobuf merges
repeated fields (https://protobuf.dev/programming-guides/encoding/#last-one-wins).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["SMALLEST_SPAN", "Payload", "SizeLimit", "halves", "join", "pieces", "span_ids", "spans_in"]

SMALLEST_SPAN = 4_096
"""Bytes that a single span isn't made smaller than."""

# What the fields around a span and around its group take, at most: tags and lengths.
_SPAN_FRAME = 12
_GROUP_FRAME = 48


@dataclass(frozen=True)
class Payload:
    """Encoded spans.

    Args:
        data: The serialised request. Not in the representation: it is what the program's users said.
        count: How many spans are in it.
    """

    data: bytes = field(repr=False)
    count: int


class SizeLimit:
    """Bytes of one request at most, which a server's refusals may lower.

    Args:
        size: The limit to begin with.
    """

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size: int = size

    def lower_below(self, refused: int) -> None:
        """A request of ``refused`` bytes was too large."""
        self.size = min(self.size, max(1, refused // 2))


def pieces(request: Any, most_spans: int, most_bytes: int) -> Iterator[Payload]:
    """``request`` in payloads of no more than ``most_spans`` spans and ``most_bytes`` bytes, in order.

    A span that is larger by itself is in a payload of its own, whatever its size.

    Args:
        request: An ``ExportTraceServiceRequest``.
        most_spans: Spans in one payload at most.
        most_bytes: Bytes of one payload at most.
    """
    count = _count(request)
    if count <= most_spans and request.ByteSize() <= most_bytes:
        if count:
            yield Payload(request.SerializeToString(), count)
        return
    piece = _Piece()
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                size = span.ByteSize() + _SPAN_FRAME
                if piece.count and (
                    piece.count >= most_spans or piece.size_with(resource_spans, scope_spans) + size > most_bytes
                ):
                    yield piece.payload()
                    piece = _Piece()
                piece.add(resource_spans, scope_spans, span, size)
    if piece.count:
        yield piece.payload()


def halves(payload: Payload) -> tuple[Payload, ...]:
    """``payload`` in two; as it is where it holds a single span."""
    if payload.count < 2:
        return (payload,)
    request = ExportTraceServiceRequest.FromString(payload.data)
    return tuple(pieces(request, (payload.count + 1) // 2, 2 * len(payload.data) + _GROUP_FRAME))


def join(payloads: Sequence[Payload]) -> Payload:
    """Several payloads as one."""
    if len(payloads) == 1:
        return payloads[0]
    return Payload(b"".join(payload.data for payload in payloads), sum(payload.count for payload in payloads))


def span_ids(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The trace id and the span id of each span in a payload.

    Raises:
        google.protobuf.message.DecodeError: If it is none.
    """
    for span in spans_in(ExportTraceServiceRequest.FromString(data)):
        yield span.trace_id, span.span_id


def spans_in(request: Any) -> Iterator[Any]:
    """The spans of an ``ExportTraceServiceRequest``, in order."""
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from scope_spans.spans


def _count(request: Any) -> int:
    return sum(len(scope_spans.spans) for scope_spans in _scopes(request.resource_spans))


def _scopes(groups: Iterable[Any]) -> Iterator[Any]:
    for group in groups:
        yield from group.scope_spans


class _Piece:
    """A request that grows span by span, under as many resources and scopes as these stand under."""

    def __init__(self) -> None:
        self._request = ExportTraceServiceRequest()
        self._resource_spans: Any = None
        self._scope_spans: Any = None
        self._size = 0
        self.count: int = 0

    def size_with(self, resource_spans: Any, scope_spans: Any) -> int:
        """Bytes so far, and those that the two groups take where they aren't the last ones."""
        size = self._size
        if resource_spans is not self._resource_spans:
            size += resource_spans.resource.ByteSize() + len(resource_spans.schema_url) + _GROUP_FRAME
        if scope_spans is not self._scope_spans:
            size += scope_spans.scope.ByteSize() + len(scope_spans.schema_url) + _GROUP_FRAME
        return size

    def add(self, resource_spans: Any, scope_spans: Any, span: Any, size: int) -> None:
        """Append a copy of ``span``, which takes ``size`` bytes."""
        self._size = self.size_with(resource_spans, scope_spans) + size
        request = self._request
        if resource_spans is not self._resource_spans:
            self._resource_spans, self._scope_spans = resource_spans, None
            added = request.resource_spans.add(schema_url=resource_spans.schema_url)
            added.resource.CopyFrom(resource_spans.resource)
        if scope_spans is not self._scope_spans:
            self._scope_spans = scope_spans
            group = request.resource_spans[-1].scope_spans.add(schema_url=scope_spans.schema_url)
            group.scope.CopyFrom(scope_spans.scope)
        request.resource_spans[-1].scope_spans[-1].spans.add().CopyFrom(span)
        self.count += 1

    def payload(self) -> Payload:
        return Payload(self._request.SerializeToString(), self.count)
