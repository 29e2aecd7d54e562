"""Whole trees of single agents, and what stands on each span of them."""

# smolagents ships no types, so every class of it is Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import json
from typing import Any

import pytest

from agenttrace.integrations.smolagents import TracedCodeAgent, TracedToolCallingAgent
from agenttrace.testing import capture_spans

from .looking import attributes, errors_in, part, spans_of
from .scripted import ScriptedModel, call, calls, code, get_weather, text
from .scripted_openai import openai_model
from .twins import QUIET


def test_what_stands_on_a_run_and_its_steps() -> None:
    """Task, agent, team, token totals; number, input, observations and duration of a step."""
    script = [call("get_weather", city="Oslo"), call("final_answer", answer="rain")]
    agent = TracedToolCallingAgent(
        [get_weather], ScriptedModel(*script), name="ada", description="Knows.", max_steps=7, **QUIET
    )
    _, spans = spans_of(agent, additional_args={"unit": "°C"}, max_steps=5)
    found = attributes(spans.find("ada.run"))
    assert spans.input("ada.run") == {"task": "The weather?", "additional_args": {"unit": "°C"}, "max_steps": 5}
    assert spans.output("ada.run") == "rain"
    assert found["agent.name"] == found["graph.node.id"] == found["graph.node.name"] == "ada"
    assert part(spans.roots[0], "smolagents.") == {
        "task": "The weather?",
        "max_steps": 5,
        "tools_names": ("get_weather", "final_answer"),
        "description": "Knows.",
        "additional_args": '{"unit":"°C"}',
        "token_count.prompt": 200,
        "token_count.completion": 20,
        "token_count.total": 220,
    }
    assert not part(spans.roots[0], "llm.token_count.")
    first, second = (attributes(spans.find(f"Step {number}")) for number in (1, 2))
    assert first["output.value"] == second["input.value"] == "Oslo: 14 °C and rain"
    assert first["smolagents.step.number"] == 1
    assert first["smolagents.step.is_final_answer"] is False
    assert second["smolagents.step.is_final_answer"] is True
    assert first["smolagents.step.duration"] > 0
    assert not part(spans.find("Step 1"), "llm.token_count.")


def test_what_stands_on_a_model_call() -> None:
    """Messages, tools, calls, thoughts, parameters, model, provider, and what it took."""
    agent = TracedToolCallingAgent(
        [get_weather], openai_model(call("get_weather", city="Oslo"), text("no"), thoughts="Hm."), max_steps=1, **QUIET
    )
    _, spans = spans_of(agent)
    span = spans.find_all(kind="LLM")[0]
    first = attributes(span)
    assert first["llm.model_name"] == "gpt-4o-2024-08-06"
    assert first["llm.provider"] == "openai"
    assert json.loads(first["llm.invocation_parameters"])["temperature"] == 0.2
    assert first["llm.token_count.prompt"] == 100
    assert first["llm.token_count.completion"] == 10
    assert first["llm.token_count.completion_details.reasoning"] == 5
    assert first["llm.input_messages.0.message.role"] == "system"
    assert "The weather?" in first["llm.input_messages.1.message.content"]
    asked = part(span, "llm.output_messages.0.message.tool_calls.0.tool_call.")
    assert asked["function.name"] == "get_weather"
    assert json.loads(asked["function.arguments"]) == {"city": "Oslo"}
    offered = [json.loads(first[f"llm.tools.{index}.tool.json_schema"]) for index in range(2)]
    assert [tool["function"]["name"] for tool in offered] == ["get_weather", "final_answer"]
    assert "Hm." in str(part(span, "llm.output_messages.0."))


