"""What both ways of speaking OTLP have in common, without the libraries that either of them needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from agenttrace.version import __version__

from .sink import Answer

__all__ = ["USER_AGENT", "Connection", "TransportOptions", "cause_of", "is_caused_by"]

_Error = TypeVar("_Error", bound=BaseException)

USER_AGENT = f"agenttrace/{__version__}"
"""What we call ourselves to servers."""


@dataclass(frozen=True)
class TransportOptions:
    """How to send, beside where.

    Args:
        compression: ``"gzip"``, or None for none.
        timeout: Seconds to wait for an answer.
        certificate: File with the certificates to trust, PEM; None trusts what the system trusts.
        client_key: File with this client's private key, PEM; None where ``client_certificate`` holds it too.
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


def is_caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether ``kind`` is behind ``error``, however deep libraries have wrapped it."""
    return cause_of(error, kind) is not None


def cause_of(error: BaseException, kind: type[_Error]) -> _Error | None:
    """The error of this ``kind`` that is behind ``error``, however deep libraries have wrapped it; None without one."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        candidate = waiting.pop()
        if id(candidate) in seen or not isinstance(candidate, BaseException):
            continue
        if isinstance(candidate, kind):
            return candidate
        seen.add(id(candidate))
        waiting += [candidate.__cause__, candidate.__context__, getattr(candidate, "reason", None), *candidate.args]
    return None
