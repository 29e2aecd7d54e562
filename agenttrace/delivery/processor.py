"""The end of a span on the hot path, and what a program can ask of delivery: flush, shut down, survive a fork."""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import TraceFlags

from agenttrace import faults
from agenttrace.blame import is_meant_for_program
from agenttrace.current import SUPPRESS_KEY

from .courier import Courier, Pace
from .queue import IDLE, Request, SpanQueue
from .sink import Sink

__all__ = ["DEFAULT_CAPACITY", "SHUTDOWN_SECONDS", "DeliveryProcessor"]

DEFAULT_CAPACITY = 65_536
SHUTDOWN_SECONDS = 2.0
# OpenTelemetry's own helper for libraries that don't depend on its instrumentation package reads this key too.
_PLAIN_SUPPRESS_KEY = "suppress_instrumentation"
_SAMPLED = TraceFlags.SAMPLED


class DeliveryProcessor(SpanProcessor):
    """Takes ended spans without blocking and delivers them to one sink from a daemon thread.

    The thread starts at the first span, so a process that traces nothing has none. The queue is bounded; when it is
    full the newest spans are dropped, counted, and one warning is logged.

    Args:
        sink: Where the spans go.
        pace: How they are gathered and sent.
        capacity: How many spans may wait.

    Example:
        >>> provider.add_span_processor(DeliveryProcessor(OtlpSink(endpoint, headers)))
    """

    def __init__(self, sink: Sink, pace: Pace | None = None, capacity: int = DEFAULT_CAPACITY) -> None:
        self._sink = sink
        self._pace = pace or Pace()
        self._capacity = capacity
        self._successor: Callable[[ReadableSpan], None] | None = None
        self._exit_deadline: float | None = None
        self._start_afresh()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing is done with a span before it ends."""

    def on_end(self, span: ReadableSpan) -> None:
        """Queue ``span`` if it is sampled."""
        try:
            if span.context.trace_flags & _SAMPLED:
                queue = self._queue
                spans = queue.spans
                spans.append(span)
                if len(spans) >= queue.threshold:
                    self._notice(queue)
        except BaseException as error:
            faults.contain("queueing an ended span", error)

    def force_flush(self, timeout_millis: float = 30_000) -> bool:
        """Deliver everything that ended before this call.

        Args:
            timeout_millis: How long to wait at most, in milliseconds; may be infinite.

        Returns:
            True when every span that ended before the call was accepted by the destination, and none was lost since
            the last flush. False when the time was up, nobody answers there, or spans were refused or dropped.
        """
        if self._has_nothing_to_do():
            return True
        return self._ask(timeout_millis / 1000, stop=False)

    def shutdown(self) -> None:
        """Deliver what waits, for 2 seconds at most, and take no more spans."""
        self.stop()

    def stop(self, timeout: float = SHUTDOWN_SECONDS) -> bool:
        """Deliver what waits, for ``timeout`` seconds at most, and take no more spans.

        Returns:
            Whether everything was delivered. What wasn't is given up with one warning.
        """
        if self._queue.is_closed:
            return not self._courier.undelivered
        has_nothing_to_do = self._has_nothing_to_do()
        self._queue.close()
        self._courier.reporter.is_closing = True
        if has_nothing_to_do:
            return True
        arrived = self._ask(timeout, stop=True)
        self._give_up_rest(timeout)
        return arrived

    @property
    def exit_seconds(self) -> float | None:
        """How long an exit may wait for this destination, where that is not what it may wait for a server."""
        return getattr(self._sink, "exit_seconds", None)

    def finish_at_exit(self, deadline: float) -> None:
        """Shut down because the process ends. What ends even later is sent by the thread that ended it.

        Args:
            deadline: The `time.monotonic` moment that the process must not be kept beyond.
        """
        self._exit_deadline = deadline
        self.stop(max(0.0, deadline - time.monotonic()))

    def hand_over_to(self, successor: Callable[[ReadableSpan], None]) -> None:
        """Give spans that end after this processor was stopped to ``successor``."""
        self._successor = successor

    @property
    def is_stopped(self) -> bool:
        """Whether it takes no more spans."""
        return self._queue.is_closed

    def after_fork(self) -> None:
        """Start afresh in a forked child: what waited is the parent's to send, and so are its connections."""
        was_closed = self._queue.is_closed
        self._sink.forget()
        self._start_afresh()
        if was_closed:
            self._queue.close()

    def _start_afresh(self) -> None:
        self._queue = SpanQueue(self._capacity)
        self._courier = Courier(self._queue, self._sink, self._pace)
        self._worker: threading.Thread | None = None
        self._worker_lock = threading.Lock()

    def _has_nothing_to_do(self) -> bool:
        # A worker may hold a batch that it took a moment ago, so only one that never started proves that.
        return self._worker is None and not self._courier.undelivered and not self._courier.lost

    def _notice(self, queue: SpanQueue) -> None:
        """A span made the queue as long as the worker wants to hear of, or longer than it may be."""
        if queue.is_closed:
            self._take_late(queue)
        elif len(queue.spans) > queue.capacity:
            queue.drop_newest()
            self._courier.reporter.dropped(queue.capacity)
        else:
            if queue.threshold == IDLE:
                queue.arm(self._pace.batch_size)
            else:
                queue.disarm()
            queue.signals.put(None)
            if self._worker is None:
                self._start_worker()

    def _take_late(self, queue: SpanQueue) -> None:
        if self._successor is not None:
            for span in queue.take(len(queue.spans)):
                self._successor(span)
        elif self._exit_deadline is not None and time.monotonic() < self._exit_deadline:
            if self._worker is None or not self._worker.is_alive():
                request = Request(self._exit_deadline - time.monotonic(), stop=True)
                self._serve_inline(request)
                self._give_up_rest(request.remaining())
        elif self._worker is None or not self._worker.is_alive():
            queue.spans.clear()
            faults.warn_once("agenttrace: spans that end after shutdown() are not recorded; call register() again.")

    def _give_up_rest(self, waited: float) -> None:
        undelivered = self._courier.undelivered
        if undelivered:
            self._courier.reporter.gave_up(undelivered, waited)

    def _ask(self, timeout: float, *, stop: bool) -> bool:
        request = Request(timeout, stop=stop)
        if threading.current_thread() is self._worker:
            return False  # an exporter that flushes what it is part of would wait for itself
        if self._start_worker():
            self._queue.signals.put(request)
            request.done.wait(request.remaining())
        else:
            self._serve_inline(request)
        return request.done.is_set() and request.delivered

    def _serve_inline(self, request: Request) -> None:
        # From Python 3.12 on no thread can be started while the interpreter shuts down.
        if self._worker_lock.acquire(blocking=False):
            try:
                with _Delivering():
                    self._courier.serve(request)
            finally:
                self._worker_lock.release()

    def _start_worker(self) -> bool:
        """Have a worker; False when there can be none (any more)."""
        if self._worker is not None:
            return self._worker.is_alive()
        if not self._worker_lock.acquire(blocking=False):
            return True  # another thread is starting it
        try:
            if self._worker is None:
                worker = threading.Thread(
                    target=_work, args=(self._courier,), name="agenttrace-delivery", daemon=True, **_thread_options()
                )
                try:
                    worker.start()
                except BaseException as error:
                    if isinstance(error, RuntimeError) and not is_meant_for_program(error):
                        self._report_no_thread(error)
                        return False
                    # A signal's, such as Ctrl-C: the thread runs all the same, and a second one would be too many.
                    self._worker = worker
                    raise
                self._worker = worker
        finally:
            self._worker_lock.release()
        return True

    def _report_no_thread(self, error: RuntimeError) -> None:
        # From Python 3.12 on there is none from the moment that the main thread has ended, while exit handlers still
        # run. `finish_at_exit` delivers without one then, so nothing is wrong.
        if threading.main_thread().is_alive() and not self._queue.is_closed:
            faults.report("starting the thread that delivers spans", error)


def _thread_options() -> dict[str, Any]:
    # From Python 3.14 on a thread may inherit its starter's context, of which nothing may live on in the worker.
    return {"context": contextvars.Context()} if sys.version_info >= (3, 14) else {}


def _work(courier: Courier) -> None:
    with _Delivering():
        courier.run()


class _Delivering:
    """While it is entered, instrumentation makes no spans of our own requests, and the encoder logs nothing."""

    def __enter__(self) -> None:
        context = otel_context.set_value(SUPPRESS_KEY, True)
        self._token = otel_context.attach(otel_context.set_value(_PLAIN_SUPPRESS_KEY, True, context))

    def __exit__(self, *error: object) -> None:
        otel_context.detach(self._token)
