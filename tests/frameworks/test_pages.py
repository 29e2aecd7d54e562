"""The first program of a framework's page, run as a reader pastes it."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

from agenttrace.local.reader import Store
from tests.readers.openai_material import call_item, response, text_item
from tests.readers.replay import json_answer, replay_server

from .example_runs import ROOT, environment_of, only_trace, outline, values


def run_first_program(page: str, home: Path, blocks: int = 1, /, **variables: str) -> str:
    """Run the first Python block of ``docs/frameworks/<page>.md``, or the first few as one; gives what it printed."""
    text = (ROOT / "docs" / "frameworks" / f"{page}.md").read_text(encoding="utf-8")
    written = re.findall(r"^```python[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[:blocks]
    assert len(written) == blocks
    program = home / "weather.py"
    program.write_text("\n".join(written), encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, str(program)],
        env={**environment_of(home), **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert "Traceback" not in finished.stderr
    return finished.stdout


def test_the_page_of_pydantic_ai_runs_offline(tmp_path: Path) -> None:
    """What its install line installs is enough, with no key."""
    assert run_first_program("pydantic-ai", tmp_path) == "city='Oslo' rain=True\n"
    spans = only_trace(tmp_path)
    assert outline(spans) == ["AGENT forecaster", "  LLM chat test", "  TOOL get_weather", "  LLM chat test"]
    assert values(spans, "chat test", "llm.token_count.prompt") == [55, 59]


def test_the_page_of_the_agents_sdk_is_a_program(tmp_path: Path) -> None:
    """With an endpoint that answers as OpenAI's does."""
    call = {"id": "call_1", "name": "get_weather", "arguments": '{"city":"Oslo"}'}
    handoff = {"id": "call_0", "name": "transfer_to_forecaster", "arguments": "{}"}
    with replay_server() as server:
        server.will_answer(
            json_answer(response(call_item(handoff))),
            json_answer(response(call_item(call))),
            json_answer(response(text_item("14 °C and rain."))),
        )
        variables = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "test", "NO_PROXY": "127.0.0.1"}
        assert run_first_program("openai-agents", tmp_path, **variables) == "14 °C and rain.\n"
    assert outline(only_trace(tmp_path)) == [
        "AGENT Agent workflow",
        *["  AGENT Receptionist", "    CHAIN turn 1", "      LLM response", "      CHAIN handoff to Forecaster"],
        *["  AGENT Forecaster", "    CHAIN turn 2", "      LLM response", "      TOOL get_weather"],
        *["    CHAIN turn 3", "      LLM response"],
    ]


def test_the_page_of_langgraph_runs_offline(tmp_path: Path) -> None:
    """With a scripted model, in the session of its thread."""
    assert run_first_program("langgraph", tmp_path) == "It is warmest in Rome.\n"
    spans = only_trace(tmp_path)
    assert outline(spans) == [
        "AGENT weather agent",
        *["  CHAIN model", "    LLM ScriptedModel"],
        *["  CHAIN tools", "    TOOL get_temperature"] * 2,
        *["  CHAIN model", "    LLM ScriptedModel"],
    ]
    assert values(spans, "weather agent", "session.id") == ["conversation-7"]


def test_the_page_of_langgraph_needs_no_more_than_its_install_line() -> None:
    """What it imports is what pip installs there: `langchain` brings LangGraph along, and no provider's package."""
    text = (ROOT / "docs" / "frameworks" / "langgraph.md").read_text(encoding="utf-8")
    [program, *_] = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert set(re.findall(r"^from (\w+)", program, re.MULTILINE)) == {"agenttrace", "langchain", "langchain_core"}
    assert re.search(r"^pip install 'agenttrace-otel\[cli,langchain\]' langchain ", text, re.MULTILINE)
    assert any(requirement.startswith("langgraph") for requirement in requires("langchain") or ())


def test_the_page_of_llama_index_runs_offline(tmp_path: Path) -> None:
    """The making of an index leaves traces of single spans, as the page says; a mark around all is one trace."""
    assert run_first_program("llama-index", tmp_path, 2) == "text text text\n" * 2
    store = Store(tmp_path / "traces.db")
    query = [
        *["CHAIN RetrieverQueryEngine.query", "  RETRIEVER VectorIndexRetriever", "    EMBEDDING CreateEmbeddings"],
        *["  CHAIN CompactAndRefine", "    LLM MockLLM"],
    ]
    building = ["CHAIN SentenceSplitter", "EMBEDDING CreateEmbeddings"]
    whole = ["CHAIN answer from notes", *(f"  {line}" for line in building + query)]
    trees = [outline(store.spans(trace.trace_id)) for trace in store.traces()]
    assert sorted(trees) == sorted([[building[0]], [building[1]], query, whole])
