"""Looking at the spans of one run of an agent."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from agenttrace.testing import CapturedSpans, capture_spans

__all__ = ["attributes", "errors_in", "part", "spans_of"]


def spans_of(agent: Any, task: str = "The weather?", **options: Any) -> tuple[Any, CapturedSpans]:
    """The answer of a run, and its spans, which are one tree, have ended, and are as OpenInference has them."""
    __tracebackhide__ = True
    with capture_spans() as spans:
        answer = agent.run(task, **options)
    if spans.unfinished or len(spans.roots) != 1:
        raise AssertionError(f"no tree that has ended: {spans!r}, not ended: {spans.unfinished}")
    spans.assert_conformant(strict=True)
    return answer, spans


def attributes(span: ReadableSpan) -> dict[str, Any]:
    """What stands on ``span``."""
    return dict(span.attributes or {})


def part(span: ReadableSpan, prefix: str) -> dict[str, Any]:
    """What stands on ``span`` below ``prefix``, without that."""
    return {key.removeprefix(prefix): value for key, value in attributes(span).items() if key.startswith(prefix)}


def errors_in(spans: CapturedSpans) -> list[tuple[str, str]]:
    """Name and description of each span whose status is ERROR."""
    return [(span.name, str(span.status.description)) for span in spans if span.status.status_code.name == "ERROR"]
