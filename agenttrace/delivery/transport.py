"""What both ways of speaking OTLP have in common: their settings, and the reading of the server's answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from agenttrace.version import __version__

from .sink import ACCEPTED, Answer, Verdict

__all__ = ["USER_AGENT", "Connection", "TransportOptions", "accepted", "is_caused_by"]

USER_AGENT = f"agenttrace/{__version__}"
"""What we call ourselves to servers."""


@dataclass(frozen=True)
class TransportOptions:
    """How to send, beside where.

    Args:
        compression: ``"gzip"``, or None for none.
        timeout: Seconds to wait for an answer.
        certificate: File with the certificates to trust, PEM; None trusts what the system trusts.
        client_key: File with this client's private key, PEM.
        client_certificate: File with this client's certificate, PEM.
    """

    compression: str | None = None
    timeout: float = 10.0
    certificate: str | None = None
    client_key: str | None = field(default=None, repr=False)
    client_certificate: str | None = field(default=None, repr=False)


class Connection(Protocol):
    """Sends encoded batches to one server. Used by one thread."""

    def send(self, payload: bytes, timeout: float) -> Answer:
        """Send one encoded ``ExportTraceServiceRequest`` and say what became of it."""

    def close(self) -> None:
        """Close the connection."""


def accepted(name: str, response_body: bytes) -> Answer:
    """The answer that an OTLP response stands for: accepted, all of it or (``partial_success``) not quite."""
    if not response_body:
        return ACCEPTED
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    try:
        rejected = ExportTraceServiceResponse.FromString(response_body).partial_success.rejected_spans
    except DecodeError:  # some servers answer in JSON or plain text; a 2xx is what counts
        return ACCEPTED
    if rejected <= 0:
        return ACCEPTED
    return Answer(Verdict.ACCEPTED, f"{name} took the batch but rejected spans in it", rejected=rejected)


def is_caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether ``kind`` is behind ``error``, however deep libraries have wrapped it."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        candidate = waiting.pop()
        if id(candidate) in seen or not isinstance(candidate, BaseException):
            continue
        if isinstance(candidate, kind):
            return True
        seen.add(id(candidate))
        waiting += [candidate.__cause__, candidate.__context__, getattr(candidate, "reason", None), *candidate.args]
    return False
