"""The smolagents manager as a person runs it, offline: its one tree in the local store, and the same at Langfuse."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from agenttrace.local.reader import Store
from agenttrace.local.records import SpanRecord
from tests.isolation import ROOT, clean_environment
from tests.langfuse.server import PUBLIC_KEY, SECRET_KEY, LangfuseServer
from tests.manager_run import ANSWER, EXAMPLES, QUESTION, TREE, Node, outline, run_manager

BEA = "https://apps.bea.gov/scb/issues/2025/04-april/0425-gdp-economy.htm"
COUNTED = "llm.token_count.total"


def traces(home: Path) -> list[list[SpanRecord]]:
    """The spans of every trace in the local store, oldest trace first."""
    store = Store(home / "traces.db")
    return [store.spans(trace.trace_id) for trace in reversed(store.traces())]


def nodes(spans: list[SpanRecord]) -> list[Node]:
    """The spans of the local store as `outline` wants them."""
    return [Node(span.span_id, span.parent_id, f"{span.kind} {span.name}") for span in spans]


def test_a_run_is_one_tree_in_the_local_store(tmp_path: Path) -> None:
    """Manager, its code, the researcher under it, both its visits, the computation: all in order, all well."""
    finished = run_manager(tmp_path)

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith(f"> {QUESTION}\n{ANSWER} ({BEA}, ")
    (spans,) = traces(tmp_path)
    assert outline(nodes(spans)) == TREE
    assert {span.status for span in spans} == {"OK"}
    root = spans[0]
    assert root.attributes["input.value"] == QUESTION
    assert root.attributes["output.value"] in finished.stdout
    (session,) = {span.attributes["session.id"] for span in spans}
    assert session.startswith("gdp-")


def test_the_code_and_what_the_pages_said_are_on_record(tmp_path: Path) -> None:
    """What was run, what it printed, what each page said, and what the researcher made of it."""
    run_manager(tmp_path)

    (spans,) = traces(tmp_path)
    asked, computed = [span.attributes for span in spans if span.name == "CodeAgent.execute"]
    assert "web_researcher(task=" in asked["input.value"]
    assert "changed by 2.8 percent" in asked["smolagents.code.logs"]
    assert "math.log(2) / math.log(1 + 2.8 / 100)" in computed["input.value"]
    assert ANSWER in computed["output.value"]
    visits = [span.attributes for span in spans if span.name == "visit_webpage"]
    assert {json.loads(visit["input.value"])["url"].split("/")[2] for visit in visits} == {
        "apps.bea.gov",
        "data.worldbank.org",
    }
    assert all("grew by 2.8 percent" in visit["output.value"] for visit in visits)
    (researcher,) = [span.attributes for span in spans if span.name == "web_researcher.run"]
    assert BEA in researcher["output.value"]


def test_tokens_stand_on_model_calls_alone_and_grow_with_the_conversation(tmp_path: Path) -> None:
    """Each call counts what it was really given; no span above counts it again."""
    run_manager(tmp_path)

    (spans,) = traces(tmp_path)
    assert {span.kind for span in spans if COUNTED in span.attributes} == {"LLM"}
    calls = [span.attributes for span in spans if span.kind == "LLM"]
    prompts = [call["llm.token_count.prompt"] for call in calls]
    manager, researcher = [prompts[0], prompts[-1]], prompts[1:-1]
    assert manager == sorted(manager)
    assert researcher == sorted(researcher)
    assert len(set(prompts)) == len(prompts)
    assert all(call["llm.token_count.prompt"] > call["llm.token_count.completion"] > 0 for call in calls)


def test_what_a_page_says_decides_the_answer(tmp_path: Path) -> None:
    """Who edits a page gets another answer: nothing is known beforehand."""
    examples = tmp_path / "examples"
    shutil.copytree(EXAMPLES, examples, ignore=shutil.ignore_patterns("__pycache__"))
    page = examples / "data" / "pages" / "united-states-2024.txt"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("grew by 2.8 percent", "grew by 7.2 percent"), encoding="utf-8")

    finished = run_manager(tmp_path / "home", examples=examples)

    assert "At 7.2 % a year, as in 2024, the GDP of the United States doubles in about 10.0 years" in finished.stdout


QUESTIONS = {
    "How long does China's GDP take to double at its rate of 2024?": "the GDP of China doubles in about 14.2 years",
    "How many years until the GDP of Germany doubles?": "changed by -0.2 % in 2024: at that rate it never doubles",
    "How many years GDP takes to double at the 2023 growth rate, in the US": "At 2.9 % a year, as in 2023",
    "When will the GDP of Atlantis have doubled?": "I found no growth rate for Atlantis in 2024.",
}


def test_several_questions_are_answered_in_one_session(tmp_path: Path) -> None:
    """Growth, shrinking, another year, nothing to be found: each is a trace of its own, filed where it is told."""
    finished = run_manager(tmp_path, *QUESTIONS, "--project", "growth")

    assert finished.returncode == 0, finished.stderr
    answers = dict(part.split("\n", 1) for part in finished.stdout.removeprefix("> ").split("\n> "))
    wrong = {question: answers[question] for question, part in QUESTIONS.items() if part not in answers[question]}
    assert not wrong
    found = traces(tmp_path)
    assert [spans[0].attributes["input.value"] for spans in found] == list(QUESTIONS)
    assert len({span.attributes["session.id"] for spans in found for span in spans}) == 1
    assert {trace.project for trace in Store(tmp_path / "traces.db").traces()} == {"growth"}


def test_every_span_is_as_openinference_has_it(tmp_path: Path) -> None:
    """`agenttrace check` finds nothing wrong."""
    run_manager(tmp_path)
    command = [sys.executable, "-m", "agenttrace.cli", "check"]
    environment = clean_environment(tmp_path)
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_langfuse_is_sent_the_same_tree_where_the_environment_says_so(tmp_path: Path) -> None:
    """The same file, with Langfuse's variables: its tree, types, tokens, answer and session, and nothing kept here."""
    types = {"AGENT": "AGENT", "CHAIN": "CHAIN", "GENERATION": "LLM", "TOOL": "TOOL"}
    with LangfuseServer() as server:
        finished = run_manager(
            tmp_path, LANGFUSE_PUBLIC_KEY=PUBLIC_KEY, LANGFUSE_SECRET_KEY=SECRET_KEY, LANGFUSE_HOST=server.url
        )
        [trace] = server.traces()

    assert finished.returncode == 0, finished.stderr
    shown = trace["observations"]
    assert (
        outline(
            Node(item["id"], item["parentObservationId"], f"{types[item['type']]} {item['name']}") for item in shown
        )
        == TREE
    )
    assert trace["name"] == "manager.run"
    assert trace["input"] == QUESTION
    assert trace["output"] in finished.stdout
    assert {item["sessionId"] for item in shown} == {trace["sessionId"]}
    assert {item["type"] for item in shown if item["usageDetails"]} == {"GENERATION"}
    assert not (tmp_path / "traces.db").exists()


