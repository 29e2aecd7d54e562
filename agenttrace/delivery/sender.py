"""The thread that speaks to a destination: sends what waits, in order, and decides what the answers mean."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from agenttrace import faults
from agenttrace.outbox.files import DamagedFileError
from agenttrace.outbox.payloads import SMALLEST_SPAN, Payload, SizeLimit, halves, join

from .backoff import pause_after
from .batch import Batch, Tally
from .left_behind import LOOK_AROUND_SECONDS, LeftBehind
from .options import DeliveryOptions
from .queue import Request
from .reports import Reporter
from .shortening import shorten
from .sink import Answer, Sink, Verdict
from .unconfirmed import ASK_SECONDS, Unconfirmed

if TYPE_CHECKING:
    from agenttrace.outbox.outbox import Outbox

__all__ = ["Sender"]

_FAULTY_ATTEMPTS = 5
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
        self._retry_at = 0.0
        # Where each span is written by itself, somebody has to gather them for the network.
        self._gather_seconds = options.interval if options.durability in ("write", "sync") else 0.0
        self._gathered_at = 0.0
        self._is_idle = False
        self._settled = 0
        self._requests: deque[Request] = deque()
        self._unconfirmed = Unconfirmed(self._remove)
        self._left = LeftBehind(outbox, self._unconfirmed, reporter)
        self.backlog: deque[Batch] = deque()
        """What this process has to send, the oldest first."""
        self.signals: SimpleQueue[Request | None] = SimpleQueue()
        """By which the thread hears that there is something to do."""
        self.memory: int = 0
        """Bytes of encoded spans in memory, about: several threads add to it without a lock."""

    def add(self, batch: Batch) -> None:
        """Send ``batch`` when its turn comes."""
        self.memory += batch.memory
        if self.memory > _CACHED_BYTES and batch.file is not None:
            self._free(batch)
        self.backlog.append(batch)
        if self._is_idle:
            self._is_idle = False
            self.signals.put(None)

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
        while True:
            request = self._wait()
            if request is None:
                self._deliver_due()
                continue
            self.serve(request)
            if request.stop:
                return

    def serve(self, request: Request) -> None:
        """Deliver what waits now.

        A destination that is there but busy is asked again until the deadline. One that nobody answers at isn't
        waited for. What processes that are gone have left comes after what this one has.
        """
        target = self._settled + len(self.backlog)
        while (self.backlog and self._settled < target) or self._left.look():
            remaining = request.remaining()
            if not remaining or any(other.stop for other in self._requests):
                break
            timeout = self._options.timeout
            verdict = self._deliver(min(timeout, remaining) if request.stop else timeout).verdict
            if verdict is Verdict.UNREACHABLE:
                break
            if verdict in (Verdict.LATER, Verdict.FAULTY) and self._failures:
                self._pause(min(self._retry_at, request.deadline), ends_on_request=False)
        if request.stop:
            self._is_there(_LATELY_SECONDS, request.remaining())
            self._close()
        request.done.set()

    def _close(self) -> None:
        try:
            self._sink.close()
            self._left.let_go()
            self._unconfirmed.close()
        except BaseException as error:
            faults.contain(f"closing the connection to {self._sink.name}", error)

    def _waiting(self) -> list[Batch]:
        return [*list(self.backlog), *list(self._left.batches)]

    def _has_work(self) -> bool:
        return bool(self.backlog or self._left.batches)

    def _wait(self) -> Request | None:
        """Sleep until there is something to do: a request, or (None) spans that are due."""
        if self._requests:
            return self._requests.popleft()
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

    def _next_signal(self, until: float | None) -> Request | None:
        try:
            return self.signals.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
        except Empty:
            return None

    def _deliver_due(self) -> None:
        target = self._settled + len(self.backlog) + len(self._left.batches)
        while self._settled < target and self._has_work():
            self._deliver(self._options.timeout)
            if self._failures or not self.signals.empty():
                return

    def _deliver(self, timeout: float) -> Answer:
        """Send as much as fits into one request."""
        line = self.backlog or self._left.batches
        batches, payload = self._gather(line)
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

    def _gather(self, line: deque[Batch]) -> tuple[list[Batch], Payload | None]:
        """The first batches of ``line`` that fit into one request, and what they say together."""
        batches: list[Batch] = []
        payloads: list[Payload] = []
        size = count = 0
        while len(batches) < len(line):
            batch = line[len(batches)]
            is_full = size + batch.size > self._limit.size or count + batch.count > self._options.batch_size
            if batches and is_full:
                break
            payload = self._load(batch)
            if payload is None:
                line.remove(batch)
                self._settled += 1
                continue
            batches.append(batch)
            payloads.append(payload)
            size += batch.size
            count += batch.count
        return batches, join(payloads) if payloads else None

    def _load(self, batch: Batch) -> Payload | None:
        try:
            if self._outbox is not None and batch.file is not None and batch.file.path in self._outbox.dropped_paths:
                self._free(batch)
                return None
            return batch.load()
        except FileNotFoundError:  # dropped by another process, which counts it, to make room
            return None
        except (DamagedFileError, OSError):
            # A process or a machine that ended in the middle of writing it.
            faults.warn_once(f"agenttrace: a file in the outbox of {self._sink.name} isn't whole and was left out.")
            self._tally.lost += batch.count
            self._remove(batch)
            return None

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
            if rejected:
                self._reporter.refused(answer, rejected, is_kept=False)
            self._reporter.recovered()
        elif verdict is Verdict.SPLIT:
            self._split(line, batches, payload, answer)
        elif verdict is Verdict.REFUSED or (verdict is Verdict.FAULTY and self._failures + 1 >= _FAULTY_ATTEMPTS):
            self._refuse(line, batches, answer)
        else:
            self._retry_later(answer)

    def _confirm(self, line: deque[Batch], batches: list[Batch]) -> None:
        """The destination has them; where it answers before it has written, they are kept for a while."""
        self._unconfirmed.expire()
        if not getattr(self._sink, "answers_early", False):
            self._settle(line, batches)
            return
        for batch in batches:
            line.popleft()
            self._settled += 1
            self._free(batch)
        try:
            self._unconfirmed.keep(batches)
        except OSError as error:
            self._reporter.disk_fails(error)

    def _take_back(self) -> None:
        """The destination died, and with it perhaps what it took last."""
        for batch in self._unconfirmed.take_back():
            self._tally.sent -= batch.count
            self._settled -= 1
            self.backlog.append(batch)

    def _split(self, line: deque[Batch], batches: list[Batch], payload: Payload, answer: Answer) -> None:
        """The request was too large: try with half of it."""
        size = len(payload.data)
        self._limit.lower_below(size)
        if len(batches) > 1:
            return  # the next request has fewer of them
        if payload.count > 1:
            self._replace(line, batches, halves(payload))
        else:
            shortened = shorten(payload, max(SMALLEST_SPAN, size // 2))
            if len(shortened.data) < size:
                self._replace(line, batches, (shortened,))
            else:
                self._refuse(line, batches, answer)

    def _replace(self, line: deque[Batch], batches: list[Batch], payloads: Sequence[Payload]) -> None:
        replacements = [self.keep(payload) for payload in payloads]
        self._settle(line, batches)
        self._settled -= len(replacements)
        for replacement in reversed(replacements):
            self.memory += replacement.memory
            line.appendleft(replacement)

    def keep(self, payload: Payload, *, through: bool = False) -> Batch:
        """``payload`` as a batch, on disk where there is an outbox that can be written to."""
        if self._outbox is not None:
            try:
                file = self._outbox.keep(payload, through=through)
                self._reporter.dropped_from_outbox(self._outbox.dropped)
                return Batch(payload, file)
            except OSError as error:
                self._reporter.disk_fails(error)
        return Batch(payload, None)

    def _refuse(self, line: deque[Batch], batches: list[Batch], answer: Answer) -> None:
        """Nobody is to send these again by himself: keep them among the dead letters."""
        count = sum(batch.count for batch in batches)
        is_kept = self._bury(batches, answer)
        self._settle(line, batches)
        self._failures = 0
        if is_kept:
            self._tally.refused += count
        else:
            self._tally.lost += count
        self._reporter.refused(answer, count, is_kept=is_kept)

    def _bury(self, batches: list[Batch], answer: Answer) -> bool:
        if self._outbox is None:
            return False
        try:
            for batch in batches:
                self._outbox.refuse(batch.load(), answer.problem or "the destination refuses them")
        except (OSError, DamagedFileError) as error:
            self._reporter.disk_fails(error)
            return False
        return True

    def _settle(self, line: deque[Batch], batches: list[Batch]) -> None:
        for batch in batches:
            line.popleft()
            self._settled += 1
            self._remove(batch)

    def _remove(self, batch: Batch) -> None:
        self.memory -= batch.memory
        if self._outbox is not None and batch.file is not None:
            try:
                self._outbox.remove(batch.file)
            except OSError as error:
                self._reporter.disk_fails(error)

    def _free(self, batch: Batch) -> None:
        self.memory -= batch.memory
        batch.leave_to_disk()

    def _retry_later(self, answer: Answer) -> None:
        self._failures += 1
        self._retry_at = time.monotonic() + pause_after(self._failures, answer.retry_after)
        self._reporter.failing(answer)
