"""The worker: takes batches from the queue, hands them to a sink, and decides what a sink's answer means."""

from __future__ import annotations

import random
import time
from collections import deque
from dataclasses import dataclass
from queue import Empty
from typing import TYPE_CHECKING

from agenttrace import faults

from .queue import IDLE, Request, SpanQueue
from .reports import Reporter
from .sink import Answer, Sink, Verdict

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["Courier", "Pace"]

_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 5.0
_LONGEST_WISH_SECONDS = 60.0
_FAULTY_ATTEMPTS = 5
_FINAL = (Verdict.REFUSED, Verdict.SPLIT)  # SPLIT: when a single span is left


@dataclass(frozen=True)
class Pace:
    """How spans are gathered and sent.

    Args:
        batch_size: Spans in one batch at most.
        interval: Seconds to gather spans in after the first one, unless a batch is full before. 0 sends each at once.
        timeout: Seconds to wait for an answer of the destination.
    """

    batch_size: int = 512
    interval: float = 0.5
    timeout: float = 10.0


class Courier:
    """Delivers what is in ``queue`` to ``sink``, in order. One thread at a time may be in it.

    Args:
        queue: Where the spans come from.
        sink: Where they go.
        pace: How they are gathered and sent.
    """

    def __init__(self, queue: SpanQueue, sink: Sink, pace: Pace) -> None:
        self._queue = queue
        self._sink = sink
        self._pace = pace
        self._in_hand: list[ReadableSpan] = []
        self._failures = 0
        self._retry_at = 0.0
        self._requests: deque[Request] = deque()
        self._settled = 0
        self._lost = 0
        self._lost_reported = 0
        self.reporter: Reporter = Reporter(sink.name)

    @property
    def undelivered(self) -> int:
        """How many spans are neither delivered nor given up."""
        return len(self._in_hand) + len(self._queue.spans)

    @property
    def lost(self) -> int:
        """How many spans were given up, for whatever reason."""
        return self._lost + self._queue.dropped

    def run(self) -> None:
        """Deliver until a request to stop has been served."""
        while True:
            request = self._wait()
            if request is None:
                self._deliver_due()
                continue
            self.serve(request)
            if request.stop:
                self._queue.close()
                return

    def serve(self, request: Request) -> None:
        """Deliver everything that waits now, then say whether all of it, and all before it, arrived.

        A destination that is there but busy is asked again until the deadline. One that nobody answers at isn't
        waited for: the spans stay queued, and the answer is False.
        """
        target = self._settled + self.undelivered
        arrived = True
        while self.undelivered and (self._settled < target or request.stop):
            remaining = request.remaining()
            if not remaining or any(other.stop for other in self._requests):
                arrived = False
                break
            timeout = self._pace.timeout
            verdict = self._deliver_batch(min(timeout, remaining) if request.stop else timeout).verdict
            if verdict is Verdict.UNREACHABLE:
                arrived = False
                break
            if self._in_hand and verdict in (Verdict.LATER, Verdict.FAULTY):
                self._pause(min(self._retry_at, request.deadline), ends_on_request=False)
        request.delivered = arrived and self.lost == self._lost_reported
        self._lost_reported = self.lost
        if request.stop:
            self._close_sink()
        request.done.set()

    def _close_sink(self) -> None:
        try:
            self._sink.close()
        except BaseException as error:
            faults.contain(f"closing the connection to {self._sink.name}", error)

    def _wait(self) -> Request | None:
        """Sleep until there is something to do: a request, or (None) spans that are due."""
        if self._requests:
            return self._requests.popleft()
        if self._in_hand:
            return self._pause(self._retry_at, ends_on_request=True)
        queue = self._queue
        while True:
            # Armed again before each sleep, since a producer that was slow to signal may have set it higher. And
            # armed before looking: a producer appends and then looks at the threshold, so one of the two sees what
            # the other did.
            queue.arm(IDLE)
            if queue.spans:
                break
            request = queue.signals.get()
            if request is not None:
                queue.disarm()
                return request
        batch_size = self._pace.batch_size
        queue.arm(batch_size)
        due = time.monotonic() + self._pace.interval
        request = None
        while request is None and len(queue.spans) < batch_size and time.monotonic() < due:
            request = self._next_signal(due)
        queue.disarm()
        return request

    def _pause(self, until: float, *, ends_on_request: bool) -> Request | None:
        while time.monotonic() < until:
            request = self._next_signal(until)
            if request is None:
                continue
            if ends_on_request:
                return request
            self._requests.append(request)
            if request.stop:
                return None
        return None

    def _next_signal(self, until: float) -> Request | None:
        try:
            return self._queue.signals.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            return None

    def _deliver_due(self) -> None:
        """Deliver what waits now. What comes in meanwhile is gathered for another interval."""
        target = self._settled + self.undelivered
        while self._settled < target and self.undelivered:
            self._deliver_batch(self._pace.timeout)
            if self._failures:
                return

    def _deliver_batch(self, timeout: float) -> Answer:
        if not self._in_hand:
            self._in_hand = self._queue.take(self._pace.batch_size)
        batch = self._in_hand
        if not batch:
            return Answer(Verdict.ACCEPTED)
        try:
            answer = self._sink.deliver(batch, timeout)
        except BaseException as error:  # whatever it is, the worker lives on: nobody else will deliver
            # Where the program's own thread delivers, since no worker can be started any more, signals may arrive.
            faults.contain(f"sending spans to {self._sink.name}", error)
            answer = Answer(Verdict.FAULTY)
        self._digest(batch, answer)
        return answer

    def _digest(self, batch: list[ReadableSpan], answer: Answer) -> None:
        verdict = answer.verdict
        if verdict is Verdict.ACCEPTED:
            self._settle(batch, lost=answer.rejected)
            self._failures = 0
            if answer.rejected:
                self.reporter.lost(answer, answer.rejected)
            self.reporter.recovered()
        elif verdict is Verdict.SPLIT and len(batch) > 1:
            half = len(batch) // 2
            self._queue.put_back(batch[half:])
            self._in_hand = batch[:half]
        elif verdict in _FINAL or (verdict is Verdict.FAULTY and self._failures + 1 >= _FAULTY_ATTEMPTS):
            self._give_up(batch, answer)
        else:
            self._retry_later(answer)

    def _settle(self, batch: list[ReadableSpan], *, lost: int) -> None:
        self._in_hand = []
        self._settled += len(batch)
        self._lost += lost

    def _give_up(self, batch: list[ReadableSpan], answer: Answer) -> None:
        self._settle(batch, lost=len(batch))
        self._failures = 0
        self.reporter.lost(answer, len(batch))

    def _retry_later(self, answer: Answer) -> None:
        self._failures += 1
        pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** min(self._failures - 1, 10))
        pause *= random.uniform(0.5, 1.0)  # noqa: S311 - so that many processes do not come back in step
        if answer.retry_after is not None:
            pause = max(pause, min(answer.retry_after, _LONGEST_WISH_SECONDS))
        self._retry_at = time.monotonic() + pause
        self.reporter.failing(answer)
