"""Spans that haven't ended: known while they are open, written down only where that lasts."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, Span, TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, StaticSampler

from agenttrace import faults
from agenttrace.delivery import open_spans
from agenttrace.delivery.copies import SpanCopy
from agenttrace.delivery.encoding import SpanEncoder, SpanView
from agenttrace.delivery.open_spans import OpenSpans, RunningSpans
from agenttrace.delivery.options import DeliveryOptions
from agenttrace.outbox.outbox import Outbox
from agenttrace.outbox.running import open_spans_in
from tests.delivery.sinks import names_in
from tests.isolation import warnings_in

tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")


class Clock:
    """The time by which looks are due; a test moves it on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


class Desk:
    """Spans of a test, and what is written down of them.

    Args:
        path: Where the outbox is.
        clock: What the time is.
        view: What the destination sees.
    """

    def __init__(self, path: Path, clock: Clock, view: SpanView | None = None) -> None:
        self.open = OpenSpans()
        self.shown: list[list[str]] = []
        self.outbox = Outbox(path / "outbox", {}, 10**9, 10**9)
        self._clock = clock
        encoder = SpanEncoder(view or SpanView(), DeliveryOptions())
        self.running = RunningSpans(
            self.open, encoder, self.outbox, lambda payload: self.shown.append(names_in(payload)), 0.1
        )

    def start(self, name: str, **options: Any) -> Span:
        span = tracer.start_span(name, **options)
        assert isinstance(span, Span)
        self.open.add(span)
        return span

    def end(self, span: Span) -> None:
        span.end()
        self.open.remove(span.get_span_context().span_id)

    def look(self, *, later: float = 0.1, at_once: bool = False) -> None:
        """What the worker does, ``later`` seconds after the last time."""
        self._clock.now += later
        self.running.note(self.running.look(), at_once=at_once)

    @property
    def files(self) -> list[str]:
        """The names of what is on disk."""
        return sorted(path.name for path in self.outbox.path.rglob("*") if path.is_file())

    @property
    def written(self) -> list[str]:
        """The names of the spans that are open by what is on disk."""
        return [
            name
            for path in self.outbox.path.rglob("running")
            for data in open_spans_in(path)
            for name in names_in(data)
        ]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time that stands still but for the test."""
    made = Clock()
    monkeypatch.setattr(open_spans, "time", made)
    return made


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Iterator[Desk]:
    """Spans, and what is written down of them."""
    faults.forget()
    made = Desk(tmp_path, clock)
    yield made
    made.outbox.leave()
    faults.forget()


def test_a_span_is_open_until_it_ends(desk: Desk) -> None:
    """Known by its id; removing one that isn't there is nothing."""
    first, second = desk.start("first"), desk.start("second")
    assert sorted(span.name for span in desk.open.now().values()) == ["first", "second"]
    assert desk.open.ids() == {span.get_span_context().span_id for span in (first, second)}
    desk.end(first)
    desk.end(first)
    assert list(desk.open.now().values()) == [second]
    desk.end(second)
    assert not desk.open.ids()


def test_a_span_that_is_never_ended_is_let_go(desk: Desk) -> None:
    """The list keeps nothing alive that the program has forgotten."""
    desk.start("forgotten")
    gc.collect()
    assert desk.open.now() == {}
    assert not desk.open.ids()


