"""Loopback OTLP servers for tests: they decode what they receive, and fail as a script tells them to.

Example:
    with CollectorServer() as server:
        register(endpoint=server.endpoint)
        ...
        [span] = server.wait_for_spans(1)
"""

from __future__ import annotations

import gzip
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent import futures
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as services
from typing_extensions import Self

PATIENCE_SECONDS = 30.0
"""How long a test waits for what must happen. Only a failing test waits that long."""


@dataclass
class ReceivedSpan:
    """A span as it came over the wire."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str | None
    attributes: dict[str, Any]
    resource: dict[str, Any]
    scope: str
    status: str
    events: list[str]
    dropped_attributes: int


@dataclass
class ReceivedRequest:
    """One request: how it came, and the spans in it."""

    path: str
    headers: dict[str, str]
    spans: list[ReceivedSpan]
    size: int


@dataclass(frozen=True)
class Fault:
    """What the server does with one request instead of taking the spans.

    Args:
        kind: "status" answers with `code`; "hang" doesn't answer before the server stops; "reset" cuts the connection;
            "reject" takes the batch but reports that `code` of its spans were rejected.
        code: An HTTP status, or a gRPC status code's name.
        headers: Headers of the answer.
        body: Body of the answer.
        details: What a gRPC server says along with its status.
    """

    kind: Literal["status", "hang", "reset", "reject"]
    code: int | str = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    details: str = "scripted"


class CollectorServer:
    """An OTLP server on a free loopback port.

    Args:
        protocol: "http/protobuf" or "grpc".
        port: The port to listen on; 0 takes a free one.
        max_message_bytes: The largest message a gRPC server takes (its default is 4 MB).
    """

    def __init__(self, protocol: str = "http/protobuf", port: int = 0, max_message_bytes: int | None = None) -> None:
        self.protocol = protocol
        self.requests: list[ReceivedRequest] = []
        self.attempts = 0
        """Requests that arrived, those that met a fault among them."""
        self._faults: deque[Fault] = deque()
        self._always: Fault | None = None
        self._changed = threading.Condition()
        self._released = threading.Event()
        self._backend: _HttpBackend | _GrpcBackend
        if protocol == "grpc":
            self._backend = _GrpcBackend(self, port, max_message_bytes)
        else:
            self._backend = _HttpBackend(self, port)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._backend.port

    @property
    def endpoint(self) -> str:
        """What to give to `register(endpoint=…)`."""
        return f"{'grpc' if self.protocol == 'grpc' else 'http'}://127.0.0.1:{self.port}"

    @property
    def spans(self) -> list[ReceivedSpan]:
        """Everything that was accepted, in order."""
        with self._changed:
            return [span for request in self.requests for span in request.spans]

    def script(self, *faults: Fault) -> None:
        """Meet the next requests with these faults, one each."""
        self._faults.extend(faults)

    def fail_always(self, fault: Fault | None) -> None:
        """Meet every request that no script is left for with ``fault``; None takes them again."""
        self._always = fault

    def wait_for_spans(self, count: int) -> list[ReceivedSpan]:
        """The accepted spans, as soon as there are ``count``."""
        self.wait_until(lambda: sum(len(request.spans) for request in self.requests) >= count, f"{count} spans")
        return self.spans

    def wait_for_attempts(self, count: int) -> None:
        """Wait until ``count`` requests have arrived, whatever became of them."""
        self.wait_until(lambda: self.attempts >= count, f"{count} attempts")

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until ``condition``, which is looked at whenever a request arrives, holds."""
        with self._changed:
            if not self._changed.wait_for(condition, PATIENCE_SECONDS):
                raise AssertionError(f"waited for {what}; got {self.attempts} requests: {self.requests}")

    def close(self) -> None:
        """Stop listening, and let requests that hang go."""
        self._released.set()
        self._backend.stop()

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
            return self._faults.popleft() if self._faults else self._always

    def take(self, path: str, headers: Iterable[tuple[str, str]], payload: messages.ExportTraceServiceRequest) -> None:
        """Keep a request that was accepted."""
        spans = list(_spans_of(payload))
        received = ReceivedRequest(path, {k.lower(): v for k, v in headers}, spans, payload.ByteSize())
        with self._changed:
            self.requests.append(received)
            self._changed.notify_all()

    def hang(self) -> None:
        """Keep a request waiting until the server stops."""
        self._released.wait(PATIENCE_SECONDS)


def unused_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _HttpBackend:
    def __init__(self, collector: CollectorServer, port: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            timeout = PATIENCE_SECONDS

            def do_POST(self) -> None:
                _answer_http(collector, self)

            def log_message(self, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _answer_http(collector: CollectorServer, handler: BaseHTTPRequestHandler) -> None:
    body = handler.rfile.read(int(handler.headers.get("content-length", "0")))
    fault = collector.meet()
    if fault is not None and fault.kind == "hang":
        collector.hang()
        handler.close_connection = True
        return
    if fault is not None and fault.kind == "reset":
        linger = struct.pack("ii", 1, 0)  # closing then sends RST
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.close_connection = True
        handler.connection.close()
        return
    if fault is not None and fault.kind == "status":
        _send(handler, int(fault.code), fault.headers, fault.body)
        return
    if handler.headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    collector.take(handler.path, handler.headers.items(), messages.ExportTraceServiceRequest.FromString(body))
    response = _response(fault)
    _send(handler, 200, {"content-type": "application/x-protobuf"}, response.SerializeToString())


def _send(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _response(fault: Fault | None) -> messages.ExportTraceServiceResponse:
    response = messages.ExportTraceServiceResponse()
    if fault is not None and fault.kind == "reject":
        response.partial_success.rejected_spans = int(fault.code)
        response.partial_success.error_message = fault.details
    return response


class _GrpcBackend:
    def __init__(self, collector: CollectorServer, port: int, max_message_bytes: int | None) -> None:
        import grpc

        class Service(services.TraceServiceServicer):
            def Export(self, request: Any, context: Any) -> Any:
                return _answer_grpc(collector, request, context)

        options = [("grpc.so_reuseport", 0)]
        if max_message_bytes is not None:
            options.append(("grpc.max_receive_message_length", max_message_bytes))
        self._server = grpc.server(futures.ThreadPoolExecutor(4), options=options)
        services.add_TraceServiceServicer_to_server(Service(), self._server)
        self.port = int(self._server.add_insecure_port(f"127.0.0.1:{port}"))
        self._server.start()

    def stop(self) -> None:
        self._server.stop(None).wait()


def _answer_grpc(collector: CollectorServer, request: Any, context: Any) -> Any:
    import grpc

    fault = collector.meet()
    if fault is not None and fault.kind == "hang":
        collector.hang()
        context.abort(grpc.StatusCode.CANCELLED, "stopped")
    if fault is not None and fault.kind in ("status", "reset"):
        context.abort(grpc.StatusCode[str(fault.code)], fault.details)
    collector.take("grpc", [(name, str(value)) for name, value in context.invocation_metadata()], request)
    return _response(fault)


def _spans_of(payload: Any) -> Iterable[ReceivedSpan]:
    for resource_spans in payload.resource_spans:
        resource = _attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield ReceivedSpan(
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex() or None,
                    attributes=_attributes(span.attributes),
                    resource=resource,
                    scope=scope_spans.scope.name,
                    status={0: "UNSET", 1: "OK", 2: "ERROR"}[span.status.code],
                    events=[event.name for event in span.events],
                    dropped_attributes=span.dropped_attributes_count,
                )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None
