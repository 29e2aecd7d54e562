"""What a provider gets from agenttrace: context attributes on every span, and guards around other people's parts."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from agenttrace import faults
from agenttrace.context import using_session, using_user
from agenttrace.delivery.encoding import SpanView
from agenttrace.delivery.options import DeliveryOptions
from agenttrace.delivery.own_provider import OwnProvider
from agenttrace.delivery.pipeline import Pipeline, Switch
from agenttrace.delivery.processor import DeliveryProcessor
from agenttrace.delivery.sink import Answer, Verdict
from agenttrace.provider import SCOPE_NAME
from tests.delivery.sinks import MemorySink
from tests.isolation import warnings_in
from tests.servers import PATIENCE_SECONDS

IN_MEMORY = DeliveryOptions(interval=3600.0, durability="memory")


@pytest.fixture(autouse=True)
def _forget_reports() -> Iterator[None]:
    faults.forget()
    yield
    faults.forget()


class Rig:
    """A pipeline that delivers to memory."""

    def __init__(self, *processors: SpanProcessor) -> None:
        self.sink = MemorySink()
        self.delivery = DeliveryProcessor(self.sink, IN_MEMORY)
        self.pipeline = Pipeline([self.delivery], processors)

    def delivered(self) -> Sequence[ReadableSpan]:
        assert self.pipeline.force_flush()
        return self.sink.spans


@pytest.fixture
def rig() -> Iterator[Callable[..., Rig]]:
    """Makes rigs and stops them afterwards."""
    rigs: list[Rig] = []

    def make(*processors: SpanProcessor) -> Rig:
        rigs.append(Rig(*processors))
        return rigs[-1]

    yield make
    for made in rigs:
        made.pipeline.stop(0.1)


class Raising(SpanProcessor):
    """A processor whose every method raises."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        raise RuntimeError("secret")

    def _on_ending(self, span: Span) -> None:
        raise RuntimeError("secret")

    def on_end(self, span: ReadableSpan) -> None:
        raise RuntimeError("secret")

    def shutdown(self) -> None:
        raise RuntimeError("secret")

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        raise RuntimeError("secret")


class Recording(SpanProcessor):
    """A processor that keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self.calls.append(f"on_start {span.name}")

    def _on_ending(self, span: Span) -> None:
        self.calls.append(f"on_ending {span.name}")

    def on_end(self, span: ReadableSpan) -> None:
        self.calls.append(f"on_end {span.name}")

    def shutdown(self) -> None:
        self.calls.append("shutdown")

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        self.calls.append("force_flush")
        return True


def test_other_libraries_spans_get_the_context_attributes(rig: Callable[..., Rig]) -> None:
    """Where they don't set the attribute themselves."""
    made = rig()
    tracer = OwnProvider(made.pipeline).get_tracer("somebody.else")
    with using_session("s-1"), using_user("u-1"):
        tracer.start_span("inside", attributes={"user.id": "their own"}).end()
    tracer.start_span("outside").end()
    inside, outside = made.delivered()
    assert dict(inside.attributes or {}) == {"session.id": "s-1", "user.id": "their own"}
    assert dict(outside.attributes or {}) == {}


def test_the_context_given_to_a_span_is_what_counts(rig: Callable[..., Rig]) -> None:
    """Not the one that happens to be current."""
    made = rig()
    tracer = OwnProvider(made.pipeline).get_tracer("somebody.else")
    with using_session("s-1"):
        tracer.start_span("elsewhere", context=Context()).end()
    [span] = made.delivered()
    assert dict(span.attributes or {}) == {}


def test_the_marks_spans_are_not_stamped_twice(rig: Callable[..., Rig]) -> None:
    """They bring their attributes along."""
    made = rig()
    tracer = OwnProvider(made.pipeline).get_tracer(SCOPE_NAME)
    with using_session("s-1"):
        tracer.start_span("mark").end()
    [span] = made.delivered()
    assert dict(span.attributes or {}) == {}


def test_a_processor_that_raises_changes_nothing(rig: Callable[..., Rig], caplog: pytest.LogCaptureFixture) -> None:
    """Not for the program, nor for the others; each of its methods is reported once, without the error's text."""
    recording = Recording()
    made = rig(Raising(), recording)
    provider = OwnProvider(made.pipeline)
    for _ in range(3):
        provider.get_tracer("test").start_span("a").end()
    assert not provider.force_flush()
    provider.shutdown()
    assert len(made.sink.spans) == 3
    has_hook = hasattr(SpanProcessor, "_on_ending")  # not in OpenTelemetry's older releases
    once = ["on_start a", "on_ending a", "on_end a"] if has_hook else ["on_start a", "on_end a"]
    assert recording.calls == [*once * 3, "force_flush", "shutdown"]
    assert len(warnings_in(caplog)) == len(once) + 2
    assert "secret" not in caplog.text


