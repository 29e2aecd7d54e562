"""What is on disk when: before a span's end returns, before a flush says so, before the program is gone."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from agenttrace import faults
from agenttrace.delivery.copies import SpanCopy
from agenttrace.delivery.encoding import SpanView
from agenttrace.delivery.flush_report import FlushReport
from agenttrace.delivery.options import DeliveryOptions
from agenttrace.delivery.processor import DeliveryProcessor
from agenttrace.delivery.queue import Request
from agenttrace.delivery.sink import Answer, Verdict
from agenttrace.outbox.files import read_file
from agenttrace.outbox.folder import stored_files
from agenttrace.outbox.outbox import Outbox
from agenttrace.outbox.running import RunningLog, open_spans_in
from tests.delivery.sinks import MemorySink, names_in
from tests.isolation import warnings_in
from tests.servers import PATIENCE_SECONDS

NEVER = 3600.0
UNREACHABLE = Answer(Verdict.UNREACHABLE, "no server answers")


class Setup:
    """One processor with an outbox, on a provider of its own."""

    def __init__(self, path: Path, view: SpanView | None, options: DeliveryOptions) -> None:
        self.sink = MemorySink()
        self.outbox = Outbox(path, {}, options.outbox_bytes, options.outbox_seconds)
        self.processor = DeliveryProcessor(self.sink, options, view, self.outbox)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(self.processor)
        self.tracer = provider.get_tracer("test")

    def end_spans(self, *names: str) -> None:
        for name in names:
            self.tracer.start_span(name).end()

    @property
    def on_disk(self) -> list[str]:
        """The names of all spans on disk, in order."""
        path = self.outbox.path
        folders = sorted(folder for folder in path.iterdir() if folder.is_dir()) if path.is_dir() else []
        files = [file for folder in folders for file in stored_files(folder)]
        return [name for file in files for name in names_in(read_file(file.path)[0])]

    @property
    def open_on_disk(self) -> list[str]:
        """The names of the spans that are open by what is on disk."""
        logs = [open_spans_in(path) for path in self.outbox.path.rglob("running")]
        return [name for log in logs for data in log for name in names_in(data)]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Setup]]:
    """Makes processors that share an outbox, and stops them afterwards."""
    made: list[Setup] = []
    faults.forget()

    def make_one(view: SpanView | None = None, *, interval: float = NEVER, **options: Any) -> Setup:
        made.append(Setup(tmp_path / "outbox", view, DeliveryOptions(interval=interval, **options)))
        return made[-1]

    yield make_one
    for setup in made:
        setup.sink.gate.set()
        setup.processor.stop(PATIENCE_SECONDS)
    faults.forget()


def test_flush_is_true_when_everything_is_on_disk(make: Callable[..., Setup]) -> None:
    """Though nobody answers; the report says where the spans are, and they are sent when somebody does."""
    setup = make()
    setup.sink.always = UNREACHABLE
    setup.end_spans("a", "b")
    report = setup.processor.end_flush(setup.processor.begin_flush(PATIENCE_SECONDS))
    assert report
    assert (report.sent, report.on_disk, report.waiting) == (0, 2, 0)
    assert setup.on_disk == ["a", "b"]
    setup.sink.always = None
    setup.end_spans("c")
    assert setup.processor.end_flush(setup.processor.begin_flush(PATIENCE_SECONDS)).sent == 3
    assert setup.sink.names == ["a", "b", "c"]
    assert setup.on_disk == []


def test_a_destination_that_hangs_keeps_nothing_from_the_disk(make: Callable[..., Setup]) -> None:
    """Spans go on being written while the sender waits for it."""
    setup = make(interval=0.0)
    setup.sink.gate.clear()
    setup.end_spans("a")
    setup.sink.wait_until_entered()
    setup.end_spans("b", "c")
    request = Request(PATIENCE_SECONDS, stop=False)
    setup.processor._queue.signals.put(request)
    assert request.kept.wait(PATIENCE_SECONDS)
    assert setup.on_disk == ["a", "b", "c"]
    assert setup.sink.names == []


@pytest.mark.parametrize("durability", ["write", "sync"])
def test_a_span_is_on_disk_before_its_end_returns(
    make: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch, durability: str
) -> None:
    """Each by itself, in order; with "sync" the disk itself was waited for, with the file and with its name."""
    synced: list[int] = []
    fsync = os.fsync

    def sync(descriptor: int) -> None:
        synced.append(descriptor)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    setup = make(durability=durability)
    setup.sink.gate.clear()
    for number, name in enumerate("abc"):
        setup.end_spans(name)
        assert setup.on_disk == list("abc")[: number + 1]
    assert len(synced) == (2 * 3 if durability == "sync" else 0)
    setup.sink.gate.set()
    assert setup.processor.force_flush()
    assert setup.sink.names == ["a", "b", "c"]
    assert setup.on_disk == []


def test_spans_that_end_at_once_on_many_threads_are_on_disk_before_that(make: Callable[..., Setup]) -> None:
    """None waits for another, none is written twice."""
    setup = make(durability="write")

    def work(number: int) -> None:
        setup.end_spans(*(f"{number}.{index}" for index in range(25)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert setup.processor.force_flush()
    assert sorted(setup.sink.names) == sorted(f"{number}.{index}" for number in range(8) for index in range(25))


def test_with_durability_memory_nothing_is_on_disk(make: Callable[..., Setup]) -> None:
    """Whatever outbox there is; flush is false then where nobody answers."""
    setup = make(durability="memory")
    setup.sink.always = UNREACHABLE
    setup.end_spans("a")
    report = setup.processor.end_flush(setup.processor.begin_flush(PATIENCE_SECONDS))
    assert not report
    assert report.waiting == 1
    assert not setup.outbox.path.exists()


def test_a_burst_goes_to_disk_while_the_destination_hangs(make: Callable[..., Setup]) -> None:
    """A queue that is full makes the program wait for the disk, and not for the destination; nothing is dropped."""
    setup = make(overflow="block", capacity=16, batch_size=4, interval=0.0)
    setup.sink.gate.clear()
    names = [str(number) for number in range(1_000)]
    setup.end_spans(*names)
    assert setup.sink.names == []
    setup.sink.gate.set()
    report = setup.processor.end_flush(setup.processor.begin_flush(PATIENCE_SECONDS))
    assert (report.sent, report.lost) == (1_000, 0)
    assert setup.sink.names == names


def test_a_program_that_blocks_for_room_loses_nothing(make: Callable[..., Setup]) -> None:
    """Where nothing can be on disk, it waits for the destination."""
    setup = make(durability="memory", overflow="block", capacity=5, batch_size=1, memory_bytes=0)
    setup.sink.gate.clear()
    names = [str(number) for number in range(50)]
    program = threading.Thread(target=setup.end_spans, args=names)
    program.start()
    setup.sink.wait_until_entered()
    assert program.is_alive()
    setup.sink.gate.set()
    program.join(PATIENCE_SECONDS)
    assert setup.processor.force_flush()
    assert setup.sink.names == names


@pytest.mark.parametrize("options", [{"overflow": "drop"}, {"overflow": "spill", "overflow_timeout": 0.01}])
def test_a_program_that_does_not_wait_for_ever_drops_and_counts(
    make: Callable[..., Setup], caplog: pytest.LogCaptureFixture, options: dict[str, Any]
) -> None:
    """The newest go, one warning says so, and the report tells how many."""
    setup = make(durability="memory", capacity=5, batch_size=1, memory_bytes=0, **options)
    setup.sink.gate.clear()
    setup.end_spans("on its way")
    setup.sink.wait_until_entered()
    setup.end_spans(*"abcdefgh")
    setup.sink.gate.set()
    report = FlushReport(waiting=1)
    while report.waiting:  # what is in the queue has to wait until there is room behind it
        flushed = setup.processor.end_flush(setup.processor.begin_flush(PATIENCE_SECONDS))
        report = replace(report + flushed, waiting=flushed.waiting)
    assert report.sent == len(setup.sink.names)
    assert report.lost == 9 - len(setup.sink.names)
    assert report.lost > 0
    assert setup.sink.names == ["on its way", *"abcdefgh"][: len(setup.sink.names)]
    assert len(warnings_in(caplog)) == 1


def test_the_end_of_the_program_leaves_on_disk_what_could_not_be_sent(
    make: Callable[..., Setup], caplog: pytest.LogCaptureFixture
) -> None:
    """That is safe, and one line says where it is. The next process sends it."""
    setup = make()
    setup.sink.always = UNREACHABLE
    setup.end_spans("a", "b")
    assert setup.processor.stop(PATIENCE_SECONDS)
    [warning] = warnings_in(caplog)
    assert "2 spans are on disk" in warning
    following = make()
    following.processor.begin()
    assert following.processor.force_flush()
    assert following.sink.names == ["a", "b"]


def test_when_everything_is_delivered_no_folder_is_left(make: Callable[..., Setup], tmp_path: Path) -> None:
    """Nor where there was nothing to deliver."""
    setup, idle = make(), make()
    setup.end_spans("a", "b")
    assert setup.processor.stop(PATIENCE_SECONDS)
    assert idle.processor.stop(PATIENCE_SECONDS)
    assert setup.sink.names == ["a", "b"]
    assert list(tmp_path.iterdir()) == []


def exit_of(setup: Setup) -> None:
    """What happens to ``setup`` when the program ends."""
    setup.processor.end_stop(setup.processor.begin_stop(Request(PATIENCE_SECONDS, stop=True, is_exit=True)))


def test_a_span_that_ends_after_the_exit_is_kept_on_disk(
    make: Callable[..., Setup], caplog: pytest.LogCaptureFixture
) -> None:
    """Where it can't be sent any more. It isn't open any longer by what is on disk, and its folder stays locked."""
    setup, other = make(), make()
    setup.sink.always = UNREACHABLE
    late, never = setup.tracer.start_span("late"), setup.tracer.start_span("never ends")
    exit_of(setup)
    assert sorted(setup.open_on_disk) == ["late", "never ends"]
    late.end()
    assert setup.on_disk == ["late"]
    assert setup.open_on_disk == ["never ends"]
    assert "1 span is on disk" in warnings_in(caplog)[-1]
    assert other.outbox.take_over() is None
    setup.outbox.leave()  # as the end of the process does
    other.processor.begin()
    assert other.processor.force_flush()
    assert sorted(span.name for span in other.sink.spans if not span.status.is_ok) == ["never ends"]
    assert sorted(other.sink.names) == ["late", "never ends"]
    never.end()


def test_a_span_that_ends_after_the_exit_is_sent_where_it_can_be(make: Callable[..., Setup], tmp_path: Path) -> None:
    """There is time left, and nothing is left on disk."""
    setup = make()
    setup.end_spans("before")
    late = setup.tracer.start_span("late")
    exit_of(setup)
    late.end()
    assert setup.sink.names == ["before", "late"]
    assert list(tmp_path.iterdir()) == []


def test_a_span_that_stays_open_is_on_disk_meanwhile(make: Callable[..., Setup]) -> None:
    """As the destination sees it; and no longer when it has ended."""

    def masked(span: Any) -> SpanCopy:
        return SpanCopy(span, name=f"masked {span.name}")

    setup = make(SpanView(shown=masked), interval=0.0)
    seen = threading.Event()
    setup.sink.show_running = lambda payload: seen.set()  # type: ignore[attr-defined]
    setup.processor.after_fork()  # which looks at what the sink can do once more
    span = setup.tracer.start_span("long")
    assert seen.wait(PATIENCE_SECONDS)
    assert setup.open_on_disk == ["masked long"]
    span.end()
    assert setup.processor.stop(PATIENCE_SECONDS)
    assert setup.sink.names == ["masked long"]
    assert setup.open_on_disk == []


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Released each time that something is written to the log of open spans."""
    released = threading.Semaphore(0)
    note = RunningLog.note

    def note_and_tell(log: RunningLog, opened: Mapping[bytes, bytes], closed: Sequence[bytes]) -> None:
        note(log, opened, closed)
        released.release()

    monkeypatch.setattr(RunningLog, "note", note_and_tell)
    return released


