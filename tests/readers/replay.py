"""A server on loopback that answers as a provider would: what the real clients are pointed at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """One scripted answer."""

    body: bytes | Sequence[bytes]
    """The whole body, or the pieces of a chunked one."""
    status: int = 200
    content_type: str = "application/json"


class Received(NamedTuple):
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: Any


class ReplayServer:
    """What was asked of the server, and where it is."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Received] = []
        self.answers: list[Answer] = []

    def will_answer(self, *answers: Answer) -> None:
        """Answer the next requests with these, one each; the last one serves all that follow."""
        self.answers[:] = answers


def json_answer(value: object, status: int = 200) -> Answer:
    """A JSON body."""
    return Answer(json.dumps(value).encode(), status)


def event_stream(events: Sequence[object], *, names: bool = False, done: bool = False) -> Answer:
    """Server-sent events: each named by its ``type`` where ``names``, ``[DONE]`` last where ``done``."""
    pieces = []
    for event in events:
        name = f"event: {event['type']}\n" if names and isinstance(event, dict) else ""
        pieces.append(f"{name}data: {json.dumps(event)}\n\n".encode())
    if done:
        pieces.append(b"data: [DONE]\n\n")
    return Answer(pieces, content_type="text/event-stream")


def json_lines(values: Sequence[object]) -> Answer:
    """Newline-delimited JSON."""
    return Answer([json.dumps(value).encode() + b"\n" for value in values], content_type="application/x-ndjson")


class _QuietServer(ThreadingHTTPServer):
    """Says nothing of clients that hang up before all is read."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        return


@contextmanager
def replay_server() -> Iterator[ReplayServer]:
    """A server that replays what it is told to."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                parsed = json.loads(body)
            except ValueError:
                parsed = body
            replay.requests.append(Received(self.path, dict(self.headers), parsed))
            answer = replay.answers.pop(0) if len(replay.answers) > 1 else replay.answers[0]
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            if isinstance(answer.body, bytes):
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
                return
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (*answer.body, b""):
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in the class above
            """Say nothing."""

    with _QuietServer(("127.0.0.1", 0), Handler) as server:
        replay = ReplayServer(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield replay
        finally:
            server.shutdown()
            thread.join()
