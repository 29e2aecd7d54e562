"""The gallery: every file runs as it stands, offline, in a process of its own, and leaves a trace that is right."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from agenttrace.cli.commands import agenttrace as command_line
from agenttrace.local.reader import Store

ROOT = Path(__file__).resolve().parent.parent
GALLERY = ROOT / "examples" / "gallery"
FILES = sorted(path.stem for path in GALLERY.glob("*.py") if path.stem != "checked")
CONFIGURED = ("AGENTTRACE_", "OPENAI_", "OPENINFERENCE_", "OTEL_", "PHOENIX_")
LONGEST = 85

KINDS = {
    "agent": "AGENT CHAIN TOOL TOOL",
    "anthropic_messages": "AGENT LLM LLM TOOL",
    "cohere_chat": "CHAIN LLM LLM",
    "embedding": "CHAIN EMBEDDING EMBEDDING",
    "evaluator": "AGENT EVALUATOR EVALUATOR EVALUATOR",
    "google_genai": "CHAIN LLM LLM",
    "guardrail": "AGENT AGENT GUARDRAIL GUARDRAIL",
    "huggingface_chat": "CHAIN LLM LLM",
    "langchain_chat": "CHAIN LLM LLM RETRIEVER",
    "litellm_chat": "CHAIN LLM LLM LLM",
    "llm_by_hand": "LLM TOOL",
    "mistral_chat": "CHAIN LLM LLM",
    "multimodal": "LLM LLM",
    "ollama_chat": "CHAIN LLM LLM",
    "openai_chat": "AGENT LLM LLM TOOL",
    "openai_responses": "CHAIN LLM LLM",
    "openai_streaming": "AGENT LLM",
    "own_reader": "LLM",
    "privacy": "AGENT LLM TOOL",
    "prompt": "LLM PROMPT",
    "recovered_error": "AGENT AGENT CHAIN CHAIN CHAIN TOOL TOOL TOOL",
    "reranker": "RERANKER RERANKER",
    "retriever": "CHAIN RETRIEVER RETRIEVER",
    "session": "AGENT AGENT LLM LLM",
    "smolagents_agent": "AGENT LLM LLM TOOL",
    "step": "AGENT CHAIN CHAIN",
    "streaming": "AGENT AGENT LLM",
    "tool": "TOOL TOOL TOOL",
}
"""The kinds of each file's spans, in the order of the alphabet."""

OFFLINE = """
import os, runpy, sys

def watch(event, arguments):
    host = arguments[1][0] if event == "socket.connect" and isinstance(arguments[1], tuple) else None
    host = arguments[0] if event == "socket.getaddrinfo" else host
    if host not in (None, "127.0.0.1", "localhost", "::1"):
        print(f"reached for {host}", file=sys.stderr, flush=True)
        os._exit(97)

sys.addaudithook(watch)
sys.path.insert(0, os.path.dirname(sys.argv[1]))
runpy.run_path(sys.argv[1], run_name="__main__")
"""
"""Runs a file in a process that ends at once when anything in it looks for another machine."""


def run(name: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a file of the gallery with nothing configured but a local store in ``home``."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(CONFIGURED)}
    environment |= {"AGENTTRACE_HOME": str(home), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-c", OFFLINE, str(GALLERY / f"{name}.py")]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )


@pytest.mark.parametrize("name", FILES)
def test_every_file_leaves_a_checked_trace(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline, it exits with 0 and finds its own trace right; so does the command, and the spans are those it shows."""
    finished = run(name, tmp_path)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert finished.stdout.endswith(", all right\n")
    assert "fail" not in finished.stderr.lower()
    monkeypatch.setenv("AGENTTRACE_HOME", str(tmp_path))
    checked = CliRunner().invoke(command_line, ["check", "--all", "--strict"])
    assert checked.exit_code == 0, checked.output
    store = Store(tmp_path / "traces.db")
    spans = [span for trace in store.traces() for span in store.spans(trace.trace_id)]
    assert sorted(span.kind or "none" for span in spans) == KINDS[name].split()


@pytest.mark.agenttrace(check=False)
def test_a_file_whose_trace_is_wrong_exits_with_1(tmp_path: Path) -> None:
    """What every file ends with finds a fault and says what it is."""
    (tmp_path / "wrong.py").write_text(
        "from checked import checked_run\n"
        "from agenttrace import trace_llm\n"
        "with checked_run(), trace_llm('wrong') as span:\n"
        "    span.set_attribute('llm.token_count.prompt', 'three')\n",
        encoding="utf-8",
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith(CONFIGURED)}
    environment |= {"AGENTTRACE_HOME": str(tmp_path), "PYTHONPATH": str(GALLERY), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, str(tmp_path / "wrong.py")]
    finished = subprocess.run(
        command, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )

    assert finished.returncode == 1
    assert "llm.token_count.prompt" in finished.stdout


def test_every_kind_has_a_file() -> None:
    """All the kinds that there are marks for are shown."""
    table = (ROOT / "docs" / "marks.md").read_text(encoding="utf-8")
    kinds = set(re.findall(r"^\| `trace_\w+` \| ([A-Z]+) \|", table, re.MULTILINE))
    assert len(kinds) == 10
    assert kinds == {kind for shown in KINDS.values() for kind in shown.split()}


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_short_and_says_first_what_it_shows(name: str) -> None:
    """A sentence on the first line, then code that is read from top to bottom and ends with the checked run."""
    text = (GALLERY / f"{name}.py").read_text(encoding="utf-8")
    assert re.match(r'"""[^\n]+[.:]"""\n', text)
    assert text.count("\n") <= LONGEST
    last = ast.parse(text).body[-1]
    assert isinstance(last, ast.With)
    assert ast.unparse(last.items[0]).startswith("checked_run(")


@pytest.mark.parametrize("page", [ROOT / "docs" / "gallery.md", GALLERY / "README.md"], ids=lambda page: page.name)
def test_every_file_is_in_the_pages(page: Path) -> None:
    """The documentation includes each file as it is, once, and the folder's own page names each."""
    text = page.read_text(encoding="utf-8")
    included = re.findall(r'^--8<-- "examples/gallery/(\w+)\.py"$', text, re.MULTILINE)
    listed = re.findall(r"\]\((\w+)\.py\)", text)
    assert sorted(included or listed) == sorted([*FILES, "checked"])
