"""What HTTP and gRPC have in common in an OTLP server's answers: the message about a batch that it took, and advice."""

from __future__ import annotations

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from .server_words import ServerWords
from .sink import ACCEPTED, Answer, Verdict

__all__ = ["accepted", "refused_credentials"]


def accepted(name: str, response_body: bytes, words: ServerWords) -> Answer:
    """The answer that an OTLP response stands for: accepted, all of it or (``partial_success``) not quite.

    Args:
        name: Where the batch went, without secrets.
        response_body: The encoded response.
        words: Quotes what the server says about the spans that it rejected.
    """
    if not response_body:
        return ACCEPTED
    try:
        partial = ExportTraceServiceResponse.FromString(response_body).partial_success
    except DecodeError:  # some servers answer in JSON or plain text; a 2xx is what counts
        return ACCEPTED
    if partial.rejected_spans <= 0:
        return ACCEPTED
    problem = words.after(f"{name} took the batch but rejected spans in it", partial.error_message)
    return Answer(Verdict.ACCEPTED, problem, rejected=partial.rejected_spans)


def refused_credentials(has_credentials: bool, status: str, *, is_langfuse: bool = False) -> str:
    """What a server does that wants other credentials, or any, and what to do about it.

    Args:
        has_credentials: Whether headers that may be some were sent.
        status: The status of its answer, for people.
        is_langfuse: Whether it is Langfuse, which wants a pair of keys, and has several regions that don't share them.
    """
    if is_langfuse:
        does = "refuses the keys" if has_credentials else "wants keys, and none are sent"
        return f"{does} ({status}): check public_key, secret_key, and whether host is the region or server they are of"
    if has_credentials:
        return f"refuses the credentials ({status}): check api_key or the authorization header"
    return f"wants credentials, and none are sent ({status}): give api_key or an authorization header"
