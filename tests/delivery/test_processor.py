"""The queue and the worker: what is delivered, when, and what is said when it can't be."""

from __future__ import annotations

import gc
import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Tracer

from agenttrace import faults
from agenttrace.current import SUPPRESS_KEY
from agenttrace.delivery.options import DeliveryOptions
from agenttrace.delivery.processor import DeliveryProcessor
from agenttrace.delivery.sink import ACCEPTED, Answer, Verdict
from tests.delivery.sinks import MemorySink, names_in
from tests.isolation import warnings_in
from tests.servers import PATIENCE_SECONDS

NEVER = 3600.0


class Setup:
    """One processor under test on a provider of its own."""

    def __init__(self, sink: MemorySink, options: DeliveryOptions) -> None:
        self.sink = sink
        self.processor = DeliveryProcessor(sink, options)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(self.processor)
        self.tracer: Tracer = provider.get_tracer("test")

    def end_spans(self, *names: str) -> None:
        for name in names:
            self.tracer.start_span(name).end()


@pytest.fixture
def make() -> Iterator[Callable[..., Setup]]:
    """Makes processors and stops them afterwards."""
    made: list[Setup] = []
    faults.forget()

    def make_one(*answers: Answer, interval: float = NEVER, **options: Any) -> Setup:
        made.append(Setup(MemorySink(*answers), DeliveryOptions(interval=interval, durability="memory", **options)))
        return made[-1]

    yield make_one
    for setup in made:
        setup.sink.gate.set()
        setup.processor.stop(0.1)
    faults.forget()


@contextmanager
def time_limit(error: BaseException) -> Iterator[None]:
    """Ctrl-C's signal raises ``error`` instead, as a time limit's alarm does."""

    def handle(number: int, frame: object) -> None:
        raise error

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def workers() -> list[threading.Thread]:
    """The delivery threads of this process."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("agenttrace-")]


def test_no_thread_before_the_first_span(make: Callable[..., Setup]) -> None:
    """A process that traces nothing has no thread for it, and flushing and stopping start none."""
    before = workers()
    setup = make()
    assert setup.processor.force_flush()
    assert set(workers()) <= set(before)
    assert setup.processor.stop()
    assert set(workers()) <= set(before)


def test_flush_delivers_in_order_everything_that_ended_before(make: Callable[..., Setup]) -> None:
    """Without waiting for the interval."""
    setup = make()
    names = [str(number) for number in range(1_000)]
    setup.end_spans(*names)
    assert setup.processor.force_flush()
    assert setup.sink.names == names
    assert max(map(len, setup.sink.batches)) <= 512


def test_the_first_span_is_on_its_way_within_a_second() -> None:
    """The time that spans are gathered in leaves room for sending them."""
    assert DeliveryOptions().interval <= 0.5


def test_spans_go_out_by_themselves(make: Callable[..., Setup]) -> None:
    """When the interval after the first one is over."""
    setup = make(interval=0.01)
    setup.end_spans("a")
    setup.sink.wait_until_entered()
    setup.end_spans("b")
    setup.sink.wait_until_entered()
    setup.processor.shutdown()
    assert setup.sink.names == ["a", "b"]


def test_a_full_batch_does_not_wait_for_the_interval(make: Callable[..., Setup]) -> None:
    """The span that fills it wakes the worker."""
    setup = make(batch_size=10)
    setup.end_spans(*"abcdefghij")
    setup.sink.wait_until_entered()
    assert setup.processor.force_flush()
    assert setup.sink.batches[0] == list("abcdefghij")


def test_unsampled_spans_are_left_out(make: Callable[..., Setup]) -> None:
    """A sampler's decision holds, here also for processors that see the span."""
    setup = make()
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(setup.processor)
    provider.get_tracer("test").start_span("unsampled").end()
    assert setup.processor.force_flush()
    assert setup.sink.names == []


def test_the_hot_path_survives_a_span_that_is_none(
    make: Callable[..., Setup], caplog: pytest.LogCaptureFixture
) -> None:
    """What isn't a proper span is logged once and raises nothing."""
    setup = make()
    setup.processor.on_end(ReadableSpan("no context"))
    setup.processor.on_end(ReadableSpan("no context"))
    assert len(warnings_in(caplog)) == 1


