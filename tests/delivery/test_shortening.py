"""One span that is too large for any request: it fits, it says what it lost, and it is still the same span."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agenttrace.delivery.decoding import decode_spans
from agenttrace.delivery.shortening import SHORTENED, shorten
from agenttrace.outbox.payloads import SMALLEST_SPAN, Payload, spans_in
from tests.delivery.requests import any_attributes, any_span, payload_of
from tests.delivery.sinks import make_payload

KIND = "openinference.span.kind"
ESSENTIAL = {
    KIND: AnyValue(string_value="LLM"),
    "session.id": AnyValue(string_value="s-1"),
    "llm.model_name": AnyValue(string_value="gpt-4o"),
    "llm.token_count.total": AnyValue(int_value=7),
}


def attributes_in(payload: Payload) -> dict[str, Any]:
    """The attributes of the one span in ``payload``."""
    [span] = decode_spans(payload.data)
    return dict(span.attributes or {})


@st.composite
def large_span(draw: st.DrawFn) -> Payload:
    """A span with long texts anywhere, and many attributes."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(draw(any_attributes(5_000)))
    span = draw(any_span(5_000))
    span.attributes.extend(KeyValue(key=key, value=value) for key, value in ESSENTIAL.items())
    size = draw(st.integers(0, 2_000))
    for number in range(draw(st.integers(0, 100))):
        span.attributes.add(key=f"llm.input_messages.{number}").value.string_value = "x" * size
    group.scope_spans.add().spans.append(span)
    return payload_of(request)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(large_span(), st.integers(SMALLEST_SPAN, 40_000))
def test_a_span_of_any_make_fits_afterwards(payload: Payload, most_bytes: int) -> None:
    """It has its ids, its times, its kind, model, session and token counts, and the mark says that it was longer."""
    shortened = shorten(payload, most_bytes)
    assert len(shortened.data) <= most_bytes
    assert shortened.count == 1
    [before], [after] = (spans_in(ExportTraceServiceRequest.FromString(one.data)) for one in (payload, shortened))
    for field in ("trace_id", "span_id", "parent_span_id", "start_time_unix_nano", "end_time_unix_nano", "kind"):
        assert getattr(after, field) == getattr(before, field)
    values = {pair.key: pair.value for pair in after.attributes}
    assert {key: values[key] for key in ESSENTIAL} == ESSENTIAL
    assert values[SHORTENED].string_value
    assert_counted(before, after)


def assert_counted(before: Span, after: Span) -> None:
    """What was left out is counted as dropped, as at OpenTelemetry's own limits; the mark comes on top."""
    assert len(after.attributes) + after.dropped_attributes_count == len(before.attributes) + 1
    assert len(after.events) + after.dropped_events_count == len(before.events)
    assert len(after.links) + after.dropped_links_count == len(before.links)


def test_the_longest_value_is_cut_and_the_others_stay() -> None:
    """No further than it takes, and the cut says how long it was."""
    given = {"input.value": "i" * 50_000, "output.value": "o" * 3_000, "short": "s", "many": ["m" * 40_000, "n"]}
    payload = make_payload("a", attributes=given)
    after = attributes_in(shorten(payload, 60_000))
    assert after["output.value"] == given["output.value"]
    assert after["short"] == "s"
    assert after["many"] == ("m" * 40_000, "n")
    assert after["input.value"].endswith("… [shortened: 50,000 bytes]")
    assert len(after["input.value"]) > 10_000
    assert after[SHORTENED] == "input.value"


def test_what_is_cut_is_still_text() -> None:
    """A character of several bytes isn't cut in two."""
    for extra in range(4):
        payload = make_payload("a", attributes={"text": "x" * extra + "🙂" * 5_000})
        after = attributes_in(shorten(payload, 10_000))["text"]
        kept, _, _ = after.partition("… [")
        assert set(kept) <= set("x🙂")
        assert f"{extra + 20_000:,} bytes" in after


def test_half_a_json_text_is_no_longer_said_to_be_json() -> None:
    """Of the value that was cut. The other keeps its type."""
    json = "application/json"
    given = {"input.value": "[" * 9_000, "input.mime_type": json, "output.value": "[]", "output.mime_type": json}
    after = attributes_in(shorten(make_payload("a", attributes=given), 6_000))
    assert after["input.mime_type"] == "text/plain"
    assert after["output.mime_type"] == json


def test_a_span_that_is_shortened_again_has_one_mark() -> None:
    """With what was cut each time: a server may turn out to take even less."""
    payload = make_payload("a", attributes={"input.value": "i" * 60_000, "output.value": "o" * 20_000})
    once = shorten(payload, 40_000)
    twice = shorten(once, 8_000)
    [span] = spans_in(ExportTraceServiceRequest.FromString(twice.data))
    marks = [pair.value.string_value for pair in span.attributes if pair.key == SHORTENED]
    assert attributes_in(once)[SHORTENED] == "input.value"
    assert marks == ["input.value, output.value"]


def test_a_span_of_many_small_values_loses_the_largest_of_them() -> None:
    """Where cutting texts isn't enough; they are counted as dropped."""
    given = {f"number {index}": index for index in range(1_000)} | {KIND: "TOOL"}
    shortened = shorten(make_payload("a", attributes=given), 8_000)
    [span] = decode_spans(shortened.data)
    assert span.attributes is not None
    assert span.attributes[KIND] == "TOOL"
    assert span.dropped_attributes == 1_001 - (len(span.attributes) - 1)
    assert span.attributes[SHORTENED] == "attributes left out"
    assert len(span.attributes) > 100
