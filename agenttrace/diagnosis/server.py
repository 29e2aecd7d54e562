"""Looking at a server: the way to it, what it says to an empty batch, its own API, and a span sent and read back."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from typing_extensions import Self

from agenttrace.delivery.endpoint import Endpoint
from agenttrace.delivery.sink import Answer, Verdict

from .api import Api, SilentError
from .bounded import within
from .findings import Finding, State, contained, failed, ok, skipped
from .langfuse import LangfuseApi, langfuse_address
from .phoenix import PhoenixApi, phoenix_address
from .routes import connect, find_addresses, route_to, secure
from .subject import headers_of
from .trial import encoded, trace_id_of, trial_span

if TYPE_CHECKING:
    from agenttrace.delivery.otlp_grpc import GrpcConnection
    from agenttrace.delivery.otlp_http import HttpConnection
    from agenttrace.destinations import Destination

__all__ = ["ServerExamination"]

_EMPTY = b""  # an ExportTraceServiceRequest without spans, serialised
LONGEST_ANSWER_SECONDS = 10.0
CONNECTION_SECONDS = 10.0  # for what a connection's own time limits leave out, such as looking the host up
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0
_REFUSED_CREDENTIALS = ("HTTP 401", "HTTP 403", "gRPC UNAUTHENTICATED", "gRPC PERMISSION_DENIED")
_REFUSED_CONTENT = ("HTTP 400", "HTTP 422", "gRPC INVALID_ARGUMENT")


class _Backend(Protocol):
    """A backend's own API."""

    patience: float

    def credentials(self) -> Finding: ...

    def has(self, trace_id: str, project: str) -> bool: ...


