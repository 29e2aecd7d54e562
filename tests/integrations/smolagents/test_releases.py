"""What holds on every supported release of smolagents: `make test-frameworks` runs this on the oldest one too."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from smolagents import ChatMessage, CodeAgent, LogLevel, Model, ToolCallingAgent, models, tool
from smolagents.models import ChatMessageStreamDelta, ChatMessageToolCall, MessageRole
from smolagents.monitoring import TokenUsage

from agenttrace.integrations.smolagents import TracedCodeAgent, TracedToolCallingAgent, traced
from agenttrace.testing import CapturedSpans, capture_spans

_FUNCTION = getattr(models, "ChatMessageToolCallFunction", None) or models.ChatMessageToolCallDefinition
_TELLS_THE_AGENT = "agent" in inspect.getsource(CodeAgent._validate_final_answer)
"""Whether the checks of an answer get the agent, too."""
_PROMPT = CodeAgent(tools=[], model=Model()).system_prompt
_BLOCKS = ("<code>", "</code>") if "<code>" in _PROMPT else ("```python", "```")
"""What code stands between in an answer."""


def said(text: str) -> ChatMessage:
    """An answer in words."""
    return ChatMessage(role=MessageRole.ASSISTANT, content=text, token_usage=TokenUsage(30, 3))


def code(text: str) -> ChatMessage:
    """An answer that is code to be run."""
    return said(f"I run this.\n{_BLOCKS[0]}\n{text}\n{_BLOCKS[1]}")


def call(name: str, **arguments: Any) -> ChatMessage:
    """An answer that calls a tool."""
    calls = [
        ChatMessageToolCall(function=_FUNCTION(arguments=arguments, name=name), id=f"call_{name}", type="function")
    ]
    return ChatMessage(role=MessageRole.ASSISTANT, content="", tool_calls=calls, token_usage=TokenUsage(20, 2))


def attribute(spans: CapturedSpans, name: str, key: str) -> Any:
    """The attribute ``key`` of the span ``name``."""
    return (spans.find(name).attributes or {})[key]


class Scripted(Model):  # type: ignore[misc]  # untyped where smolagents is not followed
    """A user's own model, which no release of smolagents knows."""

    def __init__(self, *answers: ChatMessage) -> None:
        super().__init__(model_id="scripted-1")
        self.answers = list(answers)

    def generate(self, messages: list[ChatMessage], **options: Any) -> ChatMessage:
        return self.answers.pop(0)

    def generate_stream(self, messages: list[ChatMessage], **options: Any) -> Iterator[ChatMessageStreamDelta]:
        answer = self.answers.pop(0)
        for piece in answer.content.splitlines(keepends=True):
            yield ChatMessageStreamDelta(content=piece)
        yield ChatMessageStreamDelta(content="", token_usage=answer.token_usage)


@tool
def get_weather(city: str) -> str:
    """Looks up the weather.

    Args:
        city: Which city.
    """
    if city == "Nowhere":
        raise ValueError("there is no such city")
    return f"rain in {city}"


def test_a_run_with_a_team_is_one_tree() -> None:
    """Plans, steps, model calls, code, tools in it and managed agents are each where they belong."""
    helper_model = Scripted(call("get_weather", city="Oslo"), call("final_answer", answer="rain"))
    helper = TracedToolCallingAgent(
        tools=[get_weather], model=helper_model, name="helper", description="Helps.", verbosity_level=LogLevel.OFF
    )
    model = Scripted(
        said("First look, then answer."), code("print(helper('The weather?'))"), code("final_answer('wet')")
    )
    agent = TracedCodeAgent(
        tools=[get_weather], model=model, managed_agents=[helper], planning_interval=5, verbosity_level=LogLevel.OFF
    )
    with capture_spans() as spans:
        assert agent.run("The weather in Oslo?") == "wet"
    spans.assert_tree(
        """
        AGENT CodeAgent.run
          CHAIN Planning
            LLM Scripted.generate
          CHAIN Step 1
            LLM Scripted.generate
            CHAIN CodeAgent.execute
              AGENT helper.run
                CHAIN Step 1
                  LLM Scripted.generate
                  TOOL get_weather
                CHAIN Step 2
                  LLM Scripted.generate
                  TOOL final_answer
          CHAIN Step 2
            LLM Scripted.generate
            CHAIN CodeAgent.execute
              TOOL final_answer
        """
    )
    spans.assert_no_errors()
    assert spans.unfinished == []
    assert attribute(spans, "CodeAgent.run", "smolagents.token_count.prompt") == 90
    assert attribute(spans, "CodeAgent.run", "smolagents.token_count.completion") == 9
    assert attribute(spans, "helper.run", "graph.node.parent_id") == "CodeAgent"


def test_a_failing_tool_that_the_model_makes_up_for() -> None:
    """The tool's span is the error, the step notes it, and the run ends well."""
    model = Scripted(call("get_weather", city="Nowhere"), call("final_answer", answer="I don't know"))
    agent = TracedToolCallingAgent(tools=[get_weather], model=model, verbosity_level=LogLevel.OFF)
    with capture_spans() as spans:
        agent.run("The weather nowhere?")
    assert spans.find("get_weather").status.description == "ValueError: there is no such city"
    assert [event.name for event in spans.find("Step 1").events] == ["agent.step_recovery"]
    assert spans.find("Step 1").status.is_ok
    assert spans.find("ToolCallingAgent.run").status.is_ok


