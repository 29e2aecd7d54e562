"""Phoenix and Langfuse, as far as the doctor asks them: played by `tests.backends.Backend`."""

from __future__ import annotations

import base64
from collections.abc import Callable

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agenttrace.delivery.phoenix import VERSION_HEADER
from agenttrace.destinations import Destination
from agenttrace.diagnosis.examination import examine
from agenttrace.diagnosis.findings import Finding
from tests.backends import Asked, Backend, Reply

KEY = "phoenix-key-0123456789"
PUBLIC, SECRET = "pk-lf-0123456789", "sk-lf-9876543210"

_VERSION = {VERSION_HEADER: "20.0.0"}


def trace_ids(asked: Asked) -> list[str]:
    """The ids of the traces in an OTLP request."""
    request = ExportTraceServiceRequest.FromString(asked.body)
    return [
        span.trace_id.hex()
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def phoenix_server(*, key: str | None = KEY, looks: int = 2, project: str = "default") -> Backend:
    """Phoenix's server.

    Args:
        key: The API key that it wants; None for none.
        looks: How many times spans are asked for before they show up.
        project: The project that is asked for.
    """
    arrived: list[str] = []
    looked = 0

    def guarded(answer: Callable[[Asked], Reply]) -> Callable[[Asked], Reply]:
        def answered(asked: Asked) -> Reply:
            if key is not None and asked.headers.get("authorization") != f"Bearer {key}":
                return Reply(401, b"Invalid token", _VERSION)
            return answer(asked)

        return answered

    def take(asked: Asked) -> Reply:
        arrived.extend(trace_ids(asked))
        return Reply(200, b"", {**_VERSION, "content-type": "application/x-protobuf"})

    def spans(asked: Asked) -> Reply:
        nonlocal looked
        looked += 1
        found = [trace for trace in arrived if trace in asked.query["trace_id"]] if looked >= looks else []
        rows = [{"name": "agenttrace doctor", "context": {"trace_id": trace}} for trace in found]
        return Reply(200, {"data": rows, "next_cursor": None}, _VERSION)

    projects = Reply(200, {"data": [{"id": "UHJvamVjdDox", "name": "a/b"}]}, _VERSION)
    return Backend(
        {
            "POST /v1/traces": guarded(take),
            "GET /v1/projects": guarded(lambda _: projects),
            f"GET /v1/projects/{project}/spans": guarded(spans),
        }
    )


def langfuse_server(*, version: int = 4, looks: int = 2) -> Backend:
    """Langfuse's server.

    Args:
        version: Its major version: 4 shows spans as observations at once, 3 as traces only.
        looks: How many times a trace is asked for before it shows up.
    """
    pair = base64.b64encode(f"{PUBLIC}:{SECRET}".encode()).decode()
    arrived: list[str] = []
    looked = 0

    def answer(asked: Asked) -> Reply:
        nonlocal looked
        if asked.headers.get("authorization") != f"Basic {pair}":
            return Reply(401, {"message": "Invalid credentials. Confirm that you've configured the correct host."})
        if asked.route == "POST /api/public/otel/v1/traces":
            arrived.extend(trace_ids(asked))
            return Reply(200, {})
        if asked.route == "GET /api/public/projects":
            return Reply(200, {"data": [{"id": "1", "name": "weather"}]})
        if asked.route == "GET /api/public/v2/observations":
            if version < 4:
                return Reply(404, {"message": "only in v4"})
            looked += 1
            wanted = asked.query["traceId"] if looked >= looks else []
            return Reply(200, {"data": [{"id": "s", "traceId": trace} for trace in arrived if trace in wanted]})
        looked += 1
        trace = asked.route.rpartition("/")[2]
        if looked >= looks and version < 4 and trace in arrived:
            return Reply(200, {"id": trace, "observations": []})
        return Reply(404, {"message": "Trace not found"})

    return Backend(_Everything(answer))


class _Everything(dict[str, Callable[[Asked], Reply]]):
    """One answer for every route."""

    def __init__(self, answer: Callable[[Asked], Reply]) -> None:
        super().__init__()
        self._answer = answer

    def get(self, key: object, default: object = None) -> Callable[[Asked], Reply]:  # type: ignore[override]
        return self._answer


def findings(destination: Destination, *, sends: bool = False, project: str = "default") -> dict[str, Finding]:
    """What is found about ``destination``, by step. Between two looks nothing is waited for."""
    examination = examine(destination, project, sends=sends, pause=lambda _: None)
    return {finding.step: finding for finding in examination.findings}


def states(found: dict[str, Finding]) -> dict[str, str]:
    """How each step ended."""
    return {step: finding.state.value for step, finding in found.items()}
