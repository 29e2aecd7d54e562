"""Payloads in pieces, in halves and together: nothing is lost, nothing changes places, nothing grows too large."""

from __future__ import annotations

import pytest
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agenttrace.outbox.payloads import Payload, SizeLimit, halves, join, pieces, span_ids
from tests.delivery.requests import any_request, payload_of, spans_with_groups
from tests.delivery.sinks import make_payload, names_in

anything = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def rejoined(payloads: list[Payload]) -> list[tuple[bytes, bytes, bytes]]:
    return [span for payload in payloads for span in spans_with_groups(payload.data)]


@anything
@given(any_request(), st.integers(1, 20), st.integers(1, 3_000))
def test_pieces_are_small_enough_and_lose_nothing(
    request: ExportTraceServiceRequest, most_spans: int, most_bytes: int
) -> None:
    """Each span is in one of them, in order, under its resource and scope; only a single span may be too large."""
    found = list(pieces(request, most_spans, most_bytes))
    assert rejoined(found) == spans_with_groups(request.SerializeToString())
    for piece in found:
        assert piece.count == len(spans_with_groups(piece.data))
        assert 1 <= piece.count <= most_spans
        assert len(piece.data) <= most_bytes or piece.count == 1


@anything
@given(any_request())
def test_a_request_that_is_small_enough_stays_as_it_is(request: ExportTraceServiceRequest) -> None:
    """One without spans is none."""
    whole = payload_of(request)
    assert list(pieces(request, 1_000, len(whole.data))) == ([whole] if whole.count else [])


def test_pieces_are_filled() -> None:
    """Spans that fit into two requests aren't sent in more."""
    whole = make_payload(*map(str, range(100)), attributes={"text": "x" * 1_000})
    request = ExportTraceServiceRequest.FromString(whole.data)
    found = list(pieces(request, 1_000, len(whole.data) * 6 // 10))
    assert len(found) == 2
    assert [name for piece in found for name in names_in(piece.data)] == names_in(whole.data)


@anything
@given(any_request())
def test_halves_are_halves(request: ExportTraceServiceRequest) -> None:
    """Two with as many spans each, or the first has one more. A single span is its own half."""
    whole = payload_of(request)
    parts = halves(whole)
    if whole.count < 2:
        assert parts == (whole,)
    else:
        assert [part.count for part in parts] == [(whole.count + 1) // 2, whole.count // 2]
        assert rejoined(list(parts)) == spans_with_groups(whole.data)


@anything
@given(st.lists(any_request(), min_size=1, max_size=4))
def test_joined_payloads_are_one(requests: list[ExportTraceServiceRequest]) -> None:
    """With every span of each, in order."""
    payloads = [payload_of(request) for request in requests]
    whole = join(payloads)
    assert whole.count == sum(payload.count for payload in payloads)
    assert spans_with_groups(whole.data) == rejoined(payloads)


def test_span_ids_are_read_in_order() -> None:
    """And bytes that are no payload are told apart."""
    payload = make_payload("root", "a", "b")
    request = ExportTraceServiceRequest.FromString(payload.data)
    spans = request.resource_spans[0].scope_spans[0].spans
    assert list(span_ids(payload.data)) == [(span.trace_id, span.span_id) for span in spans]
    with pytest.raises(DecodeError):
        list(span_ids(b"no payload"))


def test_a_limit_that_was_lowered_is_not_raised_again() -> None:
    """Whatever is refused after that. It never allows nothing at all."""
    limit = SizeLimit(1_000)
    limit.lower_below(800)
    assert limit.size == 400
    limit.lower_below(5_000)
    assert limit.size == 400
    limit.lower_below(1)
    assert limit.size == 1
