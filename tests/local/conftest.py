"""A home of its own for every test, and real spans to put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer

from agenttrace import faults
from agenttrace.local.paths import default_store_path

Recorded = Callable[[Callable[[Tracer], object]], list[ReadableSpan]]


@pytest.fixture(autouse=True)
def store_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where this test's store is by default; nothing is there yet."""
    monkeypatch.setenv("AGENTTRACE_HOME", str(tmp_path / "home"))
    faults.forget()
    yield default_store_path()
    faults.forget()


@pytest.fixture
def recorded() -> Recorded:
    """Runs a function with a tracer of OpenTelemetry's SDK and gives the spans that ended, in the order they did."""

    def run(body: Callable[[Tracer], object], project: str = "weather") -> list[ReadableSpan]:
        exporter = InMemorySpanExporter()
        provider = TracerProvider(resource=Resource({"openinference.project.name": project}), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        body(provider.get_tracer("tests", "1.0"))
        return list(exporter.get_finished_spans())

    return run
