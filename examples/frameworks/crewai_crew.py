"""A crew of CrewAI, marked by hand: a scout looks up the weather, a stylist says what to wear.

    pip install crewai
    python examples/frameworks/crewai_crew.py
    agenttrace show

The marks stand where CrewAI leaves room for code of one's own: ``@trace_agent`` on the function that starts the crew,
``@trace_llm`` on what a custom model calls, ``@trace_tool`` on a tool's function, whether that stands below ``@tool``
or is the ``_run`` of a ``BaseTool``. Without a key the model's answers are scripted; with ``OPENAI_API_KEY`` or
``OPENAI_BASE_URL`` set they are a real one's, which ``OPENAI_MODEL`` names.
"""

# CrewAI isn't installed where the whole project is type-checked, so its classes are Any to mypy there:
# mypy: disallow-subclassing-any=False, disallow-untyped-decorators=False

from __future__ import annotations

import json
import os
from typing import Any

# CrewAI reports to its makers unless it is told not to, before it is imported.
os.environ.setdefault("CREWAI_DISABLE_TELEMETRY", "true")
os.environ.setdefault("CREWAI_TRACING_ENABLED", "false")

from crewai import Agent, BaseLLM, Crew, Task
from crewai.tools import BaseTool, tool
from openai import OpenAI, omit

from agenttrace import register, trace_agent, trace_llm, trace_tool

FORECASTS = {"Oslo": "rain, 14 °C", "Rome": "sun, 29 °C"}


@tool("get_weather")
@trace_tool
def get_weather(city: str) -> str:
    """Today's weather in a city."""
    return FORECASTS[city]


class Wardrobe(BaseTool):
    """CrewAI calls a tool's ``_run``: that is what is marked."""

    name: str = "look_into_wardrobe"
    description: str = "What there is to wear in some weather."

    @trace_tool(name="look_into_wardrobe")
    def _run(self, weather: str) -> str:
        """What there is to wear in some weather."""
        return "a raincoat" if "rain" in weather else "a straw hat"


@trace_llm
def complete(messages: list[Any], tools: list[Any] | None, model: str) -> dict[str, Any]:
    """A chat completion: from an OpenAI-compatible endpoint where there is one, else as scripted below."""
    if os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL"):
        return OpenAI().chat.completions.create(messages=messages, tools=tools or omit, model=model).model_dump()
    return scripted(messages, tools or [])


class Model(BaseLLM):
    """A model behind CrewAI's own interface for custom ones."""

    def call(self, messages: Any, tools: list[Any] | None = None, *_: Any, **__: Any) -> Any:
        """The tool calls, or the answer."""
        message = complete(messages, tools, self.model)["choices"][0]["message"]
        return message.get("tool_calls") or message["content"]

    def supports_function_calling(self) -> bool:
        """CrewAI then hands over the tools, and runs what is called."""
        return True


def scripted(messages: list[Any], tools: list[Any]) -> dict[str, Any]:
    """What a model would answer: it calls the tool that it has, and then says what that said."""
    said = messages[-1]["content"]
    if messages[-1]["role"] == "tool":
        message: dict[str, Any] = {"content": f"Take {said}." if said.startswith("a ") else said}
    else:
        name = tools[0]["function"]["name"]
        arguments = json.dumps({"city": "Oslo"} if name == "get_weather" else {"weather": "rain, 14 °C"})
        function = {"name": name, "arguments": arguments}
        message = {"content": None, "tool_calls": [{"id": f"call_{name}", "type": "function", "function": function}]}
    counts = {"prompt_tokens": 20 * len(messages), "completion_tokens": 8, "total_tokens": 20 * len(messages) + 8}
    reason = "tool_calls" if "tool_calls" in message else "stop"
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", **message}}
    return {"object": "chat.completion", "model": "scripted", "choices": [choice], "usage": counts}


def make_crew() -> Crew:
    """Two agents with a tool and a task each."""
    llm = Model(model=os.environ.get("OPENAI_MODEL", "gpt-4o-mini"))
    scout = Agent(role="Scout", goal="Know the weather", backstory="Looks up.", llm=llm, tools=[get_weather])
    stylist = Agent(role="Stylist", goal="Dress people", backstory="Has taste.", llm=llm, tools=[Wardrobe()])
    look = Task(name="look", description="The weather in {city}", expected_output="A few words", agent=scout)
    dress = Task(name="dress", description="What to wear in {city}", expected_output="One sentence", agent=stylist)
    return Crew(name="packing", agents=[scout, stylist], tasks=[look, dress])


@trace_agent(name="packing")
def pack_for(city: str) -> str:
    """What to wear in ``city``."""
    return str(make_crew().kickoff(inputs={"city": city}))


def main() -> None:
    """Pack for Oslo."""
    register(project_name="crewai")
    print(pack_for("Oslo"))


if __name__ == "__main__":
    main()
