"""What waits, in memory and on disk: read again where that fails, counted exactly, and kept where the disk is full."""

from __future__ import annotations

import errno
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agenttrace import faults
from agenttrace.delivery import batch as batch_module
from agenttrace.delivery import sender as sender_module
from agenttrace.delivery.batch import Batch, Tally
from agenttrace.delivery.options import DeliveryOptions
from agenttrace.delivery.queue import Request
from agenttrace.delivery.reports import Reporter
from agenttrace.delivery.sender import Sender
from agenttrace.delivery.sink import Answer, Verdict
from agenttrace.outbox import outbox as outbox_module
from agenttrace.outbox.outbox import Outbox
from agenttrace.outbox.payloads import SizeLimit
from tests.delivery.sinks import MemorySink, make_payload
from tests.isolation import warnings_in
from tests.servers import PATIENCE_SECONDS

REFUSED = Answer(Verdict.REFUSED, "the server refuses the spans")
NO_ROOM = OSError(errno.ENOSPC, "no space left on device")


class Desk:
    """A sender whose thread is the test's."""

    def __init__(self, path: Path) -> None:
        self.sink = MemorySink()
        self.tally = Tally()
        self.outbox = Outbox(path / "outbox", {}, 10**9, 10**9)
        options = DeliveryOptions(batch_size=2)
        reporter = Reporter("memory", has_outbox=True)
        limit = SizeLimit(options.batch_bytes)
        self.sender = Sender(self.sink, options, self.outbox, limit, self.tally, reporter)

    def add(self, *names: str, size: int = 0) -> None:
        """Keep these spans as one batch, and have it sent."""
        self.sender.add(self.sender.keep(make_payload(*names, attributes={"text": "x" * size})))

    def serve(self) -> None:
        """Send what waits."""
        self.sender.serve(Request(PATIENCE_SECONDS, stop=False))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A sender with an outbox."""
    faults.forget()
    made = Desk(tmp_path)
    yield made
    made.outbox.leave()
    faults.forget()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO, errno.EACCES])
def test_a_file_that_cannot_be_read_now_is_read_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    """A program that has no descriptor left has one again. Nothing is lost, and one warning says what is wrong."""
    monkeypatch.setattr(sender_module, "_CACHED_BYTES", 0)
    read_file = batch_module.read_file
    failures = iter([number, number])

    def read_later(path: Path) -> tuple[bytes, int]:
        for failure in failures:
            raise OSError(failure, "can't be read now")
        return read_file(path)

    monkeypatch.setattr(batch_module, "read_file", read_later)
    for name in "abc":
        desk.add(name)
    desk.serve()
    assert desk.sink.names == ["a", "b", "c"]
    assert (desk.tally.sent, desk.tally.lost) == (3, 0)
    assert len(warnings_in(caplog)) == 1
    assert "can't be read" in warnings_in(caplog)[0]


def test_memory_is_counted_exactly_whoever_adds_meanwhile(desk: Desk) -> None:
    """It is what bounds are held by. Batches are added by every thread that ends a span, and by signal handlers."""

    class Interrupted(Batch):
        """Where its size is asked for, a signal handler adds another."""

        @property
        def memory(self) -> int:
            for other in others:
                desk.sender.add(other)
            return super().memory

    others = iter([desk.sender.keep(make_payload(name)) for name in "abc"])
    desk.sender.add(Interrupted(make_payload("interrupted"), None))
    assert len(desk.sender.backlog) == 4
    assert desk.sender.memory == sum(batch.memory for batch in desk.sender.backlog)
    desk.serve()
    assert desk.sender.memory == 0


def test_memory_is_counted_exactly_by_many_threads(desk: Desk) -> None:
    """That take turns as often as they can."""
    payload = make_payload("a")

    def add() -> None:
        for _ in range(2_000):
            desk.sender.add(Batch(payload, None))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=add) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
    finally:
        sys.setswitchinterval(interval)
    assert desk.sender.memory == 8 * 2_000 * len(payload.data)


def test_what_is_refused_is_a_dead_letter_on_a_full_disk_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file is there already. Why it was refused may be missing, the spans are not."""
    desk.add("a", "b")

    def fail(*arguments: object, **options: object) -> int:
        raise NO_ROOM

    monkeypatch.setattr(outbox_module, "write_file", fail)
    monkeypatch.setattr(outbox_module, "write_private_text", fail)
    desk.sink.always = REFUSED
    desk.serve()
    assert [file.count for file in desk.outbox.dead_letters()] == [2]
    assert (desk.tally.refused, desk.tally.lost) == (2, 0)


def test_of_what_was_dropped_nothing_is_remembered_for_ever(desk: Desk) -> None:
    """An outage may last for weeks. What is dropped while it is on its way is done with, too."""
    desk.outbox._most_bytes = 3_000
    for number in range(50):
        desk.add(str(number), size=1_000)
        desk.outbox.make_room()
    assert desk.outbox.dropped > 0
    desk.sink.during = lambda: desk.outbox._drop(desk.outbox._all_files())
    desk.serve()
    assert desk.sender.undelivered == 0
    assert desk.sender.memory == 0
    assert len(desk.outbox._dropped_paths) == 0
    assert desk.outbox._size == desk.outbox.state().size
