"""Calling methods of foreign objects with tracing off.

A ``__repr__`` may reach a traced function, even the one whose arguments are being read. What it does there is no part
of the program's run, and a span of it would read the same object again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

from ..current import SUPPRESS_KEY, Context, attach, detach, get_current, is_suppressed

Result = TypeVar("Result")


def quietly(function: Callable[..., Result], *args: object) -> Result:
    """``function(*args)``, with tracing suppressed, by agenttrace and by OpenTelemetry's instrumentors.

    Raises:
        BaseException: Whatever ``function`` raises. Tracing is then as it was before, also when a signal's exception
            or the interpreter's recursion limit cut the way back short.
    """
    if is_suppressed(get_current()):
        return function(*args)
    # In a copy of the context variables, which the interpreter itself leaves again: a signal may arrive anywhere in a
    # `finally`, and a call in it may be one too deep.
    return copy_context().run(_suppressed, function, *args)


def _suppressed(function: Callable[..., Result], *args: object) -> Result:
    previous = get_current()
    quiet = Context({**previous, SUPPRESS_KEY: True})
    token = attach(quiet)
    try:
        return function(*args)
    finally:
        detach(token, quiet, previous)  # for a runtime context that OTEL_PYTHON_CONTEXT chose, which no copy covers