def test_what_stands_on_a_tool_and_on_code() -> None:
    """Name, description, parameters, arguments, output; the code, what it printed, what came out of it."""
    agent = TracedCodeAgent(
        [get_weather], ScriptedModel(code("print('looking')\nget_weather('Oslo')"), code("final_answer(3)")), **QUIET
    )
    _, spans = spans_of(agent)
    found = attributes(spans.find("get_weather"))
    assert found["tool.name"] == "get_weather"
    assert found["tool.description"] == "Look up today's weather."
    assert json.loads(found["tool.parameters"])["properties"] == {
        "city": {"type": "string", "description": "Which city."}
    }
    assert spans.input("get_weather") == {"city": "Oslo"}
    assert spans.output("get_weather") == "Oslo: 14 °C and rain"
    ran = attributes(spans.find_all("CodeAgent.execute")[0])
    assert ran["input.value"] == "print('looking')\nget_weather('Oslo')"
    assert ran["output.value"] == "Oslo: 14 °C and rain"
    assert ran["smolagents.code.logs"] == "looking\n"
    assert ran["smolagents.code.executor"] == "LocalPythonExecutor"


def test_planning_and_checks() -> None:
    """A plan is a step of its own kind, each time it is made; a check says what it was given and what it found."""

    def names_a_city(answer: Any, memory: Any, agent: Any) -> bool:
        return "Oslo" in str(answer)

    def is_short(answer: Any, memory: Any, agent: Any) -> bool:
        if len(answer) > 20:
            raise ValueError("too long")
        return True

    script = [
        text("First plan."),
        call("final_answer", answer="Rain."),
        text("Second plan."),
        call("final_answer", answer="Rain in Oslo, and a lot of it."),
        text("Third plan."),
        call("final_answer", answer="Rain in Oslo."),
    ]
    agent = TracedToolCallingAgent(
        [], ScriptedModel(*script), planning_interval=1, final_answer_checks=[names_a_city, is_short], **QUIET
    )
    answer, spans = spans_of(agent)
    assert answer == "Rain in Oslo."
    spans.assert_tree(
        """
        AGENT ToolCallingAgent.run
          CHAIN Planning
            LLM ScriptedModel.generate
          CHAIN Step 1
            LLM ScriptedModel.generate
            TOOL final_answer
            GUARDRAIL names_a_city
          CHAIN Planning
            LLM ScriptedModel.generate
          CHAIN Step 2
            LLM ScriptedModel.generate
            TOOL final_answer
            GUARDRAIL names_a_city
            GUARDRAIL is_short
          CHAIN Planning
            LLM ScriptedModel.generate
          CHAIN Step 3
            LLM ScriptedModel.generate
            TOOL final_answer
            GUARDRAIL names_a_city
            GUARDRAIL is_short
        """
    )
    assert errors_in(spans) == [("names_a_city", "the answer did not pass"), ("is_short", "ValueError: too long")]
    plans = [str(spans.output(plan)) for plan in spans.find_all("Planning")]
    assert [number in plan for plan, number in zip(plans, ("First", "Second", "Third"), strict=True)] == [True] * 3
    assert attributes(spans.find("ToolCallingAgent.run"))["smolagents.token_count.total"] == 660
    for number in (1, 2):
        assert [event.name for event in spans.find(f"Step {number}").events] == ["agent.step_recovery"]


MENDED = {
    "a tool that raises": (call("get_weather", city="Nowhere"), "get_weather", "ValueError: no such city: Nowhere"),
    "an unknown tool": (
        call("no_such_tool", a=1),
        "no_such_tool",
        "AgentToolExecutionError: Unknown tool no_such_tool",
    ),
    "a missing argument": (call("get_weather"), "get_weather", "AgentToolCallError: Argument city is required"),
    "an argument too many": (
        call("get_weather", city="Oslo", day=1),
        "get_weather",
        "AgentToolCallError: Argument day",
    ),
    "a wrong type": (
        call("get_weather", city=3),
        "get_weather",
        "AgentToolCallError: Argument city has type 'integer'",
    ),
    "no call at all": (text("Rain, I guess."), "Step 1", "AgentParsingError: Error while parsing tool call"),
    "an answer among other calls": (
        calls(("final_answer", {"answer": 1}), ("get_weather", {"city": "Oslo"})),
        "Step 1",
        "AgentExecutionError: If you want to return an answer",
    ),
}


