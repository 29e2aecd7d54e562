"""Encoded spans read back into the SDK's: nothing is other than it was."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from agenttrace.delivery.decoding import decode_spans

SAMPLED = TraceFlags(TraceFlags.SAMPLED)

times = st.integers(0, 2**64 - 1)
trace_ids = st.integers(1, 2**128 - 1)
span_ids = st.integers(1, 2**64 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
scalars = st.one_of(
    texts,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(max_size=12),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
attributes = st.dictionaries(keys, values, max_size=4)
trace_states = st.dictionaries(
    st.from_regex(r"\A[a-z][a-z0-9]{0,6}\Z"), st.from_regex(r"\A[!-+.-<>-~]{1,6}\Z"), max_size=3
)
# Few of them, so that spans share some.
resources = st.sampled_from(
    [
        Resource({}),
        Resource({"service.name": "a", "ports": (1, 2)}),
        Resource({"service.name": "b"}, "https://schema/1"),
    ]
)
scopes = st.sampled_from(
    [
        None,
        InstrumentationScope("tests", "1.0"),
        InstrumentationScope("tests", "1.0", "https://schema/2", {"beta": True}),
        InstrumentationScope("tests", "2.0"),
    ]
)


@st.composite
def links(draw: st.DrawFn) -> Link:
    """A link to a span of any trace, here or elsewhere."""
    context = SpanContext(draw(trace_ids), draw(span_ids), draw(st.booleans()))
    return Link(context, draw(attributes))


@st.composite
def spans(draw: st.DrawFn) -> ReadableSpan:
    """A span that ended, or is open, with anything on it that the encoder takes."""
    trace_id = draw(trace_ids)
    parent = st.builds(SpanContext, st.just(trace_id), span_ids, st.booleans(), st.just(SAMPLED))
    state = TraceState(list(draw(trace_states).items()))
    failed = st.builds(Status, st.just(StatusCode.ERROR), st.none() | texts.filter(bool))
    return ReadableSpan(
        name=draw(texts),
        context=SpanContext(trace_id, draw(span_ids), False, SAMPLED, state),
        parent=draw(st.none() | parent),
        resource=draw(resources),
        attributes=draw(attributes),
        events=draw(st.lists(st.builds(Event, texts, attributes, times), max_size=2)),
        links=draw(st.lists(links(), max_size=2)),
        kind=draw(st.sampled_from(list(SpanKind))),
        status=draw(failed | st.sampled_from([Status(), Status(StatusCode.OK)])),
        start_time=draw(times),
        end_time=draw(st.none() | times.filter(bool)),
        instrumentation_scope=draw(scopes),
    )


def identity_of(context: SpanContext) -> tuple[int, int, bool]:
    """Which span it is, and whether another process made it."""
    return context.trace_id, context.span_id, context.is_remote


def facts_of(span: ReadableSpan) -> dict[str, Any]:
    """Everything that a span says, as values that can be compared. ``repr`` tells 1, 1.0 and True apart.

    But for W3C's flags beyond "sampled", which the SDK sets and its encoder leaves out.
    """
    context, parent = span.context, span.parent
    assert context is not None
    return {
        "name": span.name,
        "context": (identity_of(context), dict(context.trace_state)),
        "parent": None if parent is None else identity_of(parent),
        "resource": (repr(dict(span.resource.attributes)), span.resource.schema_url),
        "scope": span.instrumentation_scope,
        "attributes": repr(dict(span.attributes or {})),
        "events": [(event.name, event.timestamp, repr(dict(event.attributes or {}))) for event in span.events],
        "links": [(identity_of(link.context), repr(dict(link.attributes or {}))) for link in span.links],
        "kind": span.kind,
        "status": (span.status.status_code, span.status.description),
        "times": (span.start_time, span.end_time),
        "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
        "dropped in events": [event.dropped_attributes for event in span.events],
        "dropped in links": [link.dropped_attributes for link in span.links],
    }


def encoded(*spans: ReadableSpan) -> bytes:
    """``spans`` as the SDK's exporters send them."""
    data: bytes = encode_spans(spans).SerializeToString()
    return data


def in_order_of_groups(spans: list[ReadableSpan]) -> list[ReadableSpan]:
    """``spans`` as they stand in an encoded payload: by resource, then by scope, each in the order it first came."""
    groups: dict[Resource, dict[InstrumentationScope | None, list[ReadableSpan]]] = {}
    for span in spans:
        groups.setdefault(span.resource, {}).setdefault(span.instrumentation_scope, []).append(span)
    return [span for scopes in groups.values() for group in scopes.values() for span in group]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(spans(), max_size=5))
def test_what_was_encoded_comes_back(given_spans: list[ReadableSpan]) -> None:
    """Every fact of every span is what it was, and encoding the decoded spans makes the same bytes."""
    payload = encoded(*given_spans)
    decoded = decode_spans(payload)
    assert list(map(facts_of, decoded)) == list(map(facts_of, in_order_of_groups(given_spans)))
    assert encoded(*decoded) == payload


