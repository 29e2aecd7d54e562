"""Where the marks find their tracer: the provider that ``register()`` chose, else OpenTelemetry's global one.

Looked up at call time and cached until it changes, so that functions marked before ``register()`` are traced after it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from opentelemetry import context as otel_context
from opentelemetry import trace as otel_trace
from opentelemetry.context import Context
from opentelemetry.trace import NoOpTracer, NoOpTracerProvider, ProxyTracerProvider, Span, Tracer, TracerProvider

from .current import detach
from .switch import is_disabled
from .version import __version__

SCOPE_NAME = "agenttrace"
"""Name of the instrumentation scope that every span of a mark carries."""

_OVERRIDE_KEY = otel_context.create_key("agenttrace-provider")


class SpanSource:
    """A provider's tracer for the marks, and what about it is worth knowing before a span starts.

    Args:
        provider: The provider.
        tracer: Its tracer for the scope `SCOPE_NAME`.
    """

    __slots__ = ("provider", "samples_all", "start_span")

    def __init__(self, provider: TracerProvider, tracer: Tracer) -> None:
        self.provider: TracerProvider = provider
        self.start_span: Callable[..., Span] = tracer.start_span
        self.samples_all: bool = _samples_all(tracer)
        """Whether every span whose parent is recorded, or that has none, is sure to be recorded."""


_lock = threading.RLock()
_registered: TracerProvider | None = None
_registered_source: SpanSource | None = None
_switched_off = False
_seen_global: TracerProvider | None = None
_seen_global_source: SpanSource | None = None
# Providers of open `use_provider` blocks, the newest last. Kept apart from the context so that a thread which was
# started without one (a plain threading.Thread in a test) is still seen by the newest block.
_overrides: list[tuple[TracerProvider, SpanSource | None]] = []


def find_source(context: Context) -> SpanSource | None:
    """Where a span that starts in ``context`` comes from, or None when nothing records."""
    if _overrides:
        return _override_source(context)
    if _registered_source is not None:
        return _registered_source
    if _switched_off:
        return None
    provider = otel_trace.get_tracer_provider()
    if provider is _seen_global:
        return _seen_global_source
    return _remember_global(provider)


def registered_provider() -> TracerProvider | None:
    """The provider that ``register()`` chose last, or None."""
    return _registered


def set_registered_provider(provider: TracerProvider | None) -> None:
    """Make the marks use ``provider``; None goes back to OpenTelemetry's global provider."""
    global _registered, _registered_source, _switched_off
    source = None if provider is None else source_of(provider)
    with _lock:
        _registered, _registered_source = provider, source
        # register() under OTEL_SDK_DISABLED hands over a provider that makes no spans: then nothing records.
        _switched_off = provider is not None and source is None


def source_of(provider: TracerProvider) -> SpanSource | None:
    """Where the marks' spans come from if they go to ``provider``, or None when it makes no spans."""
    if isinstance(provider, (ProxyTracerProvider, NoOpTracerProvider)):
        return None
    tracer = provider.get_tracer(SCOPE_NAME, __version__)
    return None if isinstance(tracer, NoOpTracer) else SpanSource(provider, tracer)


@contextmanager
def use_provider(provider: TracerProvider) -> Iterator[None]:
    """Send the marks' spans to ``provider`` while the block runs, whatever else is registered.

    Blocks may be nested and may be open in several threads at once: a span belongs to the block whose context it
    starts in, and one that starts in a thread without a context to the block that was opened last.
    """
    entry = (provider, source_of(provider))
    with _lock:
        _overrides.append(entry)
    token = otel_context.attach(otel_context.set_value(_OVERRIDE_KEY, entry))
    try:
        yield
    finally:
        detach(token, None, None)
        with _lock:
            _overrides[:] = [other for other in _overrides if other is not entry]


def _samples_all(tracer: Tracer) -> bool:
    sampling = sys.modules.get("opentelemetry.sdk.trace.sampling")
    sampler = getattr(tracer, "sampler", None)
    if getattr(type(sampler), "samples_all", False) is True:  # our own default (delivery.sampling)
        return True
    return sampling is not None and (sampler is sampling.DEFAULT_ON or sampler is sampling.ALWAYS_ON)


def _override_source(context: Context) -> SpanSource | None:
    entry = context.get(_OVERRIDE_KEY)
    overrides = list(_overrides)
    for known in reversed(overrides):
        if known is entry:
            return known[1]
    return overrides[-1][1] if overrides else None


def _remember_global(provider: TracerProvider) -> SpanSource | None:
    global _seen_global, _seen_global_source
    source = None if is_disabled() else source_of(provider)
    with _lock:
        _seen_global_source = source
        _seen_global = provider
    return source


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