def test_a_failing_piece_of_code() -> None:
    """The code's span is the error, and the run goes on."""
    agent = TracedCodeAgent(
        tools=[], model=Scripted(code("1 / 0"), code("final_answer(1)")), verbosity_level=LogLevel.OFF
    )
    with capture_spans() as spans:
        assert agent.run("Divide.") == 1
    first, second = spans.find_all("CodeAgent.execute")
    assert "ZeroDivisionError" in (first.status.description or "")
    assert second.status.is_ok


def test_a_run_out_of_steps() -> None:
    """The answer that is asked for at the end is a step of its own, which says why."""
    model = Scripted(code("x = 1"), said("I could not."))
    agent = TracedCodeAgent(tools=[], model=model, max_steps=1, verbosity_level=LogLevel.OFF)
    with capture_spans() as spans:
        agent.run("Never ends.")
    assert spans.find("Step 2").status.description == "AgentMaxStepsError: Reached max steps."
    assert attribute(spans, "CodeAgent.run", "smolagents.state") == "max_steps_error"
    assert spans.unfinished == []


def test_a_streamed_run_ends_with_its_stream() -> None:
    """Step by step as the consumer asks, the answer as output, and nothing current in between."""
    agent = TracedCodeAgent(
        tools=[], model=Scripted(code("final_answer(4)")), stream_outputs=True, verbosity_level=LogLevel.OFF
    )
    with capture_spans() as spans:
        items = list(agent.run("2 + 2?", stream=True))
    assert type(items[-1]).__name__ == "FinalAnswerStep"
    assert spans.output("CodeAgent.run") == 4
    assert attribute(spans, "Scripted.generate_stream", "llm.token_count.total") == 33
    spans.assert_parent("Scripted.generate_stream", "Step 1")


def test_an_answer_is_checked_below_its_step() -> None:
    """A check is a guardrail, and one that says no is where the error shows."""

    def is_even(answer: Any, memory: Any, agent: Any = None) -> bool:
        assert (agent is not None) == _TELLS_THE_AGENT
        return answer % 2 == 0

    agent = TracedCodeAgent(
        tools=[],
        model=Scripted(code("final_answer(3)"), code("final_answer(4)")),
        final_answer_checks=[is_even],
        verbosity_level=LogLevel.OFF,
    )
    with capture_spans() as spans:
        assert agent.run("An even number?") == 4
    checks = [span for span in spans.find_all("is_even") if spans.input(span) in (3, 4)]
    assert [(spans.input(check), spans.output(check)) for check in checks] == [(3, False), (4, True)]


def test_a_check_that_raises_is_the_error_and_its_step_goes_on() -> None:
    """As with a tool or code that fails: the error is on its own span, and the step is well."""

    def is_even(answer: Any, memory: Any, agent: Any = None) -> bool:
        if answer == 3:
            raise ValueError("that is odd")
        return True

    agent = TracedCodeAgent(
        tools=[],
        model=Scripted(code("final_answer(3)"), code("final_answer(4)")),
        final_answer_checks=[is_even],
        verbosity_level=LogLevel.OFF,
    )
    with capture_spans() as spans:
        assert agent.run("An even number?") == 4
    assert [span.status.description for span in spans.find_all("is_even") if spans.input(span) == 3] == [
        "ValueError: that is odd"
    ]
    assert spans.find("Step 1").status.is_ok
    assert [event.name for event in spans.find("Step 1").events] == ["agent.step_recovery"]


def test_a_traced_class_is_as_the_plain_one_and_the_plain_one_is_not_traced() -> None:
    """The names that smolagents goes by are the plain class's, and plain agents leave no spans."""
    assert TracedCodeAgent.__name__ == "CodeAgent"
    assert traced(CodeAgent) is TracedCodeAgent
    assert inspect.signature(TracedCodeAgent.run) == inspect.signature(CodeAgent.run)
    model = Scripted(call("final_answer", answer="yes"))
    agent = ToolCallingAgent(tools=[], model=model, verbosity_level=LogLevel.OFF)
    with capture_spans() as spans:
        assert agent.run("Well?") == "yes"
    assert len(spans) == 0


def test_saved_agents_name_the_plain_class(tmp_path: Any) -> None:
    """What is saved loads where there is no agenttrace."""
    agent = TracedToolCallingAgent(tools=[get_weather], model=Scripted(), verbosity_level=LogLevel.OFF)
    plain = ToolCallingAgent(tools=[get_weather], model=Scripted(), verbosity_level=LogLevel.OFF)
    assert agent.to_dict() == plain.to_dict()


@pytest.mark.parametrize(
    "given",
    [ToolCallingAgent(tools=[], model=Model()), get_weather, int, None],
    ids=["an agent", "a tool", "a class", "nothing"],
)
def test_only_classes_of_agents_can_be_traced(given: Any) -> None:
    """Anything else is refused at once, with what to write."""
    with pytest.raises(TypeError, match="traced"):
        traced(given)
