"""A loopback server that takes and refuses requests as Langfuse's public API does.

Documented, page "OpenTelemetry (OTEL) for LLM Observability" (langfuse-docs 011ec69, read on 2026-11-24): the path,
HTTP with protobuf or JSON and no gRPC, basic authentication with public and secret key,
`x-langfuse-ingestion-version`, and that a version above 4 or no number is refused with 400. API reference
(langfuse/langfuse, fern/apis/server/definition): gzip, that the answer's content type is the request's and an empty
object means success, `GET /projects`, `/health` (without authentication) and `/traces/{traceId}` with their fields.

Not documented, read from the server's source (otel/v1/traces/index.ts 564f2a0, createAuthedProjectAPIRoute.ts 004fa5f,
apiAuth.ts, projects/index.ts 19c3311): the bodies of refusals, and that a protobuf request is answered in JSON after
all.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
from typing_extensions import Self

from tests.langfuse.mapping import SpanReceived, observation_of, trace_of
from tests.servers import PATIENCE_SECONDS

__all__ = ["PUBLIC_KEY", "SECRET_KEY", "Answer", "LangfuseServer", "ReceivedRequest"]

PUBLIC_KEY = "pk-lf-1234567890"
SECRET_KEY = "sk-lf-0987654321"
TRACES_PATH = "/api/public/otel/v1/traces"
_JSON = "application/json"
_PROTOBUF = "application/x-protobuf"
_ERROR = 2
# What `queue.add(…)` gives in the server's source is what the client gets.
_JOB = {"name": "otel-ingestion-job", "id": "7", "data": {"payload": {}}, "opts": {"attempts": 6}}


@dataclass(frozen=True)
class Answer:
    """What is answered to one request."""

    status: int
    body: Any
    content_type: str = _JSON


@dataclass(frozen=True)
class ReceivedRequest:
    """A request to the endpoint for traces, and what became of it."""

    method: str
    path: str
    headers: Mapping[str, str]
    answer: Answer


class LangfuseServer:
    """Langfuse with one project, on a free loopback port.

    Args:
        answers: Whether protobuf is answered in protobuf, as the API reference has it, or in JSON, as the source does.
        subtracts_cached: See `observation_of`.
    """

    def __init__(self, answers: Literal["protobuf", "json"] = "protobuf", subtracts_cached: bool = True) -> None:
        self.requests: list[ReceivedRequest] = []
        self.spans: list[SpanReceived] = []
        self._answers = answers
        self._subtracts_cached = subtracts_cached
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """What to give to Langfuse's clients as host."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def observations(self) -> dict[str, dict[str, Any]]:
        """What Langfuse shows of the spans that arrived, by their names, as its API tells it."""
        found = [item for trace in self.traces() for item in trace["observations"]]
        return {item["name"]: item for item in found}

    def traces(self) -> list[dict[str, Any]]:
        """What Langfuse shows of the traces that arrived, as its API tells it."""
        answers = [self.get(f"/api/public/traces/{trace_id}") for trace_id in dict.fromkeys(self._trace_ids())]
        return [body for _, body in answers]

    def get(self, path: str, keys: tuple[str, str] | None = (PUBLIC_KEY, SECRET_KEY)) -> tuple[int, Any]:
        """Status and body of a request to the public API; None as keys sends no authorization."""
        headers = {} if keys is None else {"authorization": basic(*keys)}
        try:
            with urlopen(Request(f"{self.url}{path}", headers=headers), timeout=PATIENCE_SECONDS) as response:
                return response.status, json.loads(response.read())
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def wait_for_requests(self, count: int) -> list[ReceivedRequest]:
        """The requests to the endpoint for traces, as soon as there are ``count``."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= count, PATIENCE_SECONDS), self.requests
            return list(self.requests)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Meet one request."""
        if path == TRACES_PATH:
            answer = self._take(method, headers, body)
            with self._changed:
                self.requests.append(ReceivedRequest(method, path, headers, answer))
                self._changed.notify_all()
            return answer
        return self._tell(method, path, headers)

    def _trace_ids(self) -> list[str]:
        with self._changed:
            return [span.trace_id for span in self.spans]

    def _take(self, method: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if method != "POST":
            return Answer(405, {"message": "Method not allowed", "error": "MethodNotAllowedError"})
        refusal = _unauthorized(headers)
        if refusal is not None:
            return refusal
        if "gzip" in headers.get("content-encoding", ""):
            try:
                body = gzip.decompress(body)
            except (OSError, EOFError):
                return Answer(400, {"error": "Failed to decompress request body"})
        if _PROTOBUF not in headers.get("content-type", "").lower():  # JSON is taken too, but nothing here sends it
            return Answer(400, {"error": "Invalid content type"})
        try:
            spans = _spans_of(messages.ExportTraceServiceRequest.FromString(body))
        except DecodeError:
            return Answer(400, {"error": "Failed to parse OTel Protobuf Trace"})
        if any(len(span.trace_id) != 32 or len(span.span_id) != 16 for span in spans):
            return Answer(400, {"error": "Invalid OTLP trace export: The entire export was rejected"})
        version = headers.get("x-langfuse-ingestion-version")
        if version is not None and not (version.isdigit() and int(version) <= 4):
            problem = f'Unsupported x-langfuse-ingestion-version: "{version}". Maximum supported: "4".'
            return Answer(400, {"error": problem})
        with self._changed:
            self.spans.extend(spans)
        return Answer(200, b"", _PROTOBUF) if self._answers == "protobuf" else Answer(200, _JOB)

    def _tell(self, method: str, path: str, headers: Mapping[str, str]) -> Answer:
        if path == "/api/public/health":
            return Answer(200, {"status": "OK", "version": "3.170.0"})
        refusal = _unauthorized(headers)
        if refusal is not None:
            return refusal
        if path == "/api/public/projects":
            return Answer(200, {"data": [{"id": "project-1", "name": "weather", "metadata": {}}]})
        trace_id = path.removeprefix("/api/public/traces/")
        spans = [span for span in self.spans if span.trace_id == trace_id]
        if not spans:
            return Answer(
                404, {"message": "Trace not found within authorized project", "error": "LangfuseNotFoundError"}
            )
        observations = [observation_of(span, subtracts_cached=self._subtracts_cached) for span in spans]
        return Answer(200, {**trace_of(spans), "observations": observations, "scores": []})


def basic(public_key: str, secret_key: str) -> str:
    """The value of the authorization header."""
    return f"Basic {base64.b64encode(f'{public_key}:{secret_key}'.encode()).decode()}"


def _unauthorized(headers: Mapping[str, str]) -> Answer | None:
    """The refusal of a request without the project's keys, in the words that Langfuse has for each case."""
    authorization = headers.get("authorization")
    if not authorization:
        return Answer(401, {"message": "No authorization header"})
    scheme, _, encoded = authorization.partition(" ")
    if scheme != "Basic":
        return Answer(401, {"message": "Invalid authorization header"})
    advice = "Confirm that you've configured the correct host."
    try:
        public_key, separator, secret_key = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return Answer(401, {"message": f"Invalid authorization header. {advice}"})
    if not (public_key and separator and secret_key):
        return Answer(401, {"message": f"Invalid authorization header. {advice}"})
    if (public_key, secret_key) != (PUBLIC_KEY, SECRET_KEY):
        return Answer(401, {"message": f"Invalid credentials. {advice}"})
    return None


def _handler(server: LangfuseServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = PATIENCE_SECONDS

        def do_POST(self) -> None:
            self._meet("POST")

        def do_GET(self) -> None:
            self._meet("GET")

        def log_message(self, *args: Any) -> None:
            return

        def _meet(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = server.answer(method, self.path, headers, body)
            data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("content-type", answer.content_type)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


def _spans_of(request: messages.ExportTraceServiceRequest) -> list[SpanReceived]:
    return [
        SpanReceived(
            name=span.name,
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex() or None,
            is_error=span.status.code == _ERROR,
            status_message=span.status.message or None,
            attributes=_plain(span.attributes),
            resource=_plain(resource_spans.resource.attributes),
            scope=scope_spans.scope.name,
            events=[event.name for event in span.events],
        )
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]


def _plain(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None
