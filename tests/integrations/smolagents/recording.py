"""What each side records of the scripted runs; each in a process of its own, as the instrumentor replaces methods.

python -m tests.integrations.smolagents.recording theirs
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stdout, suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

__all__ = ["RecordedSpan", "Side", "record_in_process"]

Side = Literal["ours", "theirs"]
_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class RecordedSpan:
    """A span as it came out, without what a run can't repeat."""

    span_id: int
    parent_id: int | None
    name: str
    kind: str
    status: str
    events: list[str]
    attributes: dict[str, Any]


@cache
def record_in_process(side: Side) -> dict[str, list[RecordedSpan]]:
    """The spans of each scenario, in the order in which they began."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OPENINFERENCE_"))}
    command = [sys.executable, "-m", "tests.integrations.smolagents.recording", side]
    finished = subprocess.run(
        command, cwd=_ROOT, env=kept, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False
    )
    if finished.returncode:
        raise AssertionError(finished.stderr)
    recorded = json.loads(finished.stdout)
    return {scenario: [RecordedSpan(**span) for span in spans] for scenario, spans in recorded.items()}


def _record(side: Side) -> dict[str, list[dict[str, Any]]]:
    from opentelemetry.sdk.trace import SpanLimits, TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from .scenarios import SCENARIOS, Classes

    exporter = InMemorySpanExporter()
    # With OpenTelemetry's own limit of 128 the instrumentor's spans would lose attributes that it did record.
    provider = TracerProvider(span_limits=SpanLimits(max_span_attributes=10_000))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    classes = Classes(*_classes(side, provider))
    recorded = {}
    for name, run in SCENARIOS.items():
        exporter.clear()
        # Some runs fail; the spans show whether another one did. smolagents draws streams on the terminal. And of a
        # run that fails the instrumentor leaves the span current, which later runs would be a part of.
        with suppress(Exception), redirect_stdout(io.StringIO()):
            copy_context().run(run, classes)
        ended = sorted(exporter.get_finished_spans(), key=lambda span: span.start_time or 0)
        recorded[name] = [_described(span) for span in ended]
    return recorded


def _classes(side: Side, provider: Any) -> tuple[Any, Any]:
    if side == "ours":
        from agenttrace.integrations.smolagents import TracedCodeAgent, TracedToolCallingAgent
        from agenttrace.provider import set_registered_provider

        set_registered_provider(provider)
        return TracedCodeAgent, TracedToolCallingAgent
    from openinference.instrumentation.smolagents import SmolagentsInstrumentor
    from smolagents import CodeAgent, ToolCallingAgent

    SmolagentsInstrumentor().instrument(tracer_provider=provider)
    return CodeAgent, ToolCallingAgent


def _described(span: Any) -> dict[str, Any]:
    attributes = dict(span.attributes)
    return {
        "span_id": span.context.span_id,
        "parent_id": span.parent and span.parent.span_id,
        "name": span.name,
        "kind": attributes.pop("openinference.span.kind", ""),
        "status": span.status.status_code.name,
        "events": [event.name for event in span.events],
        "attributes": attributes,
    }


if __name__ == "__main__":
    json.dump(_record("ours" if sys.argv[1] == "ours" else "theirs"), sys.stdout)
