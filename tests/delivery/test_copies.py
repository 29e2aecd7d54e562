"""Copies of spans for a destination: sampled by whole traces, and without what can't be encoded."""

from __future__ import annotations

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from agenttrace.delivery.copies import SampledTraces


def test_the_sample_rate_holds_for_spans_of_others_by_whole_traces() -> None:
    """All of a trace or nothing of it."""
    nothing, everything, half = SampledTraces(0.0), SampledTraces(1.0), SampledTraces(0.5)
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    kept = 0
    for _ in range(200):
        with tracer.start_as_current_span("root") as root:
            child = tracer.start_span("child")
        assert isinstance(root, ReadableSpan)
        assert isinstance(child, ReadableSpan)
        assert nothing(root) is None
        assert everything(root) is root
        assert (half(root) is None) == (half(child) is None)
        kept += half(root) is not None
    assert 0 < kept < 200
