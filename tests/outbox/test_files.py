"""Files of spans: whole or known not to be, and nobody else's to read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.outbox import files
from agenttrace.outbox.files import DamagedFileError, frame, frames_in, read_file, write_file, write_through
from tests.isolation import Program, program
from tests.outbox.holders import posix

__all__ = ["program"]


@pytest.mark.parametrize("through", [False, True])
def test_what_was_written_is_read(tmp_path: Path, through: bool) -> None:
    """The bytes, and how many spans they are; the size that is told is the file's."""
    path = tmp_path / "a.spans"
    size = write_file(path, b"data", 3, through=through)
    assert read_file(path) == (b"data", 3)
    assert size == path.stat().st_size


@posix
@pytest.mark.parametrize("is_known", [True, False])
def test_where_the_drive_has_a_memory_of_its_own_that_is_written_through_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    """As on macOS. A drive that doesn't know how is asked in the way that all do."""
    import fcntl

    asked: list[str] = []

    def ask(descriptor: int, command: int) -> int:
        asked.append("the drive")
        if not is_known:
            raise OSError("not supported")
        return 0

    def sync(descriptor: int) -> None:
        asked.append("the system")

    monkeypatch.setattr(files, "_FULL_SYNC", 51)
    monkeypatch.setattr(fcntl, "fcntl", ask)
    monkeypatch.setattr(os, "fsync", sync)
    write_file(tmp_path / "a.spans", b"data", 1, through=True)
    file_and_folder = ["the drive"] * 2 if is_known else ["the drive", "the system"] * 2
    assert asked == file_and_folder


@posix
def test_only_the_user_may_read_it(tmp_path: Path) -> None:
    """Spans hold what people said."""
    write_file(tmp_path / "a.spans", b"data", 1)
    assert stat.S_IMODE((tmp_path / "a.spans").stat().st_mode) == 0o600


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    """It holds spans of somebody's."""
    path = tmp_path / "a.spans"
    write_file(path, b"first", 1)
    with pytest.raises(FileExistsError):
        write_file(path, b"second", 1)
    assert read_file(path) == (b"first", 1)


def test_a_file_that_was_cut_anywhere_is_recognised(tmp_path: Path) -> None:
    """As a process leaves it that is killed while it writes. So is one that has something behind its end."""
    path = tmp_path / "a.spans"
    whole = frame(b"some encoded spans", 2)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedFileError):
            read_file(path)
    for longer in (whole + b"x", whole + whole):
        path.write_bytes(longer)
        with pytest.raises(DamagedFileError):
            read_file(path)


@given(st.binary(max_size=40), st.integers(0, 2**32 - 1), st.data())
def test_a_file_with_one_wrong_byte_is_recognised(content: bytes, count: int, data: st.DataObject) -> None:
    """Wherever it is, in the number of spans too."""
    whole = bytearray(frame(content, count))
    assert frames_in(bytes(whole)) == ([(content, count)], True)
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position] ^= data.draw(st.integers(1, 255))
    assert frames_in(bytes(whole)) == ([], False)


@given(st.lists(st.tuples(st.binary(max_size=20), st.integers(0, 9)), max_size=5), st.integers(0, 200))
def test_of_frames_behind_each_other_the_whole_ones_are_read(frames: list[tuple[bytes, int]], length: int) -> None:
    """What follows them was being written."""
    parts = [frame(data, count) for data, count in frames]
    content = b"".join(parts)[:length]
    ends = [sum(map(len, parts[: number + 1])) for number in range(len(parts))]
    whole = sum(end <= length for end in ends)
    assert frames_in(content) == (frames[:whole], len(content) == sum(map(len, parts[:whole])))


def test_a_file_that_is_gone_needs_no_writing_through(tmp_path: Path) -> None:
    """It was delivered meanwhile. One that is there stays as it is."""
    write_through([tmp_path / "gone.spans"])
    write_file(tmp_path / "a.spans", b"data", 1)
    write_through([tmp_path / "a.spans"])
    assert read_file(tmp_path / "a.spans") == (b"data", 1)


@posix
def test_of_a_file_that_does_not_fit_nothing_is_left(program: Program) -> None:
    """Where the disk is full, or a limit is reached: the caller hears of it, and no half of a file stays."""
    out, _ = program.run(
        """
        import resource
        from pathlib import Path
        from agenttrace.outbox.files import write_file

        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))
        try:
            write_file(Path("a.spans"), b"x" * 10_000, 1)
        except OSError as error:
            print(type(error).__name__, Path("a.spans").exists())
        """
    )
    assert out.split() == ["OSError", "False"]