def test_a_busy_destination_gets_the_batch_again(make: Callable[..., Setup], caplog: pytest.LogCaptureFixture) -> None:
    """In order, once, with one warning for the whole outage."""
    busy = Answer(Verdict.LATER, "the server is busy", retry_after=0.0)
    setup = make(busy, busy, batch_size=2)
    setup.end_spans("a", "b", "c")
    assert setup.processor.force_flush()
    assert setup.sink.names == ["a", "b", "c"]
    assert [text for text in warnings_in(caplog) if "the server is busy" in text] == warnings_in(caplog)
    assert len(warnings_in(caplog)) == 1


def test_flush_is_false_at_once_where_nobody_answers(make: Callable[..., Setup]) -> None:
    """And the spans are kept: when somebody answers, they arrive."""
    setup = make()
    setup.sink.always = Answer(Verdict.UNREACHABLE, "no server answers")
    setup.end_spans("a", "b")
    assert not setup.processor.force_flush()
    setup.sink.always = None
    assert setup.processor.force_flush()
    assert setup.sink.names == ["a", "b"]


def test_flush_is_false_when_the_time_is_up(make: Callable[..., Setup]) -> None:
    """While a destination hangs; what arrives afterwards arrives once."""
    setup = make()
    setup.sink.gate.clear()
    setup.end_spans("a")
    assert not setup.processor.force_flush(timeout_millis=1)
    setup.sink.gate.set()
    assert setup.processor.force_flush()
    assert setup.sink.names == ["a"]


def test_flush_waits_for_a_batch_that_is_on_its_way(make: Callable[..., Setup]) -> None:
    """The queue is empty then, but the batch hasn't arrived."""
    setup = make(batch_size=1)
    setup.sink.gate.clear()
    setup.end_spans("a")
    setup.sink.wait_until_entered()
    outcome: list[bool] = []
    flusher = threading.Thread(target=lambda: outcome.append(setup.processor.force_flush()))
    flusher.start()
    assert outcome == []
    setup.sink.gate.set()
    flusher.join(PATIENCE_SECONDS)
    assert outcome == [True]
    assert setup.sink.names == ["a"]


def test_a_refused_batch_is_dropped_and_said_once(make: Callable[..., Setup], caplog: pytest.LogCaptureFixture) -> None:
    """Flush is false for it, and true again afterwards."""
    refused = Answer(Verdict.REFUSED, "the server refuses the credentials")
    setup = make(refused, refused, batch_size=1)
    setup.end_spans("a", "b", "c")
    assert not setup.processor.force_flush()
    assert setup.sink.names == ["c"]
    assert setup.processor.force_flush()
    assert len(warnings_in(caplog)) == 1
    assert "refuses the credentials" in warnings_in(caplog)[0]


def test_a_batch_that_is_too_large_is_sent_in_halves(make: Callable[..., Setup]) -> None:
    """In order, until it is small enough."""
    too_large = Answer(Verdict.SPLIT, "too large")
    setup = make(too_large, too_large)
    setup.end_spans(*"abcdefgh")
    assert setup.processor.force_flush()
    assert setup.sink.names == list("abcdefgh")
    assert setup.sink.batches[0] == ["a", "b"]


def test_one_unfit_span_does_not_take_its_neighbours_along(make: Callable[..., Setup]) -> None:
    """Halving ends at the span that can't be sent; that one is given up."""
    setup = make()

    def send(payload: bytes, timeout: float) -> Answer:
        names = names_in(payload)
        if "unfit" in names:
            return Answer(Verdict.SPLIT, "unfit")
        setup.sink.batches.append(names)
        return ACCEPTED

    setup.sink.send = send  # type: ignore[method-assign]
    setup.end_spans("a", "b", "unfit", "c", "d")
    assert not setup.processor.force_flush()
    assert setup.sink.names == ["a", "b", "c", "d"]


def test_a_batch_that_a_server_always_fails_over_does_not_block_the_rest(make: Callable[..., Setup]) -> None:
    """The others get past it, and it is given up when the server has failed over it alone several times."""
    setup = make(batch_size=1)
    setup.sink.poison = "poison"
    setup.end_spans("poison", "a", "b")
    assert not setup.processor.force_flush(timeout_millis=PATIENCE_SECONDS * 1000)
    assert setup.sink.names == ["a", "b"]
    assert setup.processor.force_flush()


