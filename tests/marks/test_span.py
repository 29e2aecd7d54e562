"""`Span` and ``current_span()``: what each setter records, and that none of them can harm the program."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry import trace as otel_trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode

from agenttrace import (
    Span,
    current_span,
    suppress_tracing,
    trace_agent,
    trace_step,
    trace_tool,
    using_metadata,
    using_tags,
)
from agenttrace.provider import use_provider
from agenttrace.span import NO_SPAN

from .conftest import LogCatcher, Spans
from .material import input_of, output_of, raised
from .test_capture import Hostile, OfHostileMeta


def attributes_of(spans: Spans, name: str | None = None) -> dict[str, Any]:
    """All attributes of the one span there is (of this name)."""
    return dict(spans.only(name).attributes or {})


# What is recorded


@pytest.mark.parametrize("which", ["input", "output"])
@pytest.mark.parametrize(
    ("value", "mime_type", "text", "recorded_type"),
    [
        ("text", None, "text", "text/plain"),
        ({"a": 1}, None, '{"a":1}', "application/json"),
        ('{"a":1}', "application/json", '{"a":1}', "application/json"),
        ('{"a":1}', "json", '{"a":1}', "application/json"),
        ("text", "text", "text", "text/plain"),
        ("<p>", "text/html", "<p>", "text/html"),
        (None, None, "null", "application/json"),
        ("\ud800", None, "\\ud800", "text/plain"),
    ],
)
def test_input_and_output(
    which: str, value: object, mime_type: str | None, text: str, recorded_type: str, spans: Spans
) -> None:
    """A string is text unless the MIME type says otherwise, anything else is JSON."""
    with trace_step("s") as span:
        getattr(span, f"set_{which}")(value, mime_type)
    attributes = attributes_of(spans)
    assert (attributes[f"{which}.value"], attributes[f"{which}.mime_type"]) == (text, recorded_type)


def test_attributes(spans: Spans) -> None:
    """OpenTelemetry's own types stay, anything else is JSON, None records nothing."""
    with trace_step("s") as span:
        span.set_attribute("a", True)
        span.set_attribute("b", [1, 2])
        span.set_attribute("c", {"k": {1.5}})
        span.set_attribute("d", None)
        span.set_attribute(3, "number")  # type: ignore[arg-type]
        span.set_attributes({"e": 2**70, "f": None, "g": "text"})
    attributes = attributes_of(spans)
    del attributes["openinference.span.kind"]
    assert json.loads(attributes.pop("c")) == {"k": [1.5]}
    assert attributes == {"a": True, "b": (1, 2), "3": "number", "e": str(2**70), "g": "text"}


def test_metadata_is_added_up(spans: Spans) -> None:
    """What was set before stays, the later wins; so with the context's and the mark's own."""
    with using_metadata({"context": 1, "k": "context"}), trace_step("s", metadata={"mark": 1, "k": "mark"}) as span:
        span.set_metadata({"first": 1, "k": "first"})
        span.set_metadata({"second": {"deep": [1]}, "k": "second"})
    assert json.loads(attributes_of(spans)["metadata"]) == {
        "context": 1,
        "mark": 1,
        "first": 1,
        "second": {"deep": [1]},
        "k": "second",
    }


def test_tags_are_added_up(spans: Spans) -> None:
    """Each tag is there once; one string is one tag."""
    with using_tags(["context"]), trace_step("s", tags=["mark"]) as span:
        span.set_tags(["a", "mark", 1])  # type: ignore[list-item]
        span.set_tags("alone")
        span.set_tags(tag for tag in ["b", "a"])
    assert attributes_of(spans)["tag.tags"] == ("context", "mark", "a", "1", "alone", "b")


def test_events(spans: Spans) -> None:
    """An event has a name and attributes, which are made valid as a span's are."""
    with trace_step("s") as span:
        span.add_event("plain")
        span.add_event("cache hit", {"key": "k", "more": {"a": 1}, "nothing": None})
    events = [(event.name, dict(event.attributes or {})) for event in spans.only().events]
    assert events == [("plain", {}), ("cache hit", {"key": "k", "more": '{"a":1}'})]


