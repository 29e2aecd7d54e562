"""Spans that go on ending: nobody who waits for something is forgotten over them, and nothing of them is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from agenttrace.delivery.batch import Batch
from agenttrace.delivery.encoding import SpanView
from agenttrace.delivery.queue import Request
from agenttrace.delivery.sink import Answer
from tests.delivery.setups import UNREACHABLE, MakeSetup, Setup, setups
from tests.delivery.sinks import MemorySink
from tests.isolation import warnings_in
from tests.servers import PATIENCE_SECONDS

__all__ = ["setups"]


@pytest.mark.parametrize("durability", ["memory", "batch"])
def test_what_ended_before_the_end_arrives_while_others_go_on(
    setups: MakeSetup, caplog: pytest.LogCaptureFixture, durability: str
) -> None:
    """Thirty thousand spans wait when delivery is told to stop, and a thread ends spans all the while."""
    setup = setups(durability=durability, batch_size=40_000)
    setup.end_spans(*["before"] * 30_000)
    stopped = threading.Event()

    def go_on() -> None:
        while not stopped.is_set():
            setup.end_spans("meanwhile")

    thread = threading.Thread(target=go_on)
    thread.start()
    assert setup.processor.stop(PATIENCE_SECONDS)
    stopped.set()
    thread.join(PATIENCE_SECONDS)
    assert setup.sink.names.count("before") == 30_000
    assert [text for text in warnings_in(caplog) if "after shutdown()" not in text] == []


def test_a_flush_is_served_though_the_sender_is_never_done(setups: MakeSetup) -> None:
    """A slow server: whenever it has answered, the next batch waits already."""
    setup = setups(durability="memory", interval=0.0, batch_size=1)
    sender = setup.processor._sender
    add, added = sender.add, threading.Semaphore(0)

    def add_and_tell(batch: Batch) -> None:
        add(batch)
        added.release()

    def let_another_end() -> None:
        setup.end_spans("another")
        assert added.acquire(timeout=PATIENCE_SECONDS)

    sender.add = add_and_tell  # type: ignore[method-assign]
    setup.sink.during = let_another_end
    setup.sink.gate.clear()
    setup.end_spans("first")
    assert added.acquire(timeout=PATIENCE_SECONDS)
    setup.sink.gate.set()
    setup.end_spans("before")
    request = setup.processor.begin_flush(PATIENCE_SECONDS)
    assert request is not None
    assert request.done.wait(PATIENCE_SECONDS)
    assert "before" in setup.sink.names


def test_a_flush_is_served_though_the_worker_is_never_done(setups: MakeSetup) -> None:
    """Spans end faster than they can be encoded: whenever the worker has kept some, as many wait already."""
    is_busy = True

    def shown(span: ReadableSpan) -> ReadableSpan:
        if is_busy:
            setup.end_spans("another")
        return span

    setup = setups(view=SpanView(shown=shown), durability="memory", interval=0.0, batch_size=1)
    setup.end_spans("before")
    setup.sink.wait_until_entered()
    request = setup.processor.begin_flush(PATIENCE_SECONDS)
    assert request is not None
    assert request.done.wait(PATIENCE_SECONDS)
    is_busy = False
    assert "before" in setup.sink.names


class Gathers:
    """Counts how often the worker of ``setup`` looks at the queue."""

    def __init__(self, setup: Setup) -> None:
        self.count = 0
        worker = setup.processor._worker
        gather = worker.gather

        def gather_and_count(request: Request | None = None, **options: bool) -> None:
            self.count += 1
            gather(request, **options)

        worker.gather = gather_and_count  # type: ignore[method-assign]


def test_where_memory_is_full_and_nobody_answers_the_worker_rests(setups: MakeSetup) -> None:
    """However many spans have ended meanwhile. A flush is answered, and one delivers all when somebody is there."""
    setup = setups(durability="memory", interval=0.0, batch_size=1, memory_bytes=0)
    gathers = Gathers(setup)
    setup.sink.always = UNREACHABLE
    setup.end_spans("0")
    setup.sink.wait_until_entered()
    names = [str(number) for number in range(1, 301)]
    setup.end_spans(*names)
    for _ in range(2):
        setup.sink.wait_until_entered()
    assert gathers.count < 20
    request = setup.processor.begin_flush(PATIENCE_SECONDS)
    assert request is not None
    assert request.done.wait(PATIENCE_SECONDS)
    assert not setup.processor.end_flush(request)
    setup.sink.always = None
    assert setup.flush()
    assert setup.sink.names == ["0", *names]


class Alone(MemorySink):
    """A sink that tells whether somebody came in while another one was there."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__(*answers)
        self._is_taken = threading.Lock()
        self.met = 0

    def send(self, payload: bytes, timeout: float) -> Answer:
        if not self._is_taken.acquire(blocking=False):
            self.met += 1
            return UNREACHABLE
        try:
            return super().send(payload, timeout)
        finally:
            self._is_taken.release()


ASKS: list[Callable[[Setup], object]] = [
    lambda setup: setup.processor.force_flush(10),
    lambda setup: setup.processor.stop(0.01),
    lambda setup: setup.end_spans("late"),
]


@pytest.mark.parametrize("durability", ["memory", "batch"])
def test_a_destination_that_hangs_at_the_end_is_never_asked_by_two(setups: MakeSetup, durability: str) -> None:
    """Whatever the program does after it has given up waiting for it: the sender is in the middle of it still."""
    sink = Alone()
    setup = setups(sink, durability=durability, interval=0.0, batch_size=1)
    sink.gate.clear()
    setup.end_spans("a", "b", "c")
    sink.wait_until_entered()
    setup.processor.stop(0.01)
    for ask in ASKS * 2:
        ask(setup)
    assert sink.met == 0
    sink.gate.set()
    setup.processor._threads.join(PATIENCE_SECONDS)
    assert sink.met == 0
    assert len(sink.names) == len(set(sink.names))
