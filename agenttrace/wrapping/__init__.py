"""Putting something around every call of a function, whatever kind of function it is, without changing what it is.

The four kinds share one `Activity`: what is opened before the body runs, entered and left around each of its steps, and
told how it ended. The rooms: `activity` (that one thing), `calls` (functions and coroutines), `steps`, `generators` and
`asyncgenerators` (bodies that run in steps), `deferred` (a generator, coroutine or future that a function returned),
`native` (a wrapper of the same kind and signature as what it wraps), `callables` (which of these a callable needs).
"""

from __future__ import annotations

from .activity import Activity, ContextOnly, OpenCall
from .callables import wrap_callable

__all__ = ["Activity", "ContextOnly", "OpenCall", "wrap_callable"]