@pytest.mark.parametrize("durability", ["write", "sync"])
def test_a_span_that_was_open_for_long_is_taken_out_of_the_log_when_it_ends(
    make: Callable[..., Setup], noted: threading.Semaphore, durability: str
) -> None:
    """Though it is on disk by then, and no other span starts: else a process that is killed would end it once more."""
    setup = make(durability=durability, interval=0.0)
    setup.sink.gate.clear()
    span = setup.tracer.start_span("long")
    assert noted.acquire(timeout=PATIENCE_SECONDS)
    assert setup.open_on_disk == ["long"]
    span.end()
    assert setup.on_disk == ["long"]
    assert noted.acquire(timeout=PATIENCE_SECONDS)
    assert setup.open_on_disk == []
    assert setup.on_disk == ["long"]


def test_what_is_written_at_once_is_on_the_disk_itself_soon(
    make: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch, noted: threading.Semaphore
) -> None:
    """Within an interval, by the worker, though no other span starts: the program that ends one doesn't wait for it."""
    callers: SimpleQueue[str] = SimpleQueue()
    fsync = os.fsync

    def sync(descriptor: int) -> None:
        fsync(descriptor)
        callers.put(threading.current_thread().name)

    monkeypatch.setattr(os, "fsync", sync)
    setup = make(durability="write", interval=0.0)
    setup.sink.gate.clear()
    span = setup.tracer.start_span("long")
    assert noted.acquire(timeout=PATIENCE_SECONDS)
    assert callers.empty()
    span.end()
    assert {callers.get(timeout=PATIENCE_SECONDS) for _ in ("file", "folder")} == {"agenttrace-worker"}


def test_a_forked_child_does_not_send_what_its_parent_has_open(make: Callable[..., Setup]) -> None:
    """Both have a copy of the span, and both may end it; the child's own spans are sent."""
    setup = make()
    inherited = setup.tracer.start_span("parent's")
    setup.processor.after_fork()
    own = setup.tracer.start_span("child's")
    inherited.end()
    own.end()
    assert setup.processor.force_flush()
    assert setup.sink.names == ["child's"]
    assert setup.sink.forgotten == 1
