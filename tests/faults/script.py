"""What a loopback server does with a request instead of taking it and saying so."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Fault", "FaultKind", "Script"]

FaultKind = Literal["status", "hang", "reset", "reject", "slow", "half", "cut"]


@dataclass(frozen=True)
class Fault:
    """What the server does with one request instead of taking the spans.

    Args:
        kind: What happens.

            - "status" answers with `code`, and takes nothing;
            - "hang" doesn't answer before the server is told to let go, or stops; then it cuts the connection;
            - "reset" cuts the connection before anything was taken;
            - "reject" takes the batch but reports that `code` of its spans were rejected (OTLP's partial success);
            - "slow" takes the batch and answers after `seconds`;
            - "half" takes the batch, sends the answer's headers and cuts the connection where the body should come;
            - "cut" takes the batch and cuts the connection without an answer.

            Over gRPC, whose server can't cut a single connection, what cuts it ends the call with ``UNAVAILABLE``.
        code: An HTTP status, or a gRPC status code's name.
        headers: Headers of the answer. ``retry-after`` becomes ``RetryInfo`` over gRPC.
        body: Body of the answer.
        details: What a gRPC server says along with its status, and what comes along with a partial success.
        seconds: How long "slow" takes.
    """

    kind: FaultKind
    code: int | str = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    details: str = "scripted"
    seconds: float = 0.0

    @property
    def takes(self) -> bool:
        """Whether the spans are taken in spite of it."""
        return self.kind in ("reject", "slow", "half", "cut")


class Script:
    """Which fault meets which request: those that were queued first, then the one that always holds."""

    def __init__(self) -> None:
        self._next: deque[Fault] = deque()
        self._always: Fault | None = None
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Meet the next requests with these, one each."""
        with self._lock:
            self._next.extend(faults)

    def always(self, fault: Fault | None) -> None:
        """Meet every request that nothing is queued for with ``fault``."""
        with self._lock:
            self._always = fault

    def take(self) -> Fault | None:
        """The fault that meets the request that has come in."""
        with self._lock:
            return self._next.popleft() if self._next else self._always
