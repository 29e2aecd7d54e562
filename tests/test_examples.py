"""The quickstart as a person runs it, offline and in a process of its own, and the trace that it leaves behind.

The smolagents example, which needs smolagents, is run by the end-to-end tests.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from agenttrace.local.reader import Store
from agenttrace.local.records import SpanRecord

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
CONFIGURED = ("AGENTTRACE_", "OPENAI_", "OTEL_", "PHOENIX_")
KEY = "sk-a-key-that-nobody-may-see"
ENERGY_QUESTION = "How much more energy did the strongest earthquake release than the strongest one in Alaska?"

Message = dict[str, Any]


def run(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """The quickstart, run with nothing configured but ``settings`` and a local store in ``home``."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(CONFIGURED)}
    environment |= {"AGENTTRACE_HOME": str(home), "NO_PROXY": "127.0.0.1", **settings}
    command = [sys.executable, str(EXAMPLES / "quickstart.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def traces(home: Path) -> list[list[SpanRecord]]:
    """The spans of every trace in the local store, oldest trace first."""
    store = Store(home / "traces.db")
    return [store.spans(trace.trace_id) for trace in reversed(store.traces())]


def outline(spans: list[SpanRecord]) -> list[str]:
    """The tree as lines, indented: kind, name and what went wrong."""
    lines: list[str] = []

    def add(parent: str | None, depth: int) -> None:
        for span in spans:
            if span.parent_id == parent:
                failed = f" ! {span.status_description}" if span.status == "ERROR" else ""
                lines.append(f"{'  ' * depth}{span.kind} {span.name}{failed}")
                add(span.span_id, depth + 1)

    add(None, 0)
    return lines


def test_the_quickstart_leaves_the_whole_run_in_the_local_store(tmp_path: Path) -> None:
    """Plan, decisions, tools, the failed query and its correction, the streamed answer: one tree for each question."""
    finished = run(tmp_path)

    assert finished.returncode == 0, finished.stderr
    first, second = traces(tmp_path)
    assert outline(second) == [
        "AGENT earthquake researcher",
        "  CHAIN plan",
        "    LLM plan",
        "  CHAIN turn 1",
        "    LLM decide",
        "    TOOL query_data ! OperationalError: no such column: magnitude",
        *["  CHAIN turn 2", "    LLM decide", "    TOOL query_data"],
        *["  CHAIN turn 3", "    LLM decide", "    TOOL query_data"],
        *["  CHAIN turn 4", "    LLM decide", "    TOOL query_data"],
        *["  CHAIN turn 5", "    LLM decide", "    RETRIEVER search_notes"],
        *["  CHAIN turn 6", "    LLM decide", "    TOOL compute"],
        *["  CHAIN turn 7", "    LLM decide"],
        "  LLM write",
    ]
    root = second[0]
    assert root.attributes["input.value"] == ENERGY_QUESTION
    assert root.attributes["output.value"].endswith("The first released about 251.2 times the energy of the second.")
    assert f"> {ENERGY_QUESTION}\n{root.attributes['output.value']}\n" in finished.stdout
    assert root.attributes["agent.name"] == "earthquake researcher"
    sessions = {span.attributes["session.id"] for span in first + second}
    assert len(sessions) == 1


def test_the_quickstart_streams_its_answer(tmp_path: Path) -> None:
    """The answer comes from generators: both spans mark the moment of their first item."""
    run(tmp_path, "Where was the deepest earthquake?")

    (spans,) = traces(tmp_path)
    streamed = {span.name: event.name for span in spans for event in span.events}
    assert streamed == {"earthquake researcher": "first_item", "write": "First Token Stream Event"}


QUESTIONS = {
    "Which three regions had the most earthquakes?": "Alaska (142), California (62), Puerto Rico (41)",
    "What percentage of earthquakes in Alaska were deeper than 100 km?": "10.6 %",
    "How many earthquakes of magnitude 5 or more struck Taiwan?": "were 9 earthquakes",
    "how many earthquakes were there in porto rico": "41 earthquakes in Puerto Rico",
    "What was the strongest earthquake near Hualian?": "magnitude 6.4, 22km NNE of Hualian, Taiwan",
    "How much deeper were earthquakes in Fiji than in Alaska?": "499.2 km",
    "How much energy did the strongest earthquake in Taiwan release?": "2.5e+14 joules",
    "How many earthquakes were there on February 4 in Atlantis?": "The data has no earthquakes",
    "Why are deep earthquakes felt less?": "(notes: depth#3)",
    "What does qwertyuiop mean?": "Neither the data nor the notes",
}


def test_the_rules_answer_questions_of_many_kinds(tmp_path: Path) -> None:
    """Counts, averages, extremes, shares, misspelled places, definitions: each is decided from the data."""
    finished = run(tmp_path, *QUESTIONS)

    assert finished.returncode == 0, finished.stderr
    answers = dict(part.split("\n", 1) for part in finished.stdout.split("\n> ")[1:])
    wrong = {question: answers[question] for question, part in QUESTIONS.items() if part not in answers[question]}
    assert not wrong


def call(identifier: str, tool: str, **arguments: str) -> Message:
    """One tool call, as a chat completions endpoint asks for it."""
    return {"id": identifier, "type": "function", "function": {"name": tool, "arguments": json.dumps(arguments)}}


def reply_to(request: Message) -> Message:
    """A small language model: it reads the tools' results, and corrects its SQL when SQLite complains."""
    results = [json.loads(message["content"]) for message in request["messages"] if message["role"] == "tool"]
    if "tools" not in request:
        return {"content": "1. Find the strongest earthquake.\n2. Compute."}
    if not results:
        return {"content": None, "tool_calls": [call("a", "query_data", sql="SELECT max(magnitude) FROM earthquakes")]}
    if "no such column" in str(results[-1]):
        return {"content": None, "tool_calls": [call("b", "query_data", sql="SELECT max(mag) FROM earthquakes")]}
    if len(results) == 2:
        strongest = results[-1]["rows"][0][0]
        both = [call("c", "compute", expression=f"{strongest} - 1"), call("d", "search_notes", query="magnitude")]
        return {"content": None, "tool_calls": both}
    return {"content": "READY"}


class ChatEndpoint(BaseHTTPRequestHandler):
    """The chat completions API, as far as the example uses it."""

    seen: list[tuple[str | None, Message]]
    refuse = False

    def do_POST(self) -> None:
        """Answer one request: plain, or streamed as server-sent events."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((self.headers["Authorization"], {"path": self.path, **request}))
        usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
        if self.refuse:
            self._send(401, json.dumps({"error": {"message": "this key is not known"}}))
        elif request.get("stream"):
            chunks: list[Message] = [
                {"choices": [{"delta": {"content": text}}]} for text in ("It was ", "6.4, größer", "!")
            ]
            chunks += [{"choices": [{"delta": {}}]}, {"choices": [], "usage": usage}]
            lines = [f"data: {json.dumps({'model': 'tiny-1', **chunk})}\n\n" for chunk in chunks]
            self._send(200, ": a comment\n\n" + "".join(lines) + "data: [DONE]\n\n")
        else:
            message = {"role": "assistant", **reply_to(request)}
            self._send(200, json.dumps({"model": "tiny-1", "choices": [{"message": message}], "usage": usage}))

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""

    def _send(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def chat_endpoint(*, refuse: bool = False) -> Iterator[tuple[str, list[tuple[str | None, Message]]]]:
    """A loopback server: its base URL, and what it was sent."""
    seen: list[tuple[str | None, Message]] = []
    handler = type("Handler", (ChatEndpoint,), {"seen": seen, "refuse": refuse})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1", seen
        finally:
            server.shutdown()
            thread.join()


def test_a_configured_endpoint_decides_instead_of_the_rules(tmp_path: Path) -> None:
    """With an OpenAI-compatible endpoint its model plans, calls tools, corrects itself and streams the answer."""
    with chat_endpoint() as (base_url, seen):
        settings = {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": KEY, "OPENAI_MODEL": "tiny"}
        finished = run(tmp_path, "How strong was the strongest?", **settings)

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.endswith("> How strong was the strongest?\nIt was 6.4, größer!\n")
    assert {(key, request["path"], request["model"]) for key, request in seen} == {
        (f"Bearer {KEY}", "/v1/chat/completions", "tiny")
    }
    (spans,) = traces(tmp_path)
    assert outline(spans) == [
        "AGENT earthquake researcher",
        "  CHAIN plan",
        "    LLM plan",
        "  CHAIN turn 1",
        "    LLM decide",
        "    TOOL query_data ! OperationalError: no such column: magnitude",
        *["  CHAIN turn 2", "    LLM decide", "    TOOL query_data"],
        *["  CHAIN turn 3", "    LLM decide", "    TOOL compute", "    RETRIEVER search_notes"],
        *["  CHAIN turn 4", "    LLM decide"],
        "  LLM write",
    ]
    for span in spans:
        if span.kind == "LLM":
            assert span.attributes["llm.model_name"] == "tiny-1"
            assert span.attributes["llm.token_count.total"] == 25


def test_every_span_of_the_quickstart_is_as_openinference_has_it(tmp_path: Path) -> None:
    """`agenttrace check --all` finds nothing wrong, with the rules, a model that answers, and one that refuses."""
    run(tmp_path)
    for refuse in (False, True):
        with chat_endpoint(refuse=refuse) as (base_url, _):
            run(tmp_path, "How strong was the strongest?", OPENAI_BASE_URL=base_url, OPENAI_API_KEY=KEY)
    environment = {**os.environ, "AGENTTRACE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "agenttrace.cli", "check", "--all"]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert len(traces(tmp_path)) == 4
    assert re.match(r"\d+ spans checked: ", finished.stdout.splitlines()[-1])


def test_the_key_is_nowhere_on_record(tmp_path: Path) -> None:
    """Neither the store nor what the example prints has the key, whether the endpoint accepts or refuses it."""
    for refuse in (False, True):
        with chat_endpoint(refuse=refuse) as (base_url, _):
            finished = run(tmp_path, "What?", OPENAI_BASE_URL=base_url, OPENAI_API_KEY=KEY)
        assert KEY not in finished.stdout + finished.stderr

    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if KEY.encode() in file.read_bytes()]


def test_an_endpoint_that_refuses_is_said_in_one_line_and_traced(tmp_path: Path) -> None:
    """The example ends with what the endpoint said; the trace shows where it failed."""
    with chat_endpoint(refuse=True) as (base_url, _):
        finished = run(tmp_path, "What?", OPENAI_BASE_URL=base_url)

    assert finished.returncode == 1
    assert "this key is not known" in finished.stderr
    assert "Traceback" not in finished.stderr
    (spans,) = traces(tmp_path)
    assert [(span.kind, span.name, span.status) for span in spans] == [
        ("AGENT", "earthquake researcher", "ERROR"),
        ("CHAIN", "plan", "ERROR"),
        ("LLM", "plan", "ERROR"),
    ]


@pytest.fixture(scope="module")
def evaluate() -> Callable[[str], float]:
    """The quickstart's calculator."""
    spec = importlib.util.spec_from_file_location("arithmetic", EXAMPLES / "research_agent" / "arithmetic.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[[str], float] = module.evaluate
    return function


@pytest.mark.parametrize(
    "text", ["__import__('os')", "a + 1", "(1).real", "'x' * 9", "True + 1", "1 +", "[1]", "1 if 1 else 2"]
)
def test_the_calculator_computes_numbers_only(evaluate: Callable[[str], float], text: str) -> None:
    """What a model writes is never run as Python."""
    with pytest.raises(ValueError, match=r"can't be computed|is no arithmetic expression"):
        evaluate(text)


def test_the_calculator_does_not_fill_the_memory(evaluate: Callable[[str], float]) -> None:
    """A tower of powers is an error at once."""
    with pytest.raises(OverflowError):
        evaluate("9 ** 9 ** 9 ** 9")
    assert evaluate("-2 ** 2 + sqrt(16) / max(1, 2) - 7 % 4") == -5
