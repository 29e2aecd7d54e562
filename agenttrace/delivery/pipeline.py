"""The one processor that a provider gets from agenttrace: context attributes in front, destinations behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from agenttrace import faults
from agenttrace.provider import SCOPE_NAME

from .guards import GuardedProcessor
from .processor import SHUTDOWN_SECONDS, DeliveryProcessor
from .queue import waiting_time

__all__ = ["Pipeline", "Switch"]


class Pipeline(SpanProcessor):
    """Stamps what ``using_session()`` and its like set on every span, then hands ended spans to the destinations.

    Several steps in one processor, since the SDK calls three methods of each processor for every span.

    Args:
        deliveries: Where ended spans go.
        processors: The user's own processors, called before the spans are delivered; their faults stay with them.
    """

    def __init__(self, deliveries: Sequence[DeliveryProcessor], processors: Sequence[SpanProcessor] = ()) -> None:
        from agenttrace.context import attributes_from_context

        self._deliveries = tuple(deliveries)
        self._processors = tuple(GuardedProcessor(processor) for processor in processors)
        self._attributes_from_context: Callable[[Context], Mapping[str, Any]] = attributes_from_context

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Stamp the attributes of the context that ``span`` starts in. The marks' spans bring them along already."""
        try:
            scope = span.instrumentation_scope
            if scope is None or scope.name != SCOPE_NAME:
                self._stamp(span, otel_context.get_current() if parent_context is None else parent_context)
        except BaseException as error:
            faults.contain("stamping context attributes on a span", error)
        for processor in self._processors:
            processor.on_start(span, parent_context)

    def _on_ending(self, span: Span) -> None:
        for processor in self._processors:  # see GuardedProcessor
            processor._on_ending(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue ``span`` for every destination."""
        for processor in self._processors:
            processor.on_end(span)
        for delivery in self._deliveries:
            delivery.on_end(span)

    def force_flush(self, timeout_millis: float = 30_000) -> bool:
        """Flush the user's processors and every destination.

        Returns:
            Whether all of them say that everything arrived.
        """
        deadline = time.monotonic() + waiting_time(timeout_millis / 1000)
        flushed = True
        for processor in (*self._deliveries, *self._processors):
            remaining = max(0, round((deadline - time.monotonic()) * 1000))
            flushed &= processor.force_flush(remaining)
        return flushed

    def shutdown(self) -> None:
        """Deliver what waits, for 2 seconds at most, and take no more spans."""
        self.stop()

    def stop(self, timeout: float = SHUTDOWN_SECONDS) -> bool:
        """Deliver what waits, for ``timeout`` seconds at most, and take no more spans; whether all of it arrived."""
        deadline = time.monotonic() + waiting_time(timeout)
        arrived = [delivery.stop(max(0.0, deadline - time.monotonic())) for delivery in self._deliveries]
        for processor in self._processors:
            processor.shutdown()
        return all(arrived)

    def hand_over(self, successor: Pipeline, timeout: float = SHUTDOWN_SECONDS) -> bool:
        """Shut down, and give spans that started before and end later to ``successor``."""
        # One of the destinations does, or the successor would get such a span once from each.
        for delivery in self._deliveries[:1]:
            delivery.hand_over_to(successor.deliver)
        return self.stop(timeout)

    @property
    def is_stopped(self) -> bool:
        """Whether it takes no more spans."""
        return all(delivery.is_stopped for delivery in self._deliveries)

    def deliver(self, span: ReadableSpan) -> None:
        """Queue a span that another pipeline's processors have seen already."""
        for delivery in self._deliveries:
            delivery.on_end(span)

    def _stamp(self, span: Span, context: Context) -> None:
        attributes = self._attributes_from_context(context)
        if attributes:
            present = span.attributes or {}
            span.set_attributes({key: value for key, value in attributes.items() if key not in present})


class Switch(SpanProcessor):
    """A place in somebody else's provider, which can't be left again, for a pipeline that can be changed.

    Args:
        pipeline: What is in force; None does nothing.
    """

    def __init__(self, pipeline: Pipeline | None = None) -> None:
        self.pipeline = pipeline

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Hand on to the pipeline in force."""
        if self.pipeline is not None:
            self.pipeline.on_start(span, parent_context)

    def _on_ending(self, span: Span) -> None:
        if self.pipeline is not None:
            self.pipeline._on_ending(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Hand on to the pipeline in force."""
        if self.pipeline is not None:
            self.pipeline.on_end(span)

    def force_flush(self, timeout_millis: float = 30_000) -> bool:
        """Flush the pipeline in force."""
        return self.pipeline is None or self.pipeline.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """Shut the pipeline in force down."""
        if self.pipeline is not None:
            self.pipeline.shutdown()
