"""Taking the context along into the worker processes of a pool."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from typing_extensions import ParamSpec

from . import faults
from .context import attributes_from_context
from .current import SUPPRESS_KEY, Context, attach, detach, get_current, is_suppressed

__all__ = ["ProcessPoolExecutor"]

P = ParamSpec("P")
R = TypeVar("R")

# Not the global propagator, which may be set to a form that only the program's other services speak, or to none.
_PROPAGATOR = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])


class ProcessPoolExecutor(concurrent.futures.ProcessPoolExecutor):
    """The standard library's ``ProcessPoolExecutor`` whose tasks run in the context they were submitted in.

    The current span becomes the parent of the spans of a task; session, user, metadata and tags go along. A worker
    records where it is registered: give the pool an ``initializer`` that calls `register`, which a worker needs that
    doesn't start as a fork of this process, and which changes nothing in one that does.

    Example:
        >>> with trace_step("score all"), ProcessPoolExecutor(initializer=register) as pool:
        ...     scores = list(pool.map(score, documents))
    """

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> concurrent.futures.Future[R]:
        """Schedule ``fn(*args, **kwargs)`` in the current context; see `concurrent.futures.Executor.submit`."""
        return super().submit(_Task(fn, _Luggage.packed(get_current())), *args, **kwargs)


@dataclass(frozen=True)
class _Luggage:
    """What of a context another process can be handed, as plain values."""

    headers: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    """What the blocks around the call say; no headers have room for it, and from a pool's owner it needs none."""
    suppressed: bool = False

    @classmethod
    def packed(cls, context: Context) -> _Luggage:
        """What ``context`` holds."""
        headers: dict[str, str] = {}
        try:
            _PROPAGATOR.inject(headers, context)
            return cls(headers, attributes_from_context(context), is_suppressed(context))
        except BaseException as error:
            faults.contain("taking the context into a process pool", error)
            return cls()

    def unpacked(self) -> Context:
        """The context of the call in the worker: nothing of what a fork brought along from its parent."""
        try:
            suppressed = {SUPPRESS_KEY: True} if self.suppressed else {}
            return Context({**_PROPAGATOR.extract(self.headers, Context()), **self.attributes, **suppressed})
        except BaseException as error:
            faults.contain("taking the context into a process pool", error)
            return Context()


@dataclass(frozen=True)
class _Task(Generic[P, R]):
    """A picklable call of ``function`` in the context that was packed up for it."""

    function: Callable[P, R]
    luggage: _Luggage

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        previous, context = get_current(), self.luggage.unpacked()
        token = attach(context)
        try:
            return self.function(*args, **kwargs)
        finally:
            detach(token, context, previous)
