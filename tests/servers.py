"""Loopback OTLP servers for tests: they decode what they receive, and fail as a script tells them to.

Example:
    with CollectorServer() as server:
        register(endpoint=server.endpoint)
        ...
        [span] = server.wait_for_spans(1)
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

from typing_extensions import Self

from tests.faults.over_http import HttpBackend
from tests.faults.received import Ledger, ReceivedRequest, ReceivedSpan, Tally, read_span_ids, read_spans
from tests.faults.script import Fault, Script

__all__ = ["PATIENCE_SECONDS", "CollectorServer", "Fault", "ReceivedRequest", "ReceivedSpan", "Tally", "unused_port"]

PATIENCE_SECONDS = 30.0
"""How long a test waits for what must happen. Only a failing test waits that long."""


class CollectorServer:
    """An OTLP server on a free loopback port.

    Args:
        protocol: "http/protobuf" or "grpc".
        port: The port to listen on; 0 takes a free one.
        max_message_bytes: The largest message it takes. None: over gRPC that protocol's 4 MB, over HTTP any.
        is_up: Whether it listens from the start; else connections are refused until `accept`.
        keeps_spans: Whether `requests` and `spans` hold what came. Where millions come, counting them is enough.
    """

    def __init__(
        self,
        protocol: str = "http/protobuf",
        port: int = 0,
        max_message_bytes: int | None = None,
        *,
        is_up: bool = True,
        keeps_spans: bool = True,
    ) -> None:
        self.protocol = protocol
        self.requests: list[ReceivedRequest] = []
        self.attempts = 0
        """Requests that arrived, those that met a fault among them."""
        self.ledger = Ledger()
        self._keeps_spans = keeps_spans
        self._max_message_bytes = max_message_bytes
        self._script = Script()
        self._changed = threading.Condition()
        self._released = threading.Event()
        self._closed = threading.Event()
        # Bound and never listening: while the server is down, nobody else is given its port.
        self._claim = _claim(port)
        self.port: int = int(self._claim.getsockname()[1])
        """The port it listens on."""
        self._backend: Any = None
        if is_up:
            self.accept()

    @property
    def endpoint(self) -> str:
        """What to give to `register(endpoint=…)`."""
        return f"{'grpc' if self.protocol == 'grpc' else 'http'}://127.0.0.1:{self.port}"

    @property
    def spans(self) -> list[ReceivedSpan]:
        """Everything that was accepted, in order."""
        with self._changed:
            return [span for request in self.requests for span in request.spans]

    @property
    def tally(self) -> Tally:
        """What was counted so far."""
        with self._changed:
            return self.ledger.tally(self.attempts)

    @property
    def delivered_ids(self) -> set[str]:
        """The ids of the spans that were accepted."""
        with self._changed:
            return set(self.ledger.span_ids)

    def script(self, *faults: Fault) -> None:
        """Meet the next requests with these faults, one each."""
        self._script.add(*faults)

    def fail_always(self, fault: Fault | None) -> None:
        """Meet every request that no script is left for with ``fault``; None takes them again."""
        self._script.always(fault)

    def refuse(self) -> None:
        """Close the port and cut what is connected, as a server does that was killed."""
        backend, self._backend = self._backend, None
        if backend is not None:
            self.let_go()
            backend.stop()

    def accept(self) -> None:
        """Listen (again), on the same port."""
        if self._backend is None:
            self._backend = self._make_backend()

    def let_go(self) -> None:
        """Cut the requests that hang. Those to come hang again, if the script says so."""
        released, self._released = self._released, threading.Event()
        released.set()

    def wait_for_spans(self, count: int) -> list[ReceivedSpan]:
        """The accepted spans, as soon as there are ``count``."""
        self.wait_until(lambda: sum(len(request.spans) for request in self.requests) >= count, f"{count} spans")
        return self.spans

    def wait_for_delivered(self, count: int, seconds: float = PATIENCE_SECONDS) -> Tally:
        """The tally, as soon as ``count`` different spans were accepted."""
        self.wait_until(lambda: len(self.ledger.span_ids) >= count, f"{count} different spans", seconds)
        return self.tally

    def wait_for_attempts(self, count: int, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until ``count`` requests have arrived, whatever became of them."""
        self.wait_until(lambda: self.attempts >= count, f"{count} attempts", seconds)

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until ``condition``, which is looked at whenever a request arrives, holds."""
        with self._changed:
            if not self._changed.wait_for(condition, seconds):
                raise AssertionError(f"waited for {what}; got {self.ledger.tally(self.attempts)}")

    def close(self) -> None:
        """Stop listening, and let requests that hang go."""
        self._closed.set()
        self.refuse()
        self._claim.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def meet(self) -> Fault | None:
        """Count a request that has arrived, and say how to meet it."""
        with self._changed:
            self.attempts += 1
            self._changed.notify_all()
            return self._script.take()

    def take(self, path: str, headers: Iterable[tuple[str, str]], payload: Any, wire_size: int | None = None) -> None:
        """Keep a request that was accepted."""
        size = payload.ByteSize()
        span_ids = read_span_ids(payload)
        received = None
        if self._keeps_spans:
            lowered = {name.lower(): value for name, value in headers}
            received = ReceivedRequest(path, lowered, list(read_spans(payload)), size)
        with self._changed:
            self.ledger.enter(span_ids, size, size if wire_size is None else wire_size)
            if received is not None:
                self.requests.append(received)
            self._changed.notify_all()

    def hang(self) -> None:
        """Keep a request waiting until the server lets go, or stops."""
        self._released.wait(PATIENCE_SECONDS)

    def delay(self, seconds: float) -> None:
        """Keep a request waiting for ``seconds``, or until the server stops."""
        self._closed.wait(seconds)

    def _make_backend(self) -> Any:
        if self.protocol == "grpc":
            from tests.faults.over_grpc import GrpcBackend

            return GrpcBackend(self, self.port, self._max_message_bytes)
        return HttpBackend(self, self.port, self._max_message_bytes)


def unused_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _claim(port: int) -> socket.socket:
    claim = socket.socket()
    claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    claim.bind(("127.0.0.1", port))
    return claim
