"""Run an example as a person would, and write down beside it every span that it ended.

    python recorder.py SPANS.jsonl EXAMPLE.py [the example's own arguments]

The spans are written by a processor of the SDK's own interface, given to ``register()`` with what the example gives it:
what arrived at a server can be compared with them, one by one.
"""

from __future__ import annotations

import functools
import json
import runpy
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import format_span_id, format_trace_id

import agenttrace


class Recorder(SpanProcessor):
    """Appends each ended span to a file, a JSON object a line."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def on_end(self, span: ReadableSpan) -> None:
        """Write ``span`` down."""
        context = span.get_span_context()
        assert context is not None
        fields = {
            "span_id": format_span_id(context.span_id),
            "trace_id": format_trace_id(context.trace_id),
            "parent_id": format_span_id(span.parent.span_id) if span.parent else None,
            "name": span.name,
            "status": span.status.status_code.name,
            "message": span.status.description or "",
            "attributes": dict(span.attributes or {}),
            "events": [(event.name, dict(event.attributes or {})) for event in span.events],
        }
        with self._lock, self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(fields) + "\n")


def main() -> None:
    """Run the example of the command line with the recorder beside what it registers."""
    _, file, example, *arguments = sys.argv
    register, recorder = agenttrace.register, Recorder(Path(file))

    @functools.wraps(register)
    def recorded(
        *destinations: Any, span_processors: Iterable[SpanProcessor] | None = None, **settings: Any
    ) -> TracerProvider:
        return register(*destinations, span_processors=[*(span_processors or ()), recorder], **settings)

    setattr(agenttrace, "register", recorded)  # noqa: B010 - to mypy, what is wrapped has another type
    sys.argv = [example, *arguments]
    sys.path[0] = str(Path(example).parent)
    runpy.run_path(example, run_name="__main__")


if __name__ == "__main__":
    main()
