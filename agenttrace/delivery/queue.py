"""The queue between the program's threads and the worker, made so that ending a span costs next to nothing."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["Request", "SpanQueue", "waiting_time"]

# Spans after which the next look at the queue's bytes is due, and how many spans such a look takes for all.
_WEIGHED = 128
_SAMPLED = 16

CLOSED: int = 0
IDLE: int = 1


def waiting_time(seconds: float) -> float:
    """``seconds`` as a time that can be waited for: 0 where it is negative or NaN, and no more than locks can count."""
    return min(max(0.0, seconds), threading.TIMEOUT_MAX)  # NaN is above nothing, so the 0 in front of it stays


class Request:
    """Somebody waits until everything that ended before now is delivered, as far as that can be done by then.

    Args:
        timeout: Seconds after which nobody waits any longer; may be infinite.
        stop: Whether the threads end afterwards.
        is_exit: Whether that is because the process ends.
    """

    __slots__ = ("deadline", "done", "is_abandoned", "is_exit", "kept", "stop")

    def __init__(self, timeout: float, *, stop: bool, is_exit: bool = False) -> None:
        self.deadline: float = time.monotonic() + waiting_time(timeout)
        self.stop: bool = stop
        self.is_exit: bool = is_exit
        self.is_abandoned: bool = False
        """Whether nobody waits for it any longer."""
        self.kept: threading.Event = threading.Event()
        """Set when the spans are out of the queue and, where there is an outbox, on disk."""
        self.done: threading.Event = threading.Event()
        """Set when the destination has been tried."""

    def remaining(self) -> float:
        """Seconds until the deadline, not below 0."""
        return max(0.0, self.deadline - time.monotonic())


class SpanQueue:
    """Ended spans in order, and the signals by which the worker hears that there is something to do.

    A producer appends, then compares the length with `threshold`, which the worker sets to what it waits for: the
    first span, a full batch, or nothing but the limit. So only the span that matters costs a signal, and no lock is
    taken. Both parts are safe where a span ends inside a finalizer or a signal handler: `SimpleQueue.put` is
    reentrant, unlike everything that stands on `threading.Lock`.

    Args:
        capacity: How many spans may wait.
        most_bytes: How many bytes of text they may hold, about.
    """

    __slots__ = ("_most_bytes", "capacity", "dropped", "is_closed", "is_drained", "signals", "spans", "threshold")

    def __init__(self, capacity: int, most_bytes: float = math.inf) -> None:
        self.capacity: int = capacity
        self._most_bytes = most_bytes
        self.spans: deque[ReadableSpan] = deque()
        self.signals: SimpleQueue[Request | None] = SimpleQueue()
        self.threshold: int = IDLE
        self.is_closed: bool = False
        self.is_drained: bool = False
        """Whether the worker has taken what ended before the queue was closed. What is in it then is too late."""
        self.dropped: int = 0

    def arm(self, length: int) -> None:
        """Ask producers for a signal when ``length`` spans wait, or when it is time to look whether there is room."""
        self.threshold = min(length, len(self.spans) + _WEIGHED, self.capacity + 1)
        if self.is_closed:  # meanwhile, or before
            self.threshold = CLOSED

    def disarm(self) -> None:
        """Ask producers for no signal but to look whether there is room: the worker looks at the queue by itself."""
        self.arm(self.capacity + 1)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another span. Its bytes are estimated by a few of the spans."""
        count = len(self.spans)
        return count > self.capacity or (count >= _WEIGHED and self._weight(count) > self._most_bytes)

    def _weight(self, count: int) -> float:
        try:
            sample = [self.spans[index] for index in range(0, count, count // _SAMPLED)]
        except IndexError:  # the worker was quicker: then there is room
            return 0.0
        return sum(map(_text_length, sample)) / len(sample) * count

    def close(self) -> None:
        """Send every further span to the producers' slow path."""
        self.is_closed = True
        self.threshold = CLOSED

    def take(self, count: int) -> list[ReadableSpan]:
        """Up to ``count`` of the oldest spans."""
        batch: list[ReadableSpan] = []
        try:
            while len(batch) < count:
                batch.append(self.spans.popleft())
        except IndexError:  # another thread took the last one
            return batch
        return batch

    def take_newest(self) -> ReadableSpan | None:
        """The span that came last; None where there is none."""
        try:
            return self.spans.pop()
        except IndexError:  # another thread took it
            return None

    def drop_newest(self) -> None:
        """Drop the newest span, and those beyond the capacity, and count them; hear of the very next one, too."""
        try:
            self.spans.pop()
            self.dropped += 1
            while len(self.spans) > self.capacity:
                self.spans.pop()
                self.dropped += 1
        except IndexError:  # the worker was quicker: nothing is beyond the limit any more
            return
        self.arm(len(self.spans) + 1)


def _text_length(span: ReadableSpan) -> int:
    return sum(len(value) for value in (span.attributes or {}).values() if isinstance(value, str))
