"""The one span that ``agenttrace doctor --send`` sends: a small CHAIN that says what it is."""

from __future__ import annotations

import time
from collections.abc import Mapping

from openinference.semconv.resource import ResourceAttributes
from openinference.semconv.trace import OpenInferenceMimeTypeValues, OpenInferenceSpanKindValues, SpanAttributes
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from agenttrace.version import __version__

__all__ = ["TRIAL_NAME", "encoded", "trace_id_of", "trial_span"]

TRIAL_NAME = "agenttrace doctor"
"""What the span is called, so that people who come across it know where it is from."""

_NANOSECONDS = 1_000_000


def trial_span(project: str, resource_attributes: Mapping[str, str]) -> ReadableSpan:
    """A span that has just ended, in a trace of its own.

    Args:
        project: The project to file it under.
        resource_attributes: What else the destination wants to have said of the program.
    """
    ids = RandomIdGenerator()
    end = time.time_ns()
    return ReadableSpan(
        name=TRIAL_NAME,
        context=SpanContext(
            ids.generate_trace_id(), ids.generate_span_id(), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED)
        ),
        resource=Resource(
            {ResourceAttributes.PROJECT_NAME: project, "service.name": TRIAL_NAME, **resource_attributes}
        ),
        attributes={
            SpanAttributes.OPENINFERENCE_SPAN_KIND: OpenInferenceSpanKindValues.CHAIN.value,
            SpanAttributes.INPUT_VALUE: "Do spans arrive?",
            SpanAttributes.INPUT_MIME_TYPE: OpenInferenceMimeTypeValues.TEXT.value,
            SpanAttributes.OUTPUT_VALUE: "This one has.",
            SpanAttributes.OUTPUT_MIME_TYPE: OpenInferenceMimeTypeValues.TEXT.value,
        },
        status=Status(StatusCode.OK),
        start_time=end - _NANOSECONDS,
        end_time=end,
        instrumentation_scope=InstrumentationScope("agenttrace", __version__),
    )


def encoded(span: ReadableSpan) -> bytes:
    """``span`` as a serialised ``ExportTraceServiceRequest``."""
    payload: bytes = encode_spans([span]).SerializeToString()
    return payload


def trace_id_of(span: ReadableSpan) -> str:
    """The id of its trace, as backends show it."""
    context = span.get_span_context()
    return f"{context.trace_id if context is not None else 0:032x}"
