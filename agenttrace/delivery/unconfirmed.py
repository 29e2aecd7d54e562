"""Spans that a destination has taken but may not have written yet: kept for a while, for when it dies over them.

Phoenix answers before it has written; the spans that it holds in memory go with it when it is killed. It keeps a span
that comes twice once, so they are sent again when it is back. That it was away is seen by nobody who doesn't look: a
connection that broke while it was idle is opened anew without a word. So it is asked now and then, more often than it
can end and be there again. See `Answer.interrupted`, too.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from agenttrace.outbox.folder import ENDING, SENT_ENDING

from .batch import Batch

if TYPE_CHECKING:
    from agenttrace.outbox.folder import ProcessFolder

__all__ = ["ASK_SECONDS", "Unconfirmed"]

# Phoenix holds up to 20,000 spans in memory by default, and writes some 150 a second on a small, busy machine.
_SECONDS = 180.0
_MOST_BYTES = 134_217_728

ASK_SECONDS = 2.0
"""How long a destination may be left alone while there are some. Phoenix needs several to start."""


class Unconfirmed:
    """The batches that were accepted last, the oldest first. Used by one thread.

    Args:
        remove: Forgets a batch, and its file.
        most_bytes: How much may be kept.
    """

    def __init__(self, remove: Callable[[Batch], None], most_bytes: int = _MOST_BYTES) -> None:
        self._remove = remove
        self._most_bytes = min(most_bytes, _MOST_BYTES)
        self._batches: deque[tuple[float, Batch]] = deque()
        self._size = 0
        self._folders: list[ProcessFolder] = []
        self._heard_at = 0.0

    def heard(self) -> None:
        """The destination was asked something just now."""
        self._heard_at = time.monotonic()

    def seconds_until(self, after: float) -> float:
        """The time until ``after`` seconds have passed since; infinite where there is nothing to ask about."""
        return self._heard_at + after - time.monotonic() if self._batches else float("inf")

    def keep(self, batches: Iterable[Batch]) -> None:
        """Keep ``batches``, which were accepted now, where they are on disk."""
        now = time.monotonic()
        for batch in batches:
            if batch.file is None:  # in memory there is room for those alone that have arrived nowhere
                self._remove(batch)
                continue
            try:
                batch.move(SENT_ENDING)
            except OSError:  # else somebody would find it here and send it again
                self._remove(batch)
                continue
            self._batches.append((now, batch))
            self._size += batch.size

    def hold(self, folder: ProcessFolder) -> None:
        """Let go of another process's folder, but not before what was in it is forgotten."""
        self._folders.append(folder)
        self._release()

    def expire(self) -> None:
        """Forget those that needn't be kept any longer."""
        oldest = time.monotonic() - _SECONDS
        while self._batches and (self._batches[0][0] < oldest or self._size > self._most_bytes):
            _, batch = self._batches.popleft()
            self._size -= batch.size
            self._remove(batch)
        self._release()

    def take_back(self) -> list[Batch]:
        """All of them, to be sent again; they're forgotten here."""
        found = [batch for _, batch in self._batches]
        self._batches.clear()
        self._size = 0
        for batch in found:
            with suppress(OSError):  # what can't be read later isn't sent, either
                batch.move(ENDING)
        return found

    def close(self) -> None:
        """Forget all of them."""
        while self._batches:
            self._remove(self._batches.popleft()[1])
        self._size = 0
        while self._folders:
            self._folders.pop().leave()

    def forget(self) -> None:
        """In a forked child: the folders are the parent's."""
        for folder in self._folders:
            folder.forget()

    def _release(self) -> None:
        for folder in [folder for folder in self._folders if folder.is_empty]:
            self._folders.remove(folder)
            folder.leave()
