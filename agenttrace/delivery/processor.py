"""A span's start and end on the hot path, and what a program can ask of delivery: flush, stop, survive a fork."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import TraceFlags

from agenttrace import faults
from agenttrace.outbox.payloads import SizeLimit

from .batch import Tally
from .encoding import SpanEncoder, SpanView
from .flush_report import FlushReport
from .open_spans import OpenSpans, RunningSpans
from .options import DeliveryOptions
from .queue import IDLE, Request, SpanQueue
from .reports import Reporter
from .sender import Sender
from .sink import LOCAL_EXIT_SECONDS, Sink
from .threads import Delivering, DeliveryThreads
from .worker import Worker

if TYPE_CHECKING:
    from agenttrace.outbox.outbox import Outbox

__all__ = ["DeliveryProcessor"]

_SAMPLED = TraceFlags.SAMPLED
_ROOM_PAUSE_SECONDS = 0.002
_STALLED_SECONDS = 1.0


class DeliveryProcessor(SpanProcessor):
    """Takes ended spans at next to no cost and delivers them to one sink, by two daemon threads.

    One thread keeps the spans safe (see `worker`), the other sends them (see `sender`), so that a destination that
    doesn't answer keeps nothing from being written to disk. They start with the first span: a process that traces
    nothing has none.

    Args:
        sink: Where the spans go.
        options: How they are gathered, kept and sent.
        view: What the sink sees of them; None for all as they are.
        outbox: Where they are kept on disk; None where they are in memory alone.

    Example:
        >>> provider.add_span_processor(DeliveryProcessor(OtlpSink(endpoint, headers)))
    """

    def __init__(
        self,
        sink: Sink,
        options: DeliveryOptions | None = None,
        view: SpanView | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        self._sink = sink
        self._options = options or DeliveryOptions()
        self._view = view or SpanView()
        self._outbox = outbox if self._options.durability != "memory" else None
        self._watches = self._outbox is not None or hasattr(sink, "show_running")
        self._keeps_at_once = self._outbox is not None and self._options.durability in ("write", "sync")
        self._successor: Callable[[ReadableSpan], None] | None = None
        self._exit_deadline: float | None = None
        self._inherited: frozenset[int] = frozenset()
        self._start_afresh()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember ``span`` until it ends."""
        try:
            self._open.add(span)
            if self._worker.is_asleep and self._watches:
                self._wake()
        except BaseException as error:
            faults.contain("noting a span that starts", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue ``span`` if it is sampled."""
        try:
            context = span.context
            if context.trace_flags & _SAMPLED:
                if self._keeps_at_once or self._inherited:
                    self._take_with_care(span)
                else:
                    queue = self._queue
                    spans = queue.spans
                    spans.append(span)
                    # Before anything that may wait, and be interrupted: it would seem to be open still.
                    self._open.remove(context.span_id)
                    if len(spans) >= queue.threshold:
                        self._notice(queue)
                    return
            self._open.remove(context.span_id)
            if self._keeps_at_once and self._worker.is_asleep:
                self._wake()  # to note that it has ended, and to have the disk itself keep it
        except BaseException as error:
            faults.contain("queueing an ended span", error)

    def force_flush(self, timeout_millis: float = 30_000) -> bool:
        """Deliver everything that ended before this call.

        Args:
            timeout_millis: How long to wait at most, in milliseconds; may be infinite.

        Returns:
            True when every span that ended before the call is safe: sent, or on disk. See `FlushReport`.
        """
        return bool(self.end_flush(self.begin_flush(timeout_millis / 1000)))

    def begin_flush(self, timeout: float) -> Request | None:
        """Ask the threads to deliver what waits, for ``timeout`` seconds at most. To be followed by `end_flush`."""
        return None if self._has_nothing_to_do() else self._ask(Request(timeout, stop=False))

    def await_flush(self, request: Request | None) -> None:
        """Wait for what `begin_flush` has asked for. What became of the spans is left for `end_flush` to say."""
        if request is not None:
            request.done.wait(request.remaining())

    def end_flush(self, request: Request | None) -> FlushReport:
        """Wait for what `begin_flush` has asked for, and say what became of the spans since the flush before."""
        self.await_flush(request)
        return self._report()

    def shutdown(self) -> None:
        """Deliver what waits, for as long as the options say, and take no more spans."""
        self.stop()

    def stop(self, timeout: float | None = None) -> bool:
        """Deliver what waits, and take no more spans.

        Args:
            timeout: Seconds to wait at most; None for what the options say.

        Returns:
            Whether everything is safe: delivered, or on disk.
        """
        seconds = self.shutdown_timeout if timeout is None else timeout
        return self.end_stop(self.begin_stop(Request(seconds, stop=True)))

    def begin_stop(self, request: Request) -> Request | None:
        """Ask the threads to deliver what waits, and to end. To be followed by `end_stop`."""
        if self._queue.is_closed:
            return None
        if request.is_exit:
            self._exit_deadline = request.deadline
        self._reporter.is_closing = True
        if self._has_nothing_to_do():
            self._queue.close()
            return None
        return self._ask(request)

    def end_stop(self, request: Request | None) -> bool:
        """Wait for what `begin_stop` has asked for; whether everything is safe."""
        if request is None:
            return not self._sender.undelivered
        request.done.wait(request.remaining())
        if self._outbox is not None and self._threads.is_worker_alive:
            # A busy machine may not have let the worker begin. The disk isn't the destination: it takes them or fails.
            request.kept.wait(LOCAL_EXIT_SECONDS)
        self._queue.close()
        self._say_what_is_left()
        # Said before looking: the sender looks at it when it is done, and one of the two leaves the outbox. Not sooner,
        # as another process would send once more what it is in the middle of.
        request.is_abandoned = not request.is_exit
        if request.done.is_set():
            self._leave_outbox(is_exit=request.is_exit)
        return not self._lost() and not self._in_memory(self._sender.on_disk)

    @property
    def exit_seconds(self) -> float | None:
        """How long an exit may wait for this destination, where that is not what it may wait for a server."""
        return getattr(self._sink, "exit_seconds", None)

    @property
    def shutdown_timeout(self) -> float:
        """Seconds that the end of the program may wait for delivery."""
        return self._options.shutdown_timeout

    def hand_over_to(self, successor: Callable[[ReadableSpan], None]) -> None:
        """Give spans that end after this processor was stopped to ``successor``."""
        self._successor = successor

    @property
    def is_stopped(self) -> bool:
        """Whether it takes no more spans."""
        return self._queue.is_closed

    def begin(self) -> None:
        """Send what processes that are gone have left in the outbox, without waiting for a span of this one."""
        if self._outbox is not None and self._outbox.path.is_dir():
            self._threads.start()

    def after_fork(self) -> None:
        """Start afresh in a forked child: what waited is the parent's to send, and so are its connections.

        So are the spans that were open: the child has copies of them, which it may end, too.
        """
        was_closed = self._queue.is_closed
        self._inherited |= self._open.ids()
        self._sink.forget()
        self._sender.after_fork()
        if self._outbox is not None:
            self._outbox.after_fork()
        self._start_afresh()
        if was_closed:
            self._queue.close()

    def _start_afresh(self) -> None:
        options = self._options
        limit = SizeLimit(options.batch_bytes)
        self._queue = SpanQueue(options.capacity, options.memory_bytes)
        self._open = OpenSpans()
        self._tally = Tally()
        self._reported = (0, 0, 0)
        self._reporter = Reporter(self._sink.name, has_outbox=self._outbox is not None)
        self._encoder = SpanEncoder(self._view, options, limit, self._tally)
        self._sender = Sender(self._sink, options, self._outbox, limit, self._tally, self._reporter)
        show = getattr(self._sink, "show_running", None)
        # With an encoder of its own, for which a span that can't be shown isn't lost yet.
        encoder = SpanEncoder(self._view, options)
        running = RunningSpans(self._open, encoder, self._outbox, show, options.interval)
        self._worker = Worker(self._queue, self._encoder, self._sender, self._outbox, running, options)
        self._threads = DeliveryThreads(self._worker.run, self._sender.run)
        self._inline_lock = threading.Lock()
        self._report_lock = threading.RLock()
        self._stalled_until = 0.0

    def _has_nothing_to_do(self) -> bool:
        # A thread may hold a batch that it took a moment ago, so only one that never started proves that.
        return not self._threads.have_started and not self._queue.spans and not self._sender.undelivered

    def _wake(self) -> None:
        """A span has started while the worker sleeps: it may stay open for long, and is to be written down then."""
        if self._queue.is_closed:
            return  # nobody is there to write it down, nor to send it before it has ended
        self._worker.is_asleep = False
        if self._has_threads():
            self._queue.signals.put(None)
        else:
            self._worker.is_asleep = True

    def _take_with_care(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        if context is not None and context.span_id in self._inherited:
            return  # the parent process has it open, and ends it
        has_room = self._sender.memory <= self._options.memory_bytes
        if self._keeps_at_once and has_room and not self._queue.is_closed:
            self._has_threads()
            with Delivering():
                self._worker.keep([span], through=self._options.durability == "sync")
            return
        self._queue.spans.append(span)
        if len(self._queue.spans) >= self._queue.threshold:
            self._notice(self._queue)

    def _notice(self, queue: SpanQueue) -> None:
        """A span made the queue as long as the worker wants to hear of, or longer than it may be."""
        if queue.is_closed:
            self._take_late(queue)
        else:
            if queue.threshold == IDLE:
                queue.arm(self._options.batch_size)
            else:
                queue.disarm()
            queue.signals.put(None)
            if not self._has_threads():
                queue.arm(IDLE)  # the next span tries again
            if queue.is_full:
                self._wait_for_room(queue)

    def _wait_for_room(self, queue: SpanQueue) -> None:
        """Spans end faster than they can be kept: wait as long as the program allows, then drop the newest.

        By sleeping and not by a lock, as a span may end in a signal handler that interrupted another one that waits.
        """
        options = self._options
        started = time.monotonic()
        longest = {"drop": 0.0, "spill": options.overflow_timeout, "block": float("inf")}[options.overflow]
        if self._threads.is_current or started < self._stalled_until:
            longest = 0.0
        while queue.is_full and not queue.is_closed:
            if time.monotonic() - started >= longest or not self._has_threads():
                if longest:
                    self._stalled_until = time.monotonic() + _STALLED_SECONDS
                queue.drop_newest()
                self._reporter.dropped(len(queue.spans))
                return
            time.sleep(_ROOM_PAUSE_SECONDS)

    def _take_late(self, queue: SpanQueue) -> None:
        """A span ended after the end of delivery: keep it at least, and send it where there is still time."""
        span = queue.take_newest()
        if span is None:
            return
        if self._successor is not None:
            self._successor(span)
        elif self._exit_deadline is None:
            faults.warn_once("agenttrace: spans that end after shutdown() are not recorded; call register() again.")
        else:
            if span.context is not None:  # else it would be written down as open still
                self._open.remove(span.context.span_id)
            with Delivering():
                self._worker.keep([span])
            if not self._threads.is_sender_alive:  # else it sends this one, too, if it is ever answered
                self._serve_inline(Request(self._exit_deadline - time.monotonic(), stop=True, is_exit=True))
                self._say_what_is_left()
                self._leave_outbox(is_exit=True)

    def _say_what_is_left(self) -> None:
        on_disk = self._sender.on_disk
        self._reporter.gave_up(on_disk, self._in_memory(on_disk))
        self._reporter.dropped_at_all(self._queue.dropped)

    def _leave_outbox(self, *, is_exit: bool) -> None:
        try:
            if self._outbox is not None:
                self._outbox.leave(is_exit=is_exit)
        except BaseException as error:
            faults.contain("leaving the outbox", error)

    def _in_memory(self, on_disk: int) -> int:
        """How many spans are in memory alone."""
        # One that ends too late is in the queue for a moment, until its thread sees that.
        queued = 0 if self._queue.is_drained else len(self._queue.spans)
        return max(0, queued + self._sender.undelivered - on_disk)

    def _lost(self) -> int:
        return self._tally.lost + self._queue.dropped + (0 if self._outbox is None else self._outbox.dropped)

    def _report(self) -> FlushReport:
        on_disk = self._sender.on_disk
        with self._report_lock:
            counts = (self._tally.sent, self._tally.refused, self._lost())
            before, self._reported = self._reported, counts
        return FlushReport(
            sent=max(0, counts[0] - before[0]),  # what a destination took may have gone with it meanwhile
            on_disk=on_disk,
            refused=counts[1] - before[1],
            lost=counts[2] - before[2],
            waiting=self._in_memory(on_disk),
        )

    def _ask(self, request: Request) -> Request | None:
        if self._threads.is_current:
            return None  # an exporter that flushes what it is part of would wait for itself
        if self._has_threads():
            self._queue.signals.put(request)
            self._worker.answer_if_gone()
        else:
            self._serve_inline(request)
        return request

    def _serve_inline(self, request: Request) -> None:
        # From Python 3.12 on no thread can be started while the interpreter shuts down.
        if self._inline_lock.acquire(blocking=False):
            try:
                was_told_to_stop = self._queue.is_closed
                with Delivering():
                    self._worker.gather(request)
                    if not self._threads.is_sender_alive:
                        self._sender.serve(request)
                    elif was_told_to_stop:
                        request.done.set()  # it is in the middle of that, and hears nothing more
                    else:
                        self._sender.signals.put(request)
            finally:
                self._inline_lock.release()

    def _has_threads(self) -> bool:
        """Whether the threads run, which are started where there are none yet."""
        if self._threads.start():
            return True
        # From Python 3.12 on there is none from the moment that the main thread has ended, while exit handlers still
        # run. `begin_stop` delivers without one then, so nothing is wrong.
        problem = self._threads.problem
        if problem is not None and threading.main_thread().is_alive() and not self._queue.is_closed:
            faults.report("starting the threads that deliver spans", problem)
        return False
