"""A destination's outbox: what is kept, who takes it over, what has to go, and that nothing is left behind."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from agenttrace.outbox.about import ABOUT_NAME
from agenttrace.outbox.files import frame, read_file
from agenttrace.outbox.folder import SENT_ENDING, ProcessFolder, StoredFile, make_folder
from agenttrace.outbox.outbox import DEAD_NAME, Outbox, OutboxState
from tests.delivery.sinks import make_payload, names_in
from tests.outbox.holders import Holder, make_outbox_code, posix

ABOUT = {"kind": "phoenix", "address": "http://localhost:6006/v1/traces", "project": "weather"}
PLENTY = 10**9


def make(path: Path, most_bytes: int = PLENTY, most_seconds: float = PLENTY) -> Outbox:
    return Outbox(path / "outbox" / "server", ABOUT, most_bytes, most_seconds)


def names_at(files: list[StoredFile]) -> list[str]:
    return [name for file in files for name in names_in(read_file(file.path)[0])]


def take_all(outbox: Outbox) -> list[str]:
    """The names of all spans that can be taken over, as somebody who sends and removes them."""
    names = []
    while (found := outbox.take_over()) is not None:
        folder, files = found
        names += names_at(files)
        for file in files:
            outbox.remove(file)
        folder.leave()
    return names


def test_nothing_is_made_before_there_is_something_to_keep(tmp_path: Path) -> None:
    """Nor by looking around, nor by leaving."""
    outbox = make(tmp_path)
    outbox.look_around()
    assert outbox.take_over() is None
    assert outbox.dead_letters() == []
    assert outbox.state() == OutboxState(waiting=0, dead=0, size=0)
    outbox.leave()
    assert list(tmp_path.iterdir()) == []


def test_what_is_kept_is_there_until_it_is_removed(tmp_path: Path) -> None:
    """Then nothing is left of it, not even a folder."""
    outbox = make(tmp_path)
    files = [outbox.keep(make_payload(name), through=through) for name, through in (("a", False), ("b", True))]
    assert names_at(files) == ["a", "b"]
    assert outbox.state() == OutboxState(waiting=2, dead=0, size=sum(file.size for file in files))
    outbox.write_through(files[:1])
    for file in files:
        outbox.remove(file)
        outbox.remove(file)
    outbox.leave()
    assert list((tmp_path / "outbox").iterdir()) == []


def test_what_is_left_is_for_the_next_process(tmp_path: Path) -> None:
    """An outbox that was left can be used again, too."""
    first, second = make(tmp_path), make(tmp_path)
    first.keep(make_payload("a"))
    assert second.take_over() is None
    first.leave()
    first.keep(make_payload("b"))
    assert take_all(second) == ["a"]
    assert second.take_over() is None
    first.leave()
    assert take_all(second) == ["b"]
    second.leave()
    assert list((tmp_path / "outbox").iterdir()) == []


def test_at_an_exit_what_is_left_stays_locked_until_the_process_is_gone(tmp_path: Path) -> None:
    """A span that ends still is written beside it. Where nothing is left, nothing stays."""
    full, empty, other = make(tmp_path), make(tmp_path), make(tmp_path)
    full.keep(make_payload("a"))
    empty.remove(empty.keep(make_payload("b")))
    full.leave(is_exit=True)
    empty.leave(is_exit=True)
    assert other.take_over() is None
    late = full.keep(make_payload("late"))
    assert [path for path in full.path.iterdir() if path.is_dir()] == [late.path.parent]
    full.leave()
    assert take_all(other) == ["a", "late"]


@posix
def test_only_the_user_may_read_it(tmp_path: Path) -> None:
    """Every file 0600, every folder 0700, the dead letters and their reasons among them."""
    outbox = make(tmp_path)
    outbox.keep(make_payload("a"))
    outbox.refuse(make_payload("b"), "the server refuses them")
    found = [*(tmp_path / "outbox").rglob("*"), tmp_path / "outbox"]
    assert len([path for path in found if path.is_file()]) == 5  # with the lock and about.json
    assert {stat.S_IMODE(path.stat().st_mode) for path in found if path.is_file()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in found if path.is_dir()} == {0o700}
    outbox.leave()


def test_it_says_whose_it_is(tmp_path: Path) -> None:
    """For people who find it, and for `agenttrace send`."""
    outbox = make(tmp_path)
    outbox.keep(make_payload("a"))
    assert json.loads((outbox.path / ABOUT_NAME).read_text(encoding="utf-8")) == ABOUT
    outbox.leave()


def test_only_what_a_process_has_left_that_is_gone_is_taken_over(tmp_path: Path) -> None:
    """Killed by SIGKILL, with no time to say so. Everything that it had kept is there, in order."""
    outbox = make(tmp_path)
    with Holder(outbox.path, make_outbox_code("a", "b", "c")) as gone, Holder(outbox.path, make_outbox_code("d")):
        assert outbox.take_over() is None
        gone.kill()
        assert take_all(outbox) == ["a", "b", "c"]
        assert outbox.take_over() is None
    assert take_all(outbox) == ["d"]


TAKES = """
outbox = Outbox(path, {}, 10**9, 10**9)
"""
TAKES_ALL = """
from tests.delivery.sinks import names_in
from agenttrace.outbox.about import ABOUT_NAME
from agenttrace.outbox.files import read_file
while (found := outbox.take_over()) is not None:
    folder, files = found
    for file in files:
        print(*names_in(read_file(file.path)[0]))
        outbox.remove(file)
    folder.leave()