def test_handled_exceptions(spans: Spans) -> None:
    """An exception that was handled is an event, and the status stays as it is."""
    with trace_step("s") as span:
        try:
            raise KeyError("k")
        except KeyError as error:
            span.record_exception(error)
    [event] = spans.only().events
    assert event.name == "exception"
    assert (event.attributes or {})["exception.type"] == "KeyError"
    assert "exception.escaped" not in (event.attributes or {})
    assert spans.only().status.is_ok


@pytest.mark.parametrize(
    ("status", "description", "code", "recorded"),
    [
        ("ok", None, StatusCode.OK, None),
        ("OK", "is not recorded", StatusCode.OK, None),
        ("error", "why", StatusCode.ERROR, "why"),
        ("unset", None, StatusCode.UNSET, None),
        (StatusCode.ERROR, "why", StatusCode.ERROR, "why"),
        (Status(StatusCode.ERROR, "why"), None, StatusCode.ERROR, "why"),
    ],
)
def test_status(status: Any, description: str | None, code: StatusCode, recorded: str | None, spans: Spans) -> None:
    """What the user says stands, whatever the block does."""
    with trace_step("fine") as span:
        span.set_status(status, description)

    def fail() -> None:
        with trace_step("failing") as span:
            span.set_status(status, description)
            raise ValueError("no")

    assert type(raised(fail)) is ValueError
    for span_made in spans.all():
        assert (span_made.status.status_code, span_made.status.description) == (code, recorded)
    assert [event.name for event in spans.only("failing").events] == ["exception"]


def test_a_status_set_on_the_opentelemetry_span_stands_too(spans: Spans) -> None:
    """Code that knows OpenTelemetry only says that something failed, and that isn't overwritten."""

    @trace_tool
    def tool() -> str:
        otel_trace.get_current_span().set_status(Status(StatusCode.ERROR, "said elsewhere"))
        return "done"

    tool()
    assert spans.only().status.description == "said elsewhere"


def test_names(spans: Spans) -> None:
    """A span may be renamed."""
    with trace_step("s") as span:
        span.update_name("better")
    assert spans.names() == ["better"]


def test_ids(spans: Spans) -> None:
    """They are the hexadecimal ones that backends show."""
    with trace_step("s") as span:
        context = span.otel_span.get_span_context()
        assert span.trace_id == f"{context.trace_id:032x}"
        assert span.span_id == f"{context.span_id:016x}"
        assert repr(span) == f"Span(trace_id={span.trace_id}, span_id={span.span_id})"


# Whatever it is given

SETTERS: dict[str, Callable[[Span, Any], Any]] = {
    "set_input": lambda span, value: span.set_input(value),
    "set_input with a MIME type": lambda span, value: span.set_input("text", value),
    "set_output": lambda span, value: span.set_output(value),
    "set_output with a MIME type": lambda span, value: span.set_output({}, value),
    "set_attribute": lambda span, value: span.set_attribute("key", value),
    "set_attribute with a key": lambda span, value: span.set_attribute(value, 1),
    "set_attributes": lambda span, value: span.set_attributes(value),
    "set_attributes with a value": lambda span, value: span.set_attributes({"key": value}),
    "set_metadata": lambda span, value: span.set_metadata(value),
    "set_metadata with a value": lambda span, value: span.set_metadata({"key": value}),
    "set_tags": lambda span, value: span.set_tags(value),
    "set_tags with a tag": lambda span, value: span.set_tags([value]),
    "add_event": lambda span, value: span.add_event(value),
    "add_event with attributes": lambda span, value: span.add_event("name", value),
    "add_event with a value": lambda span, value: span.add_event("name", {"key": value}),
    "record_exception": lambda span, value: span.record_exception(value),
    "set_status": lambda span, value: span.set_status(value),
    "set_status with a description": lambda span, value: span.set_status("error", value),
    "update_name": lambda span, value: span.update_name(value),
}


