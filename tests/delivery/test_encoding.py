"""Spans made into payloads: what can't be encoded arrives all the same, what isn't to be seen doesn't."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags

from agenttrace import faults
from agenttrace.capture.text import valid_text
from agenttrace.delivery.batch import Tally
from agenttrace.delivery.copies import SpanCopy
from agenttrace.delivery.decoding import decode_spans
from agenttrace.delivery.encoding import SpanEncoder, SpanView
from agenttrace.delivery.options import DeliveryOptions
from agenttrace.delivery.shortening import SHORTENED
from agenttrace.outbox.payloads import SizeLimit
from tests.delivery.sinks import make_spans, names_in
from tests.isolation import warnings_in


@pytest.fixture(autouse=True)
def _forget_reports() -> Iterator[None]:
    faults.forget()
    yield
    faults.forget()


def delivered(
    spans: list[ReadableSpan], view: SpanView | None = None, options: DeliveryOptions | None = None
) -> list[ReadableSpan]:
    """What a destination gets of ``spans``."""
    payloads = list(SpanEncoder(view or SpanView(), options or DeliveryOptions()).encode(spans))
    found = [decode_spans(payload.data) for payload in payloads]
    assert [len(part) for part in found] == [payload.count for payload in payloads]
    return [span for part in found for span in part]


def span_with(name: str = "a", **parts: Any) -> ReadableSpan:
    """An ended span whose parts are as they are given, whatever the SDK would have made of them."""
    [span] = make_spans("a")
    return SpanCopy(span, name=name, **parts)


def names_of(spans: list[ReadableSpan]) -> list[str]:
    return [span.name for span in spans]


def test_what_cannot_be_encoded_arrives_as_text_and_without_a_stack_trace(caplog: pytest.LogCaptureFixture) -> None:
    """OpenTelemetry's encoder would log one for each span, with the value it stumbled over, and send nothing."""
    odd = span_with(
        "lone surrogate \ud800",
        attributes={"text": "secret \ud800", "fine": 1, "many": ["\udfff", "b"]},
        events=[Event("\ud800", {"text": "\ud800"}, 1)],
        links=[Link(SpanContext(1, 2, False), {"text": "\ud800"})],
        status=Status(StatusCode.ERROR, "failed \ud800"),
    )
    [span] = delivered([odd])
    assert span.name == "lone surrogate \\ud800"
    assert dict(span.attributes or {}) == {"text": "secret \\ud800", "fine": 1, "many": ("\\udfff", "b")}
    assert [(event.name, dict(event.attributes or {})) for event in span.events] == [("\\ud800", {"text": "\\ud800"})]
    assert [dict(link.attributes or {}) for link in span.links] == [{"text": "\\ud800"}]
    assert span.status.description == "failed \\ud800"
    assert {record.name for record in caplog.records} <= {"agenttrace"}
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**64, str(2**64)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (True, True),
        ("\ud800", "\\ud800"),
    ],
)
def test_a_value_that_otlp_has_no_place_for_is_sent_as_text(value: Any, expected: Any) -> None:
    """Beside those that it has one for; none is left out without a word, in the event neither."""
    odd = span_with(attributes={"odd": value, "fine": 1.5}, events=[Event("event", {"odd": value, "fine": 1.5}, 1)])
    [span] = delivered([odd])
    assert dict(span.attributes or {}) == {"odd": expected, "fine": 1.5}
    [event] = span.events
    assert dict(event.attributes or {}) == {"odd": expected, "fine": 1.5}


def test_one_odd_span_takes_none_of_its_neighbours_along() -> None:
    """They arrive as they are, and in order."""
    spans = [*make_spans("a", "b"), span_with("odd \ud800"), *make_spans("c", "d", attributes={"n": 1})]
    assert names_of(delivered(spans)) == ["b", "a", "odd \\ud800", "d", "c"]


