"""The threads that deliver, and what holds while they do."""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeGuard

from opentelemetry import context as otel_context

from agenttrace.blame import is_meant_for_program
from agenttrace.current import SUPPRESS_KEY

__all__ = ["Delivering", "DeliveryThreads"]

# OpenTelemetry's own helper for libraries that don't depend on its instrumentation package reads this key too.
_PLAIN_SUPPRESS_KEY = "suppress_instrumentation"


class DeliveryThreads:
    """A destination's two threads, which start with the first need of them.

    Args:
        keep: What the worker does until it is told to stop.
        send: What the sender does until it is told to stop.
    """

    def __init__(self, keep: Callable[[], None], send: Callable[[], None]) -> None:
        self._keep = keep
        self._send = send
        self._worker: threading.Thread | None = None
        self._sender: threading.Thread | None = None
        self._lock = threading.Lock()
        self._starting_thread: int | None = None
        self.problem: RuntimeError | None = None
        """Why the latest attempt to start one failed."""

    @property
    def have_started(self) -> bool:
        """Whether there have ever been any."""
        return _has_started(self._worker) or _has_started(self._sender)

    @property
    def is_worker_alive(self) -> bool:
        """Whether the worker hasn't ended yet."""
        return self._worker is not None and self._worker.is_alive()

    @property
    def is_sender_alive(self) -> bool:
        """Whether the sender hasn't ended yet."""
        return self._sender is not None and self._sender.is_alive()

    @property
    def is_current(self) -> bool:
        """Whether the calling thread is one of them."""
        return threading.current_thread() in (self._worker, self._sender)

    def start(self) -> bool:
        """Have both; False where there can be none (any more). One that couldn't be started is tried again."""
        if _has_started(self._worker) and _has_started(self._sender):
            return self._worker.is_alive() and self._sender.is_alive()
        if self._starting_thread == threading.get_ident():
            return False  # a signal handler in the middle of it: nobody else will go on with that now
        is_held = False
        try:
            is_held = self._lock.acquire(blocking=False)
            if not is_held:
                return True  # another thread is starting them
            self._starting_thread = threading.get_ident()
            # Each is known before it starts: what a signal raises meanwhile must not lead to a second one.
            if not _has_started(self._sender):
                self._sender = _thread(self._send, "agenttrace-sender")
                self._sender.start()
            if not _has_started(self._worker):
                self._worker = _thread(self._keep, "agenttrace-worker")
                self._worker.start()
        except RuntimeError as error:
            if is_meant_for_program(error):
                raise
            self.problem = error
            return False
        finally:
            if is_held:
                self._starting_thread = None
                self._lock.release()
        return True

    def join(self, timeout: float) -> None:
        """Wait until both have ended, for ``timeout`` seconds at most each."""
        for thread in (self._worker, self._sender):
            if _has_started(thread):
                thread.join(timeout)


def _has_started(thread: threading.Thread | None) -> TypeGuard[threading.Thread]:
    return thread is not None and thread.ident is not None


def _thread(run: Callable[[], None], name: str) -> threading.Thread:
    return threading.Thread(target=_deliver, args=(run,), name=name, daemon=True, **_thread_options())


def _thread_options() -> dict[str, Any]:
    # From Python 3.14 on a thread may inherit its starter's context, of which nothing may live on in the worker.
    return {"context": contextvars.Context()} if sys.version_info >= (3, 14) else {}


def _deliver(run: Callable[[], None]) -> None:
    with Delivering():
        run()


class Delivering:
    """While it is entered, instrumentation makes no spans of our own requests, and the encoder logs nothing."""

    def __enter__(self) -> None:
        context = otel_context.set_value(SUPPRESS_KEY, True)
        self._token = otel_context.attach(otel_context.set_value(_PLAIN_SUPPRESS_KEY, True, context))

    def __exit__(self, *error: object) -> None:
        otel_context.detach(self._token)
