"""The HTTP half of the loopback server."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages

from .script import Fault

__all__ = ["Collector", "HttpBackend", "answer_of"]

_LONGEST_SILENCE_SECONDS = 30.0


class Collector(Protocol):
    """What a backend asks of the server that it belongs to."""

    def meet(self) -> Fault | None:
        """Count a request that has arrived, and say how to meet it."""

    def take(self, path: str, headers: Any, payload: Any, wire_size: int | None = None) -> None:
        """Keep a request that was accepted."""

    def hang(self) -> None:
        """Keep a request waiting."""

    def delay(self, seconds: float) -> None:
        """Keep a request waiting for so long, unless the server stops."""


class HttpBackend:
    """Listens on a loopback port until it is stopped; stopping cuts the connections that are open.

    Args:
        collector: The server that it belongs to.
        port: The port; 0 takes a free one.
        max_message_bytes: The largest body that it takes; a larger one is answered with 413.
    """

    def __init__(self, collector: Collector, port: int, max_message_bytes: int | None = None) -> None:
        connections = self._connections = set[socket.socket]()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            timeout = _LONGEST_SILENCE_SECONDS

            def setup(self) -> None:
                super().setup()
                connections.add(self.connection)

            def finish(self) -> None:
                connections.discard(self.connection)
                super().finish()

            def handle(self) -> None:
                try:
                    super().handle()
                except (ConnectionError, ValueError):  # the peer, or `stop`, cut it
                    self.close_connection = True

            def do_POST(self) -> None:
                _answer(collector, self, max_message_bytes)

            def log_message(self, *args: Any) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(("127.0.0.1", port), Handler)
        self.port: int = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the port, and every connection."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # its own thread closed it meanwhile
                continue


def _answer(collector: Collector, handler: BaseHTTPRequestHandler, max_message_bytes: int | None) -> None:
    body = handler.rfile.read(int(handler.headers.get("content-length", "0")))
    fault = collector.meet()
    if fault is not None and not fault.takes:
        _refuse(collector, handler, fault)
        return
    if max_message_bytes is not None and len(body) > max_message_bytes:
        _send(handler, 413, {}, b"too large")
        return
    plain = gzip.decompress(body) if handler.headers.get("content-encoding") == "gzip" else body
    payload = messages.ExportTraceServiceRequest.FromString(plain)
    collector.take(handler.path, handler.headers.items(), payload, len(body))
    if fault is not None and fault.kind == "cut":
        _reset(handler)
        return
    if fault is not None and fault.kind == "slow":
        collector.delay(fault.seconds)
    answer = answer_of(fault).SerializeToString()
    if fault is not None and fault.kind == "half":
        _send(handler, 200, {"content-type": "application/x-protobuf"}, answer, missing=64)
        handler.close_connection = True
        return
    _send(handler, 200, {"content-type": "application/x-protobuf"}, answer)


def _refuse(collector: Collector, handler: BaseHTTPRequestHandler, fault: Fault) -> None:
    if fault.kind == "hang":
        collector.hang()
        handler.close_connection = True
    elif fault.kind == "reset":
        _reset(handler)
    else:
        _send(handler, int(fault.code), fault.headers, fault.body)


def _reset(handler: BaseHTTPRequestHandler) -> None:
    linger = struct.pack("ii", 1, 0)  # closing then sends RST
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.close_connection = True
    handler.connection.close()


def _send(
    handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes, *, missing: int = 0
) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("content-length", str(len(body) + missing))
    handler.end_headers()
    handler.wfile.write(body)


def answer_of(fault: Fault | None) -> messages.ExportTraceServiceResponse:
    """What is said to a request that was taken."""
    response = messages.ExportTraceServiceResponse()
    if fault is not None and fault.kind == "reject":
        response.partial_success.rejected_spans = int(fault.code)
        response.partial_success.error_message = fault.details
    return response
