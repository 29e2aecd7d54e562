"""The thread that speaks to a destination: sends what waits, in order, and decides what the answers mean."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from agenttrace import faults
from agenttrace.outbox.payloads import SMALLEST_SPAN, Payload, SizeLimit, halves

from .backoff import pause_after
from .batch import Batch, Tally
from .holding import Holding
from .left_behind import LOOK_AROUND_SECONDS, LeftBehind
from .options import DeliveryOptions
from .queue import Request, waiting_time
from .reports import Reporter
from .shortening import shorten
from .sink import Answer, Sink, Verdict
from .unconfirmed import ASK_SECONDS, Unconfirmed

if TYPE_CHECKING:
    from agenttrace.outbox.outbox import Outbox

__all__ = ["Sender"]

_DOUBTFUL_ATTEMPTS = 3
_LATELY_SECONDS = 0.2
_CACHED_BYTES = 16_777_216


class Sender:
    """Delivers batches to ``sink``. One thread at a time may be in it; any may `add`.

    Args:
        sink: Where they go.
        options: How they are sent.
        outbox: Where they are kept on disk; None where nothing is.
        limit: How large a request may be.
        tally: Counts what becomes of them.
        reporter: Says what is wrong.
    """

    def __init__(
        self,
        sink: Sink,
        options: DeliveryOptions,
        outbox: Outbox | None,
        limit: SizeLimit,
        tally: Tally,
        reporter: Reporter,
    ) -> None:
        self._sink = sink
        self._options = options
        self._outbox = outbox
        self._limit = limit
        self._tally = tally
        self._reporter = reporter
        self._failures = 0
        self._accepted = 0
        self._is_stopped = False
        # Whether the destination has asked for the pause that it is given.
        self._is_left_alone = False
        self._retry_at = 0.0
        # Where each span is written by itself, somebody has to gather them for the network.
        self._gather_seconds = options.interval if options.durability in ("write", "sync") else 0.0
        self._gathered_at = 0.0
        self._is_idle = False
        self._requests: deque[Request] = deque()
        self._holding = Holding(sink.name, options.batch_size, outbox, limit, tally, reporter)
        self._unconfirmed = Unconfirmed(self._holding.remove, options.outbox_bytes // 4)
        self._left = LeftBehind(outbox, self._unconfirmed, reporter)
        self.backlog: deque[Batch] = deque()
        """What this process has to send, the oldest first."""
        self.signals: SimpleQueue[Request | None] = SimpleQueue()
        """By which the thread hears that there is something to do."""

    def add(self, batch: Batch) -> None:
        """Send ``batch`` when its turn comes."""
        self._holding.count(batch.memory)
        if self.memory > _CACHED_BYTES and batch.file is not None:
            self._holding.free(batch)
        self.backlog.append(batch)
        if self._is_idle:
            self._is_idle = False
            self.signals.put(None)

    def keep(self, payload: Payload, *, through: bool = False) -> Batch:
        """``payload`` as a batch, on disk where there is an outbox that can be written to.

        Args:
            payload: Encoded spans.
            through: Whether to wait until the disk has them.
        """
        return self._holding.keep(payload, through=through)

    def answer_if_stopped(self) -> None:
        """Let nobody wait for a sender that has stopped. To be called after a request was signalled to it."""
        if self._is_stopped:
            self._answer_the_rest()

    @property
    def memory(self) -> int:
        """Bytes of encoded spans in memory."""
        return self._holding.memory

    @property
    def is_failing(self) -> bool:
        """Whether the destination didn't take what it was sent last."""
        return self._failures > 0

    @property
    def undelivered(self) -> int:
        """How many spans wait, those included that other processes have left."""
        return sum(batch.count for batch in self._waiting())

    @property
    def on_disk(self) -> int:
        """How many of them are on disk."""
        return sum(batch.count for batch in self._waiting() if batch.file is not None)

    def run(self) -> None:
        """Deliver until a request to stop has been served."""
        while not self._is_stopped:
            try:
                self._go_on()
            except BaseException as error:  # whatever it is, the thread lives on: nobody else will deliver
                faults.contain(f"delivering spans to {self._sink.name}", error)
                self._failures += 1
                self._retry_at = time.monotonic() + pause_after(self._failures, None)

    def _go_on(self) -> None:
        request = self._wait()
        if request is None:
            self._deliver_due()
        else:
            self.serve(request)

    def serve(self, request: Request) -> None:
        """Deliver what waits now.

        A destination that is there but busy is asked again until the deadline. One that nobody answers at isn't
        waited for. What processes that are gone have left comes after what this one has.
        """
        self._is_stopped |= request.stop
        try:
            self._deliver_for(request)
            if request.stop:
                self._is_there(_LATELY_SECONDS, request.remaining())
                self._close()
        finally:
            request.done.set()
            if request.stop:
                self._answer_the_rest()
        if request.is_abandoned and self._outbox is not None:
            self._outbox.leave()

    def _answer_the_rest(self) -> None:
        """Nobody will serve the requests that have come meanwhile, or still come."""
        with suppress(IndexError):  # until there is none, or the worker, which may do the same, took the last
            while True:
                self._requests.popleft().done.set()
        while (other := self._next_signal(0.0)) is not None or not self.signals.empty():
            if other is not None:
                other.done.set()

    def _deliver_for(self, request: Request) -> None:
        target = self._holding.settled + len(self.backlog)
        if self._is_left_alone:
            self._pause(min(self._retry_at, request.deadline), ends_on_request=False)
        while True:
            is_own = bool(self.backlog) and self._holding.settled < target
            if not is_own and not self._left.look():
                return
            remaining = request.remaining()
            if not remaining or any(other.stop for other in self._requests):
                return
            timeout = self._options.timeout
            line = self.backlog if is_own else self._left.batches
            verdict = self._deliver(line, min(timeout, remaining) if request.stop else timeout).verdict
            if verdict is Verdict.UNREACHABLE:
                return
            if verdict in (Verdict.LATER, Verdict.FAULTY) and self._failures:
                self._pause(min(self._retry_at, request.deadline), ends_on_request=False)

    def _close(self) -> None:
        for step in (self._sink.close, self._left.let_go, self._unconfirmed.close):
            try:
                step()
            except BaseException as error:
                faults.contain(f"closing the connection to {self._sink.name}", error)

    def after_fork(self) -> None:
        """In a forked child, before this object is given up: the folders that the parent has taken over are its."""
        self._left.forget()
        self._unconfirmed.forget()

    def _waiting(self) -> list[Batch]:
        return [*self.backlog.copy(), *self._left.batches.copy()]

    def _has_work(self) -> bool:
        return bool(self.backlog or self._left.batches)

    def _wait(self) -> Request | None:
        """Sleep until there is something to do: a request, or (None) spans that are due."""
        if self._requests:
            return self._requests.popleft()
        self._left.survey()
        while True:
            if self._has_work():
                return self._pause(max(self._retry_at, self._gathered_at), ends_on_request=True)
            if self._left.look():
                return None
            if self._is_there(ASK_SECONDS, ASK_SECONDS):
                request = self._sleep()
                if request is not None:
                    return request

    def _sleep(self) -> Request | None:
        """Until somebody adds a batch, or a request comes; or until it is time to look around."""
        # Said before looking once more: a producer appends and then looks whether to signal, so one of the two sees
        # what the other did.
        self._is_idle = True
        request = None
        if not self._has_work():
            pause = min(LOOK_AROUND_SECONDS, self._unconfirmed.seconds_until(ASK_SECONDS))
            request = self._next_signal(None if self._outbox is None else time.monotonic() + pause)
        self._is_idle = False
        self._gathered_at = time.monotonic() + self._gather_seconds
        return request

    def _is_there(self, after: float, timeout: float) -> bool:
        """Ask a destination that may have died over what it took last, ``after`` seconds since its latest answer."""
        self._unconfirmed.expire()
        if self._unconfirmed.seconds_until(after) > 0 or not timeout:
            return True
        answer = self._ask(b"", timeout)
        if not answer.may_have_died:
            return True
        self._take_back()
        self._retry_later(answer)
        return False

    def _pause(self, until: float, *, ends_on_request: bool) -> Request | None:
        # What has been signalled is read in any case: a request is not to wait behind spans.
        while time.monotonic() < until or not self.signals.empty():
            request = self._next_signal(until)
            if request is None:
                continue
            if ends_on_request:
                return request
            self._requests.append(request)
            if request.stop:
                return None
        return None

    def _next_signal(self, until: float | None) -> Request | None:
        try:
            return self.signals.get(timeout=None if until is None else waiting_time(until - time.monotonic()))
        except Empty:
            return None

    def _deliver_due(self) -> None:
        target = self._holding.settled + len(self.backlog) + len(self._left.batches)
        while self._holding.settled < target and self._has_work():
            self._deliver(self.backlog or self._left.batches, self._options.timeout)
            if self._failures or not self.signals.empty():
                return

    def _deliver(self, line: deque[Batch], timeout: float) -> Answer:
        """Send as much of ``line`` as fits into one request."""
        try:
            batches, payload = self._holding.gather(line)
        except OSError as error:  # no file descriptor left, a drive that is away: the files are there still
            answer = Answer(Verdict.LATER, f"the outbox of {self._sink.name} can't be read ({type(error).__name__})")
            self._retry_later(answer)
            return answer
        if payload is None:
            return Answer(Verdict.ACCEPTED)
        answer = self._ask(payload.data, timeout)
        self._digest(line, batches, payload, answer)
        return answer

    def _ask(self, data: bytes, timeout: float) -> Answer:
        try:
            return self._sink.send(data, timeout)
        except BaseException as error:  # whatever it is, the thread lives on: nobody else will deliver
            # Where the program's own thread delivers, since no other can be started any more, signals may arrive.
            faults.contain(f"sending spans to {self._sink.name}", error)
            return Answer(Verdict.FAULTY)
        finally:
            self._unconfirmed.heard()

    def _digest(self, line: deque[Batch], batches: list[Batch], payload: Payload, answer: Answer) -> None:
        verdict = answer.verdict
        if answer.may_have_died:
            self._take_back()
        if verdict is Verdict.ACCEPTED:
            self._confirm(line, batches)
            rejected = min(answer.rejected, payload.count)
            self._tally.sent += payload.count - rejected
            self._tally.refused += rejected
            self._failures = 0
            self._holding.may_drop = self._is_left_alone = False
            self._accepted += 1
            self._holding.is_divided = False
            if rejected:
                self._reporter.refused(answer, rejected, is_kept=False)
            self._reporter.recovered()
        elif verdict is Verdict.SPLIT:
            self._split(line, batches, payload, answer)
        elif verdict is Verdict.REFUSED:
            self._refuse(line, batches, answer)
        elif verdict is Verdict.FAULTY:
            self._endure(line, batches, answer)
        else:
            self._retry_later(answer)
            if answer.may_be_too_large and self._failures >= _DOUBTFUL_ATTEMPTS and payload.count > 1:
                self._split(line, batches, payload, answer)

    def _endure(self, line: deque[Batch], batches: list[Batch], answer: Answer) -> None:
        """The destination failed: it may be ill for a while, or one batch may be more than it can bear."""
        if len(batches) > 1:
            self._holding.is_divided = True
        elif batches[0].is_poison(self._accepted):
            self._refuse(line, batches, answer)
            return
        else:
            line.append(line.popleft())  # so that the others get past it
        self._retry_later(answer)

    def _confirm(self, line: deque[Batch], batches: list[Batch]) -> None:
        """The destination has them; where it answers before it has written, they are kept for a while."""
        self._unconfirmed.expire()
        if not getattr(self._sink, "answers_early", False):
            self._holding.settle(line, batches)
            return
        for batch in batches:
            line.popleft()
            self._holding.settled += 1
            self._holding.free(batch)
        self._unconfirmed.keep(batches)

    def _take_back(self) -> None:
        """The destination died, and with it perhaps what it took last."""
        for batch in self._unconfirmed.take_back():
            self._tally.sent -= batch.count
            self._holding.settled -= 1
            self.backlog.append(batch)

    def _split(self, line: deque[Batch], batches: list[Batch], payload: Payload, answer: Answer) -> None:
        """The request was too large: try with half of it."""
        size = len(payload.data)
        self._limit.lower_below(size)
        if len(batches) > 1:
            return  # the next request has fewer of them
        try:
            shorten_to = max(SMALLEST_SPAN, size // 2)
            parts = halves(payload) if payload.count > 1 else (shorten(payload, shorten_to),)
        except DecodeError:  # a file that is whole and yet none of ours: tried again, it would keep the others waiting
            parts = (payload,)
        if len(parts) > 1 or len(parts[0].data) < size:
            self._holding.replace(line, batches, parts)
        else:
            self._refuse(line, batches, answer)

    def _refuse(self, line: deque[Batch], batches: list[Batch], answer: Answer) -> None:
        """Nobody is to send these again by himself: keep them among the dead letters."""
        count = sum(batch.count for batch in batches)
        is_kept = self._holding.bury(batches, answer.problem or "the destination refuses them")
        self._holding.settle(line, batches)
        self._failures = 0
        if is_kept:
            self._tally.refused += count
        else:
            self._tally.lost += count
        self._reporter.refused(answer, count, is_kept=is_kept)

    def _retry_later(self, answer: Answer) -> None:
        self._failures += 1
        self._holding.may_drop = True
        self._is_left_alone = answer.retry_after is not None
        self._retry_at = time.monotonic() + pause_after(self._failures, answer.retry_after)
        self._reporter.failing(answer)
