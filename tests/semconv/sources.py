"""The same spans in each form that the checker reads: the SDK's, OTLP as JSON and as protobuf, the local store's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext

from agenttrace.local.reader import Store
from agenttrace.local.store import LocalSpanExporter

Read = Callable[[Sequence[ReadableSpan], Path], Any]


def sdk_span(
    attributes: Mapping[str, Any],
    *,
    name: str = "step",
    links: int = 0,
    events: Mapping[str, Mapping[str, Any]] | None = None,
    most_attributes: int | None = None,
) -> ReadableSpan:
    """A span of OpenTelemetry's SDK that has ended.

    Args:
        attributes: Its attributes.
        name: Its name.
        links: To how many spans it refers.
        events: Its events' attributes by their names.
        most_attributes: How many the provider keeps; None for all.
    """
    exporter = InMemorySpanExporter()
    limits = SpanLimits(max_span_attributes=most_attributes or SpanLimits.UNSET)
    provider = TracerProvider(span_limits=limits, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    others = [Link(SpanContext(number, number, is_remote=False)) for number in range(1, links + 1)]
    span = provider.get_tracer("tests").start_span(name, attributes=dict(attributes), links=others)
    for event, event_attributes in (events or {}).items():
        span.add_event(event, dict(event_attributes))
    span.end()
    return exporter.get_finished_spans()[0]


def otlp_json(spans: Sequence[ReadableSpan]) -> dict[str, Any]:
    """An ``ExportTraceServiceRequest`` as OTLP/JSON files have it."""
    document: dict[str, Any] = MessageToDict(encode_spans(spans), use_integers_for_enums=True)
    # protobuf writes identifiers in base 64, where OTLP/JSON has hexadecimal.
    originals = iter(spans)
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                context = next(originals).get_span_context()
                span.update(traceId=f"{context.trace_id:032X}", spanId=f"{context.span_id:016X}")
    return document


def from_json(spans: Sequence[ReadableSpan], folder: Path) -> Any:
    """Written as text and read again, as a file is."""
    return json.loads(json.dumps(otlp_json(spans)))


def from_protobuf(spans: Sequence[ReadableSpan], folder: Path) -> Any:
    """Written to the wire and read again, as a server does."""
    request = encode_spans(spans)
    return type(request).FromString(request.SerializeToString())


def from_store(spans: Sequence[ReadableSpan], folder: Path) -> Any:
    """Through a local store."""
    LocalSpanExporter(folder / "traces.db").export(spans)
    store = Store(folder / "traces.db")
    return [record for trace in reversed(store.traces(limit=1000)) for record in store.spans(trace.trace_id)]


def from_sdk(spans: Sequence[ReadableSpan], folder: Path) -> Any:
    """As they are."""
    return spans


SOURCES: dict[str, Read] = {"sdk": from_sdk, "json": from_json, "protobuf": from_protobuf, "store": from_store}