class Interrupted(Recording):
    """A processor in each of whose methods a signal arrives."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        signal.raise_signal(signal.SIGINT)

    def on_end(self, span: ReadableSpan) -> None:
        signal.raise_signal(signal.SIGINT)

    def shutdown(self) -> None:
        signal.raise_signal(signal.SIGINT)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        signal.raise_signal(signal.SIGINT)
        return True


def test_what_a_signal_raises_in_a_processor_reaches_the_program(caplog: pytest.LogCaptureFixture) -> None:
    """A time limit's exception, whatever its type: it was the program's and not the processor's."""

    class TimeIsUpError(Exception):
        pass

    def handle(number: int, frame: object) -> None:
        raise TimeIsUpError

    pipeline = Pipeline([], [Interrupted()])
    span = TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span("a")
    assert isinstance(span, Span)
    before = signal.signal(signal.SIGINT, handle)
    try:
        for call in (lambda: pipeline.on_start(span), lambda: pipeline.on_end(span)):
            with pytest.raises(TimeIsUpError):
                call()
        for stop in (pipeline.force_flush, pipeline.shutdown):
            with pytest.raises(TimeIsUpError):
                stop()
    finally:
        signal.signal(signal.SIGINT, before)
    assert warnings_in(caplog) == []


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt()])
def test_not_even_an_exit_of_a_processors_own_leaves_it(caplog: pytest.LogCaptureFixture, error: BaseException) -> None:
    """Without tracing it would not have been called."""

    class Leaving(Recording):
        def on_end(self, span: ReadableSpan) -> None:
            raise error

    Pipeline([], [Leaving()]).on_end(ReadableSpan("a"))
    assert len(warnings_in(caplog)) == 1


@pytest.mark.parametrize("seconds", [math.inf, math.nan])
def test_a_pipeline_may_be_given_any_time(rig: Callable[..., Rig], seconds: float) -> None:
    """For ever, or what is no number and stands for no time at all."""
    made = rig(Recording())
    assert made.pipeline.force_flush(seconds)
    assert made.pipeline.stop(seconds)


def test_a_processor_added_to_the_provider_is_guarded_too(rig: Callable[..., Rig]) -> None:
    """However it comes there."""
    made = rig()
    provider = OwnProvider(made.pipeline)
    provider.add_span_processor(Raising())
    provider.get_tracer("test").start_span("a").end()
    assert len(made.delivered()) == 1


def test_a_tracer_may_be_asked_for_while_one_is_made(rig: Callable[..., Rig]) -> None:
    """As finalizers and signal handlers do, which run in the middle of anything, on the same thread."""
    provider = OwnProvider(rig().pipeline)

    class Asking(dict[str, str]):
        def items(self) -> Any:
            provider.get_tracer("inner").start_span("a").end()
            return super().items()

    asker = threading.Thread(target=lambda: provider.get_tracer("outer", attributes=Asking(a="b")), daemon=True)
    asker.start()
    asker.join(PATIENCE_SECONDS)
    assert not asker.is_alive()


def span_id_of(context: SpanContext | None) -> int | None:
    return None if context is None else context.span_id


def test_what_is_delivered_of_a_foreign_span_has_our_resource_and_the_original_stays() -> None:
    """So that the project is known there, and nobody else sees a change."""
    sink, theirs = MemorySink(), InMemorySpanExporter()
    view = SpanView(resource={"project": "mine"}, resource_defaults={"project": "default", "extra": "default"})
    delivery = DeliveryProcessor(sink, IN_MEMORY, view)
    provider = TracerProvider(resource=Resource({"service.name": "web", "project": "x"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    provider.add_span_processor(Switch(Pipeline([delivery])))
    tracer = provider.get_tracer("web", "1.0")
    with tracer.start_as_current_span("root", attributes={str(number): number for number in range(200)}) as root:
        root.add_event("event")
        tracer.start_span("child").end()
    assert delivery.force_flush()
    delivery.stop()
    for original, copy in zip(theirs.get_finished_spans(), sink.spans, strict=True):
        assert original.resource.attributes == {"service.name": "web", "project": "x"}
        assert copy.resource.attributes == {"service.name": "web", "project": "mine", "extra": "default"}
        same = "name kind start_time end_time attributes dropped_attributes dropped_events dropped_links"
        for name in same.split():
            assert getattr(copy, name) == getattr(original, name), name
        assert [event.name for event in copy.events] == [event.name for event in original.events]
        assert [span_id_of(copy.context), span_id_of(copy.parent)] == [
            span_id_of(original.context),
            span_id_of(original.parent),
        ]
        assert copy.status.status_code is original.status.status_code
        assert (copy.instrumentation_scope.name, copy.instrumentation_scope.version) == ("web", "1.0")


def test_nothing_is_sent_where_every_span_is_left_out() -> None:
    """An empty request is no request."""
    sink = MemorySink()
    delivery = DeliveryProcessor(sink, IN_MEMORY, SpanView(shown=lambda span: None))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(delivery)
    provider.get_tracer("test").start_span("a").end()
    assert delivery.force_flush()
    delivery.stop()
    assert sink.payloads == []


def test_the_end_of_a_root_span_waits_until_what_ended_is_safe_where_it_is_to() -> None:
    """Of a child it doesn't. A span whose parent is in another process is a root here."""
    sink = MemorySink()
    delivery = DeliveryProcessor(sink, IN_MEMORY)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Pipeline([delivery], flush_seconds=PATIENCE_SECONDS))
    tracer = provider.get_tracer("test")
    root = tracer.start_span("root")
    tracer.start_span("child", set_span_in_context(root)).end()
    assert sink.names == []
    root.end()
    assert sink.names == ["child", "root"]
    remote = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    tracer.start_span("from afar", set_span_in_context(NonRecordingSpan(remote))).end()
    assert sink.names == ["child", "root", "from afar"]
    delivery.stop()


def test_a_loss_at_the_end_of_a_root_span_is_in_the_next_report() -> None:
    """It is the program's that asks for one."""
    sink = MemorySink(Answer(Verdict.REFUSED, "the server refuses the spans"))
    delivery = DeliveryProcessor(sink, IN_MEMORY)
    pipeline = Pipeline([delivery], flush_seconds=PATIENCE_SECONDS)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(pipeline)
    tracer = provider.get_tracer("test")
    for name in ("refused", "taken"):
        tracer.start_span(name).end()
    assert sink.names == ["taken"]
    report = pipeline.flush(PATIENCE_SECONDS)
    assert (report.sent, report.lost) == (1, 1)
    assert not report
    assert pipeline.flush(PATIENCE_SECONDS)
    delivery.stop()


def test_what_waits_at_a_handover_goes_where_it_was_to_go(caplog: pytest.LogCaptureFixture) -> None:
    """Spans that end in the middle of it go to the successor, once each, and take none of the others along."""

    def shown(span: ReadableSpan) -> ReadableSpan:
        if delivery.is_stopped and during.is_recording():  # the worker encodes the first of those that wait
            during.end()
        return span

    sinks, successor = [MemorySink(), MemorySink()], Rig()
    delivery = DeliveryProcessor(sinks[0], IN_MEMORY, SpanView(shown=shown))
    pipeline = Pipeline([delivery, DeliveryProcessor(sinks[1], IN_MEMORY)])
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(pipeline)
    tracer = provider.get_tracer("test")
    during, after = tracer.start_span("during"), tracer.start_span("after")
    names = [str(number) for number in range(2_000)]
    for name in names:
        tracer.start_span(name).end()
    assert pipeline.hand_over(successor.pipeline.deliver, PATIENCE_SECONDS)
    after.end()
    assert successor.delivered()
    assert successor.sink.names == ["during", "after"]
    assert sinks[0].names == names
    assert [name for name in sinks[1].names if name != "during"] == names
    assert warnings_in(caplog) == []


def test_one_destinations_failure_is_not_anothers() -> None:
    """Each has its own queue and threads; a flush tells of all of them."""
    dead, alive = MemorySink(), MemorySink()
    dead.always = Answer(Verdict.UNREACHABLE)
    deliveries = [DeliveryProcessor(sink, IN_MEMORY) for sink in (dead, alive)]
    pipeline = Pipeline(deliveries)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(pipeline)
    provider.get_tracer("test").start_span("a").end()
    report = pipeline.flush(PATIENCE_SECONDS)
    assert (report.sent, report.waiting) == (1, 1)
    assert not report
    assert (alive.names, dead.names) == (["a"], [])
    assert not pipeline.stop(0.1)


def test_an_empty_switch_does_nothing() -> None:
    """It stays in the other provider when agenttrace has left."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Switch())
    provider.get_tracer("test").start_span("a").end()
    assert provider.force_flush()
    provider.shutdown()


def test_a_provider_of_ours_stands_for_its_successor(rig: Callable[..., Rig]) -> None:
    """Tracers from before and after, processors that others added, and the resource."""
    old, new = rig(), rig()
    theirs = InMemorySpanExporter()
    before = OwnProvider(old.pipeline, resource=Resource({"project": "old"}))
    before.add_span_processor(SimpleSpanProcessor(theirs))
    tracer = before.get_tracer("module")
    in_flight = tracer.start_span("in flight")
    tracer.start_span("first").end()
    after = OwnProvider(new.pipeline, resource=Resource({"project": "new"}))
    before.hand_over(after)
    old.pipeline.hand_over(new.pipeline.deliver)
    in_flight.end()
    tracer.start_span("second").end()
    before.get_tracer("other").start_span("third").end()
    assert [span.name for span in old.sink.spans] == ["first"]
    delivered = new.delivered()
    assert [span.name for span in delivered] == ["in flight", "second", "third"]
    assert [span.resource.attributes["project"] for span in delivered] == ["old", "new", "new"]
    assert [span.name for span in theirs.get_finished_spans()] == ["first", "in flight", "second", "third"]
    assert before.resource.attributes["project"] == "new"
    before.shutdown()
    before.add_span_processor(Recording())
    tracer.start_span("fourth").end()
    assert before.force_flush()
    assert new.delivered()[-1].name == "fourth"
