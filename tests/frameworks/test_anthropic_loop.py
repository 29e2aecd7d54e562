"""The loop around Anthropic's client: its trace, whole and streamed, and what it is when a tool or the model fails."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import anthropic
import pytest

from agenttrace.testing import capture_spans

from .example_runs import EXAMPLES, only_trace, outline, run_example, values

sys.path.insert(0, str(EXAMPLES))
example: Any = importlib.import_module("anthropic_loop")
loopback: Any = importlib.import_module("loopback")

ANSWER = "It is 14.5 °C warmer in Lima than in Oslo."
FORMS = [((), "create", f"{ANSWER}\n"), (("--stream",), "stream", f"I look it up.{ANSWER}\n")]


@pytest.mark.parametrize(("arguments", "model_call", "printed"), FORMS)
def test_a_run_is_one_tree(arguments: tuple[str, ...], model_call: str, printed: str, tmp_path: Path) -> None:
    """Model, two tools at once, model, a tool, model: all below the agent, and no call is there twice."""
    assert run_example("anthropic_loop", tmp_path, *arguments) == printed
    spans = only_trace(tmp_path)
    assert outline(spans) == [
        "AGENT assistant",
        f"  LLM {model_call}",
        *["  TOOL get_temperature"] * 2,
        f"  LLM {model_call}",
        "  TOOL subtract",
        f"  LLM {model_call}",
    ]
    assert values(spans, "assistant", "input.value") == ["How much warmer is it in Lima than in Oslo?"]
    assert values(spans, "assistant", "output.value") == [ANSWER]
    assert values(spans, "subtract", "output.value") == ["14.5"]
    assert json.loads(values(spans, "subtract", "tool.parameters")[0])["required"] == ["minuend", "subtrahend"]


@pytest.mark.parametrize(("arguments", "model_call", "printed"), FORMS)
def test_the_model_calls_are_read(arguments: tuple[str, ...], model_call: str, printed: str, tmp_path: Path) -> None:
    """System prompt, messages, tools, tool calls, results, model and tokens are on the spans, streamed or not."""
    run_example("anthropic_loop", tmp_path, *arguments)
    spans = only_trace(tmp_path)
    first, second, third = (dict(span.attributes) for span in spans if span.name == model_call)
    assert first["llm.model_name"] == "claude-sonnet-5"
    assert first["llm.system"] == "anthropic"
    assert first["llm.input_messages.0.message.role"] == "system"
    assert first["llm.input_messages.1.message.content"] == "How much warmer is it in Lima than in Oslo?"
    assert json.loads(first["llm.tools.0.tool.json_schema"])["name"] == "get_temperature"
    call = "llm.output_messages.0.message.tool_calls.1.tool_call"
    assert first[f"{call}.function.name"] == "get_temperature"
    assert json.loads(first[f"{call}.function.arguments"]) == {"city": "Lima"}
    assert [second[f"llm.input_messages.{place}.message.tool_call_id"] for place in (3, 4)] == ["toolu_1", "toolu_2"]
    assert [second[f"llm.input_messages.{place}.message.content"] for place in (3, 4)] == ["4.5", "19.0"]
    assert third["llm.output_messages.0.message.content"] == ANSWER
    tokens = [(call["llm.token_count.prompt"], call["llm.token_count.completion"]) for call in (first, second, third)]
    assert tokens == [(19, 8), (25, 4), (26, 10)]


def test_a_configured_endpoint_is_asked_in_place_of_the_script(tmp_path: Path) -> None:
    """With ``ANTHROPIC_BASE_URL`` that endpoint is asked, for the model that ``ANTHROPIC_MODEL`` names."""
    asked = []

    def script(conversation: Any) -> Any:
        asked.append(conversation)
        return loopback.Reply("I don't know.")

    with loopback.serve(script) as url:
        printed = run_example("anthropic_loop", tmp_path, ANTHROPIC_BASE_URL=url, ANTHROPIC_MODEL="some-model")
    assert printed == "I don't know.\n"
    assert [(one.model, list(one.tools)) for one in asked] == [("some-model", ["get_temperature", "subtract"])]
    assert asked[0].system == "Answer from what the tools say, in one sentence."


def test_a_tool_that_raises_is_an_error_which_the_model_is_told() -> None:
    """The tool's span has the error, the run goes on and ends well."""

    def script(asked: Any) -> Any:
        if asked.results:
            return loopback.Reply(f"No: {asked.results[-1].text}")
        return loopback.Reply(calls=[loopback.Call("get_temperature", {"city": "Atlantis"})])

    with capture_spans() as spans, loopback.serve(script) as url:
        client = anthropic.Anthropic(base_url=url, api_key="none")
        with client:
            assert example.assistant(client, "How warm is it in Atlantis?") == "No: KeyError: 'Atlantis'"
    spans.assert_tree("AGENT assistant\n  LLM create\n  TOOL get_temperature\n  LLM create\n")
    assert spans.find("get_temperature").status.description == "KeyError: 'Atlantis'"
    assert spans.find("assistant").status.is_ok


@pytest.mark.parametrize(("streamed", "model_call"), [(False, "create"), (True, "stream")])
def test_a_model_that_fails_is_an_error_all_the_way_up(streamed: bool, model_call: str) -> None:
    """What the client raises is on the model's span and on the agent's, and reaches the caller."""

    def script(asked: Any) -> Any:
        raise ValueError("out of order")

    with capture_spans() as spans, loopback.serve(script) as url:
        client = anthropic.Anthropic(base_url=url, api_key="none")
        with client, pytest.raises(anthropic.BadRequestError, match="out of order"):
            example.assistant(client, "How warm is it?", streamed=streamed)
    spans.assert_tree(f"AGENT assistant\n  LLM {model_call}\n")
    for name in ("assistant", model_call):
        assert "out of order" in (spans.find(name).status.description or "")
