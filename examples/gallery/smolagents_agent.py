"""smolagents (``pip install smolagents``): an agent of its own, with three marks and nothing patched."""

# smolagents ships no types, so every class of it is Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checked import checked_run
from smolagents import ChatMessage, LogLevel, Model, Tool, ToolCallingAgent
from smolagents.models import ChatMessageToolCall, ChatMessageToolCallFunction, MessageRole
from smolagents.monitoring import TokenUsage

from agenttrace import trace_agent, trace_llm, trace_tool


def call(name: str, arguments: dict[str, Any], prompt: int, completion: int) -> ChatMessage:
    """A model's answer that calls a tool."""
    function = ChatMessageToolCallFunction(arguments=arguments, name=name)
    calls = [ChatMessageToolCall(function=function, id=f"call_{name}", type="function")]
    usage = TokenUsage(input_tokens=prompt, output_tokens=completion)
    return ChatMessage(MessageRole.ASSISTANT, "", calls, token_usage=usage)


class Scripted(Model):
    """A model that isn't there; in your program it is a subclass of ``OpenAIModel`` or ``TransformersModel``."""

    answers: Iterator[ChatMessage] = iter(
        [
            call("get_weather", {"city": "Oslo"}, prompt=900, completion=20),
            call("final_answer", {"answer": "It rains in Oslo."}, prompt=960, completion=14),
        ]
    )

    @trace_llm(model="Qwen/Qwen3-Next-80B-A3B-Thinking")
    def generate(self, messages: list[ChatMessage], **kwargs: Any) -> ChatMessage:
        """The next message, which the mark understands."""
        return next(self.answers)


class GetWeather(Tool):
    """A tool as smolagents wants it."""

    name = "get_weather"
    description = "Looks up today's weather in a city."
    inputs = {"city": {"type": "string", "description": "Which city"}}  # noqa: RUF012 - smolagents reads it so
    output_type = "string"

    @trace_tool(name=name, description=description)
    def forward(self, city: str) -> str:
        """Look it up."""
        return f"14 °C and rain in {city}"


class Assistant(ToolCallingAgent):
    """The agent, with its run marked."""

    @trace_agent(name="assistant")
    def run(self, task: str, **kwargs: Any) -> Any:
        """Run ``task``."""
        return super().run(task, **kwargs)


with checked_run():
    agent = Assistant(tools=[GetWeather()], model=Scripted(), verbosity_level=LogLevel.OFF)
    print(agent.run("What is the weather in Oslo?"))
