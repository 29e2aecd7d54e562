"""The log of open spans: what it says is what is open, wherever it was cut, and it doesn't grow for ever."""

from __future__ import annotations

import stat
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenttrace.outbox.payloads import span_ids
from agenttrace.outbox.running import RunningLog, open_spans_in
from tests.delivery.sinks import make_payload, names_in
from tests.isolation import Program, program
from tests.outbox.holders import posix

__all__ = ["program"]

SPANS = [make_payload(str(number)).data for number in range(5)]
KEYS = [b"".join(next(span_ids(data))) for data in SPANS]

steps = st.lists(st.tuples(st.sets(st.integers(0, 4)), st.sets(st.integers(0, 4))), max_size=8)


def opened(*numbers: int) -> dict[bytes, bytes]:
    return {KEYS[number]: SPANS[number] for number in numbers}


def open_in(path: Path) -> set[int]:
    return {SPANS.index(data) for data in open_spans_in(path)}


def test_where_there_is_no_log_nothing_is_open(tmp_path: Path) -> None:
    """Most processes have none."""
    assert open_spans_in(tmp_path / "running") == []


@posix
def test_it_is_there_while_something_is_open(tmp_path: Path) -> None:
    """For this user alone, and gone with the last span's end."""
    log = RunningLog(tmp_path / "running")
    log.note(opened(0, 1), [])
    assert stat.S_IMODE((tmp_path / "running").stat().st_mode) == 0o600
    log.note({}, [KEYS[0]])
    assert [names_in(data) for data in open_spans_in(tmp_path / "running")] == [["1"]]
    log.note({}, [KEYS[1]])
    assert not (tmp_path / "running").exists()
    assert log.keys == set()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, st.data())
def test_it_says_what_is_open(notes: list[tuple[set[int], set[int]]], data: st.DataObject) -> None:
    """After any notes. Where it was cut while the last of them was written, it says no more than was true then."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "running"
        log = RunningLog(path)
        now: set[int] = set()
        for starts, ends in notes:
            before, content = now, path.read_bytes() if path.exists() else b""
            ends = ends & before
            starts = starts - before
            now = (before - ends) | starts
            log.note(opened(*starts), [KEYS[number] for number in ends])
            assert log.keys == {KEYS[number] for number in now}
            assert open_in(path) == now
            if path.exists() and content:
                whole = path.read_bytes()
                assert whole.startswith(content)
                path.write_bytes(whole[: data.draw(st.integers(len(content), len(whole)))])
                assert before - ends <= open_in(path) <= before | starts
                path.write_bytes(whole)


def test_it_does_not_grow_for_ever(tmp_path: Path) -> None:
    """A process that opens and ends spans for weeks has a log of those alone that are open."""
    log = RunningLog(tmp_path / "running")
    large = make_payload("large", attributes={"text": "x" * 100_000}).data
    key = b"".join(next(span_ids(large)))
    log.note(opened(0, 1), [])
    for _ in range(100):
        log.note({key: large}, [])
        log.note({}, [key])
    assert open_in(tmp_path / "running") == {0, 1}
    assert (tmp_path / "running").stat().st_size < 1_500_000
    assert [path.name for path in tmp_path.iterdir()] == ["running"]


@posix
def test_a_note_that_does_not_fit_changes_nothing(program: Program) -> None:
    """Where the disk is full: no half of it is left, behind which nothing could be read."""
    out, _ = program.run(
        """
        import resource
        from pathlib import Path
        from agenttrace.outbox.running import RunningLog, open_spans_in
        from agenttrace.outbox.payloads import span_ids
        from tests.delivery.sinks import make_payload, names_in

        def entry(name, size):
            data = make_payload(name, attributes={"text": "x" * size}).data
            return {b"".join(next(span_ids(data))): data}

        path = Path("running")
        log = RunningLog(path)
        log.note(entry("first", 10), [])
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
        try:
            log.note(entry("large", 10_000), [])
        except OSError:
            print("failed", len(log.keys))
        log.note(entry("last", 10), [])
        print([names_in(data) for data in open_spans_in(path)], len(log.keys))
        """
    )
    assert out.splitlines() == ["failed 1", "[['first'], ['last']] 2"]
