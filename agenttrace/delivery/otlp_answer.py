"""An OTLP server's answer to a batch that it took, which is the same message over HTTP and gRPC."""

from __future__ import annotations

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from .sink import ACCEPTED, Answer, Verdict

__all__ = ["accepted"]


def accepted(name: str, response_body: bytes) -> Answer:
    """The answer that an OTLP response stands for: accepted, all of it or (``partial_success``) not quite."""
    if not response_body:
        return ACCEPTED
    try:
        rejected = ExportTraceServiceResponse.FromString(response_body).partial_success.rejected_spans
    except DecodeError:  # some servers answer in JSON or plain text; a 2xx is what counts
        return ACCEPTED
    if rejected <= 0:
        return ACCEPTED
    return Answer(Verdict.ACCEPTED, f"{name} took the batch but rejected spans in it", rejected=rejected)
