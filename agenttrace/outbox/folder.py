"""One process's folder in a destination's outbox: locked while the process lives, taken over when it is gone."""

from __future__ import annotations

import os
import secrets
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from .files import write_file
from .lock import ProcessLock
from .payloads import Payload
from .recovery import end_spans
from .running import RUNNING_NAME, RunningLog, open_spans_in

__all__ = ["ENDING", "SENT_ENDING", "ProcessFolder", "StoredFile", "make_folder", "stored_files"]

ENDING = ".spans"
SENT_ENDING = ".sent"
"""Of a file that was delivered, and is kept by its process for a while. Whoever takes over from a process that was
killed sends it once more, since the destination may have been killed with it."""
_LOCK_NAME = "lock"
_ATTEMPTS = 5


@dataclass(frozen=True)
class StoredFile:
    """A file of spans, as its name tells.

    Args:
        path: Where it is.
        count: How many spans are in it.
        size: Its length in bytes.
        written: When it was written, seconds since 1970.
    """

    path: Path
    count: int
    size: int
    written: float


class ProcessFolder:
    """A folder that this process has locked: its own, or one whose process is gone.

    Args:
        path: The folder.
        lock: Its lock.
    """

    def __init__(self, path: Path, lock: ProcessLock) -> None:
        self.path: Path = path
        self.running: RunningLog = RunningLog(path / RUNNING_NAME)
        self._lock = lock
        self._numbers = count(1)

    @classmethod
    def create(cls, parent: Path) -> ProcessFolder:
        """A new folder in ``parent``.

        Raises:
            OSError: If it can't be made.
        """
        for _ in range(_ATTEMPTS):
            name = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}-{secrets.token_hex(4)}"
            path = parent / name
            path.mkdir(mode=0o700)
            try:
                lock = ProcessLock.take(path / _LOCK_NAME)
            except FileNotFoundError:  # another process found it before it was locked, and removed it as abandoned
                continue
            if lock is not None:
                return cls(path, lock)
            with suppress(OSError):  # there may be no locks here, and one such folder for each attempt
                (path / _LOCK_NAME).unlink(missing_ok=True)
                path.rmdir()
        raise OSError(f"no folder in {parent} can be locked")

    @classmethod
    def take_over(cls, path: Path) -> ProcessFolder | None:
        """The folder at ``path`` where its process is gone; None while that lives."""
        try:
            lock = ProcessLock.take(path / _LOCK_NAME)
        except OSError:
            return None
        return None if lock is None else cls(path, lock)

    def write(self, payload: Payload, *, through: bool = False) -> StoredFile:
        """Keep ``payload``.

        Args:
            payload: Encoded spans.
            through: Whether to wait until the disk has them.

        Raises:
            OSError: If it can't be written.
        """
        path = self.path / f"{next(self._numbers):012d}-{payload.count}{ENDING}"
        size = write_file(path, payload.data, payload.count, through=through)
        return StoredFile(path, payload.count, size, time.time())

    def end_running(self) -> None:
        """End what the process that is gone left open, in a file beside its others, and send again what it sent last.

        Raises:
            OSError: If the folder can't be read or written.
        """
        log = self.path / RUNNING_NAME
        opened = open_spans_in(log)
        if opened:
            paths = [self.path / name for name in _names(self.path) if name.endswith((ENDING, SENT_ENDING))]
            payload = end_spans(opened, paths, log.stat().st_mtime_ns)
            if payload is not None:
                path = self.path / f"{0:012d}-{payload.count}{ENDING}"
                path.unlink(missing_ok=True)  # of somebody who was here before, and didn't get further
                write_file(path, payload.data, payload.count)
        log.unlink(missing_ok=True)
        log.with_suffix(".new").unlink(missing_ok=True)
        for path in self.path.glob(f"*{SENT_ENDING}"):
            path.rename(path.with_suffix(ENDING))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left in it."""
        return all(name == _LOCK_NAME for name in _names(self.path))

    def leave(self) -> None:
        """Let go of the folder, and remove it where nothing is left in it."""
        if self.is_empty:
            with suppress(OSError):
                if sys.platform == "win32":  # where no open file can be removed
                    self._lock.release()
                self._lock.path.unlink(missing_ok=True)
                self._lock.release()
                self.path.rmdir()
        self._lock.release()

    def forget(self) -> None:
        """In a forked child: it is the parent's."""
        self._lock.release()


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, for this user alone.

    Raises:
        OSError: If that can't be done.
    """
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    for folder in (path.parent, path):
        folder.mkdir(mode=0o700, exist_ok=True)


def stored_files(folder: Path, ending: str = ENDING) -> list[StoredFile]:
    """The files of spans in ``folder`` with that ending, the oldest first; none where it is gone."""
    found = []
    for name in _names(folder):
        if not name.endswith(ending):
            continue
        path = folder / name
        try:
            status = path.stat()
            number = int(name[: -len(ending)].rpartition("-")[2])
        except (OSError, ValueError):  # delivered meanwhile, or none of ours
            continue
        found.append(StoredFile(path, number, status.st_size, status.st_mtime))
    return sorted(found, key=lambda file: file.path.name)


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []
