"""A destination that answers before it has written: what it took last is sent again when it has died over it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agenttrace import faults
from agenttrace.delivery import sender as sender_module
from agenttrace.delivery import unconfirmed as module
from agenttrace.delivery.batch import Tally
from agenttrace.delivery.options import DeliveryOptions
from agenttrace.delivery.queue import Request
from agenttrace.delivery.reports import Reporter
from agenttrace.delivery.sender import Sender
from agenttrace.delivery.sink import ACCEPTED, Answer, Verdict
from agenttrace.outbox.outbox import Outbox
from agenttrace.outbox.payloads import SizeLimit
from tests.delivery.sinks import MemorySink, make_payload
from tests.servers import PATIENCE_SECONDS

UNREACHABLE = Answer(Verdict.UNREACHABLE, "no server answers")
BUSY = Answer(Verdict.LATER, "the server is busy", retry_after=0.0)
OPENED_ANEW = Answer(Verdict.ACCEPTED, interrupted=True)
A_WHILE = 10_000.0


class EarlySink(MemorySink):
    """Answers before it has written, as Phoenix does."""

    answers_early = True


class Clock:
    """What `time` is to the module under test."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        """The time that the test says it is."""
        return self.now


class Desk:
    """A sender whose thread is the test's, unless it is told to run."""

    def __init__(self, outbox: Path, sink: MemorySink) -> None:
        self.sink = sink
        self.tally = Tally()
        self.outbox = Outbox(outbox, {}, 10**9, 10**9)
        options = DeliveryOptions()
        reporter = Reporter("memory", has_outbox=True)
        limit = SizeLimit(options.batch_bytes)
        self.sender = Sender(sink, options, self.outbox, limit, self.tally, reporter)

    def deliver(self, *names: str) -> None:
        """Keep these spans as one batch, and send what waits."""
        self.sender.add(self.sender.keep(make_payload(*names)))
        self.serve()

    def serve(self, *, stop: bool = False) -> None:
        """Send what waits."""
        self.sender.serve(Request(PATIENCE_SECONDS, stop=stop))

    def files(self) -> list[str]:
        """The endings of what is on disk."""
        return sorted(path.suffix for path in self.outbox.path.rglob("*") if path.suffix in (".spans", ".sent"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which it is told how long ago something was."""
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Makes desks that share an outbox."""
    made: list[Desk] = []

    def make_one(*answers: Answer) -> Desk:
        made.append(Desk(tmp_path / "outbox", EarlySink(*answers)))
        return made[-1]

    faults.forget()
    yield make_one
    faults.forget()
    for desk in made:
        desk.outbox.leave()


def test_what_was_accepted_is_kept_and_not_sent_again(make: Callable[..., Desk]) -> None:
    """Until the end, when nothing is left."""
    desk = make()
    desk.deliver("a")
    desk.deliver("b")
    assert desk.files() == [".sent", ".sent"]
    assert desk.sender.undelivered == 0
    desk.serve(stop=True)
    assert desk.sink.names == ["a", "b"]
    assert desk.files() == []


def test_it_is_forgotten_after_a_while(make: Callable[..., Desk], clock: Clock) -> None:
    """The destination has had time to write it."""
    desk = make()
    desk.deliver("a")
    clock.now += A_WHILE
    desk.deliver("b")
    assert desk.files() == [".sent"]


@pytest.mark.parametrize(
    "answers", [[UNREACHABLE], [Answer(Verdict.LATER, "it broke off", interrupted=True)]], ids=["gone", "broke off"]
)
def test_a_destination_that_died_gets_it_again(make: Callable[..., Desk], answers: list[Answer]) -> None:
    """With what it didn't take; each is counted as sent once."""
    desk = make(ACCEPTED, ACCEPTED, *answers)
    for name in ("a", "b", "c"):
        desk.deliver(name)
    desk.serve()
    assert sorted(desk.sink.names) == ["a", "a", "b", "b", "c"]
    assert desk.tally.sent == 3
    assert desk.sender.undelivered == 0


def test_a_connection_that_was_opened_anew_brings_back_what_came_before(make: Callable[..., Desk]) -> None:
    """And nothing else: what was accepted over it is with the new server."""
    desk = make(ACCEPTED, ACCEPTED, OPENED_ANEW)
    for name in ("a", "b", "c"):
        desk.deliver(name)
    assert sorted(desk.sink.names) == ["a", "a", "b", "b", "c"]
    assert desk.tally.sent == 3
    assert desk.files() == [".sent"] * 3


def test_one_that_is_busy_has_not_died(make: Callable[..., Desk]) -> None:
    """Its memory is full, and what is in it is written in time."""
    desk = make(ACCEPTED, BUSY)
    desk.deliver("a")
    desk.deliver("b")
    assert desk.sink.names == ["a", "b"]


def test_a_destination_that_died_unnoticed_is_asked(make: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    """By an empty request, without a span that would have to be sent; so the old ones come when it is back."""
    monkeypatch.setattr(sender_module, "ASK_SECONDS", 0.01)
    desk = make(ACCEPTED, ACCEPTED, UNREACHABLE)
    arrived_again = threading.Event()
    desk.sink.during = lambda: arrived_again.set() if desk.sink.payloads.count(desk.sink.payloads[0]) == 2 else None
    thread = threading.Thread(target=desk.sender.run)
    thread.start()
    desk.sender.add(desk.sender.keep(make_payload("a")))
    assert arrived_again.wait(PATIENCE_SECONDS)
    desk.sender.signals.put(Request(PATIENCE_SECONDS, stop=True))
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert desk.sink.payloads[1] == desk.sink.payloads[2] == b""
    assert [name for name in desk.sink.names if name] == ["a", "a"]
    assert desk.tally.sent == 1


def test_the_end_asks_once_more(make: Callable[..., Desk], clock: Clock) -> None:
    """A program that ends after the server did leaves on disk what went with it."""
    desk = make(ACCEPTED, UNREACHABLE)
    desk.deliver("a")
    clock.now += 1.0
    desk.serve(stop=True)
    assert desk.files() == [".spans"]
    assert desk.sender.on_disk == 1
    heir = make()
    desk.outbox.leave()
    heir.serve()
    assert heir.sink.names == ["a"]


def test_one_that_answered_just_now_is_not_asked(make: Callable[..., Desk], clock: Clock) -> None:
    """An exit costs no request more."""
    desk = make()
    desk.deliver("a")
    desk.serve(stop=True)
    assert len(desk.sink.payloads) == 1


def test_one_that_answers_when_it_has_written_is_never_asked(tmp_path: Path, clock: Clock) -> None:
    """And what it took is gone from the disk."""
    desk = Desk(tmp_path / "outbox", MemorySink())
    desk.deliver("a")
    assert desk.files() == []
    clock.now += A_WHILE
    desk.serve(stop=True)
    assert len(desk.sink.payloads) == 1


def test_what_another_process_left_is_sent_again_too(make: Callable[..., Desk]) -> None:
    """Its folder stays this process's until what was in it is forgotten."""
    gone = make(UNREACHABLE)
    gone.deliver("a")
    gone.outbox.leave()
    heir, other = make(ACCEPTED, UNREACHABLE), make()
    heir.serve()
    heir.deliver("b")
    other.serve()
    assert other.sink.names == []
    heir.serve()
    assert sorted(heir.sink.names) == ["a", "a", "b"]
    heir.serve(stop=True)
    assert heir.files() == []