def test_an_outage_told_as_a_fault_of_the_server_costs_no_span(make: Callable[..., Setup]) -> None:
    """HTTP 500 for a while is no batch's fault, however often it is answered."""
    setup = make(*[Answer(Verdict.FAULTY, "the server failed")] * 8, batch_size=1)
    setup.end_spans("a", "b")
    assert setup.processor.force_flush(timeout_millis=PATIENCE_SECONDS * 1000)
    assert sorted(setup.sink.names) == ["a", "b"]


@pytest.mark.parametrize("error", [RuntimeError("secret"), KeyboardInterrupt(), SystemExit(1)])
def test_the_worker_outlives_a_sink_that_raises(
    make: Callable[..., Setup], caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    """Whatever it raises: the batch is tried again, and the error's text isn't logged."""
    setup = make()
    raised: list[BaseException] = []

    def fail_once() -> None:
        if not raised:
            raised.append(error)
            raise error

    setup.sink.during = fail_once
    setup.end_spans("a")
    assert setup.processor.force_flush()
    assert setup.sink.names == ["a"]
    assert "secret" not in caplog.text
    assert len(warnings_in(caplog)) == 1


def test_a_full_queue_drops_the_newest_and_says_so_once(
    make: Callable[..., Setup], caplog: pytest.LogCaptureFixture
) -> None:
    """What was there first is kept, flush reports the loss, and there is room again afterwards."""
    setup = make(batch_size=1, capacity=5, memory_bytes=0, overflow="drop")
    setup.sink.gate.clear()
    setup.end_spans("on its way")
    setup.sink.wait_until_entered()
    setup.end_spans(*"abcdefgh")
    setup.sink.gate.set()
    assert not setup.processor.force_flush()
    assert setup.sink.names == ["on its way", *"abcde"]
    setup.end_spans("later")
    assert setup.processor.force_flush()
    assert setup.sink.names[-1] == "later"
    assert len(warnings_in(caplog)) == 1
    assert "5 spans wait for memory" in warnings_in(caplog)[0]


def test_large_spans_fill_the_queue_by_their_bytes(make: Callable[..., Setup]) -> None:
    """A thousand of 10 kB are no more than a thousand spans, but there is room for 1 MB of them."""
    setup = make(memory_bytes=1_000_000, overflow="drop")
    setup.sink.gate.clear()
    for number in range(1_000):
        setup.tracer.start_span(f"{number}", attributes={"text": "x" * 10_000}).end()
    waiting = setup.processor._queue.spans
    assert 10_000 * len(waiting) <= 1_000_000 + 128 * 10_000
    setup.sink.gate.set()
    report = setup.processor.end_flush(setup.processor.begin_flush(PATIENCE_SECONDS))
    assert not report
    assert report.lost > 0
    assert report.sent + report.lost + report.waiting == 1_000


def test_spans_rejected_by_the_destination_make_flush_false(make: Callable[..., Setup]) -> None:
    """A partial success is no success."""
    setup = make(Answer(Verdict.ACCEPTED, "rejected spans", rejected=1))
    setup.end_spans("a", "b")
    assert not setup.processor.force_flush()
    assert setup.processor.force_flush()


def test_stopping_delivers_what_waits_and_closes(make: Callable[..., Setup], caplog: pytest.LogCaptureFixture) -> None:
    """Afterwards spans are dropped, with one word about it; a second stop does nothing."""
    setup = make()
    setup.end_spans("a", "b")
    assert setup.processor.stop()
    assert setup.sink.names == ["a", "b"]
    assert setup.sink.closed == 1
    assert setup.processor.stop()
    setup.processor._threads.join(PATIENCE_SECONDS)
    setup.end_spans("late", "later")
    assert setup.sink.names == ["a", "b"]
    assert len(warnings_in(caplog)) == 1
    assert "after shutdown()" in warnings_in(caplog)[0]


def test_stopping_gives_up_on_a_hanging_destination_with_one_warning(
    make: Callable[..., Setup], caplog: pytest.LogCaptureFixture
) -> None:
    """The warning counts what wasn't delivered."""
    setup = make(batch_size=1)
    setup.sink.gate.clear()
    setup.end_spans("a", "b", "c")
    setup.sink.wait_until_entered()
    assert not setup.processor.stop(0.01)
    assert len(warnings_in(caplog)) == 1
    assert "3 spans could not be delivered and are lost" in warnings_in(caplog)[0]


def test_stopping_says_what_an_outage_that_was_explained_has_cost(
    make: Callable[..., Setup], caplog: pytest.LogCaptureFixture
) -> None:
    """The explanation isn't repeated, but nothing is lost without a number."""
    setup = make()
    setup.sink.always = Answer(Verdict.UNREACHABLE, "no server answers at memory: is it running?")
    setup.end_spans("a")
    assert not setup.processor.force_flush()
    assert not setup.processor.stop()
    explanation, cost = warnings_in(caplog)
    assert "no server answers at memory" in explanation
    assert cost == "agenttrace: 1 span for memory could not be delivered and is lost."


@pytest.mark.parametrize(("names", "words"), [("a", "1 span could not be delivered and is"), ("abc", "3 spans could")])
def test_stopping_says_in_one_warning_what_is_wrong_and_what_it_costs(
    make: Callable[..., Setup], caplog: pytest.LogCaptureFixture, names: str, words: str
) -> None:
    """Where nothing was sent before: that spans wait until somebody answers would be untrue by then."""
    setup = make()
    setup.sink.always = Answer(Verdict.UNREACHABLE, "no server answers at memory: is it running?")
    setup.end_spans(*names)
    assert not setup.processor.stop()
    [warning] = warnings_in(caplog)
    assert f"no server answers at memory: is it running? {words}" in warning
    assert "wait in memory" not in warning


@pytest.mark.parametrize("verdict", [Verdict.UNREACHABLE, Verdict.LATER, Verdict.FAULTY])
def test_an_outage_is_explained_with_what_becomes_of_the_spans(
    make: Callable[..., Setup], caplog: pytest.LogCaptureFixture, verdict: Verdict
) -> None:
    """It is the only warning, so it says that they are lost if the program ends first."""
    setup = make(interval=0.0)
    setup.sink.always = Answer(verdict, "the server doesn't take them")
    setup.end_spans("a")
    for _ in ("the attempt that is warned of", "the next one, which comes after that"):
        setup.sink.wait_until_entered()
    [warning] = warnings_in(caplog)
    assert "The program goes on" in warning
    assert "are lost if" in warning


def test_an_outage_that_was_not_worth_a_warning_is_told_when_it_costs_spans(
    make: Callable[..., Setup], caplog: pytest.LogCaptureFixture
) -> None:
    """A destination that comes and goes is warned of once a minute, but nothing is lost without a word."""
    gone = Answer(Verdict.UNREACHABLE, "no server answers at memory: is it running?")
    setup = make()
    setup.sink.always = gone
    setup.end_spans("a")
    assert not setup.processor.force_flush()
    setup.sink.always = None
    assert setup.processor.force_flush()
    setup.sink.always = gone
    setup.end_spans("b")
    assert not setup.processor.force_flush()
    assert len(warnings_in(caplog)) == 1
    assert not setup.processor.stop()
    assert len(warnings_in(caplog)) == 2
    assert "1 span could not be delivered and is lost" in warnings_in(caplog)[1]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("time is up"), TimeoutError()])