class HostileError(Exception):
    """An exception that can't be shown."""

    def __str__(self) -> str:
        raise RuntimeError("hostile")

    __repr__ = __str__


def endless() -> Iterator[int]:
    """Yields for ever."""
    while True:
        yield 1


class HostileMapping(dict):  # type: ignore[type-arg]
    """A mapping whose entries can't be had."""

    def items(self) -> Any:
        raise RuntimeError("hostile")

    def __iter__(self) -> Any:
        raise RuntimeError("hostile")

    keys = values = __getitem__ = items  # type: ignore[assignment]


cyclic: list[Any] = []
cyclic.append(cyclic)

VALUES: dict[str, Any] = {
    "nothing": None,
    "number": 3,
    "not a number": float("nan"),
    "huge number": 10**5000,
    "empty text": "",
    "lone surrogate": "\ud800",
    "bytes": b"\xff",
    "list": [1, "a", None],
    "set": {1},
    "mapping": {"a": 1, 2: b"b"},
    "cycle": cyclic,
    "object": object(),
    "class": int,
    "hostile object": Hostile(),
    "object of a hostile class": OfHostileMeta(),
    "hostile class": OfHostileMeta,
    "hostile mapping": HostileMapping(a=1),
    "exception": ValueError("x"),
    "hostile exception": HostileError(),
    "status": StatusCode.OK,
}


@pytest.mark.agenttrace(check=False)  # a MIME type that is none is recorded as it is
@pytest.mark.parametrize("setter", SETTERS)
@pytest.mark.parametrize("value", VALUES)
def test_no_setter_raises(setter: str, value: str, spans: Spans, log: LogCatcher) -> None:
    """Whatever it is given; the span ends as ever, and what it says is valid."""
    with trace_step("s") as span:
        assert SETTERS[setter](span, VALUES[value]) is None
        assert current_span() is span
    log.lines.clear()
    json.loads(spans.only().to_json())
    spans.only().to_json().encode()


def test_a_wrong_call_of_a_setter_is_logged_once(spans: Spans, log: LogCatcher) -> None:
    """A setter that is called wrongly does nothing but say so."""
    with trace_step("s") as span:
        for _ in range(3):
            wrong: Any = span.set_input
            wrong()
            wrong(1, 2, 3, 4)
    log.expect("Span.set_input()")


def test_endless_iterators_are_not_consumed(spans: Spans) -> None:
    """An iterator as a value is named, not read."""
    items = endless()
    with trace_step("s") as span:
        span.set_output(items)
        span.set_attribute("k", items)
        span.set_metadata({"k": items})
    assert next(items) == 1


def test_setters_read_their_values_at_once(spans: Spans) -> None:
    """What happens to a value later isn't recorded."""
    value = [1]
    with trace_step("s") as span:
        span.set_input(value)
        span.set_output(value)
        span.set_attribute("a", value)
        span.set_metadata({"m": value})
        value.append(2)
    assert (input_of(spans.only()), output_of(spans.only())) == ([1], [1])
    assert attributes_of(spans)["a"] == (1,)
    assert json.loads(attributes_of(spans)["metadata"]) == {"m": [1]}


def not_recorded() -> Iterator[Span]:
    """Handles of spans that nobody records, of every sort."""
    yield NO_SPAN
    yield current_span()
    yield Span(NonRecordingSpan(SpanContext(1, 2, is_remote=True)))
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    with use_provider(provider), trace_step("sampled out") as span:
        yield span
    with suppress_tracing(), trace_step("suppressed") as span:
        yield span
        yield current_span()


