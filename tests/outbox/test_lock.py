"""A lock lasts as long as its process, whatever ends that, and no lock is on a file that is gone."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from agenttrace.outbox import lock
from agenttrace.outbox.lock import ProcessLock, is_held
from tests.outbox.holders import Holder, posix

TAKES = "lock = ProcessLock.take(path / 'lock')\nassert lock is not None"


def test_one_has_it_at_a_time(tmp_path: Path) -> None:
    """In one process too; when it is released, the next may have it."""
    path = tmp_path / "lock"
    first = ProcessLock.take(path)
    assert first is not None
    assert ProcessLock.take(path) is None
    first.release()
    first.release()
    second = ProcessLock.take(path)
    assert second is not None
    second.release()


def test_a_killed_process_has_it_no_longer(tmp_path: Path) -> None:
    """The operating system lets go of it, and of nothing before that."""
    with Holder(tmp_path, TAKES) as holder:
        assert ProcessLock.take(tmp_path / "lock") is None
        holder.kill()
    found = ProcessLock.take(tmp_path / "lock")
    assert found is not None
    found.release()


@posix
def test_a_forked_child_that_lets_go_leaves_it_to_its_parent(tmp_path: Path) -> None:
    """Nor does the child's end unlock it."""
    forks = f"{TAKES}\nchild = os.fork()\nif child == 0:\n    lock.release()\n    os._exit(0)\nos.waitpid(child, 0)"
    with Holder(tmp_path, forks):
        assert ProcessLock.take(tmp_path / "lock") is None


@posix
def test_a_child_that_is_started_does_not_inherit_it(tmp_path: Path) -> None:
    """A program that the process has started, and that outlives it, would keep it locked for ever."""
    # It lives as long as our pipe does, which it has inherited.
    child = "[sys.executable, '-c', 'input()'], close_fds=False, stderr=subprocess.DEVNULL"
    starts = f"{TAKES}\nimport subprocess\nsubprocess.Popen({child})"
    with Holder(tmp_path, starts) as holder:
        holder.kill()
        found = ProcessLock.take(tmp_path / "lock")
        assert found is not None
        found.release()


def test_a_lock_on_a_file_that_was_removed_meanwhile_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever had it removes its folder before it lets go; somebody may have opened the file just before."""
    path = tmp_path / "lock"
    really: Callable[[int], None] = lock._try_to_lock

    def lock_when_it_is_gone(descriptor: int) -> None:
        path.unlink()
        really(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(lock, "_try_to_lock", lock_when_it_is_gone)
        assert ProcessLock.take(path) is None

    def lock_when_there_is_another(descriptor: int) -> None:
        path.unlink()
        path.touch()
        really(descriptor)

    monkeypatch.setattr(lock, "_try_to_lock", lock_when_there_is_another)
    assert ProcessLock.take(path) is None


@posix
def test_only_the_user_may_open_its_file(tmp_path: Path) -> None:
    """Else anybody could hold it."""
    found = ProcessLock.take(tmp_path / "lock")
    assert found is not None
    assert stat.S_IMODE(found.path.stat().st_mode) == 0o600
    found.release()


def test_where_no_file_can_be_made_that_is_said(tmp_path: Path) -> None:
    """It is another thing than a lock that somebody has."""
    with pytest.raises(FileNotFoundError):
        ProcessLock.take(tmp_path / "gone" / "lock")


def test_whether_it_is_held_can_be_seen_without_taking_it(tmp_path: Path) -> None:
    """And without making the file."""
    path = tmp_path / "lock"
    assert not is_held(path)
    assert not path.exists()
    with Holder(tmp_path, TAKES) as holder:
        assert is_held(path)
        holder.kill()
    assert not is_held(path)
    found = ProcessLock.take(path)
    assert found is not None
    assert is_held(path)
    found.release()


@posix
def test_what_cannot_be_looked_at_counts_as_held(tmp_path: Path) -> None:
    """Nobody knows whose it is."""
    (tmp_path / "lock").symlink_to(tmp_path / "lock")
    assert is_held(tmp_path / "lock")
