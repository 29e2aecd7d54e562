"""The loop around OpenAI's client: its trace, whole and streamed, and what it is when a tool or the model fails."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import openai
import pytest

from agenttrace.testing import capture_spans

from .example_runs import EXAMPLES, only_trace, outline, run_example, values

sys.path.insert(0, str(EXAMPLES))
example: Any = importlib.import_module("openai_loop")
loopback: Any = importlib.import_module("loopback")

ANSWER = "It is 14.5 °C warmer in Lima than in Oslo."
FORMS = [((), "complete"), (("--stream",), "stream")]


def calls_of(attributes: dict[str, Any], message: str) -> list[tuple[str, Any]]:
    """The tool calls of one message: names and arguments."""
    prefix = f"{message}.message.tool_calls."
    names = [key for key in attributes if key.startswith(prefix) and key.endswith("function.name")]
    return [(attributes[name], json.loads(attributes[f"{name[:-4]}arguments"])) for name in sorted(names)]


@pytest.mark.parametrize(("arguments", "model_call"), FORMS)
def test_a_run_is_one_tree(arguments: tuple[str, ...], model_call: str, tmp_path: Path) -> None:
    """Model, two tools at once, model, a tool, model: all below the agent, whether the answers are streamed or not."""
    assert run_example("openai_loop", tmp_path, *arguments) == f"{ANSWER}\n"
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
    cities = [json.loads(text)["city"] for text in values(spans, "get_temperature", "input.value")]
    degrees = values(spans, "get_temperature", "output.value")
    assert dict(zip(cities, degrees, strict=True)) == {"Oslo": "4.5", "Lima": "19.0"}
    assert values(spans, "subtract", "output.value") == ["14.5"]


@pytest.mark.parametrize(("arguments", "model_call"), FORMS)
def test_the_model_calls_are_read(arguments: tuple[str, ...], model_call: str, tmp_path: Path) -> None:
    """Messages, tools, tool calls, model and tokens are on the spans, the stream's as the whole answer's."""
    run_example("openai_loop", tmp_path, *arguments)
    spans = only_trace(tmp_path)
    first, second, third = (dict(span.attributes) for span in spans if span.name == model_call)
    assert first["llm.model_name"] == "gpt-4o-mini"
    assert first["llm.input_messages.0.message.content"] == "How much warmer is it in Lima than in Oslo?"
    tools = [json.loads(first[f"llm.tools.{place}.tool.json_schema"])["function"] for place in range(2)]
    assert [tool["name"] for tool in tools] == ["get_temperature", "subtract"]
    assert tools[0]["parameters"]["required"] == ["city"]
    both = [("get_temperature", {"city": "Oslo"}), ("get_temperature", {"city": "Lima"})]
    assert calls_of(first, "llm.output_messages.0") == both
    assert calls_of(second, "llm.input_messages.1") == both
    assert second["llm.input_messages.2.message.tool_call_id"] == "call_1"
    assert second["llm.input_messages.2.message.content"] == "4.5"
    assert third["llm.output_messages.0.message.content"] == ANSWER
    tokens = [(call["llm.token_count.prompt"], call["llm.token_count.completion"]) for call in (first, second, third)]
    assert tokens == [(10, 4), (12, 4), (13, 10)]
    assert third["llm.token_count.total"] == 23


def test_a_configured_endpoint_is_asked_in_place_of_the_script(tmp_path: Path) -> None:
    """With ``OPENAI_BASE_URL`` the example talks to that endpoint, about the model that ``OPENAI_MODEL`` names."""
    asked = []

    def script(conversation: Any) -> Any:
        asked.append(conversation)
        return loopback.Reply("I don't know.")

    with loopback.serve(script) as url:
        printed = run_example("openai_loop", tmp_path, OPENAI_BASE_URL=f"{url}/v1", OPENAI_MODEL="some-model")
    assert printed == "I don't know.\n"
    assert [(one.model, list(one.tools)) for one in asked] == [("some-model", ["get_temperature", "subtract"])]
    assert values(only_trace(tmp_path), "complete", "llm.model_name") == ["some-model"]


def test_a_tool_that_raises_is_an_error_which_the_model_is_told() -> None:
    """The tool's span has the error, the run goes on and ends well."""

    def script(asked: Any) -> Any:
        if asked.results:
            return loopback.Reply(f"No: {asked.results[-1].text}")
        return loopback.Reply(calls=[loopback.Call("get_temperature", {"city": "Atlantis"})])

    with capture_spans() as spans, loopback.serve(script) as url:
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="none")
        with client:
            assert example.assistant(client, "How warm is it in Atlantis?") == "No: KeyError: 'Atlantis'"
    spans.assert_tree("AGENT assistant\n  LLM complete\n  TOOL get_temperature\n  LLM complete\n")
    assert spans.find("get_temperature").status.description == "KeyError: 'Atlantis'"
    assert spans.find("assistant").status.is_ok


@pytest.mark.parametrize(("streamed", "model_call"), [(False, "complete"), (True, "stream")])
def test_a_model_that_fails_is_an_error_all_the_way_up(streamed: bool, model_call: str) -> None:
    """What the client raises is on the model's span and on the agent's, and reaches the caller."""

    def script(asked: Any) -> Any:
        raise ValueError("out of order")

    with capture_spans() as spans, loopback.serve(script) as url:
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="none")
        with client, pytest.raises(openai.BadRequestError, match="out of order"):
            example.assistant(client, "How warm is it?", streamed=streamed)
    spans.assert_tree(f"AGENT assistant\n  LLM {model_call}\n")
    for name in ("assistant", model_call):
        assert "out of order" in (spans.find(name).status.description or "")
