"""The sender and what is on disk: whatever is answered, each span is with the destination or on disk, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenttrace import faults
from agenttrace.delivery import sender as module
from agenttrace.delivery.batch import Tally
from agenttrace.delivery.options import DeliveryOptions
from agenttrace.delivery.queue import Request
from agenttrace.delivery.reports import Reporter
from agenttrace.delivery.sender import Sender
from agenttrace.delivery.sink import ACCEPTED, Answer, Verdict
from agenttrace.outbox.files import read_file
from agenttrace.outbox.folder import stored_files
from agenttrace.outbox.outbox import Outbox
from agenttrace.outbox.payloads import Payload, SizeLimit
from tests.delivery.sinks import MemorySink, make_payload, names_in
from tests.isolation import warnings_in
from tests.servers import PATIENCE_SECONDS

UNREACHABLE = Answer(Verdict.UNREACHABLE, "no server answers")
SPLIT = Answer(Verdict.SPLIT, "too large")
REFUSED = Answer(Verdict.REFUSED, "the server refuses the spans")
FAULTY = Answer(Verdict.FAULTY, "the server failed", retry_after=0.0)


class Desk:
    """A sender whose thread is the test's.

    Args:
        path: Where its outbox is; None for none.
        answers: What the destination answers.
    """

    def __init__(self, path: Path | None, *answers: Answer, batch_size: int = 512) -> None:
        self.sink = MemorySink(*answers)
        self.tally = Tally()
        self.outbox = None if path is None else Outbox(path, {}, 10**9, 10**9)
        options = DeliveryOptions(batch_size=batch_size)
        reporter = Reporter("memory", has_outbox=path is not None)
        limit = SizeLimit(options.batch_bytes)
        self.sender = Sender(self.sink, options, self.outbox, limit, self.tally, reporter)

    def add(self, *names: str, size: int = 0) -> None:
        """Keep these spans as one batch, and have it sent."""
        self.sender.add(self.sender.keep(make_payload(*names, attributes={"text": "x" * size})))

    def serve(self, *, stop: bool = False) -> None:
        """Send what waits."""
        request = Request(PATIENCE_SECONDS, stop=stop)
        self.sender.serve(request)
        assert request.done.is_set()

    def leave(self) -> None:
        if self.outbox is not None:
            self.outbox.leave()

    def on_disk(self) -> list[str]:
        """The names of all spans on disk, waiting or refused."""
        assert self.outbox is not None
        folders = [path for path in self.outbox.path.iterdir() if path.is_dir()] if self.outbox.path.is_dir() else []
        files = [file for folder in sorted(folders) for file in stored_files(folder)]
        return [name for file in files for name in names_in(read_file(file.path)[0])]


@pytest.fixture(autouse=True)
def _forget_reports() -> Iterator[None]:
    faults.forget()
    yield
    faults.forget()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Makes desks that share an outbox."""
    made: list[Desk] = []

    def make_one(*answers: Answer, batch_size: int = 512, has_outbox: bool = True) -> Desk:
        made.append(Desk(tmp_path / "outbox" if has_outbox else None, *answers, batch_size=batch_size))
        return made[-1]

    yield make_one
    for desk in made:
        desk.leave()


def leave_behind(make: Callable[..., Desk], *batches: str) -> list[Path]:
    """What a process has left that had these batches; the files."""
    gone = make()
    for names in batches:
        gone.add(*names)
    files = [batch.file.path for batch in gone.sender.backlog if batch.file is not None]
    gone.leave()
    return files


def test_what_waits_is_sent_in_order_and_nothing_is_left(make: Callable[..., Desk], tmp_path: Path) -> None:
    """Small batches in one request."""
    desk = make()
    for name in "abcdef":
        desk.add(name)
    assert desk.on_disk() == list("abcdef")
    assert (desk.sender.undelivered, desk.sender.on_disk) == (6, 6)
    desk.serve()
    assert desk.sink.batches == [list("abcdef")]
    assert (desk.sender.undelivered, desk.sender.memory, desk.tally.sent) == (0, 0, 6)
    desk.leave()
    assert list(tmp_path.iterdir()) == []


