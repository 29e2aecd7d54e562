"""How every file of the gallery ends: with a run whose trace is held to the OpenInference specification.

A program of yours needs ``register()`` and nothing else of this.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agenttrace import flush, register
from agenttrace.semconv.conformance import check, report


@contextmanager
def checked_run(**options: Any) -> Iterator[None]:
    """Register, run the block, send its spans where the environment says, and exit with 1 if one is not right.

    Args:
        **options: More for ``register()``.
    """
    ended = InMemorySpanExporter()
    project = os.environ.get("PHOENIX_PROJECT_NAME") or "gallery"
    register(project_name=project, span_processors=[SimpleSpanProcessor(ended)], **options)
    yield
    flush()
    spans = ended.get_finished_spans()
    violations = check(spans)
    print(report(violations) or f"spans checked: {len(spans)}, all right")
    if violations or not spans:
        sys.exit(1)
