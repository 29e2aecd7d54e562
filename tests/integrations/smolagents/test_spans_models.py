"""Models, marks and pictures of every shape that a smolagents agent may be given."""

# smolagents ships no types, so every class of it is Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import json
from typing import Any

import pytest
from PIL import Image
from smolagents import ActionStep, ChatMessage, Tool, tool
from smolagents.agent_types import AgentImage
from smolagents.models import ChatMessageStreamDelta, MessageRole
from smolagents.monitoring import TokenUsage

from agenttrace import trace_llm, trace_tool
from agenttrace.integrations.smolagents import TracedCodeAgent, TracedToolCallingAgent
from agenttrace.testing import capture_spans

from .looking import attributes, spans_of
from .scripted import ScriptedModel, call, code, get_weather
from .twins import QUIET


def test_images() -> None:
    """Pictures in the task reach the model's messages, and pictures that come out are said to be ones."""

    @tool
    def paint(colour: str) -> Any:
        """Paint.

        Args:
            colour: Which colour.
        """
        return Image.new("RGB", (2, 2), colour)

    paint.output_type = "image"
    script = [call("paint", colour="red"), call("final_answer", answer="image.png")]
    agent = TracedToolCallingAgent([paint], ScriptedModel(*script), **QUIET)
    answer, spans = spans_of(agent, "Paint like this.", images=[Image.new("RGB", (2, 2), "blue")])
    assert type(answer) is AgentImage
    model = attributes(spans.find_all(kind="LLM")[0])
    pictures = [value for key, value in model.items() if key.endswith("image.url")]
    assert len(pictures) == 1
    assert pictures[0].startswith("data:image/png;base64,")
    assert "image" in str(spans.output("paint")).lower()
    assert agent.memory.steps[0].task_images[0].size == (2, 2)


def test_the_first_token_of_a_stream() -> None:
    """A stream has an event when it begins, and the whole of it as output."""
    agent = TracedCodeAgent([], ScriptedModel(code("final_answer('ab')")), stream_outputs=True, **QUIET)
    _, spans = spans_of(agent)
    stream = spans.find("ScriptedModel.generate_stream")
    assert len(stream.events) == 1
    found = attributes(stream)
    assert found["llm.output_messages.0.message.content"] == "<code>\nfinal_answer('ab')\n</code>"
    assert found["llm.token_count.total"] == 110


def test_models_and_tools_that_are_marked_already() -> None:
    """The user's marks make the spans, once each, and where they belong."""

    class Marked(ScriptedModel):
        @trace_llm(name="ask", model="marked-1")
        def generate(self, messages: list[Any], *args: Any, **kwargs: Any) -> ChatMessage:
            return super().generate(messages)

    class Look(Tool):
        name, description, output_type = "look", "Look.", "string"
        inputs = {"at": {"type": "string", "description": "What."}}

        @trace_tool(name="look closely")
        def forward(self, at: str) -> str:
            return f"seen: {at}"

    model = Marked(code("print(look('up'))"), code("final_answer(look(at='down'))"))
    _, spans = spans_of(TracedCodeAgent([Look()], model, **QUIET))
    spans.assert_tree(
        """
        AGENT CodeAgent.run
          CHAIN Step 1
            LLM ask
            CHAIN CodeAgent.execute
              TOOL look closely
          CHAIN Step 2
            LLM ask
            CHAIN CodeAgent.execute
              TOOL look closely
              TOOL final_answer
        """
    )
    _, spans = spans_of(
        TracedToolCallingAgent([Look()], Marked(call("look", at="up"), call("final_answer", answer=1)), **QUIET)
    )
    assert spans.tools_called == ["look closely", "final_answer"]
    assert [span.name for span in spans.find_all(kind="LLM")] == ["ask", "ask"]


class Odd:
    """A model that is none of smolagents': an object with the methods that are called."""

    model_id = "odd-1"

    def __init__(self, *script: Any) -> None:
        self.script = list(script)

    def generate(self, messages: Any, **options: Any) -> ChatMessage:
        return self.script.pop(0)

    def generate_stream(self, messages: Any, **options: Any) -> Any:
        usage = TokenUsage(input_tokens=7, output_tokens=3)
        content = self.script.pop(0).content
        return [ChatMessageStreamDelta(content=content), ChatMessageStreamDelta(content="", token_usage=usage)]