def test_a_span_that_is_beyond_help_is_left_out_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Such as one whose trace id no backend has room for; that is said and counted, without its values."""
    odd = ReadableSpan("secret", SpanContext(2**200, 1, False), start_time=1, end_time=2)
    tally = Tally()
    encoder = SpanEncoder(SpanView(), DeliveryOptions(), tally=tally)
    [payload] = encoder.encode([*make_spans("a"), odd, *make_spans("b")])
    assert names_in(payload.data) == ["a", "b"]
    assert tally.lost == 1
    assert len(warnings_in(caplog)) == 1
    assert "secret" not in caplog.text


@pytest.mark.parametrize("moment", [1.5e18, -1, 2**70, "noon", None])
def test_a_span_of_odd_times_arrives(moment: Any) -> None:
    """Other libraries give seconds, floats or worse; a time that is none is the beginning of all times."""
    span = ReadableSpan("a", SpanContext(1, 2, False), start_time=moment, end_time=moment)
    tally = Tally()
    [payload] = SpanEncoder(SpanView(), DeliveryOptions(), tally=tally).encode([span])
    assert names_in(payload.data) == ["a"]
    assert tally.lost == 0


def test_a_resource_that_otlp_has_no_place_for_still_names_the_project() -> None:
    """Or the spans would be filed under another one."""
    view = SpanView(resource={"build.id": 2**70, "openinference.project.name": "wea\udce9"})
    [payload] = SpanEncoder(view, DeliveryOptions()).encode(make_spans("a"))
    [span] = decode_spans(payload.data)
    assert span.resource.attributes["openinference.project.name"] == "wea\\udce9"
    assert span.resource.attributes["build.id"] == str(2**70)


odd_texts = st.text(st.characters(), max_size=8)
odd_values = st.one_of(
    odd_texts,
    st.integers(-(2**70), 2**70),
    st.booleans(),
    st.floats(allow_nan=False),
    st.lists(odd_texts, max_size=3),
    st.lists(st.integers(-(2**70), 2**70), max_size=3),
)
odd_attributes = st.dictionaries(st.text(st.characters(), min_size=1, max_size=8), odd_values, max_size=4)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(odd_texts, odd_attributes, odd_texts, odd_attributes), max_size=4))
def test_every_span_arrives_whatever_is_in_it(parts: list[tuple[str, dict[str, Any], str, dict[str, Any]]]) -> None:
    """With as many attributes as it had, in its events too; keys that can't be told apart any more count as one."""
    spans = [
        span_with(name, attributes=attributes, events=[Event(event, more, 1)])
        for name, attributes, event, more in parts
    ]
    found = delivered(spans)
    assert len(found) == len(spans)
    for before, after in zip(spans, found, strict=True):
        assert after.context is not None
        assert before.context is not None
        assert after.context.span_id == before.context.span_id
        assert len(after.attributes or {}) == len(readable(before.attributes or {}))
        assert len(after.events[0].attributes or {}) == len(readable(before.events[0].attributes or {}))


def readable(attributes: Any) -> set[str]:
    return {valid_text(key) for key in attributes}


def test_the_resource_is_overridden_and_completed() -> None:
    """What the destination wants wins over the span's own; a default doesn't."""
    [span] = make_spans("a")
    mine = SpanCopy(span, resource=Resource({"project": "theirs", "service.name": "web", "kept": 1}))
    view = SpanView(resource={"project": "mine", "new": True}, resource_defaults={"service.name": "x", "extra": "y"})
    [found] = delivered([mine], view)
    assert dict(found.resource.attributes) == {
        "project": "mine",
        "service.name": "web",
        "kept": 1,
        "new": True,
        "extra": "y",
    }


def test_parents_are_rewritten_where_the_view_says_so() -> None:
    """To another span, to none, or not at all."""
    spans = make_spans("root", "child", "grandchild")
    root = spans[-1]
    elsewhere = SpanContext(root.context.trace_id, 77, False, TraceFlags(TraceFlags.SAMPLED))
    parents = {"child": None, "grandchild": elsewhere}
    found = {span.name: span for span in delivered(spans, SpanView(parent_of=lambda span: parents[span.name]))}
    assert found["child"].parent is None
    assert found["grandchild"].parent.span_id == 77
    assert found["root"].parent is None
    kept = {span.name: span for span in delivered(spans, SpanView(parent_of=lambda span: span.parent))}
    assert kept["child"].parent.span_id == root.context.span_id


