"""The smolagents example without a Phoenix server: its trace in the local store, and a model behind an endpoint."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from agenttrace.local.reader import Store

from .running import run_example

QUESTION = "How many earthquakes of magnitude 5 or more struck Taiwan?"


def shape(home: Path) -> list[tuple[str | None, str, str | None]]:
    """Kind, name and error of each span of the one trace in the local store, in the order they started."""
    store = Store(home / "traces.db")
    (trace,) = store.traces()
    spans = store.spans(trace.trace_id)
    root = spans[0]
    assert root.parent_id is None
    assert {span.parent_id for span in spans[1:]} == {root.span_id}
    return [(span.kind, span.name, span.status_description if span.is_error else None) for span in spans]


def test_the_run_is_in_the_local_store(tmp_path: Path) -> None:
    """With nothing configured, the agent's run, the model's calls and the tools are kept on this machine."""
    printed, _ = run_example("smolagents_custom.py", tmp_path, QUESTION)

    assert "were 9 earthquakes" in printed
    error = "OperationalError: no such column: magnitude"
    assert shape(tmp_path / "home") == [
        ("AGENT", "smolagents researcher", None),
        *[("LLM", "rules", None), ("TOOL", "query_data", error)],
        *[("LLM", "rules", None), ("TOOL", "query_data", None)] * 2,
        ("LLM", "rules", None),
    ]


class Endpoint(BaseHTTPRequestHandler):
    """The chat completions API: a model that counts, then says what it counted."""

    def do_POST(self) -> None:
        """Answer one request by what its last message says."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        last = json.dumps(request["messages"][-1]["content"])
        name, arguments = "query_data", {"sql": "SELECT count(*) FROM earthquakes WHERE mag >= 5"}
        if "Observation" in last:
            name, arguments = "final_answer", {"answer": "There were 60." if "rows" in last else "I don't know."}
        call = {"id": "call-1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        message: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
        usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
        reply = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "tiny",
            "choices": [choice],
            "usage": usage,
        }
        body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""


@pytest.fixture
def base_url() -> Iterator[str]:
    """The base URL of a loopback server with `Endpoint`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def test_a_configured_endpoint_decides(tmp_path: Path, base_url: str) -> None:
    """smolagents' own client for OpenAI-compatible endpoints is marked in the same way."""
    printed, _ = run_example("smolagents_custom.py", tmp_path, QUESTION, OPENAI_BASE_URL=base_url)

    assert printed.endswith("There were 60.\n")
    assert shape(tmp_path / "home") == [
        ("AGENT", "smolagents researcher", None),
        ("LLM", "chat", None),
        ("TOOL", "query_data", None),
        ("LLM", "chat", None),
    ]
