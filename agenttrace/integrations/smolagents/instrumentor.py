"""OpenInference's own instrumentor for smolagents, in the same process: of a traced agent it records nothing.

It replaces methods of smolagents' classes by wrappers that record each call. Where agenttrace records a call already,
the method that the wrapper was put around is called, which the wrapper itself says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

__all__ = ["below_instrumentor", "is_instrumented"]

_PACKAGE = "openinference.instrumentation.smolagents"


def is_instrumented() -> bool:
    """Whether the instrumentor has been imported, so that it may be at work."""
    return _PACKAGE in sys.modules


def below_instrumentor(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, bound as it is, without the instrumentor's wrappers around it."""
    if not is_instrumented():
        return function
    while type(getattr(function, "_self_wrapper", None)).__module__.startswith(_PACKAGE):
        function = function.__wrapped__  # type: ignore[attr-defined]
    return function
