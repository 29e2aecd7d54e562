"""The thread that keeps spans safe: takes ended ones from the queue, encodes them, and writes them to the outbox."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from queue import Empty
from typing import TYPE_CHECKING

from agenttrace import faults

from .encoding import SpanEncoder
from .open_spans import RunningSpans
from .options import DeliveryOptions
from .queue import IDLE, Request, SpanQueue, waiting_time
from .sender import Sender

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from agenttrace.outbox.folder import StoredFile
    from agenttrace.outbox.outbox import Outbox

__all__ = ["Worker"]

_CHUNK = 512
_ROOM_PAUSE_SECONDS = 0.02


class Worker:
    """Hands what ends up in ``queue`` on to ``sender``, in order. One thread at a time may be in it.

    Args:
        queue: Where the spans come from.
        encoder: Makes payloads of them.
        sender: Where these go.
        outbox: Where they are kept meanwhile; None where they are in memory alone.
        running: Writes down which spans are open.
        options: How they are gathered.
    """

    def __init__(
        self,
        queue: SpanQueue,
        encoder: SpanEncoder,
        sender: Sender,
        outbox: Outbox | None,
        running: RunningSpans,
        options: DeliveryOptions,
    ) -> None:
        self._queue = queue
        self._encoder = encoder
        self._sender = sender
        self._outbox = outbox
        self._running = running
        self._options = options
        self._fresh: deque[StoredFile] = deque()
        self._is_gone = False
        self.is_asleep: bool = True
        """Whether it waits for a signal and looks at nothing by itself."""

    def run(self) -> None:
        """Keep spans until a request to stop comes, and hand every request on to the sender."""
        while True:
            request = self._wait()
            self.gather(request, may_ask=True)
            if request is not None:
                self._sender.signals.put(request)
                self._sender.answer_if_stopped()
                if request.stop:
                    self._is_gone = True
                    self.answer_if_gone()
                    return

    def answer_if_gone(self) -> None:
        """Let nobody wait for a worker that has stopped. To be called after a request was signalled to it."""
        while self._is_gone:
            try:
                request = self._queue.signals.get_nowait()
            except Empty:
                return
            if request is not None:
                request.kept.set()
                self._sender.signals.put(request)
                self._sender.answer_if_stopped()

    def gather(self, request: Request | None = None, *, may_ask: bool = False) -> None:
        """Keep what waits now.

        Args:
            request: Why; one to stop closes the queue, and takes everything in it.
            may_ask: Whether there is a sender's thread that can be asked to make room.
        """
        try:
            is_last = request is not None and request.stop
            if is_last:
                self._queue.close()
            if request is None:
                self._write_through()
            # Right before, so that as few as can be of the spans that it takes seem to be open still.
            now = self._running.look()
            self._take(request, may_ask=may_ask)
            self._queue.is_drained |= is_last
            self._note(now, request)
            if request is not None and not request.is_exit:
                self._write_through()
        except BaseException as error:  # whatever it is, the thread lives on: nobody else keeps the spans
            faults.contain("keeping ended spans", error)
        finally:
            if request is not None:
                request.kept.set()

    def keep(self, spans: Sequence[ReadableSpan], *, through: bool = False) -> None:
        """Encode ``spans``, keep them on disk, and give them to the sender. Safe to use from several threads.

        Args:
            spans: Ended spans.
            through: Whether to wait until the disk has them.
        """
        for payload in self._encoder.encode(spans):
            batch = self._sender.keep(payload, through=through)
            if batch.file is not None and not through:
                self._fresh.append(batch.file)
            self._sender.add(batch)

    def _note(self, now: dict[int, Span], request: Request | None) -> None:
        if request is None or not request.stop:
            self._running.note(now)
        elif request.is_exit:
            self._running.note(now, at_once=True)
        else:
            self._running.hand_over()

    def _take(self, request: Request | None, *, may_ask: bool) -> None:
        """Take what is there, but not what comes in meanwhile: that may never end."""
        waiting = len(self._queue.spans)
        while waiting > 0:
            if not self._wait_for_room(request, may_ask=may_ask):
                return
            spans = self._queue.take(min(_CHUNK, waiting))
            if not spans:
                return
            waiting -= len(spans)
            self.keep(spans)

    def _wait_for_room(self, request: Request | None, *, may_ask: bool) -> bool:
        """Whether another batch may be kept; waits for the sender where it makes room."""
        while self._is_crowded():
            if request is not None:
                return request.stop or (may_ask and self._asks_for_room(request))
            time.sleep(_ROOM_PAUSE_SECONDS)
            if not self._queue.signals.empty():
                return False
        return True

    def _asks_for_room(self, request: Request) -> bool:
        """Have the sender deliver what it has, for as long as ``request`` may take; whether there is room then."""
        asked = Request(request.remaining(), stop=False)
        self._sender.signals.put(asked)
        asked.done.wait(asked.remaining())
        return not self._is_crowded()

    def _is_crowded(self) -> bool:
        if self._sender.memory > self._options.memory_bytes:
            return True
        return self._outbox is not None and self._outbox.is_full and not self._sender.is_failing

    def _write_through(self) -> None:
        """Have the disk itself keep what wasn't delivered within an interval."""
        outbox = self._outbox
        if outbox is None or not self._fresh:
            return
        # Not those that come meanwhile: other threads may add to them faster than the disk takes them.
        files = [self._fresh.popleft() for _ in range(len(self._fresh))]
        try:
            outbox.write_through(files)
        except OSError as error:
            faults.report("writing the outbox through to the disk", error)

    def _wait(self) -> Request | None:
        """Sleep until there is something to do: a request, or (None) spans that are due, or one that is still open."""
        queue = self._queue
        request = self._sleep()
        if request is not None or not queue.spans:
            queue.disarm()
            return request
        batch_size = self._options.batch_size
        queue.arm(batch_size)
        due = time.monotonic() + self._options.interval
        # Signals are read in any case: a request may be among them, and they must not pile up.
        while request is None and (
            not queue.signals.empty() or (len(queue.spans) < batch_size and time.monotonic() < due)
        ):
            request = self._next_signal(due)
        queue.disarm()
        return request

    def _sleep(self) -> Request | None:
        """Until a span ends, or a request comes; where open or fresh ones are to be looked at, until that is due."""
        queue = self._queue
        due = time.monotonic() + self._running.pause
        while not queue.spans:
            # Armed again before each sleep, since a producer that was slow to signal may have set it higher. And
            # armed before looking: a producer appends and then looks at the threshold, so one of the two sees what
            # the other did. The same holds for a span that starts, and `is_asleep`.
            queue.arm(IDLE)
            self.is_asleep = True
            has_news = bool(self._fresh) or self._running.has_news
            if queue.spans:
                break
            if has_news and time.monotonic() >= due:
                break
            self.is_asleep = not has_news
            request = self._next_signal(due if has_news else None)
            if request is not None:
                self.is_asleep = False
                return request
        self.is_asleep = False
        return None

    def _next_signal(self, until: float | None) -> Request | None:
        try:
            return self._queue.signals.get(timeout=None if until is None else waiting_time(until - time.monotonic()))
        except Empty:
            return None