def test_spans_of_a_tracer_come_back(recorded_spans: list[ReadableSpan]) -> None:
    """Those that the SDK itself makes, with what its limits cut off counted."""
    decoded = decode_spans(encoded(*recorded_spans))
    facts = [facts_of(span) for span in decoded]
    assert facts == [facts_of(span) for span in recorded_spans]
    assert [fact["dropped"] for fact in facts] == [(1, 1, 1), (0, 0, 0)]
    assert encoded(*decoded) == encoded(*recorded_spans)


@pytest.fixture
def recorded_spans() -> list[ReadableSpan]:
    """A span with more on it than its provider allows, and its parent."""
    exporter = InMemorySpanExporter()
    limits = SpanLimits(max_span_attributes=2, max_events=1, max_links=1)
    provider = TracerProvider(resource=Resource({"a": "b"}), span_limits=limits, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("tests", "1.0")
    with tracer.start_as_current_span("plan", kind=SpanKind.SERVER):
        elsewhere = [Link(SpanContext(7, number, is_remote=True), {"why": "retry"}) for number in (8, 9)]
        with tracer.start_as_current_span("search", links=elsewhere) as span:
            span.set_attributes({"a": 1, "b": [True, False], "c": "x"})
            span.add_event("first")
            span.add_event("second", {"index": 0})
            span.set_status(StatusCode.ERROR, "ValueError: no")
    return list(exporter.get_finished_spans())


def test_what_events_and_links_dropped_is_told() -> None:
    """The SDK counts it in the mapping of their attributes, OTLP beside them."""
    few = BoundedAttributes(1, {"a": 1, "b": 2})
    span = ReadableSpan(
        "plan",
        SpanContext(1, 2, False, SAMPLED),
        resource=Resource({}),
        events=[Event("event", few, 5)],
        links=[Link(SpanContext(3, 4, False), few)],
    )
    [decoded] = decode_spans(encoded(span))
    assert (decoded.events[0].dropped_attributes, decoded.links[0].dropped_attributes) == (1, 1)
    assert encoded(decoded) == encoded(span)


def test_a_span_that_has_not_ended_has_no_end() -> None:
    """OTLP has 0 for it, which no ended span has."""
    context = SpanContext(1, 2, False, SAMPLED)
    [span] = decode_spans(encoded(ReadableSpan("plan", context, resource=Resource({}), start_time=5)))
    assert (span.start_time, span.end_time) == (5, None)
    assert span.context == context


def test_payloads_behind_each_other_are_one() -> None:
    """As protobuf merges them; spans of equal resources share one object, which is how they are kept once."""
    context = SpanContext(1, 2, False, SAMPLED)
    apart = [
        ReadableSpan(name, context, resource=Resource({"service.name": service}), start_time=5, end_time=6)
        for name, service in (("a", "x"), ("b", "y"), ("c", "x"))
    ]
    decoded = decode_spans(b"".join(encoded(span) for span in apart))
    assert [span.name for span in decoded] == ["a", "b", "c"]
    assert decoded[0].resource is decoded[2].resource
    assert decoded[1].resource.attributes["service.name"] == "y"
    assert decode_spans(b"") == []


def test_other_encoders_spans_are_read_too() -> None:
    """W3C's flags, a link's trace state, kinds and codes that were not said or are not known, an empty value."""
    request = ExportTraceServiceRequest()
    message = request.resource_spans.add().scope_spans.add().spans.add()
    message.trace_id, message.span_id = (1).to_bytes(16, "big"), (2).to_bytes(8, "big")
    message.flags = 0x303
    message.parent_span_id = (3).to_bytes(8, "big")
    message.status.code = 2
    message.attributes.add(key="nothing")
    link = message.links.add(trace_id=message.trace_id, span_id=message.span_id, trace_state="a=1", flags=1)
    link.attributes.add(key="x").value.bytes_value = b"\xff"
    [span] = decode_spans(request.SerializeToString())
    assert span.context is not None
    assert span.parent is not None
    assert (span.context.trace_flags, span.parent.is_remote) == (3, True)
    assert (span.kind, span.instrumentation_scope) == (SpanKind.INTERNAL, None)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert span.parent.trace_flags == span.context.trace_flags
    assert span.attributes == {"nothing": None}
    assert span.links[0].context.trace_state == {"a": "1"}
    assert span.links[0].context.trace_flags == SAMPLED
    assert span.links[0].attributes == {"x": b"\xff"}
    assert trace.format_span_id(span.parent.span_id) == "0000000000000003"


def test_a_description_beside_another_code_is_left_out_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    """OpenTelemetry knows descriptions of errors only, and its `Status` warns of others."""
    request = ExportTraceServiceRequest()
    message = request.resource_spans.add().scope_spans.add().spans.add()
    message.status.code, message.status.message = 1, "fine"
    [span] = decode_spans(request.SerializeToString())
    assert (span.status.status_code, span.status.description) == (StatusCode.OK, None)
    assert caplog.records == []


def test_what_is_no_payload_is_an_error() -> None:
    """The caller says what to do about it; nothing is read half."""
    with pytest.raises(DecodeError):
        decode_spans(b"no payload")
    whole = encoded(ReadableSpan("plan", SpanContext(1, 2, False, SAMPLED), resource=Resource({})))
    with pytest.raises(DecodeError):
        decode_spans(whole[:-1])