@pytest.mark.parametrize("page", ["phoenix", "langfuse"])
def test_the_pages_show_what_a_run_leaves(page: str) -> None:
    """The tree in the walk through each backend is the one that runs are held to here."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```text\n(agent +manager\.run.*?)^```", text, re.DOTALL | re.MULTILINE | re.IGNORECASE)
    lines = [re.fullmatch(r"( *)(\w+) +(\S+(?: \S+)*)(?: {2,}.+)?", line) for line in block.splitlines()]
    shown = [f"{line[1]}{line[2].upper().replace('GENERATION', 'LLM')} {line[3]}" for line in lines if line]
    assert shown == TREE


class Endpoint(BaseHTTPRequestHandler):
    """The chat completions API: a model that knows a rate by heart, and writes code with what it is told."""

    def do_POST(self) -> None:
        """Answer one request: by a call where tools are offered, else by code."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        told = json.dumps(request["messages"])
        asking = "<code>\nprint(web_researcher(task='Rate?'))\n</code>"
        message: dict[str, Any] = {"role": "assistant", "content": asking}
        if "tools" in request:
            function = {"name": "final_answer", "arguments": json.dumps({"answer": "It is 7.2 percent."})}
            message["content"] = None
            message["tool_calls"] = [{"id": "call-1", "type": "function", "function": function}]
        elif "7.2 percent" in told:
            message["content"] = "<code>\nimport math\nfinal_answer(round(math.log(2) / math.log(1.072)))\n</code>"
        usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        reply = {"id": "1", "object": "chat.completion", "created": 1, "model": "tiny-1", "choices": [choice]}
        body = json.dumps({**reply, "usage": usage}).encode()
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


def test_a_configured_endpoint_decides_instead_of_the_rules(tmp_path: Path, base_url: str) -> None:
    """With an OpenAI-compatible endpoint its model drives both agents, under the same marks."""
    finished = run_manager(tmp_path, OPENAI_BASE_URL=base_url, OPENAI_MODEL="tiny")

    assert finished.stdout == f"> {QUESTION}\n10\n", finished.stderr
    (spans,) = traces(tmp_path)
    assert outline(nodes(spans)) == [
        "AGENT manager.run",
        "  CHAIN Step 1",
        "    LLM OpenAIModel.generate",
        "    CHAIN CodeAgent.execute",
        "      AGENT web_researcher.run",
        *["        CHAIN Step 1", "          LLM OpenAIModel.generate", "          TOOL final_answer"],
        *["  CHAIN Step 2", "    LLM OpenAIModel.generate", "    CHAIN CodeAgent.execute", "      TOOL final_answer"],
    ]
    assert {span.attributes[COUNTED] for span in spans if span.kind == "LLM"} == {25}


@pytest.mark.parametrize(
    ("settings", "model"),
    [
        ({}, "ScriptedModel"),
        ({"HF_TOKEN": "hf_1"}, "InferenceClientModel"),
        ({"OPENAI_API_KEY": "sk-1"}, "OpenAIModel"),
        ({"HF_TOKEN": "hf_1", "OPENAI_BASE_URL": "http://localhost:1/v1"}, "OpenAIModel"),
        ({"HF_TOKEN": "", "OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""}, "ScriptedModel"),
    ],
)
def test_the_environment_chooses_the_model(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], model: str
) -> None:
    """A model of one's own comes before Hugging Face's, whose token may be there for other reasons; else rules."""
    for name in ("HF_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    example = runpy.run_path(str(EXAMPLES / "smolagents_manager.py"))
    chosen = example["choose_model"]()
    assert type(chosen).__name__ == model
    assert {tool.name for tool in example["choose_tools"](chosen)} == {"web_search", "visit_webpage"}


def test_an_endpoint_that_does_not_answer_is_said_without_a_traceback(tmp_path: Path) -> None:
    """The example ends with what smolagents says; the trace shows where it failed."""
    finished = run_manager(tmp_path, OPENAI_BASE_URL="http://127.0.0.1:9/v1")

    assert finished.returncode == 1
    assert "Error in generating model output" in finished.stderr
    assert "Traceback" not in finished.stderr
    (spans,) = traces(tmp_path)
    assert [(span.kind, span.status) for span in spans] == [("AGENT", "ERROR"), ("CHAIN", "ERROR"), ("LLM", "ERROR")]
