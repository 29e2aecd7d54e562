"""A destination's folder on disk as one process uses it: what it keeps there, and what others have left."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from .about import ABOUT_NAME
from .files import write_file, write_through
from .folder import ENDING, SENT_ENDING, ProcessFolder, StoredFile, make_folder, stored_files
from .payloads import Payload
from .running import RunningLog

__all__ = ["DEAD_NAME", "Outbox", "OutboxState"]

DEAD_NAME = "dead"
_REASON_ENDING = ".reason.txt"
_ATTEMPTS = 10
_ROOM_MADE = 0.9  # of the bound, when it is reached: so that not every further file has to look again


@dataclass(frozen=True)
class OutboxState:
    """What lies in a destination's outbox.

    Args:
        waiting: Spans that wait for the destination.
        dead: Spans that it refused.
        size: Bytes of both.
    """

    waiting: int
    dead: int
    size: int


class Outbox:
    """The outbox of one destination. Nothing is made on disk before there is something to keep.

    Args:
        path: The destination's folder.
        about: What it is, for people who find it; no secrets.
        most_bytes: How much may lie there.
        most_seconds: How long it may lie there.
    """

    def __init__(self, path: Path, about: Mapping[str, str], most_bytes: int, most_seconds: float) -> None:
        self.path: Path = path
        self._about = dict(about)
        self._most_bytes = most_bytes
        self._most_seconds = most_seconds
        self._folder: ProcessFolder | None = None
        self._start_afresh()

    @property
    def is_full(self) -> bool:
        """Whether as much lies there as may, as far as this process knows."""
        return self._size > self._most_bytes

    def keep(self, payload: Payload, *, through: bool = False, may_drop: bool = True) -> StoredFile:
        """Write ``payload`` to this process's folder. Safe to use from several threads.

        Args:
            payload: Encoded spans.
            through: Whether to wait until the disk has them.
            may_drop: Whether the oldest may be dropped for it where the outbox is full. They needn't be while the
                destination takes them.

        Raises:
            OSError: If that can't be done.
        """
        try:
            file = self._own().write(payload, through=through)
        except FileNotFoundError:  # somebody has cleared the outbox away
            self._forget_folder()
            file = self._own().write(payload, through=through)
        self._count(file.size)
        if may_drop and self.is_full:
            self.make_room()
        return file

    def write_through(self, files: Sequence[StoredFile]) -> None:
        """Wait until the disk has ``files`` of this process.

        Raises:
            OSError: If the disk fails.
        """
        write_through([file.path for file in files])

    def remove(self, file: StoredFile) -> None:
        """Forget ``file``, whose spans are delivered or kept elsewhere."""
        if not self.has_dropped(file):  # while it was on its way
            self._unlink(file)

    def _unlink(self, file: StoredFile) -> None:
        self._count(-file.size)
        file.path.unlink(missing_ok=True)

    def refuse(self, payload: Payload, reason: str) -> None:
        """Keep spans that the destination refuses, until somebody sends them again.

        Args:
            payload: The spans.
            reason: What the destination said; no secrets.

        Raises:
            OSError: If that can't be done.
        """
        folder = self.path / DEAD_NAME
        make_folder(folder)
        name = _dead_name(payload.count)
        self._count(write_file(folder / f"{name}{ENDING}", payload.data, payload.count))
        write_private_text(folder / f"{name}{_REASON_ENDING}", f"{reason}\n")
        if self._size > self._most_bytes:
            self.make_room()

    def refuse_file(self, file: StoredFile, reason: str) -> None:
        """Make a file of this process's one of the dead letters. Takes no room, so it can be done on a full disk.

        Args:
            file: The file.
            reason: As for `refuse`.

        Raises:
            OSError: If that can't be done.
        """
        folder = self.path / DEAD_NAME
        make_folder(folder)
        path = folder / f"{_dead_name(file.count)}{ENDING}"
        file.path.rename(path)
        with suppress(OSError):  # the spans matter more than what was said about them
            write_private_text(self._reason_of(replace(file, path=path)), f"{reason}\n")

    def has_dropped(self, file: StoredFile | None) -> bool:
        """Whether ``file`` had to make room for others. Says so once."""
        if file is None or file.path not in self._dropped_paths:
            return False
        self._dropped_paths.discard(file.path)
        return True

    def dead_letters(self) -> list[StoredFile]:
        """What the destination has refused, the oldest first."""
        return stored_files(self.path / DEAD_NAME)

    def revive(self) -> list[StoredFile]:
        """Take the dead letters into this process's folder, to be sent once more; each goes to one process.

        Raises:
            OSError: If that can't be done.
        """
        revived = []
        for file in self.dead_letters():
            path = self._own().path / f"0-{file.path.name}"
            try:
                file.path.rename(path)
            except FileNotFoundError:  # another process was faster
                continue
            self._reason_of(file).unlink(missing_ok=True)
            revived.append(replace(file, path=path))
        return revived

    def bury(self, file: StoredFile) -> None:
        """Forget a dead letter."""
        self.remove(file)
        self._reason_of(file).unlink(missing_ok=True)

    def _reason_of(self, file: StoredFile) -> Path:
        return file.path.with_name(file.path.name[: -len(ENDING)] + _REASON_ENDING)

    @property
    def running(self) -> RunningLog:
        """This process's log of open spans.

        Raises:
            OSError: If its folder can't be made.
        """
        return self._own().running

    @property
    def has_folder(self) -> bool:
        """Whether this process has written anything."""
        return self._folder is not None

    def take_over(self) -> tuple[ProcessFolder, list[StoredFile]] | None:
        """What a process that is gone has left: its folder, now ours, and the files in it; None where there is none.

        Open spans that it left are ended. A folder with nothing in it is removed on the way.
        """
        for path in self._others():
            folder = ProcessFolder.take_over(path)
            if folder is None:
                continue
            try:
                folder.end_running()
            except OSError:  # a full disk: the next one may have more room
                folder.leave()
                continue
            except BaseException:
                folder.leave()
                raise
            files = stored_files(path)
            if files:
                return folder, files
            folder.leave()
        return None

    def look_around(self) -> None:
        """See what others have written meanwhile, and drop what is too old."""
        files = self._all_files()
        self._weigh(files)
        oldest = time.time() - self._most_seconds
        self._drop([file for file in files if file.written < oldest])
        if self._size > self._most_bytes:
            self.make_room()

    def make_room(self) -> None:
        """Drop the oldest files until there is room again; the newest stays, however large."""
        if self._room_lock.acquire(blocking=False):  # else another thread is making room
            try:
                self._make_room()
            finally:
                self._room_lock.release()

    def _make_room(self) -> None:
        files = sorted(self._all_files(), key=lambda file: file.written)
        self._weigh(files)
        excess = self._size - self._most_bytes * _ROOM_MADE
        doomed = []
        for file in files[:-1]:
            if excess <= 0:
                break
            doomed.append(file)
            excess -= file.size
        self._drop(doomed)

    def state(self) -> OutboxState:
        """What lies there now, of all processes."""
        dead = self.dead_letters()
        waiting = [file for path in self._folders() for file in stored_files(path)]
        return OutboxState(
            waiting=sum(file.count for file in waiting),
            dead=sum(file.count for file in dead),
            size=sum(file.size for file in (*waiting, *dead)),
        )

    def leave(self, *, is_exit: bool = False) -> None:
        """Let go of this process's folder: what is left in it is for the next one.

        Args:
            is_exit: Whether the process ends, and lets go of it thereby. Spans that end until then are kept beside what
                is there, so that whoever takes it over sees that those that were open have ended.
        """
        with self._folder_lock:
            folder = self._folder
            if folder is not None and is_exit and not folder.is_empty:
                return
            self._folder = None
            if folder is not None:
                folder.leave()
        self.tidy()

    def tidy(self) -> None:
        """Remove the destination's folder where no process has anything in it."""
        with self._folder_lock, suppress(OSError):  # another thread may be making this process's folder just now
            if self._folder is None:
                self._remove_where_empty()

    def after_fork(self) -> None:
        """In a forked child: start with nothing."""
        if self._folder is not None:
            self._folder.forget()
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._folder = None
        # Reentrant: a span may end in a signal handler while this thread is here.
        self._folder_lock = threading.RLock()
        self._room_lock = threading.Lock()
        self._size = 0
        self.dropped: int = 0
        """Spans that had to make room for others, or were too old."""
        self._dropped_paths: set[Path] = set()

    def _own(self) -> ProcessFolder:
        folder = self._folder
        if folder is None:
            with self._folder_lock:
                folder = self._folder
                if folder is None:
                    folder = self._folder = self._create()
                    self._weigh(self._all_files())
        return folder

    def _forget_folder(self) -> None:
        with self._folder_lock:
            folder, self._folder = self._folder, None
            if folder is not None and not folder.path.is_dir():
                folder.forget()

    def _create(self) -> ProcessFolder:
        attempts = iter(range(_ATTEMPTS))
        while True:
            try:
                make_folder(self.path)
                folder = ProcessFolder.create(self.path)
                self._say_what_it_is()
                return folder
            # Another process found that nothing is in it, and has removed it just now: before it was written to, or
            # between pathlib's attempt to make it and its look at what is there instead.
            except (FileNotFoundError, FileExistsError):
                if next(attempts, None) is None:
                    raise

    def _say_what_it_is(self) -> None:
        path = self.path / ABOUT_NAME
        if not path.exists():
            write_private_text(path, json.dumps(self._about, indent=2) + "\n")

    def _folders(self) -> list[Path]:
        try:
            return sorted(path for path in self.path.iterdir() if path.is_dir() and path.name != DEAD_NAME)
        except OSError:
            return []

    def _others(self) -> list[Path]:
        own = None if self._folder is None else self._folder.path
        return [path for path in self._folders() if path != own]

    def _all_files(self) -> list[StoredFile]:
        return [file for path in (*self._folders(), self.path / DEAD_NAME) for file in stored_files(path)]

    def _weigh(self, files: list[StoredFile]) -> None:
        """Count ``files``, and those that were delivered and are kept for a while, which can't be dropped for room."""
        sent = [file for path in self._folders() for file in stored_files(path, SENT_ENDING)]
        with self._folder_lock:
            self._size = sum(file.size for file in (*files, *sent))

    def _count(self, size: int) -> None:
        with self._folder_lock:
            self._size += size

    def _drop(self, files: list[StoredFile]) -> None:
        own = None if self._folder is None else self._folder.path
        for file in files:
            if not file.path.exists():  # delivered, or dropped by another process, meanwhile
                continue
            if file.path.parent.name == DEAD_NAME:
                self.bury(file)
            else:
                if file.path.parent == own:
                    self._dropped_paths.add(file.path)
                self._unlink(file)
            self.dropped += file.count

    def _remove_where_empty(self) -> None:
        if not self._folders() and not self.dead_letters() and self.path.is_dir():
            (self.path / ABOUT_NAME).unlink(missing_ok=True)
            with suppress(OSError):
                (self.path / DEAD_NAME).rmdir()
            try:
                self.path.rmdir()
            except OSError:  # another process has begun to use it
                self._say_what_it_is()


def _dead_name(count: int) -> str:
    # The moment alone may be another's, where the clock is coarse. The count stands last, for `stored_files`.
    return f"{time.time_ns():020d}-{secrets.token_hex(4)}-{count}"


def write_private_text(path: Path, text: str) -> None:
    """Write a text file that this user alone can read.

    Raises:
        OSError: If that can't be done.
    """
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