def test_spans_start_and_end_while_somebody_looks(desk: Desk) -> None:
    """On other threads, without a lock: what is found was open, and nothing is raised."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while not stop.is_set():
                desk.end(desk.start("a"))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(2_000):
        desk.open.now()
        desk.open.ids()
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert not desk.open.ids()


def test_short_spans_cost_no_write(desk: Desk) -> None:
    """Those that are seen once, or not at all."""
    for number in range(10):
        span = desk.start(str(number))
        desk.look()
        desk.end(span)
    desk.look()
    assert (desk.files, desk.shown) == ([], [])


def test_a_span_that_stays_open_is_written_down_once(desk: Desk) -> None:
    """When it is seen for the second time, and shown to people; then no more."""
    span = desk.start("long")
    desk.look()
    assert desk.written == []
    desk.look()
    assert (desk.written, desk.shown) == (["long"], [["long"]])
    [path] = desk.outbox.path.rglob("running")
    content = path.read_bytes()
    for _ in range(5):
        desk.look()
    assert path.read_bytes() == content
    assert desk.shown == [["long"]]
    desk.end(span)


def test_it_is_taken_out_when_it_ends(desk: Desk) -> None:
    """At the next look, however soon that is: were the process killed before, it would be ended once more."""
    spans = [desk.start("a"), desk.start("b")]
    desk.look()
    desk.look()
    desk.end(spans[0])
    desk.look(later=0.0)
    assert desk.written == ["b"]
    desk.end(spans[1])
    desk.look(later=0.0)
    assert "running" not in desk.files


def test_looks_that_come_too_soon_write_nothing_new(desk: Desk) -> None:
    """However often the worker comes by: one write an interval at most."""
    span = desk.start("long")
    desk.look()
    for _ in range(5):
        desk.look(later=0.01)
    assert desk.written == []
    desk.look()
    assert desk.written == ["long"]
    desk.end(span)


def test_at_the_end_of_the_process_one_look_is_enough(desk: Desk) -> None:
    """There may be no second one."""
    span = desk.start("open at exit")
    desk.look(later=0.0, at_once=True)
    assert desk.written == ["open at exit"]
    desk.end(span)


def test_handing_over_leaves_nothing_open(desk: Desk) -> None:
    """Somebody else writes down what goes on."""
    span = desk.start("long")
    desk.look()
    desk.look()
    desk.running.hand_over()
    assert desk.written == []
    desk.end(span)


def test_there_is_news_while_something_is_to_be_written(desk: Desk) -> None:
    """By which the worker knows whether it may sleep for long."""
    assert not desk.running.has_news
    span = desk.start("long")
    assert desk.running.has_news
    desk.look()
    desk.look()
    assert not desk.running.has_news
    desk.end(span)
    assert desk.running.has_news
    desk.look()
    assert not desk.running.has_news


def test_what_is_written_down_is_what_the_destination_sees(tmp_path: Path, clock: Clock) -> None:
    """Masked, and without spans that it isn't to see or that aren't sampled. Open, with what it has so far."""

    def shown(span: ReadableSpan) -> ReadableSpan | None:
        return None if span.name == "hidden" else SpanCopy(span, attributes={"masked": True})

    desk = Desk(tmp_path, clock, SpanView(shown=shown))
    recording = TracerProvider(sampler=StaticSampler(Decision.RECORD_ONLY), shutdown_on_exit=False)
    unsampled = recording.get_tracer("test").start_span("recorded and not sampled")
    assert isinstance(unsampled, Span)
    desk.open.add(unsampled)
    spans = [desk.start("hidden"), desk.start("seen", attributes={"secret": "x"})]
    desk.look()
    desk.look()
    assert desk.written == ["seen"]
    [path] = desk.outbox.path.rglob("running")
    assert b"secret" not in path.read_bytes()
    for span in (*spans, unsampled):
        desk.end(span)
    desk.look()
    assert "running" not in desk.files
    desk.outbox.leave()


def test_a_disk_that_fails_is_said_once(tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """People still see what runs, where there is a place for that."""
    faults.forget()
    (tmp_path / "outbox").touch()
    desk = Desk(tmp_path, clock)
    spans = [desk.start("a"), desk.start("b")]
    desk.look()
    desk.look()
    desk.end(spans[0])
    desk.look()
    desk.end(spans[1])
    desk.look()
    assert desk.shown == [["a", "b"]]
    assert len(warnings_in(caplog)) == 1
    faults.forget()
