"""Spans that a destination has taken but may not have written yet: kept for a while, for when it dies over them.

Phoenix answers before it has written; the spans that it holds in memory go with it when it is killed. It keeps a span
that comes twice once, so they are sent again when it is back. See `Answer.interrupted`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable

from .batch import Batch

__all__ = ["Unconfirmed"]

_SECONDS = 60.0
_MOST_BYTES = 67_108_864


class Unconfirmed:
    """The batches that were accepted last, the oldest first. Used by one thread."""

    def __init__(self) -> None:
        self._batches: deque[tuple[float, Batch]] = deque()
        self._size = 0

    def add(self, batches: Iterable[Batch]) -> None:
        """Keep ``batches``, which were accepted now."""
        now = time.monotonic()
        for batch in batches:
            self._batches.append((now, batch))
            self._size += batch.size

    def expired(self) -> list[Batch]:
        """Those that needn't be kept any longer; they're forgotten here."""
        oldest = time.monotonic() - _SECONDS
        found = []
        while self._batches and (self._batches[0][0] < oldest or self._size > _MOST_BYTES):
            _, batch = self._batches.popleft()
            self._size -= batch.size
            found.append(batch)
        return found

    def all(self) -> list[Batch]:
        """All of them; they're forgotten here."""
        found = [batch for _, batch in self._batches]
        self._batches.clear()
        self._size = 0
        return found
