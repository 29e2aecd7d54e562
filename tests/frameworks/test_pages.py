"""The first program of a framework's page, run as a reader pastes it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.readers.openai_material import call_item, response, text_item
from tests.readers.replay import json_answer, replay_server

from .example_runs import ROOT, environment_of, only_trace, outline, values


def run_first_program(page: str, home: Path, **variables: str) -> str:
    """Run the first Python block of ``docs/frameworks/<page>.md``; gives what it printed."""
    text = (ROOT / "docs" / "frameworks" / f"{page}.md").read_text(encoding="utf-8")
    block = re.search(r"^```python[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert block is not None
    program = home / "weather.py"
    program.write_text(block[1], encoding="utf-8")
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