def test_what_the_destination_wants_added_is_added() -> None:
    """Of any type, beside what the span has."""
    added = {"text": "x", "flag": True, "number": 1, "ratio": 0.5, "many": ["a", "b"]}
    [span] = delivered(make_spans("a", attributes={"own": 1}), SpanView(added=lambda span: added))
    assert dict(span.attributes or {}) == {"own": 1, **added, "many": ("a", "b")}


def test_a_span_never_ends_before_it_starts() -> None:
    """As where the clock was put back: no backend takes that. One that is open has no end."""
    [turned_back] = delivered([make_span_at(start=1_000, end=400)])
    assert (turned_back.start_time, turned_back.end_time) == (1_000, 1_000)
    [fine] = delivered([make_span_at(start=1_000, end=1_001)])
    assert fine.end_time == 1_001
    [open_span] = delivered([make_span_at(start=1_000, end=None)])
    assert open_span.end_time is None


def make_span_at(start: int, end: int | None) -> ReadableSpan:
    return ReadableSpan(
        name="a",
        context=SpanContext(1, 2, False, TraceFlags(TraceFlags.SAMPLED)),
        resource=Resource({}),
        instrumentation_scope=InstrumentationScope("test"),
        start_time=start,
        end_time=end,
    )


def test_what_could_not_be_masked_is_not_delivered(caplog: pytest.LogCaptureFixture) -> None:
    """It fails closed, is counted as lost, and its neighbours arrive. What isn't to be seen isn't lost."""

    def shown(span: ReadableSpan) -> ReadableSpan | None:
        if span.name == "unmaskable":
            raise ValueError("secret")
        return None if span.name == "hidden" else SpanCopy(span, name=span.name.upper())

    spans = [*make_spans("a"), *make_spans("unmaskable"), *make_spans("hidden"), *make_spans("b")]
    tally = Tally()
    [payload] = SpanEncoder(SpanView(shown=shown), DeliveryOptions(), tally=tally).encode(spans)
    assert names_in(payload.data) == ["A", "B"]
    assert tally.lost == 1
    assert len(warnings_in(caplog)) == 1
    assert "secret" not in caplog.text


@pytest.mark.parametrize("hook", ["parent_of", "added"])
def test_a_view_that_raises_loses_no_span(caplog: pytest.LogCaptureFixture, hook: str) -> None:
    """Where it stands may be wrong then, but it is there."""

    def fail(span: ReadableSpan) -> Any:
        raise ValueError("secret")

    view = SpanView()
    setattr(view, hook, fail)
    assert names_of(delivered(make_spans("a", "b"), view)) == ["b", "a"]
    assert len(warnings_in(caplog)) == 1
    assert "secret" not in caplog.text


def test_payloads_are_no_larger_than_the_options_and_the_destination_allow() -> None:
    """By spans and by bytes; one span that is larger by itself is shortened."""
    spans = make_spans(*map(str, range(50)), attributes={"text": "x" * 1_000})
    options = DeliveryOptions(batch_size=10, batch_bytes=8_000)
    payloads = list(SpanEncoder(SpanView(), options).encode(spans))
    assert max(payload.count for payload in payloads) <= 10
    assert max(len(payload.data) for payload in payloads) <= 8_000
    assert sum(payload.count for payload in payloads) == 50
    smaller = list(SpanEncoder(SpanView(), options, SizeLimit(3_000)).encode(spans))
    assert max(len(payload.data) for payload in smaller) <= 3_000
    [large] = delivered(make_spans("large", attributes={"text": "x" * 100_000}), options=options)
    assert large.attributes is not None
    assert large.attributes[SHORTENED] == "text"


def test_spans_that_do_not_fit_change_nothing_but_their_payload() -> None:
    """A resource is overridden in each of them."""
    spans = make_spans(*map(str, range(20)), attributes={"text": "x" * 1_000})
    found = delivered(spans, SpanView(resource={"project": "mine"}), DeliveryOptions(batch_bytes=4_000))
    assert names_of(found) == names_of(spans)
    assert {span.resource.attributes["project"] for span in found} == {"mine"}


def test_others_keep_the_encoders_log(caplog: pytest.LogCaptureFixture) -> None:
    """Only what our own batches cause is kept out."""
    delivered(make_spans("a"))
    logging.getLogger(encode_spans.__module__).warning("of somebody else")
    assert "of somebody else" in caplog.text
