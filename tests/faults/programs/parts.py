"""What the programs are made of. They speak to their test by one JSON object a line on stdout, and listen on stdin."""

from __future__ import annotations

import json
import os
import random
import sys
from typing import Any

from openinference.semconv.trace import SpanAttributes
from opentelemetry import trace

from agenttrace import flush, register, trace_step

__all__ = [
    "ENDPOINTS_VARIABLE",
    "await_word",
    "end_bare_spans",
    "end_span",
    "end_spans",
    "report",
    "say",
    "set_up",
    "text_of",
]

ENDPOINTS_VARIABLE = "FAULTS_ENDPOINTS"
"""Where the spans go: one endpoint or several, with commas between. Not set: what the environment says."""


def set_up(**options: Any) -> None:
    """`register` with what the test has said."""
    options.setdefault("verbose", False)
    endpoints = [endpoint for endpoint in os.environ.get(ENDPOINTS_VARIABLE, "").split(",") if endpoint]
    if len(endpoints) > 1:
        from agenttrace.destinations import otlp

        register(*map(otlp, endpoints), **options)
    elif endpoints:
        register(endpoint=endpoints[0], **options)
    else:
        register(**options)


def end_span(name: str, padding: str = "") -> str:
    """End one span and return its id."""
    with trace_step(name) as span:
        if padding:
            span.set_attribute("padding", padding)
        return span.span_id


def end_bare_spans(count: int) -> None:
    """End ``count`` spans with nothing in them, as fast as OpenTelemetry makes them."""
    tracer = trace.get_tracer("bare")
    attributes = {SpanAttributes.OPENINFERENCE_SPAN_KIND: "CHAIN"}
    for _ in range(count):
        tracer.start_span("bare", attributes=attributes).end()


def end_spans(count: int, padding: str = "", prefix: str = "") -> None:
    """End ``count`` spans, named by their numbers."""
    for number in range(count):
        end_span(f"{prefix}{number}", padding)


def text_of(characters: int) -> str:
    """A text of that length that compression makes little of."""
    return "".join(random.Random(characters).choices("0123456789abcdefghijklmnopqrstuvwxyz", k=characters))


def say(**what: Any) -> None:
    """Tell the test."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def await_word() -> None:
    """Go on when the test says so, or is gone."""
    sys.stdin.readline()


def report(timeout: float | None = None) -> dict[str, Any]:
    """What `flush` reports, as JSON can say it."""
    told = flush(timeout)
    counts = {name: getattr(told, name) for name in ("sent", "on_disk", "refused", "lost", "waiting")}
    return {**counts, "is_safe": bool(told)}
