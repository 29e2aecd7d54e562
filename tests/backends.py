"""Loopback HTTP servers that answer by path, with TLS where a test wants it: what a backend's own API is played by.

Example:
    with Backend({"GET /v1/projects": Reply(200, {"data": []})}) as backend:
        requests.get(backend.address + "/v1/projects")
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

from typing_extensions import Self

CERTIFICATES = Path(__file__).parent / "certificates"


@dataclass(frozen=True)
class Asked:
    """One request as it came.

    Args:
        route: Method and path, like ``GET /v1/projects``.
        query: What follows ``?``.
        headers: The headers, names in lower case.
        body: The body.
    """

    route: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """One answer.

    Args:
        status: The HTTP status.
        value: The body: bytes as they are, anything else as JSON.
        headers: Further headers.
    """

    status: int = 200
    value: object = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Route = Reply | Callable[[Asked], Reply]


class Backend:
    """A server on a free loopback port; what it has no route for is 404.

    Args:
        routes: The reply, or what makes it, for each ``METHOD /path``.
        certificate: The file in ``tests/certificates``, without its ending, to speak TLS with, or how to speak it as
            `tls_context` and the test say; None for plain HTTP.
    """

    def __init__(self, routes: Mapping[str, Route], certificate: str | ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        backend = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                backend.answer(self)

            def do_POST(self) -> None:
                backend.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in the class above
                """Say nothing."""

        self._routes = routes
        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self._scheme = "http" if certificate is None else "https"
        if certificate is not None:
            context = tls_context(certificate) if isinstance(certificate, str) else certificate
            # The handshake is left to the first read, in the request's own thread.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens at."""
        return int(self._server.server_port)

    @property
    def address(self) -> str:
        """Its URL; with TLS by the name that its certificate is for."""
        return f"{self._scheme}://{'127.0.0.1' if self._scheme == 'http' else 'localhost'}:{self.port}"

    def asked_for(self, route: str) -> list[Asked]:
        """The requests for one ``METHOD /path``."""
        return [asked for asked in self.asked if asked.route == route]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request as its route says."""
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        asked = Asked(f"{handler.command} {parts.path}", parse_qs(parts.query), headers, body)
        self.asked.append(asked)
        route = self._routes.get(asked.route, Reply(404))
        reply = route if isinstance(route, Reply) else route(asked)
        content = reply.value if isinstance(reply.value, bytes) else json.dumps(reply.value).encode()
        kind = "text/plain" if isinstance(reply.value, bytes) else "application/json"
        handler.send_response(reply.status)
        for name, value in {"content-type": kind, **reply.headers, "content-length": str(len(content))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def tls_context(certificate: str) -> ssl.SSLContext:
    """How a server with this certificate speaks TLS.

    Args:
        certificate: The file in ``tests/certificates``, without its ending.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
    return context


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that go away, or refuse the certificate: tests have them do so."""