@pytest.mark.parametrize("streams", [False, True], ids=["at once", "streamed"])
def test_a_model_that_is_none_of_smolagents(streams: bool) -> None:
    """Its calls are recorded, lists that it gives for streams included."""
    agent = TracedCodeAgent([], Odd(code("final_answer(1)")), stream_outputs=streams, **QUIET)
    answer, spans = spans_of(agent)
    found = attributes(spans.find(kind="LLM"))
    assert answer == 1
    assert found["llm.model_name"] == "odd-1"
    assert found["llm.output_messages.0.message.content"] == "<code>\nfinal_answer(1)\n</code>"
    assert found["llm.token_count.total"] == (10 if streams else 110)


def test_structured_answers() -> None:
    """``use_structured_outputs_internally`` asks for JSON, which the parameters say."""
    answer = ChatMessage(role=MessageRole.ASSISTANT, content=json.dumps({"thought": "easy", "code": "final_answer(4)"}))
    agent = TracedCodeAgent([], ScriptedModel(answer), use_structured_outputs_internally=True, **QUIET)
    assert spans_of(agent)[0] == 4
    spans = spans_of(TracedCodeAgent([], ScriptedModel(answer), use_structured_outputs_internally=True, **QUIET))[1]
    parameters = json.loads(attributes(spans.find(kind="LLM"))["llm.invocation_parameters"])
    assert parameters["response_format"]["type"] == "json_schema"
    assert attributes(spans.find("CodeAgent.execute"))["input.value"] == "final_answer(4)"
    assert "smolagents.token_count.total" not in attributes(spans.find("CodeAgent.run"))


def test_variables_of_a_state() -> None:
    """A tool's arguments are what it gets, not the names that the model writes for them."""
    script = [call("get_weather", city="home"), call("final_answer", answer="home")]
    agent = TracedToolCallingAgent([get_weather], ScriptedModel(*script), **QUIET)
    answer, spans = spans_of(agent, additional_args={"home": "Oslo"})
    assert answer == "Oslo"
    assert spans.input("get_weather") == {"city": "Oslo"}
    assert spans.output("ToolCallingAgent.run") == "Oslo"


def test_a_step_by_itself() -> None:
    """Outside of a run a step is a tree of its own."""
    agent = TracedToolCallingAgent([get_weather], ScriptedModel(call("get_weather", city="Oslo")), **QUIET)
    with capture_spans() as spans:
        agent.step(ActionStep(step_number=4, timing=None))
    spans.assert_tree("CHAIN Step 4\n  LLM ScriptedModel.generate\n  TOOL get_weather\n")
    assert spans.unfinished == []


class Foreign(Tool):
    """A tool as smolagents makes one of an MCP server's: any arguments, and the server's own schema for them."""

    name, description, output_type = "foreign", "From afar.", "object"
    inputs = {
        "what": {"type": ["string", "null"], "description": "What.", "anyOf": [{"type": "string"}, {"type": "null"}]},
        "how": {"type": "any", "description": "How.", "nullable": True},
    }
    output_schema = {"type": "object", "properties": {"got": {"type": "array"}}}
    skip_forward_signature_validation = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return {"got": [*args, kwargs]}


def test_tools_from_elsewhere() -> None:
    """Arguments have the names that the tool declares, be they given by position, by name, or as one dictionary."""
    script = [code("foreign('a')\nforeign(what='b', how=3)\nforeign({'what': 'c'})"), code("final_answer(1)")]
    _, spans = spans_of(TracedCodeAgent([Foreign()], ScriptedModel(*script), **QUIET))
    found = spans.find_all("foreign")
    assert [spans.input(span) for span in found] == [{"what": "a"}, {"what": "b", "how": 3}, {"what": "c"}]
    assert spans.output(found[1]) == {"got": [{"what": "b", "how": 3}]}
    parameters = json.loads(attributes(found[0])["tool.parameters"])
    assert parameters["required"] == ["what"]
    assert parameters["properties"]["what"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