class ServerExamination:
    """Looks at one server. To be used in a ``with`` statement, which closes the connections.

    Args:
        destination: The server.
        project: The project that spans are filed under.
        pause: Waits the given seconds between two looks.
    """

    def __init__(self, destination: Destination, project: str, pause: Callable[[float], None]) -> None:
        assert destination.endpoint is not None
        self._destination = destination
        self._endpoint: Endpoint = destination.endpoint
        self._project = project
        self._pause = pause
        self._headers = headers_of(destination)
        self._connection = _connection_to(self._endpoint, self._headers, destination)
        self._apis: list[Api] = []
        self._answer: Answer | None = None
        self._backend: _Backend | None = None

    def findings(self, *, sends: bool) -> list[Finding]:
        """What each step finds, in order; those that need one that failed are passed over.

        Args:
            sends: Whether to send a span and look for it there.
        """
        steps: list[tuple[str, Callable[[], Finding]]] = [
            ("OTLP request", lambda: self._request(sends=sends)),
            ("credentials", self._credentials),
        ]
        if sends:
            steps.append(("test span", self._send))
        found = self._way()
        for step, look in steps:
            if any(finding.state is State.FAILED for finding in found):
                found.append(skipped(step, "not tried, because of what failed above"))
            else:
                found.append(contained(step, look))
        return found

    def credentials(self) -> list[Finding]:
        """What the server says to its credentials, with as few questions as that takes."""
        request = contained("OTLP request", lambda: self._request(sends=False))
        if request.state is State.FAILED:
            return [request]
        return [request, contained("credentials", self._credentials)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()
        for api in self._apis:
            api.close()

    def _way(self) -> list[Finding]:
        """DNS, connection and TLS."""
        try:
            route = route_to(self._endpoint)
        except ValueError:
            return [failed("DNS", "the proxy that the environment names is no address: check HTTPS_PROXY, HTTP_PROXY")]
        found, addresses = find_addresses(route)
        if not addresses:
            return [found, *(skipped(step, "there is no address to try") for step in ("connection", "TLS"))]
        is_loopback = self._endpoint.is_loopback
        connection = contained("connection", lambda: connect(route, addresses, is_loopback=is_loopback))
        if connection.state is State.FAILED:
            return [found, connection, skipped("TLS", "there is no connection to secure")]
        options = self._destination.options
        return [found, connection, contained("TLS", lambda: secure(self._endpoint, options, route, addresses))]

    def _deliver(self, payload: bytes) -> Answer:
        timeout = min(self._destination.options.timeout, LONGEST_ANSWER_SECONDS)
        try:
            return within(timeout + CONNECTION_SECONDS, lambda: self._connection.send(payload, timeout))
        except TimeoutError:
            return Answer(Verdict.LATER, f"{self._endpoint} doesn't come to the end of its answer")

    def _request(self, *, sends: bool) -> Finding:
        """What the server says to a batch without spans."""
        step = "OTLP request"
        answer = self._answer = self._deliver(_EMPTY)
        status = self._connection.status
        if answer.verdict is Verdict.ACCEPTED:
            return ok(step, f"it takes OTLP ({status})")
        if status in _REFUSED_CREDENTIALS:
            # As a gateway's, or any website's.
            return skipped(step, f"it refuses the credentials before anything else ({status}): is it an OTLP server?")
        if status in _REFUSED_CONTENT:
            if sends:
                return skipped(step, f"it refuses an empty batch ({status}), which says little about spans")
            return failed(step, f"{answer.problem}. A server may refuse an empty batch alone: --send tells")
        return failed(step, answer.problem)

    def _credentials(self) -> Finding:
        """What the server says to the credentials: as an OTLP server, and over its own API where it has one."""
        step = "credentials"
        assert self._answer is not None
        if self._connection.status in _REFUSED_CREDENTIALS:
            return failed(step, self._answer.problem)
        self._backend = self._find_backend()
        if self._backend is not None:
            try:
                return self._backend.credentials()
            except SilentError:
                return failed(step, "its API doesn't answer, though it takes spans: is a proxy or gateway in between?")
        if self._answer.verdict is not Verdict.ACCEPTED:
            return skipped(step, "the server has said nothing about them")
        if not self._headers:
            return ok(step, "none are sent, and the server asks for none")
        return ok(step, "the server took the empty batch with them; it has no API known here that would say more")

    def _find_backend(self) -> _Backend | None:
        # By the address, since people give Langfuse's to OpenTelemetry's own variables, too.
        address = langfuse_address(self._endpoint)
        if address is not None:
            return LangfuseApi(self._api(address, self._headers))
        if self._destination.kind == "phoenix" or getattr(self._connection, "is_phoenix", False):
            address = phoenix_address(self._endpoint)
            if address is not None:
                phoenix = PhoenixApi(self._api(address, self._headers), self._api(address, {}))
                return phoenix if phoenix.is_there() else None
        return None

    def _api(self, address: str, headers: dict[str, str]) -> Api:
        api = Api(address, self._endpoint, headers, self._destination.options)
        self._apis.append(api)
        return api

    def _send(self) -> Finding:
        """Send a span, and look for it where the server has an API for that."""
        step = "test span"
        span = trial_span(self._project, self._destination.resource_attributes(self._project))
        trace_id = trace_id_of(span)
        answer = self._deliver(encoded(span))
        if answer.verdict is not Verdict.ACCEPTED or answer.rejected:
            return failed(step, answer.problem)
        if self._backend is None:
            return ok(step, f"it was taken; there is no API known here to read it back, so look for trace {trace_id}")
        return self._read_back(self._backend, trace_id)

    def _read_back(self, backend: _Backend, trace_id: str) -> Finding:
        started = time.monotonic()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                if backend.has(trace_id, self._project):
                    return ok("test span", f"sent, and read back after {time.monotonic() - started:.1f} s")
            except SilentError:
                pass  # as when it isn't there yet: asked again until the time is up
            if time.monotonic() - started + pause > backend.patience:
                return failed(
                    "test span",
                    f"it was taken but isn't shown within {backend.patience:g} s: look for trace {trace_id} later, and "
                    "at the server's log if it isn't there",
                )
            self._pause(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _connection_to(
    endpoint: Endpoint, headers: dict[str, str], destination: Destination
) -> HttpConnection | GrpcConnection:
    # Here, as only one of the two libraries is needed.
    if endpoint.protocol == "grpc":
        from agenttrace.delivery.otlp_grpc import GrpcConnection

        return GrpcConnection(endpoint, headers, destination.options)
    from agenttrace.delivery.otlp_http import HttpConnection

    return HttpConnection(endpoint, headers, destination.options)