"""


def test_two_processes_take_nothing_twice(tmp_path: Path) -> None:
    """Though they start at the same moment, and each takes what it can get."""
    outbox = make(tmp_path)
    names = [f"{number}" for number in range(60)]
    for name in names:
        one = make(tmp_path)
        one.keep(make_payload(name))
        one.leave()
    takers = [Holder(outbox.path, TAKES, TAKES_ALL) for _ in range(3)]
    said: list[list[str]] = []
    threads = [threading.Thread(target=lambda taker=taker: said.append(taker.finish())) for taker in takers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for taker in takers:
        taker.__exit__(None, None, None)
    assert sorted(name for names in said for name in names) == sorted(names)
    assert outbox.take_over() is None


def test_two_threads_take_nothing_twice(tmp_path: Path) -> None:
    """As where a process registers a destination twice."""
    names = [f"{number}" for number in range(60)]
    for name in names:
        one = make(tmp_path)
        one.keep(make_payload(name))
        one.leave()
    taken: list[str] = []
    threads = [threading.Thread(target=lambda: taken.extend(take_all(make(tmp_path)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(names)


def test_many_threads_keep_in_one_folder(tmp_path: Path) -> None:
    """The first of them makes it; none writes over another's file."""
    outbox = make(tmp_path)
    barrier = threading.Barrier(8)

    def keep(number: int) -> None:
        barrier.wait()
        for index in range(20):
            outbox.keep(make_payload(f"{number}.{index}"))

    threads = [threading.Thread(target=keep, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outbox.state().waiting == 160
    assert len([path for path in outbox.path.iterdir() if path.is_dir()]) == 1
    outbox.leave()
    assert sorted(take_all(outbox)) == sorted(f"{number}.{index}" for number in range(8) for index in range(20))


def test_tidying_removes_nothing_that_is_in_use(tmp_path: Path) -> None:
    """Nor what another thread is making at that moment, which is about to write to it."""
    stop = threading.Event()
    outboxes = [make(tmp_path)]

    def tidy() -> None:
        while not stop.is_set():
            outboxes[-1].tidy()

    tidier = threading.Thread(target=tidy)
    tidier.start()
    try:
        for number in range(200):
            outboxes.append(make(tmp_path))
            file = outboxes[-1].keep(make_payload(str(number)))
            assert names_at([file]) == [str(number)]
            outboxes[-1].remove(file)
            outboxes[-1].leave()
    finally:
        stop.set()
        tidier.join()
    outboxes[-1].tidy()
    assert list((tmp_path / "outbox").iterdir()) == []


MANY_TIMES = """
for number in range(150):
    outbox = Outbox(path, {"project": "p"}, 10**9, 10**9)
    file = outbox.keep(make_payload(str(number)))
    assert file.path.exists()
    if number < 149:
        outbox.remove(file)
        outbox.leave()
"""


def test_processes_that_come_and_go_do_not_take_the_folder_from_each_other(tmp_path: Path) -> None:
    """One that leaves removes what is empty; another one may be about to write into it."""
    path = tmp_path / "outbox" / "server"
    holders = [Holder(path, "", MANY_TIMES) for _ in range(2)]
    threads = [threading.Thread(target=holder.finish) for holder in holders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [holder.exit_code for holder in holders] == [0, 0]
    for holder in holders:
        holder.__exit__(None, None, None)
    assert (path / ABOUT_NAME).exists()
    assert take_all(make(tmp_path)) == ["149", "149"]


def test_a_process_that_makes_its_folder_is_not_taken_for_one_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder is there for a moment before its lock is; another process may look just then."""
    outbox, other = make(tmp_path), make(tmp_path)
    really = Path.mkdir
    looks = iter([1])

    def make_and_be_seen(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        really(path, mode, parents, exist_ok)
        if path.parent == outbox.path:
            for _ in looks:
                assert other.take_over() is None

    monkeypatch.setattr(Path, "mkdir", make_and_be_seen)
    file = outbox.keep(make_payload("a"))
    assert other.take_over() is None
    assert names_at([file]) == ["a"]
    outbox.leave()
    assert take_all(other) == ["a"]


def test_a_folder_that_another_process_removes_while_it_is_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was there when it was to be made, and not when it was looked at."""
    outbox = make(tmp_path)
    make_folder(outbox.path)
    mkdir = os.mkdir
    removals = iter([outbox.path])

    def mkdir_too_late(path: str | Path, mode: int = 0o777) -> None:
        try:
            mkdir(path, mode)
        except FileExistsError:
            if Path(path) == outbox.path:
                for removed in removals:
                    removed.rmdir()
            raise

    monkeypatch.setattr(os, "mkdir", mkdir_too_late)
    assert names_at([outbox.keep(make_payload("a"))]) == ["a"]
    assert next(removals, None) is None
    outbox.leave()


def test_what_a_killed_process_left_open_is_ended_by_who_takes_it_over(tmp_path: Path) -> None:
    """And goes with its files; once."""
    outbox = make(tmp_path)
    opens = (
        "from agenttrace.outbox.payloads import span_ids\n"
        "payload = make_payload('root')\n"
        "outbox.running.note({b''.join(next(span_ids(payload.data))): payload.data}, [])"
    )
    with Holder(outbox.path, f"{make_outbox_code('child')}\n{opens}") as holder:
        holder.kill()
    assert sorted(take_all(outbox)) == ["child", "root"]
    assert take_all(outbox) == []
    outbox.leave()
    assert list((tmp_path / "outbox").iterdir()) == []


def test_the_oldest_go_when_there_is_no_room(tmp_path: Path) -> None:
    """Whosever they are, and counted; what is newest stays."""
    size = make(tmp_path / "x").keep(make_payload("00")).size
    left = make(tmp_path)
    left.keep(make_payload("00"))
    left.leave()
    outbox = make(tmp_path, most_bytes=10 * size)
    names = [f"{number:02}" for number in range(1, 26)]
    files = [outbox.keep(make_payload(name)) for name in names]
    kept = [file for file in files if file.path.exists()]
    assert outbox.state().size <= 10 * size
    assert names_at(kept) == names[-len(kept) :]
    assert len(kept) >= 8
    assert outbox.dropped == 26 - len(kept)
    assert [outbox.has_dropped(file) for file in files] == [True] * (25 - len(kept)) + [False] * len(kept)
    assert outbox.take_over() is None
    outbox.leave()


def test_what_is_removed_makes_room(tmp_path: Path) -> None:
    """Where all is delivered, any number goes through."""
    outbox = make(tmp_path)
    file = outbox.keep(make_payload("a"))
    outbox.remove(file)
    small = make(tmp_path, most_bytes=2 * file.size)
    for _ in range(20):
        small.remove(small.keep(make_payload("a")))
    assert small.dropped == 0
    outbox.leave()
    small.leave()


def test_what_was_sent_and_is_kept_for_a_while_takes_room_too(tmp_path: Path) -> None:
    """It is on the same disk. It can't be dropped, so what waits has less room."""
    size = make(tmp_path / "x").keep(make_payload("0")).size
    outbox = make(tmp_path, most_bytes=3 * size)
    for name in "ab":
        path = outbox.keep(make_payload(name)).path
        path.rename(path.with_suffix(SENT_ENDING))
    outbox.look_around()
    older, newer = outbox.keep(make_payload("c")), outbox.keep(make_payload("d"))
    assert (older.path.exists(), newer.path.exists()) == (False, True)
    assert outbox.dropped == 1
    assert len(list(outbox.path.rglob(f"*{SENT_ENDING}"))) == 2


def test_the_newest_is_not_dropped_to_make_room(tmp_path: Path) -> None:
    """However little room there is: it would be dropped for itself."""
    outbox = make(tmp_path, most_bytes=1)
    files = [outbox.keep(make_payload(name)) for name in "abc"]
    assert [file.path.exists() for file in files] == [False, False, True]
    assert outbox.dropped == 2
    outbox.leave()


def test_where_the_destination_takes_what_it_gets_nothing_is_dropped(tmp_path: Path) -> None:
    """The bound is passed for a moment then; who writes is to wait."""
    outbox = make(tmp_path, most_bytes=1)
    files = [outbox.keep(make_payload(name), may_drop=False) for name in "abc"]
    assert outbox.is_full
    assert names_at(files) == ["a", "b", "c"]
    for file in files:
        outbox.remove(file)
    assert not outbox.is_full
    assert outbox.dropped == 0
    outbox.leave()


NO_PROTOBUF = b"\xff" * 40


@pytest.mark.parametrize("name", ["running", "000000000002-1.spans"])
def test_what_is_no_protobuf_keeps_nobody_from_the_rest(tmp_path: Path, name: str) -> None:
    """Somebody else's version wrote it, or a disk that fails. What lies beside it, and after it, is sent."""
    with Holder(tmp_path, make_outbox_code("a")) as holder:
        holder.kill()
    with Holder(tmp_path, make_outbox_code("b")) as holder:
        holder.kill()
    [first, _] = sorted(path for path in tmp_path.iterdir() if path.is_dir())
    running = frame(make_payload("open").data, 1)
    (first / "running").write_bytes(running)
    (first / name).write_bytes(frame(NO_PROTOBUF, 1) + (running if name == "running" else b""))
    outbox = Outbox(tmp_path, {}, PLENTY, PLENTY)
    taken = []
    while (found := outbox.take_over()) is not None:
        folder, files = found
        for file in files:
            taken.append(read_file(file.path)[0])
            outbox.remove(file)
        folder.leave()
    assert sorted(name for data in taken if data != NO_PROTOBUF for name in names_in(data)) == ["a", "b", "open"]
    assert (NO_PROTOBUF in taken) == (name != "running")


def test_what_fails_while_a_folder_is_taken_over_does_not_keep_it_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process, or a later attempt, may get further."""
    left = make(tmp_path)
    left.keep(make_payload("a"))
    left.leave()

    def fail(folder: ProcessFolder) -> None:
        raise MemoryError

    outbox = make(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(ProcessFolder, "end_running", fail)
        with pytest.raises(MemoryError):
            outbox.take_over()
    assert take_all(outbox) == ["a"]


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    """When somebody looks; dead letters too, with their reasons."""
    outbox = make(tmp_path, most_seconds=3_600)
    old, new = outbox.keep(make_payload("old")), outbox.keep(make_payload("new"))
    outbox.refuse(make_payload("dead", "dead as well"), "refused")
    [letter] = outbox.dead_letters()
    long_ago = time.time() - 4_000
    for file in (old, letter):
        os.utime(file.path, (long_ago, long_ago))
    outbox.look_around()
    assert (old.path.exists(), new.path.exists()) == (False, True)
    assert list((outbox.path / DEAD_NAME).iterdir()) == []
    assert outbox.dropped == 3
    outbox.leave()


def test_dead_letters_are_kept_with_the_reason(tmp_path: Path) -> None:
    """The oldest first, until somebody buries them; nobody takes them over by himself."""
    outbox = make(tmp_path)
    outbox.refuse(make_payload("a"), "the server refuses the credentials")
    outbox.refuse(make_payload("b", "c"), "no")
    assert names_at(outbox.dead_letters()) == ["a", "c", "b"]
    assert outbox.state().dead == 3
    reasons = sorted((outbox.path / DEAD_NAME).glob("*.txt"))
    assert [path.read_text(encoding="utf-8") for path in reasons] == ["the server refuses the credentials\n", "no\n"]
    outbox.leave()
    other = make(tmp_path)
    assert other.take_over() is None
    for file in other.dead_letters():
        other.bury(file)
    other.leave()
    assert list((tmp_path / "outbox").iterdir()) == []


def test_dead_letters_are_revived_once(tmp_path: Path) -> None:
    """By one process, in order; from then on they are as any others that it keeps."""
    first, second = make(tmp_path), make(tmp_path)
    for name in ("a", "b"):
        first.refuse(make_payload(name), "no")
    assert names_at(first.revive()) == ["a", "b"]
    assert second.revive() == []
    assert first.state().dead == 0
    assert list((first.path / DEAD_NAME).iterdir()) == []
    second.leave()
    first.leave()
    assert take_all(second) == ["a", "b"]


@posix
def test_a_forked_child_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """What the parent keeps is the parent's, and stays locked when the child is gone."""
    outbox = make(tmp_path)
    forks = (
        f"{make_outbox_code('parent')}\nchild = os.fork()\n"
        "if child == 0:\n    outbox.after_fork()\n    outbox.keep(make_payload('child'))\n    os._exit(0)\n"
        "os.waitpid(child, 0)"
    )
    with Holder(outbox.path, forks) as holder:
        assert take_all(outbox) == ["child"]
        holder.kill()
    assert take_all(outbox) == ["parent"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """To the caller, who keeps the spans in memory then."""
    (tmp_path / "outbox").touch()
    outbox = make(tmp_path)
    with pytest.raises(OSError):  # noqa: PT011 - which one depends on the platform
        outbox.keep(make_payload("a"))
    assert outbox.state().waiting == 0
    outbox.leave()


def test_folders_that_cannot_be_locked_end_the_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on file systems that have no locks: an error, no loop, and no folder."""
    monkeypatch.setattr("agenttrace.outbox.folder.ProcessLock.take", lambda path: None)
    with pytest.raises(OSError, match="can be locked"):
        ProcessFolder.create(tmp_path)
    assert list(tmp_path.iterdir()) == []
