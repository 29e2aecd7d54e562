"""The libraries that are compared: how each is set up, and what a user of it writes to have a function traced.

Spans go through OpenTelemetry's batch processor to an exporter that drops them, except where it says otherwise, so that
what differs is the library alone.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Span, StatusCode

Marked = Callable[..., Any]


class NullExporter(SpanExporter):
    """Drops what it gets."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def provider(*, sampled: bool = True) -> TracerProvider:
    """OpenTelemetry's own provider, set as the global one."""
    made = TracerProvider(shutdown_on_exit=False, sampler=None if sampled else ALWAYS_OFF)
    # As many as a batch may be, or the burst that a benchmark is fills the queue, and what is measured is the dropping.
    made.add_span_processor(BatchSpanProcessor(NullExporter(), max_queue_size=200_000))
    trace.set_tracer_provider(made)
    return made


class Contender:
    """One library.

    Args:
        name: What it is called in the tables.
        package: The module that must be installed for it.
    """

    name = "by hand"
    package = "opentelemetry.sdk"

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.package) is not None

    def set_up(self, *, sampled: bool = True) -> None:
        """Get ready to trace."""
        self.tracer = provider(sampled=sampled).get_tracer("by hand")

    def marked(self, form: str, function: Callable[..., Any]) -> Marked:
        """``function``, traced."""
        return {
            "sync": self._sync,
            "async": self._async,
            "generator": self._generator,
            "async generator": self._async_generator,
        }[form](function)

    def suppressed(self) -> AbstractContextManager[Any]:
        """Where nothing is to be traced, as the library has it."""
        from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value

        @contextlib.contextmanager
        def suppress() -> Iterator[None]:
            token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
            try:
                yield
            finally:
                detach(token)

        return suppress()

    @staticmethod
    def _start(span: Span, first: Any, second: Any) -> None:
        span.set_attributes(
            {
                "openinference.span.kind": "CHAIN",
                "input.value": json.dumps({"first": first, "second": second}),
                "input.mime_type": "application/json",
            }
        )

    @staticmethod
    def _end(span: Span, result: str) -> None:
        span.set_attributes({"output.value": result, "output.mime_type": "text/plain"})
        span.set_status(StatusCode.OK)

    def _sync(self, function: Callable[..., Any]) -> Marked:
        def by_hand(first: Any, second: Any) -> Any:
            with self.tracer.start_as_current_span("answer") as span:
                self._start(span, first, second)
                result = function(first, second)
                self._end(span, result)
                return result

        return by_hand

    def _async(self, function: Callable[..., Any]) -> Marked:
        async def by_hand(first: Any, second: Any) -> Any:
            with self.tracer.start_as_current_span("answer") as span:
                self._start(span, first, second)
                result = await function(first, second)
                self._end(span, result)
                return result

        return by_hand

    def _generator(self, function: Callable[..., Any]) -> Marked:
        def by_hand(first: Any, second: Any) -> Iterator[Any]:
            with self.tracer.start_as_current_span("answer") as span:
                self._start(span, first, second)
                items = []
                for item in function(first, second):
                    items.append(item)
                    yield item
                self._end(span, "".join(items))

        return by_hand

    def _async_generator(self, function: Callable[..., Any]) -> Marked:
        async def by_hand(first: Any, second: Any) -> AsyncIterator[Any]:
            with self.tracer.start_as_current_span("answer") as span:
                self._start(span, first, second)
                items = []
                async for item in function(first, second):
                    items.append(item)
                    yield item
                self._end(span, "".join(items))

        return by_hand


class AgentTrace(Contender):
    """agenttrace on a provider that was set up by hand, the same as `Contender`'s."""

    name = "agenttrace"
    package = "agenttrace"

    def set_up(self, *, sampled: bool = True) -> None:
        provider(sampled=sampled)

    def marked(self, form: str, function: Callable[..., Any]) -> Marked:
        from agenttrace import trace_chain

        return trace_chain(function)

    def suppressed(self) -> AbstractContextManager[Any]:
        from agenttrace import suppress_tracing

        return suppress_tracing()


class Registered(AgentTrace):
    """agenttrace as ``register()`` sets it up, with its own provider and processor, to a sink that drops the spans."""

    name = "agenttrace, registered"

    def set_up(self, *, sampled: bool = True) -> None:
        from benchmarks.null_destination import register_null

        register_null(sampled=sampled)


class OpenInference(Contender):
    """``openinference-instrumentation``'s decorators."""

    name = "openinference"
    package = "openinference.instrumentation"

    def set_up(self, *, sampled: bool = True) -> None:
        provider(sampled=sampled)

    def marked(self, form: str, function: Callable[..., Any]) -> Marked:
        from openinference.instrumentation import OITracer, TraceConfig

        return OITracer(trace.get_tracer("openinference"), config=TraceConfig()).chain(function)

    def suppressed(self) -> AbstractContextManager[Any]:
        from openinference.instrumentation import suppress_tracing

        return suppress_tracing()


class Langfuse(Contender):
    """``langfuse``'s ``observe``."""

    name = "langfuse"
    package = "langfuse"

    def set_up(self, *, sampled: bool = True) -> None:
        import langfuse

        made = provider(sampled=sampled)
        langfuse.Langfuse(
            public_key="pk-benchmark",
            secret_key="sk-benchmark",  # noqa: S106  nothing is sent
            base_url="http://127.0.0.1:9",
            tracer_provider=made,
            span_exporter=NullExporter(),
        )

    def marked(self, form: str, function: Callable[..., Any]) -> Marked:
        import langfuse

        return langfuse.observe(function)


class Traceloop(Contender):
    """``traceloop-sdk``'s ``workflow``."""

    name = "traceloop"
    package = "traceloop"

    def set_up(self, *, sampled: bool = True) -> None:
        os.environ["TRACELOOP_TELEMETRY"] = "false"
        from traceloop.sdk import Traceloop as Sdk

        sampler = None if sampled else ALWAYS_OFF
        with contextlib.redirect_stdout(None):
            Sdk.init(app_name="benchmark", exporter=NullExporter(), instruments=set(), sampler=sampler)

    def marked(self, form: str, function: Callable[..., Any]) -> Marked:
        from traceloop.sdk.decorators import workflow

        return workflow(name="answer")(function)


_ALL = (Contender(), AgentTrace(), Registered(), OpenInference(), Langfuse(), Traceloop())
CONTENDERS = {each.name: each for each in _ALL}