@pytest.mark.parametrize("case", MENDED)
def test_what_a_tool_calling_agent_mends(case: str) -> None:
    """One span is the error, the step notes what the model was told, and the run ends well."""
    answer, where, description = MENDED[case]
    agent = TracedToolCallingAgent(
        [get_weather], ScriptedModel(answer, call("final_answer", answer="rain")), max_steps=3, **QUIET
    )
    _, spans = spans_of(agent)
    assert [(name, text.startswith(description)) for name, text in errors_in(spans)] == [(where, True)]
    recovery = next(event for event in spans.find("Step 1").events if event.name == "agent.step_recovery")
    assert set(recovery.attributes or {}) == {"type", "message", "severity"}
    assert spans.find("ToolCallingAgent.run").status.is_ok
    assert "Error" in str(spans.input("Step 2"))


BROKEN_CODE = {
    "an error": ("1 / 0", "CodeAgent.execute", "ZeroDivisionError"),
    "an import that isn't allowed": ("import os", "CodeAgent.execute", "Import of os is not allowed"),
    "no Python": ("one plus one", "CodeAgent.execute", "SyntaxError"),
    "a tool that raises": ("get_weather('Nowhere')", "get_weather", "ValueError: no such city: Nowhere"),
    "a tool called wrongly": ("get_weather()", "get_weather", "TypeError"),
    "an unknown name": ("no_such_tool()", "CodeAgent.execute", "no_such_tool"),
}


@pytest.mark.parametrize("case", BROKEN_CODE)
def test_what_a_code_agent_mends(case: str) -> None:
    """The code's span is the error, with what was printed until then, and a tool's too that is the reason."""
    source, where, description = BROKEN_CODE[case]
    first = f"print('so far')\n{source}" if case != "no Python" else source
    agent = TracedCodeAgent([get_weather], ScriptedModel(code(first), code("final_answer(1)")), max_steps=3, **QUIET)
    _, spans = spans_of(agent)
    failed = dict(errors_in(spans))
    assert description in failed[where]
    assert set(failed) == {"CodeAgent.execute", where}
    if case != "no Python":
        assert attributes(spans.find_all("CodeAgent.execute")[0])["smolagents.code.logs"] == "so far\n"
    assert [event.name for event in spans.find("Step 1").events] == ["agent.step_recovery"]


def test_an_answer_without_code_that_is_mended() -> None:
    """No span below the step shows a parse error, so that the step is the error."""
    agent = TracedCodeAgent([], ScriptedModel(text("I think."), code("final_answer(1)")), **QUIET)
    _, spans = spans_of(agent)
    assert [(name, text[:30]) for name, text in errors_in(spans)] == [("Step 1", "AgentParsingError: Error in co")]


@pytest.mark.parametrize("streams", [False, True], ids=["at once", "streamed"])
def test_a_model_that_raises(streams: bool) -> None:
    """The call, its step and the run are errors, each in its own words."""
    agent = TracedToolCallingAgent([], ScriptedModel(OSError("gone")), stream_outputs=streams, **QUIET)
    with capture_spans() as spans, pytest.raises(Exception, match="gone"):
        agent.run("Well?")
    assert spans.unfinished == []
    method = "generate_stream" if streams else "generate"
    wrapped = "AgentGenerationError: Error while generating output:\ngone"
    assert errors_in(spans) == [
        ("ToolCallingAgent.run", wrapped),
        ("Step 1", wrapped),
        (f"ScriptedModel.{method}", "OSError: gone"),
    ]


def test_no_step_left() -> None:
    """The answer that is asked for at the end is a step that says why, and its tokens are counted."""
    agent = TracedToolCallingAgent(
        [get_weather], ScriptedModel(call("get_weather", city="Oslo"), text("Rain, maybe.")), max_steps=1, **QUIET
    )
    answer, spans = spans_of(agent)
    assert answer == "Rain, maybe."
    assert errors_in(spans) == [("Step 2", "AgentMaxStepsError: Reached max steps.")]
    found = attributes(spans.find("ToolCallingAgent.run"))
    assert found["smolagents.state"] == "max_steps_error"
    assert found["smolagents.token_count.total"] == 220
    assert spans.output("Step 2") == "Rain, maybe."
