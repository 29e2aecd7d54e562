"""OpenInference's own instrumentor for smolagents, in the same process: of a traced agent it records nothing.

It replaces methods of smolagents' classes by wrappers that record each call. Where agenttrace records a call already,
the method that the wrapper was put around is called, which the wrapper itself says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

__all__ = ["below_instrumentor", "is_instrumented", "records_runs_of"]

_PACKAGE = "openinference.instrumentation.smolagents"


def is_instrumented() -> bool:
    """Whether the instrumentor has been imported, so that it may be at work."""
    return _PACKAGE in sys.modules


def below_instrumentor(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, bound as it is, without the instrumentor's wrappers around it."""
    if not is_instrumented():
        return function
    while _is_wrapped(function):
        function = function.__wrapped__  # type: ignore[attr-defined]
    return function


def records_runs_of(agent: Any) -> bool:
    """Whether the instrumentor is at work, and records what ``agent``, of a plain class, does."""
    return is_instrumented() and any(_is_wrapped(vars(base).get("run")) for base in type(agent).__mro__)


def _is_wrapped(function: object) -> bool:
    return type(getattr(function, "_self_wrapper", None)).__module__.startswith(_PACKAGE)
