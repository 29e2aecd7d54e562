"""The provider that `register` makes: OpenTelemetry's, with larger limits, guards, and a way to be replaced.

OpenTelemetry's global provider can be set once in a process, and programs keep tracers for as long as they run. A
replaced provider therefore stands for its successor: it hands out the successor's tracers, and those it handed out
before are pointed at the successor's sampler, resource and processors.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from openinference.semconv.resource import ResourceAttributes
from opentelemetry.sdk.environment_variables import OTEL_ATTRIBUTE_COUNT_LIMIT, OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, Tracer, TracerProvider
from opentelemetry.trace import NoOpTracer
from opentelemetry.trace import Tracer as ApiTracer
from opentelemetry.trace import TracerProvider as ApiTracerProvider

from agenttrace import faults

from .guards import GuardedProcessor
from .pipeline import Pipeline

if TYPE_CHECKING:
    from opentelemetry.util.types import Attributes

__all__ = ["DisabledProvider", "OwnProvider", "default_span_limits"]

_MAX_ATTRIBUTES = 10_000

_own_providers: WeakSet[OwnProvider] = WeakSet()


class OwnProvider(TracerProvider):
    """The SDK's provider with one pipeline in it.

    Processors that are added later are guarded, so that a fault of theirs changes nothing for the program, and move on
    to the successor when the provider is replaced: whoever added them didn't ask for the change.

    Args:
        pipeline: What stamps and delivers the spans.
        activity: What becomes of the spans, for people to read: ``"sending to http://localhost:6006/v1/traces"``.
        options: Arguments for the SDK's provider.
    """

    def __init__(self, pipeline: Pipeline, activity: str = "recording", **options: Any) -> None:
        self.pipeline = pipeline
        self._activity = activity
        self._successor: ApiTracerProvider | None = None
        self._added: list[SpanProcessor] = []
        self._handed_out: WeakKeyDictionary[Tracer, tuple[Any, ...]] = WeakKeyDictionary()
        # Reentrant, since a finalizer or a signal handler that asks for a tracer may run while this thread holds it.
        self._lock = threading.RLock()
        # The pipeline is finished by `lifecycle`, which knows how long an exit may take.
        options["shutdown_on_exit"] = False
        super().__init__(**options)
        super().add_span_processor(pipeline)
        _own_providers.add(self)

    def __repr__(self) -> str:
        """Project and destination, as a notebook shows it; holds no secret."""
        if self._successor is not None:
            return f"<agenttrace provider: replaced by {self._successor!r}>"
        project = self.resource.attributes.get(ResourceAttributes.PROJECT_NAME)
        shown = "" if project is None else f'project "{project}", '
        return f"<agenttrace provider: {shown}{'stopped' if self.pipeline.is_stopped else self._activity}>"

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> ApiTracer:
        """A tracer of this provider, or of the one that replaced it."""
        asked = (instrumenting_module_name, instrumenting_library_version, schema_url, attributes)
        with self._lock:
            if self._successor is None:
                tracer = super().get_tracer(*asked)
                if isinstance(tracer, Tracer):
                    self._handed_out[tracer] = asked
                return tracer
        return self._successor.get_tracer(*asked)

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Add a processor, guarded; to the provider that replaced this one, if any."""
        if self._successor is not None:
            self._successor.add_span_processor(span_processor)  # type: ignore[attr-defined]
            return
        guarded = GuardedProcessor(span_processor)
        self._added.append(guarded)
        super().add_span_processor(guarded)

    @property
    def resource(self) -> Resource:
        """The resource of this provider, or of the one that replaced it."""
        successor = self._successor
        return successor.resource if isinstance(successor, TracerProvider) else super().resource

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver everything that ended before this call; whether all of it arrived."""
        if isinstance(self._successor, TracerProvider):
            return self._successor.force_flush(timeout_millis)
        return super().force_flush(timeout_millis)

    def shutdown(self) -> None:
        """Deliver what waits and take no more spans. A provider that was replaced leaves its successor alone."""
        if self._successor is None:
            super().shutdown()

    def hand_over(self, successor: ApiTracerProvider) -> None:
        """Let ``successor`` stand in for this provider from now on."""
        with self._lock:
            self._successor = successor
            handed_out = list(self._handed_out.items())
        for tracer, asked in handed_out:
            model = successor.get_tracer(*asked)
            if isinstance(model, Tracer):
                tracer.resource, tracer.sampler = model.resource, model.sampler
                tracer.id_generator, tracer.span_processor = model.id_generator, model.span_processor
        added, self._added = self._added, []
        for processor in added:
            successor.add_span_processor(processor)  # type: ignore[attr-defined]

    def after_fork(self) -> None:
        """Replace a lock that a thread of the parent may hold."""
        self._lock = threading.RLock()


class DisabledProvider(TracerProvider):
    """What `register` returns where tracing is switched off: a provider whose tracers make no spans.

    It has no processors, no exit hook and an empty resource.
    """

    def __init__(self) -> None:
        super().__init__(resource=Resource.get_empty(), shutdown_on_exit=False)

    def __repr__(self) -> str:
        """That nothing is recorded."""
        return "<agenttrace provider: switched off>"

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> ApiTracer:
        """A tracer that makes no spans."""
        return NoOpTracer()

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Nothing: there are no spans to process."""


def replace_own_providers(successor: ApiTracerProvider) -> None:
    """Let ``successor`` stand in for every provider that `register` made before."""
    for provider in list(_own_providers):
        if provider is not successor:
            provider.hand_over(successor)


def default_span_limits() -> SpanLimits:
    """10,000 attributes a span, where the ``OTEL_…`` variables don't say otherwise: a long conversation has many."""
    for variable in (OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, OTEL_ATTRIBUTE_COUNT_LIMIT):
        if os.environ.get(variable, "").strip():
            return SpanLimits()
    return SpanLimits(max_span_attributes=_MAX_ATTRIBUTES)


def _after_fork() -> None:
    try:
        for provider in list(_own_providers):
            provider.after_fork()
    except BaseException as error:
        faults.contain("starting afresh after a fork", error)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
