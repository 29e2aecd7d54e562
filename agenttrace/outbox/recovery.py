"""What a process that ended too early has left open: its spans, ended in its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from .files import DamagedFileError, read_file
from .payloads import Payload, spans_in

__all__ = ["ENDED_BY_PROCESS", "end_spans"]

ENDED_BY_PROCESS = "process ended before the span did"
"""The status message of a span that its process didn't live to end."""


def end_spans(opened: Sequence[bytes], files: Iterable[Path], last_seen: int) -> Payload | None:
    """The spans that a process left open, with status ERROR and an end; None where all have ended after all.

    Args:
        opened: Encoded spans without an end.
        files: What else the process left: a span that ended at the last moment is there too, and is the better one.
        last_seen: When the process last gave a sign of life, in nanoseconds since 1970.
    """
    request = ExportTraceServiceRequest()
    for data in opened:
        request.MergeFromString(data)
    ended, latest = _ended(files)
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            kept = [span for span in scope_spans.spans if (span.trace_id, span.span_id) not in ended]
            if len(kept) < len(scope_spans.spans):
                copies = [type(span).FromString(span.SerializeToString()) for span in kept]
                del scope_spans.spans[:]
                scope_spans.spans.extend(copies)
    count = 0
    for span in spans_in(request):
        count += 1
        span.end_time_unix_nano = max(span.start_time_unix_nano, latest, last_seen)
        span.status.code = Status.STATUS_CODE_ERROR
        span.status.message = ENDED_BY_PROCESS
    return Payload(request.SerializeToString(), count) if count else None


def _ended(files: Iterable[Path]) -> tuple[set[tuple[bytes, bytes]], int]:
    """The spans in ``files``, and when the last of them ended."""
    keys = set()
    latest = 0
    for path in files:
        try:
            data, _ = read_file(path)
            request = ExportTraceServiceRequest.FromString(data)
        except (DamagedFileError, DecodeError, OSError):  # whoever sends the file says so
            continue
        for span in spans_in(request):
            keys.add((span.trace_id, span.span_id))
            latest = max(latest, span.end_time_unix_nano)
    return keys, latest