def test_a_request_holds_no_more_spans_than_it_may(make: Callable[..., Desk]) -> None:
    """Batches stay whole."""
    desk = make(batch_size=3)
    for names in ("ab", "c", "de", "f"):
        desk.add(*names)
    desk.serve()
    assert [len(batch) for batch in desk.sink.batches] == [3, 3]


verdicts = st.lists(
    st.sampled_from([ACCEPTED, UNREACHABLE, SPLIT, REFUSED, Answer(Verdict.ACCEPTED, rejected=1)]), max_size=25
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(verdicts, st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_at_any_moment_every_span_is_with_the_destination_or_on_disk(answers: list[Answer], sizes: list[int]) -> None:
    """Whatever it answers: were the process killed in the middle of any request, none would be lost."""
    with TemporaryDirectory() as folder:
        desk = Desk(Path(folder) / "outbox", *answers, batch_size=4)
        names = [[f"{number}.{index}" for index in range(size)] for number, size in enumerate(sizes)]
        for batch in names:
            desk.add(*batch)
        everything = {name for batch in names for name in batch}

        def look() -> None:
            assert everything <= set(desk.sink.names) | set(desk.on_disk())

        desk.sink.during = look
        for _ in range(len(answers) + 1):
            desk.serve()
        look()
        assert desk.sender.undelivered == 0
        assert desk.sender.memory == 0
        assert not set(desk.sink.names) & set(desk.on_disk())
        assert len(desk.sink.names) == len(set(desk.sink.names))
        assert desk.tally.sent + desk.tally.refused == len(everything)
        assert desk.tally.lost == 0
        desk.leave()


def test_a_batch_that_is_halved_keeps_its_place(make: Callable[..., Desk]) -> None:
    """What came after it comes after its halves."""
    desk = make(SPLIT, SPLIT, batch_size=4)
    desk.add(*"rabc")
    desk.add("d")
    desk.serve()
    assert desk.sink.names == ["a", "b", "c", "r", "d"]  # a root ends last
    assert len(desk.sink.batches) > 2


def test_a_span_that_is_too_large_by_itself_is_shortened_as_far_as_it_takes(make: Callable[..., Desk]) -> None:
    """On disk, too. Where nothing is small enough for the destination, it is a dead letter."""
    desk = make(SPLIT)
    desk.add("large", size=100_000)
    desk.serve()
    assert desk.sink.names == ["large"]
    assert len(desk.sink.payloads[1]) < 60_000
    desk.sink.always = SPLIT
    desk.add("never", size=100_000)
    desk.serve()
    assert desk.tally.refused == 1
    assert desk.on_disk() == ["never"]
    assert len(desk.outbox.dead_letters()) == 1


def test_what_is_refused_is_a_dead_letter_with_the_servers_words(
    make: Callable[..., Desk], caplog: pytest.LogCaptureFixture
) -> None:
    """Counted, said once, and not sent again by itself."""
    desk = make(REFUSED, REFUSED, batch_size=2)
    for names in ("ab", "cd", "ef"):
        desk.add(*names)
    desk.serve()
    assert sorted(desk.sink.names) == ["e", "f"]
    assert [file.count for file in desk.outbox.dead_letters()] == [2, 2]
    assert (desk.tally.refused, desk.tally.lost) == (4, 0)
    [warning] = warnings_in(caplog)
    assert "refuses the spans" in warning
    assert "agenttrace send" in warning
    [reason, _] = desk.outbox.path.rglob("*.reason.txt")
    assert reason.read_text(encoding="utf-8") == "the server refuses the spans\n"
    desk.serve()
    assert len(desk.sink.payloads) == 3


def test_without_an_outbox_what_is_refused_is_lost(make: Callable[..., Desk], caplog: pytest.LogCaptureFixture) -> None:
    """And that is what is said."""
    desk = make(REFUSED, has_outbox=False)
    desk.add("a")
    desk.serve()
    assert (desk.tally.refused, desk.tally.lost) == (0, 1)
    assert "lost" in warnings_in(caplog)[0]


def test_what_a_server_fails_over_while_it_takes_others_is_a_dead_letter(make: Callable[..., Desk]) -> None:
    """It doesn't keep the rest from getting there."""
    desk = make()
    desk.sink.poison = "poison"
    desk.add("poison")
    desk.add("a")
    desk.add("b")
    desk.serve()
    assert sorted(desk.sink.names) == ["a", "b"]
    assert desk.on_disk() == ["poison"]
    assert (desk.tally.sent, desk.tally.refused, desk.tally.lost) == (2, 1, 0)


def test_a_server_that_fails_over_everything_for_a_while_gets_everything(
    make: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often: no batch is to blame as long as none gets through."""
    monkeypatch.setattr(module, "pause_after", lambda failures, wish: 0.0)
    desk = make(*[FAULTY] * 9)
    for name in "abc":
        desk.add(name)
    desk.serve()
    assert sorted(desk.sink.names) == list("abc")
    assert desk.on_disk() == []


def test_a_file_that_holds_no_spans_keeps_nothing_waiting(make: Callable[..., Desk]) -> None:
    """It can't be made smaller where the destination asks for that, so it is put aside."""
    desk = make(SPLIT)
    desk.sender.add(desk.sender.keep(Payload(b"\xff" * 10_000, 2)))
    desk.serve()
    desk.add("a")
    desk.serve()
    assert desk.sink.names == ["a"]
    assert desk.tally.refused == 2


def test_a_quota_that_may_be_a_size_limit_is_met_with_smaller_requests(make: Callable[..., Desk]) -> None:
    """Not at once, and nothing is cut or given up for it."""
    doubtful = Answer(Verdict.LATER, "the server is busy", retry_after=0.0, may_be_too_large=True)
    desk = make(*[doubtful] * 4)
    desk.add(*"abcd", size=1_000)
    desk.serve()
    assert sorted(desk.sink.names) == list("abcd")
    assert max(map(len, desk.sink.batches)) < 4


def test_what_does_not_fit_into_memory_is_read_back_from_disk(
    make: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage costs no more memory than is set aside, and the spans are the same as ever."""
    monkeypatch.setattr(module, "_CACHED_BYTES", 50_000)
    desk = make(UNREACHABLE)
    names = [str(number) for number in range(40)]
    for name in names:
        desk.add(name, size=10_000)
    assert desk.sender.memory <= 50_000
    assert sum(batch.memory for batch in desk.sender.backlog) == desk.sender.memory
    desk.serve()
    desk.serve()
    assert desk.sink.names == names
    assert {str(dict(span.attributes or {})["text"]) for span in desk.sink.spans} == {"x" * 10_000}
    assert desk.sender.memory == 0


def test_what_is_in_memory_alone_stays_there(make: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    """However much that is: it is nowhere else."""
    monkeypatch.setattr(module, "_CACHED_BYTES", 0)
    desk = make(has_outbox=False)
    desk.add("a")
    desk.serve()
    assert desk.sink.names == ["a"]


def test_what_a_process_has_left_is_sent_after_what_this_one_has(make: Callable[..., Desk], tmp_path: Path) -> None:
    """In the order in which it was written, of each process's; then their folders go."""
    leave_behind(make, "ab", "c")
    leave_behind(make, "d")
    desk = make(batch_size=2)
    desk.add("own")
    desk.serve()
    assert desk.sink.names[0] == "own"
    assert sorted(desk.sink.names) == ["a", "b", "c", "d", "own"]
    left = [name for name in desk.sink.names if name in "abc"]
    assert left == ["b", "a", "c"]  # a root ends last
    desk.serve(stop=True)
    desk.leave()
    assert list(tmp_path.iterdir()) == []


def test_what_is_left_goes_back_where_it_cannot_be_sent(make: Callable[..., Desk]) -> None:
    """Another process may have more luck."""
    leave_behind(make, "a", "b")
    unlucky = make(UNREACHABLE)
    unlucky.serve(stop=True)
    assert unlucky.sink.closed == 1
    lucky = make()
    lucky.serve()
    assert lucky.sink.names == ["a", "b"]


def test_a_file_that_is_not_whole_is_counted_and_said(
    make: Callable[..., Desk], caplog: pytest.LogCaptureFixture
) -> None:
    """As a machine leaves it that lost power. The files around it are sent, and nobody stumbles over it again."""
    files = leave_behind(make, "a", "bc", "d")
    files[1].write_bytes(files[1].read_bytes()[:-5])
    desk = make()
    desk.serve()
    assert desk.sink.names == ["a", "d"]
    assert desk.tally.lost == 2
    assert len(warnings_in(caplog)) == 1
    assert "isn't whole" in warnings_in(caplog)[0]
    assert not files[1].exists()


def test_a_file_that_another_process_has_dropped_is_no_loss_of_ours(
    make: Callable[..., Desk], caplog: pytest.LogCaptureFixture
) -> None:
    """To make room: it has counted that."""
    files = leave_behind(make, "a", "b", "c")
    desk = make(UNREACHABLE)
    desk.serve()
    files[1].unlink()
    desk.serve()
    assert desk.sink.names == ["a", "c"]
    assert desk.tally.lost == 0
    assert not [text for text in warnings_in(caplog) if "whole" in text]


def test_what_was_dropped_to_make_room_is_not_sent(make: Callable[..., Desk]) -> None:
    """It is counted as dropped, so it must not arrive as well; and it takes no memory any longer."""
    desk = make()
    for name in "abc":
        desk.add(name, size=1_000)
    desk.outbox._most_bytes = 3_000
    desk.outbox.make_room()
    assert desk.outbox.dropped == 1
    desk.serve()
    assert desk.sink.names == ["b", "c"]
    assert desk.sender.memory == 0


def test_where_the_disk_fails_the_spans_are_sent_from_memory(
    make: Callable[..., Desk], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With one word about it, that says why and what to do."""
    (tmp_path / "outbox").touch()
    desk = make()
    desk.add("a")
    desk.add("b")
    assert (desk.sender.undelivered, desk.sender.on_disk) == (2, 0)
    [warning] = warnings_in(caplog)
    assert "can't be kept on disk" in warning
    assert "AGENTTRACE_HOME" in warning
    desk.serve()
    assert desk.sink.names == ["a", "b"]


def test_a_destination_that_asks_for_a_pause_is_given_it_by_a_flush_too(make: Callable[..., Desk]) -> None:
    """As long as that takes, but no longer than the flush may: then it isn't asked at all."""
    busy = Answer(Verdict.LATER, "the server is busy", retry_after=60.0)
    desk = make(busy)
    desk.add("a")
    for _ in range(3):
        desk.sender.serve(Request(0.01, stop=False))
    assert len(desk.sink.payloads) == 1
    soon = make(Answer(Verdict.LATER, "the server is busy", retry_after=0.01))
    soon.add("b")
    soon.serve()
    assert soon.sink.names == ["b"]
    assert len(soon.sink.payloads) == 2


def test_a_request_to_stop_closes_the_connection(make: Callable[..., Desk]) -> None:
    """Also where nothing could be sent."""
    desk = make(UNREACHABLE)
    desk.add("a")
    desk.serve(stop=True)
    assert desk.sink.closed == 1
    assert desk.on_disk() == ["a"]
