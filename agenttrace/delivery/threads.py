"""The threads that deliver, and what holds while they do."""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable
from typing import Any

from opentelemetry import context as otel_context

from agenttrace.current import SUPPRESS_KEY

__all__ = ["Delivering", "delivery_thread"]

# OpenTelemetry's own helper for libraries that don't depend on its instrumentation package reads this key too.
_PLAIN_SUPPRESS_KEY = "suppress_instrumentation"


def delivery_thread(run: Callable[[], None], name: str) -> threading.Thread:
    """A daemon thread, not started yet, that calls ``run`` as somebody who delivers."""
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
