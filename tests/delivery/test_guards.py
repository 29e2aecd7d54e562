"""The guards around other people's processors and samplers, each by itself; see test_pipeline for them at work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import Sampler, SamplingResult

from agenttrace import faults
from agenttrace.delivery.guards import GuardedProcessor, GuardedSampler
from tests.isolation import warnings_in


@pytest.fixture(autouse=True)
def _forget_reports() -> Iterator[None]:
    faults.forget()
    yield
    faults.forget()


class Flushing(SpanProcessor):
    """A processor that answers whether it has flushed."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self.answer


@pytest.mark.parametrize("answer", [True, False])
def test_a_guard_passes_on_what_it_guards(answer: bool) -> None:
    """Its answers, and itself to those who ask."""
    processor = Flushing(answer)
    guarded = GuardedProcessor(processor)
    assert guarded.force_flush(10) is answer
    assert guarded.processor is processor


def test_a_sampler_that_raises_keeps_the_span(caplog: pytest.LogCaptureFixture) -> None:
    """A program isn't stopped by it, and records rather than loses."""

    class RaisingSampler(Sampler):
        def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
            raise RuntimeError("secret")

        def get_description(self) -> str:
            return "raises"

    sampler = GuardedSampler(RaisingSampler())
    assert sampler.get_description() == "raises"
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    span = provider.get_tracer("test").start_span("a", attributes={"kept": True})
    assert span.is_recording()
    assert isinstance(span, ReadableSpan)
    assert dict(span.attributes or {}) == {"kept": True}
    assert len(warnings_in(caplog)) == 1
    assert "secret" not in caplog.text
