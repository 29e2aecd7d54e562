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

from .flush_report import FlushReport
from .guards import GuardedProcessor
from .lineage import Lineage
from .processor import DeliveryProcessor
from .queue import Request, waiting_time

__all__ = ["Pipeline", "Switch"]


class Pipeline(SpanProcessor):
    """Stamps what ``using_session()`` and its like set on every span, then hands ended spans to the destinations.

    Several steps in one processor, since the SDK calls three methods of each processor for every span.

    Args:
        deliveries: Where ended spans go.
        processors: The user's own processors, called before the spans are delivered; their faults stay with them.
        lineage: What knows which spans of other libraries the destinations leave out; None where they take all.
        flush_seconds: How long the end of a root span waits until what has ended is safe; None doesn't wait.
        is_apart: Whether other libraries' spans are another provider's, so that it doesn't see them start and end.
    """

    def __init__(
        self,
        deliveries: Sequence[DeliveryProcessor],
        processors: Sequence[SpanProcessor] = (),
        lineage: Lineage | None = None,
        flush_seconds: float | None = None,
        *,
        is_apart: bool = False,
    ) -> None:
        from agenttrace.context import attributes_from_context

        self.lineage: Lineage | None = lineage
        """What knows of the spans that are left out; a pipeline that follows this one goes on with it."""
        self._is_apart = is_apart
        self._flush_seconds = flush_seconds
        self.deliveries: tuple[DeliveryProcessor, ...] = tuple(deliveries)
        """What delivers to each destination."""
        self._processors = tuple(GuardedProcessor(processor) for processor in processors)
        self._attributes_from_context: Callable[[Context], Mapping[str, Any]] = attributes_from_context

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Stamp the attributes of the context that ``span`` starts in. The marks' spans bring them along already."""
        try:
            scope = span.instrumentation_scope
            if scope is None or scope.name != SCOPE_NAME:
                self._stamp(span, otel_context.get_current() if parent_context is None else parent_context)
                if self.lineage is not None:
                    self.lineage.on_start(span, parent_context)
            elif self._is_apart and self.lineage is not None:
                self.lineage.on_own_start(span, parent_context)
        except BaseException as error:
            faults.contain("stamping context attributes on a span", error)
        for processor in self._processors:
            processor.on_start(span, parent_context)
        for delivery in self.deliveries:
            delivery.on_start(span)

    def _on_ending(self, span: Span) -> None:
        for processor in self._processors:  # see GuardedProcessor
            processor._on_ending(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue ``span`` for every destination."""
        try:
            for processor in self._processors:
                processor.on_end(span)
        finally:  # what a signal raises in one of them is the program's, but the span is delivered all the same
            if self.lineage is not None:
                scope = span.instrumentation_scope
                if scope is None or scope.name != SCOPE_NAME:
                    self.lineage.on_end(span)
            for delivery in self.deliveries:
                delivery.on_end(span)
        if self._flush_seconds is not None and (span.parent is None or span.parent.is_remote):
            self._flush_root(self._flush_seconds)

    def _flush_root(self, seconds: float) -> None:
        try:
            # Not `flush`, whose report is the program's to ask for.
            requests = [(delivery, delivery.begin_flush(seconds)) for delivery in self.deliveries]
            for delivery, request in requests:
                delivery.await_flush(request)
        except BaseException as error:
            faults.contain("flushing at the end of a root span", error)

    def force_flush(self, timeout_millis: float = 30_000) -> bool:
        """Flush the user's processors and every destination.

        Returns:
            Whether all of them say that everything is safe.
        """
        deadline = time.monotonic() + waiting_time(timeout_millis / 1000)
        try:
            is_safe = bool(self.flush(timeout_millis / 1000))
        except BaseException as error:
            faults.contain("flushing", error)
            is_safe = False
        for processor in self._processors:
            is_safe &= processor.force_flush(max(0, round((deadline - time.monotonic()) * 1000)))
        return is_safe

    def flush(self, timeout: float) -> FlushReport:
        """Flush every destination, all at the same time, for ``timeout`` seconds at most."""
        requests = [(delivery, delivery.begin_flush(waiting_time(timeout))) for delivery in self.deliveries]
        return sum((delivery.end_flush(request) for delivery, request in requests), FlushReport())

    def flush_all(self, timeout: float) -> FlushReport:
        """Flush the user's processors, then every destination; what became of the spans there."""
        deadline = time.monotonic() + waiting_time(timeout)
        for processor in self._processors:
            processor.force_flush(max(0, round((deadline - time.monotonic()) * 1000)))
        return self.flush(max(0.0, deadline - time.monotonic()))

    def begin(self) -> None:
        """Send what processes that are gone have left behind, without waiting for a span of this one."""
        for delivery in self.deliveries:
            delivery.begin()

    def shutdown(self) -> None:
        """Deliver what waits, for as long as the options say, and take no more spans."""
        self.stop()

    def stop(self, timeout: float | None = None) -> bool:
        """Deliver what waits, and take no more spans; whether everything is safe.

        Args:
            timeout: Seconds to wait at most; None for what each destination was set up with.
        """
        requests = []
        for delivery in self.deliveries:
            seconds = delivery.shutdown_timeout if timeout is None else timeout
            requests.append((delivery, delivery.begin_stop(Request(seconds, stop=True))))
        is_safe = [delivery.end_stop(request) for delivery, request in requests]
        for processor in self._processors:
            processor.shutdown()
        return all(is_safe)

    def hand_over(self, deliver: Callable[[ReadableSpan], None], timeout: float | None = None) -> bool:
        """Shut down, and give spans that started before and end later to ``deliver``."""
        # One of the destinations does, or the successor would get such a span once from each.
        for delivery in self.deliveries:
            delivery.hand_over_to(deliver if delivery is self.deliveries[0] else _leave_to_the_first)
        return self.stop(timeout)

    @property
    def is_stopped(self) -> bool:
        """Whether it takes no more spans."""
        return all(delivery.is_stopped for delivery in self.deliveries)

    def deliver(self, span: ReadableSpan) -> None:
        """Queue a span that another pipeline's processors have seen already."""
        for delivery in self.deliveries:
            delivery.on_end(span)

    def _stamp(self, span: Span, context: Context) -> None:
        attributes = self._attributes_from_context(context)
        if attributes:
            present = span.attributes or {}
            span.set_attributes({key: value for key, value in attributes.items() if key not in present})


def _leave_to_the_first(span: ReadableSpan) -> None:
    """Nothing: the first destination hands over for all."""


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
