"""Annotations reach Phoenix as its own: what is posted, where to, and what happens where that isn't taken."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from agenttrace import annotate, flush, register, trace_step, using_session
from tests.isolation import isolated, warnings_in

__all__ = ["isolated"]


class Phoenix:
    """A server that takes spans as Phoenix does, and keeps what was posted beside them."""

    def __init__(self, *, is_phoenix: bool = True, status: int = 200) -> None:
        self.posted: list[tuple[str, dict[str, str], Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_traces = self.path.endswith("/v1/traces")
                if not is_traces:
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    server.posted.append((self.path, headers, json.loads(body)))
                self.send_response(200 if is_traces else status)
                if is_phoenix:
                    self.send_header("x-phoenix-server-version", "20.26.1")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in the class above
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def phoenix() -> Iterator[Phoenix]:
    """A server that takes annotations."""
    server = Phoenix()
    yield server
    server.close()


def test_annotations_are_posted_after_their_spans(isolated: Path, phoenix: Phoenix) -> None:
    """Inline ones go to the span, its trace and its session; those on a carrier to the span that it links to."""
    register(endpoint=f"{phoenix.endpoint}/prefix", api_key="key", verbose=False, set_global_tracer_provider=False)
    with using_session("s1"), trace_step("judged") as span:
        annotate("correct", score=1, annotator_kind="CODE", identifier="v2", metadata={"rubric": 2})
        annotate("complete", label="no", annotator_kind="teacher")
        annotate("planned", label="yes", scope="trace")
        annotate("coherent", score=0.5, scope="session")
    annotate("helpful", score=1, explanation="Thanks!", annotator_kind="HUMAN", target=span)
    annotate("good run", label="yes", scope="trace", target=(span.trace_id, span.span_id))
    assert flush(10)
    posted = {path: body["data"] for path, _, body in phoenix.posted}
    assert posted == {
        "/prefix/v1/span_annotations": [
            {
                "span_id": span.span_id,
                "name": "correct",
                "annotator_kind": "CODE",
                "result": {"score": 1},
                "metadata": {"rubric": 2},
                "identifier": "v2",
            },
            {
                "span_id": span.span_id,
                "name": "complete",
                "annotator_kind": "CODE",
                "result": {"label": "no"},
                "metadata": {"annotator_kind": "teacher"},
            },
            {
                "span_id": span.span_id,
                "name": "helpful",
                "annotator_kind": "HUMAN",
                "result": {"score": 1, "explanation": "Thanks!"},
            },
        ],
        "/prefix/v1/trace_annotations": [
            {"trace_id": span.trace_id, "name": "planned", "annotator_kind": "CODE", "result": {"label": "yes"}},
            {"trace_id": span.trace_id, "name": "good run", "annotator_kind": "CODE", "result": {"label": "yes"}},
        ],
        "/prefix/v1/session_annotations": [
            {"session_id": "s1", "name": "coherent", "annotator_kind": "CODE", "result": {"score": 0.5}}
        ],
    }
    for _, headers, _ in phoenix.posted:
        assert headers["authorization"] == "Bearer key"
        assert headers["content-type"] == "application/json"


def test_nothing_is_posted_where_nothing_is_annotated(isolated: Path, phoenix: Phoenix) -> None:
    """Spans without annotations are sent, and that is all."""
    register(endpoint=phoenix.endpoint, verbose=False, set_global_tracer_provider=False)
    with trace_step("plain"):
        pass
    assert flush(10)
    assert phoenix.posted == []


def test_another_server_is_left_alone(isolated: Path) -> None:
    """A server that doesn't say that it is Phoenix gets spans only."""
    server = Phoenix(is_phoenix=False)
    try:
        register(endpoint=server.endpoint, verbose=False, set_global_tracer_provider=False)
        with trace_step("judged"):
            annotate("correct", score=1)
        assert flush(10)
        assert server.posted == []
    finally:
        server.close()


@pytest.mark.parametrize("status", [422, 500])
def test_annotations_that_are_refused_lose_no_span_and_are_warned_of_once(
    isolated: Path, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """The spans count as delivered, and one line says what became of the annotations."""
    server = Phoenix(status=status)
    try:
        register(endpoint=server.endpoint, verbose=False, set_global_tracer_provider=False)
        with caplog.at_level(logging.WARNING):
            for _ in range(2):
                with trace_step("judged"):
                    annotate("correct", score=1)
                assert flush(10)
    finally:
        server.close()
    assert len(server.posted) == 2
    [line] = warnings_in(caplog)
    assert f"took the spans but not the annotations on them (HTTP {status})" in line


def test_the_name_that_phoenix_keeps_for_itself_spoils_no_others(isolated: Path, phoenix: Phoenix) -> None:
    """Phoenix refuses a whole request in which an annotation is named "note", so that one stays an attribute."""
    register(endpoint=phoenix.endpoint, verbose=False, set_global_tracer_provider=False)
    with trace_step("judged"):
        annotate("note", label="mine")
        annotate("correct", score=1)
    assert flush(10)
    [(_, _, body)] = phoenix.posted
    assert [item["name"] for item in body["data"]] == ["correct"]