class Counting:
    """Counts how often anything is asked of it."""

    touched = 0

    def _touch(self, *args: object) -> Any:
        type(self).touched += 1
        raise RuntimeError

    __repr__ = __str__ = __iter__ = __len__ = __hash__ = __eq__ = __bool__ = __getattr__ = __reduce__ = _touch  # type: ignore[assignment]


@pytest.mark.parametrize("setter", SETTERS)
def test_setters_of_spans_that_nobody_records_look_at_nothing(setter: str, spans: Spans) -> None:
    """They do nothing at all."""
    Counting.touched = 0
    handles = 0
    for span in not_recorded():
        assert SETTERS[setter](span, Counting()) is None
        handles += 1
    assert handles == 6
    assert Counting.touched == 0
    assert spans.names() == []


def test_ids_of_no_span() -> None:
    """They are all zero."""
    assert (NO_SPAN.trace_id, NO_SPAN.span_id) == ("0" * 32, "0" * 16)


def test_a_span_that_has_ended_ignores_what_is_set(spans: Spans) -> None:
    """In silence, from any thread."""
    with trace_step("s") as span:
        pass
    for setter in SETTERS.values():
        setter(span, {"a": 1})
    assert output_of(spans.only()) is None


# The current span


def test_outside_any_span() -> None:
    """There is one handle that stands for nothing."""
    assert current_span() is NO_SPAN
    assert not current_span().otel_span.is_recording()


def test_inside_a_marked_function(spans: Spans) -> None:
    """It is the function's span, the same handle each time."""

    @trace_agent
    def function() -> Span:
        assert current_span() is current_span()
        current_span().set_attribute("said", 1)
        return current_span()

    handle = function()
    context = spans.only().context
    assert context is not None
    assert handle.span_id == f"{context.span_id:016x}"
    assert attributes_of(spans)["said"] == 1
    assert current_span() is NO_SPAN


def test_it_is_the_innermost_span(spans: Spans) -> None:
    """And the outer one again when the inner one has ended."""
    with trace_step("outer") as outer:
        with trace_step("inner") as inner:
            assert current_span() is inner
        assert current_span() is outer


@pytest.mark.agenttrace(check=False)  # another library's span has no kind
def test_inside_a_span_of_another_library(spans: Spans) -> None:
    """It is a handle on that span, and what is set goes there; the mark's own output isn't taken for set."""

    @trace_agent
    def function() -> str:
        with spans.tracer.start_as_current_span("foreign") as foreign:
            assert current_span().otel_span is foreign
            current_span().set_output("of the foreign one")
        return "of the function"

    function()
    assert output_of(spans.only("foreign")) == "of the foreign one"
    assert output_of(spans.only("function")) == "of the function"


def test_while_tracing_is_suppressed(spans: Spans) -> None:
    """The span around isn't to be had: what is said there is not recorded."""
    with trace_step("outer") as outer, suppress_tracing():
        assert current_span() is NO_SPAN
        current_span().set_output("nobody")
        outer.set_attribute("still", "mine")
    assert output_of(spans.only()) is None


def test_output_set_by_attribute_wins_too(spans: Spans) -> None:
    """The attribute's name may be spelt out, on the handle or on OpenTelemetry's span."""

    @trace_agent
    def by_handle() -> str:
        current_span().set_attributes({"output.value": "mine"})
        return "captured"

    @trace_agent
    def by_opentelemetry() -> str:
        otel_trace.get_current_span().set_attribute("output.value", "mine")
        return "captured"

    by_handle()
    by_opentelemetry()
    for span in spans.all():
        attributes = dict(span.attributes or {})
        assert attributes["output.value"] == "mine"
        assert "output.mime_type" not in attributes


def test_other_attributes_leave_the_captured_output_alone(spans: Spans) -> None:
    """Whatever else is set on either span, the result is recorded."""

    @trace_agent
    def answer() -> str:
        current_span().set_attribute("mine", 1)
        otel_trace.get_current_span().set_attribute("mine too", 2)
        return "captured"

    answer()
    assert output_of(spans.only()) == "captured"
