"""What stands between the program and other people's processors and samplers: nothing that they raise gets through.

What a signal raises while one of them runs, such as a time limit's exception, is the program's and does get through.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState

from agenttrace import faults

if TYPE_CHECKING:
    from opentelemetry.util.types import Attributes

__all__ = ["GuardedProcessor", "GuardedSampler"]


class GuardedProcessor(SpanProcessor):
    """A span processor whose faults are logged once for each of its methods and go no further.

    Args:
        processor: The processor to call.
    """

    def __init__(self, processor: SpanProcessor) -> None:
        self.processor = processor
        """The processor that was given."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Call the processor's ``on_start``."""
        try:
            self.processor.on_start(span, parent_context=parent_context)
        except BaseException as error:
            self._contain("on_start", error)

    def _on_ending(self, span: Span) -> None:
        # OpenTelemetry's hook for processors that change a span at its end. It is experimental, hence its name, and
        # the SDK calls it on every processor: were it not passed on, a wrapped one would silently do half its work.
        try:
            self.processor._on_ending(span)
        except BaseException as error:
            self._contain("_on_ending", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Call the processor's ``on_end``."""
        try:
            self.processor.on_end(span)
        except BaseException as error:
            self._contain("on_end", error)

    def shutdown(self) -> None:
        """Call the processor's ``shutdown``."""
        try:
            self.processor.shutdown()
        except BaseException as error:
            self._contain("shutdown", error)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Call the processor's ``force_flush``; False when it raises."""
        try:
            return self.processor.force_flush(timeout_millis) is not False
        except BaseException as error:
            self._contain("force_flush", error)
            return False

    def _contain(self, method: str, error: BaseException) -> None:
        faults.contain(f"{method} of the span processor {type(self.processor).__name__}", error)


class GuardedSampler(Sampler):
    """A sampler that keeps the span where the one it stands for raises.

    Args:
        sampler: The sampler to ask.
    """

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler
        """The sampler that was given."""

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Ask the sampler."""
        try:
            return self.sampler.should_sample(parent_context, trace_id, name, kind, attributes, links)
        except BaseException as error:
            faults.contain(f"should_sample of the sampler {type(self.sampler).__name__}", error)
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, trace_state)

    def get_description(self) -> str:
        """The sampler's own description."""
        return self.sampler.get_description()
