"""The OpenTelemetry context as tracing uses it: its keys, and attaching and detaching without a word in anybody's log.

OpenTelemetry's own ``detach`` logs "Failed to detach context" when a generator is closed by another task or thread than
the one that ran it. That is ordinary Python, not a fault, so the restoring here copes with it in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token

from opentelemetry import trace as otel_trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY as SUPPRESS_KEY  # the only switch instrumentors share
from opentelemetry.context import Context, create_key
from opentelemetry.context import attach as otel_attach
from opentelemetry.context import detach as otel_detach
from opentelemetry.context import get_current as otel_get_current

__all__ = [
    "HANDLE_KEY",
    "SPAN_KEY",
    "SUPPRESS_KEY",
    "Context",
    "attach",
    "create_key",
    "detach",
    "get_current",
    "is_suppressed",
]

# The context that holds one span and nothing else tells the key under which OpenTelemetry keeps the current span,
# without reaching for its private name.
[SPAN_KEY] = otel_trace.set_span_in_context(otel_trace.INVALID_SPAN, Context())

HANDLE_KEY = create_key("agenttrace-span")
"""Key of the `RunningSpan` that has the handle which ``current_span()`` gives back."""


def _context_variable() -> ContextVar[Context] | None:
    """The context variable that OpenTelemetry keeps its context in; None where OTEL_PYTHON_CONTEXT chose otherwise."""
    token = otel_attach(otel_get_current())
    variable = getattr(token, "var", None)
    otel_detach(token)
    return variable if isinstance(variable, ContextVar) else None


# OpenTelemetry's own functions lead through two more calls each, which every traced call would pay three times.
_variable = _context_variable()
get_current: Callable[[], Context] = otel_get_current if _variable is None else _variable.get
attach: Callable[[Context], Token[Context]] = otel_attach if _variable is None else _variable.set


def is_suppressed(context: Context) -> bool:
    """Whether ``suppress_tracing()``, or OpenTelemetry's own suppression, is in force in ``context``."""
    return bool(context.get(SUPPRESS_KEY))


def detach(token: Token[Context], attached: Context | None, previous: Context | None) -> None:
    """Undo an ``attach`` wherever the block that made it happens to be closed.

    Args:
        token: What ``attach(attached)`` returned.
        attached: The context that was attached.
        previous: The context that was current before.
    """
    try:
        token.var.reset(token)
    except ValueError:
        # Closed from another task or thread. Its own context is left alone, unless the code that is being closed
        # runs with ours attached (a traced generator's body does).
        if attached is not None and previous is not None and get_current() is attached:
            attach(previous)
    except AttributeError:
        otel_detach(token)  # a runtime context that OTEL_PYTHON_CONTEXT chose, whose tokens are its own affair