def test_a_signal_while_the_thread_starts_does_not_start_a_second_one(
    make: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Two would send from one queue at once. What the signal raises reaches the program."""
    before = workers()
    setup = make()
    start = threading.Thread.start

    interruptions = iter([signal.SIGINT])

    def start_interrupted(thread: threading.Thread) -> None:
        start(thread)
        for number in interruptions:
            signal.raise_signal(number)

    monkeypatch.setattr(threading.Thread, "start", start_interrupted)
    with time_limit(error), pytest.raises(type(error)):
        setup.end_spans("a")
    setup.end_spans("b")
    assert setup.processor.force_flush()
    assert setup.sink.names == ["a", "b"]
    assert len(set(workers()) - set(before)) == 2


def test_spans_that_end_after_a_handover_go_to_the_successor(make: Callable[..., Setup]) -> None:
    """They started before it, and aren't lost for that."""
    old, new = make(), make()
    span = old.tracer.start_span("in flight")
    old.end_spans("before")
    old.processor.hand_over_to(new.processor.on_end)
    assert old.processor.stop()
    span.end()
    assert new.processor.force_flush()
    assert old.sink.names == ["before"]
    assert new.sink.names == ["in flight"]


def test_a_span_that_ends_in_a_finalizer_is_delivered(make: Callable[..., Setup]) -> None:
    """Garbage is collected anywhere, also while the same thread signals the worker: no lock is taken there."""
    setup = make(interval=0.0)

    class Holder:
        def __init__(self, number: int) -> None:
            self.itself = self
            self.span = setup.tracer.start_span(f"finalized {number}")

        def __del__(self) -> None:
            self.span.end()

    thresholds = gc.get_threshold()
    gc.set_threshold(5)
    try:
        for number in range(200):
            Holder(number)
            setup.end_spans(f"plain {number}")
    finally:
        gc.set_threshold(*thresholds)
    gc.collect()
    assert setup.processor.force_flush()
    assert len(setup.sink.names) == len(set(setup.sink.names)) == 400


def test_many_threads_end_spans_while_others_flush(make: Callable[..., Setup]) -> None:
    """Every span arrives once."""
    setup = make(interval=0.001, batch_size=16)

    def work(number: int) -> None:
        for index in range(50):
            setup.end_spans(f"{number}.{index}")
            if index % 10 == 0:
                setup.processor.force_flush()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert setup.processor.force_flush()
    assert sorted(setup.sink.names) == sorted(f"{number}.{index}" for number in range(16) for index in range(50))


def test_instrumentation_is_suppressed_while_delivering(make: Callable[..., Setup]) -> None:
    """Else a traced HTTP client would make spans of our own requests, for ever."""
    setup = make()
    seen: list[object] = []
    setup.sink.during = lambda: seen.extend(
        [otel_context.get_value(SUPPRESS_KEY), otel_context.get_value("suppress_instrumentation")]
    )
    setup.end_spans("a")
    assert setup.processor.force_flush()
    assert seen == [True, True]


def test_a_sink_that_flushes_does_not_wait_for_itself(make: Callable[..., Setup]) -> None:
    """It is told that nothing was flushed."""
    setup = make()
    outcome: list[bool] = []
    setup.sink.during = lambda: outcome.append(setup.processor.force_flush())
    setup.end_spans("a")
    assert setup.processor.force_flush()
    assert outcome == [False]


def test_without_threads_the_caller_delivers(make: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch) -> None:
    """As while the interpreter shuts down, from Python 3.12 on."""
    setup = make()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    setup.end_spans("a", "b")
    assert setup.processor.stop()
    assert setup.sink.names == ["a", "b"]


def test_a_signal_while_the_caller_delivers_reaches_the_program(
    make: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A time limit holds there too, and what was on its way is kept."""
    setup = make()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    setup.end_spans("a")
    caplog.clear()
    setup.sink.during = lambda: signal.raise_signal(signal.SIGINT)
    with time_limit(TimeoutError()), pytest.raises(TimeoutError):
        setup.processor.force_flush()
    setup.sink.during = None
    assert setup.processor.force_flush()
    assert setup.sink.names == ["a"]
    assert warnings_in(caplog) == []


@pytest.mark.parametrize("seconds", [math.inf, 1e300])
def test_one_may_wait_for_ever(make: Callable[..., Setup], seconds: float) -> None:
    """For longer than a lock can be told to, that is."""
    setup = make()
    setup.end_spans("a")
    assert setup.processor.force_flush(seconds * 1000)
    setup.end_spans("b")
    assert setup.processor.stop(seconds)
    assert setup.sink.names == ["a", "b"]


@pytest.mark.parametrize("seconds", [math.nan, -math.inf, -1.0, 0.0])
def test_what_is_no_time_to_wait_is_none_at_all(make: Callable[..., Setup], seconds: float) -> None:
    """Nothing is raised, and nobody waits for a destination that hangs."""
    setup = make(batch_size=1)
    setup.sink.gate.clear()
    setup.end_spans("a")
    setup.sink.wait_until_entered()
    assert not setup.processor.force_flush(seconds * 1000)
    assert not setup.processor.stop(seconds)
