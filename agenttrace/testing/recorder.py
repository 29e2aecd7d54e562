"""What a capture records with: a processor that keeps ended spans in memory, and the provider it stands on."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from agenttrace.delivery.own_provider import default_span_limits
from agenttrace.delivery.pipeline import Pipeline

from .watching import show

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span

_FIRST_MOMENT = 1_735_689_600_000_000_000
"""2025-01-01 in UTC, in nanoseconds since 1970."""
_TICK = 1_000_000
_EVENT_STEP = 1_000
_MOST_EVENTS_APART = _TICK // _EVENT_STEP - 1


class CountingIds(IdGenerator):
    """Trace ids 1, 2, … and span ids 1, 2, …, each in the order in which they are asked for."""

    def __init__(self) -> None:
        self._trace_ids = itertools.count(1)
        self._span_ids = itertools.count(1)

    def generate_trace_id(self) -> int:
        """The next trace id."""
        return next(self._trace_ids)

    def generate_span_id(self) -> int:
        """The next span id."""
        return next(self._span_ids)


class Recorder(SpanProcessor):
    """Keeps the spans of one provider, each with its place in the order of starts.

    Args:
        deterministic: Give the ended spans times that tick with starts and ends. The SDK reads the clock itself, so
            it is the copy kept here whose times are written anew.
    """

    def __init__(self, *, deterministic: bool) -> None:
        self._deterministic = deterministic
        self._lock = threading.RLock()  # a signal handler or a finalizer may call traced code while it is held
        self._ticks = itertools.count()
        self._open: dict[tuple[int, int], tuple[int, Span]] = {}
        self._ended: list[tuple[int, ReadableSpan]] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note the moment: starts and ends are numbered in one row."""
        with self._lock:
            self._open[_key(span)] = (next(self._ticks), span)

    def on_end(self, span: ReadableSpan) -> None:
        """Keep the span."""
        with self._lock:
            started, _ = self._open.pop(_key(span))
            ended = next(self._ticks)
            self._ended.append((started, _with_times(span, started, ended) if self._deterministic else span))
        show(span)

    @property
    def ended(self) -> list[ReadableSpan]:
        """The spans that have ended, in the order in which they started."""
        with self._lock:
            return [span for _, span in sorted(self._ended, key=_moment)]

    @property
    def unfinished(self) -> list[str]:
        """The names of the spans that have started and not ended, in the order in which they started."""
        with self._lock:
            return [span.name for _, span in sorted(self._open.values(), key=lambda entry: entry[0])]


def provider_for(recorder: Recorder, *, deterministic: bool) -> TracerProvider:
    """A provider of its own whose spans go to ``recorder`` and nowhere else, whatever the environment says."""
    provider = TracerProvider(
        sampler=ALWAYS_ON,
        # Not Resource.create(): that asks the environment and whatever detectors it names.
        resource=Resource({"service.name": "agenttrace-testing"}),
        shutdown_on_exit=False,
        id_generator=CountingIds() if deterministic else None,
        span_limits=default_span_limits(),
    )
    # OTEL_SDK_DISABLED keeps a test run from exporting; a test that asks for its spans still wants them, and the SDK
    # has no public way of saying so.
    provider._disabled = False
    # What register() puts on a provider, without a destination: it stamps sessions and tags on other libraries' spans.
    provider.add_span_processor(Pipeline((), [recorder]))
    return provider


def _moment(entry: tuple[int, ReadableSpan]) -> tuple[int, int]:
    """When a span started: by its own account, since it may be opened after the fact, then by its place in the row."""
    number, span = entry
    return span.start_time or 0, number


def _key(span: ReadableSpan) -> tuple[int, int]:
    context = span.get_span_context()
    assert context is not None, "a span that was started has a context"
    return context.trace_id, context.span_id


def _with_times(span: ReadableSpan, started: int, ended: int) -> ReadableSpan:
    start_time = _FIRST_MOMENT + started * _TICK
    # Events fall between their span's start and the next tick, so never after its end.
    events = [
        Event(event.name, event.attributes, start_time + min(number, _MOST_EVENTS_APART) * _EVENT_STEP)
        for number, event in enumerate(span.events, 1)
    ]
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        events=events,
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=start_time,
        end_time=_FIRST_MOMENT + ended * _TICK,
        instrumentation_scope=span.instrumentation_scope,
    )
