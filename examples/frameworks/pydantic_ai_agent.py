"""An agent of Pydantic AI with tools, dependencies and a typed answer, traced by marks alone: nothing is patched.

    pip install pydantic-ai-slim
    python examples/frameworks/pydantic_ai_agent.py

``@trace_tool`` stands on what the tool does, ``@trace_llm`` on a ``WrapperModel`` that any model goes into, and
``@trace_agent`` on the function that runs the agent. The model is Pydantic AI's own ``FunctionModel`` with a script, so
that no key and no network are needed; with ``OPENAI_API_KEY`` set it is OpenAI's (``pip install
"pydantic-ai-slim[openai]"``).
"""

# Pydantic AI isn't installed where this is type-checked, so its classes and decorators are Any to mypy:
# mypy: disallow-subclassing-any=False, disallow-untyped-decorators=False

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic_ai import Agent, RunContext
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart, ToolReturnPart
from pydantic_ai.models import Model, infer_model
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.wrapper import WrapperModel

from agenttrace import register, trace_agent, trace_llm, trace_tool


@dataclass
class Station:
    """What the tools work with: here measured temperatures, elsewhere a client or a database."""

    temperatures: dict[str, float]

    @trace_tool(name="measure")
    def measure(self, city: str) -> float:
        """Measure the temperature in a city."""
        return self.temperatures[city]


class Comparison(BaseModel):
    """What the agent is to answer."""

    warmer: str
    difference: float


@trace_llm(method="request", name="ask")
class TracedModel(WrapperModel):
    """Any model of Pydantic AI's, its requests on record."""


agent = Agent(deps_type=Station, output_type=Comparison, instructions="Compare what the tool measures.")


@agent.tool
def measure(ctx: RunContext[Station], city: str) -> float:
    """Measure the temperature in a city."""
    station: Station = ctx.deps
    return station.measure(city)


@trace_agent(name="comparer")
async def compare(question: str, station: Station) -> Comparison:
    """Have the agent answer ``question``."""
    result = await agent.run(question, deps=station, model=TracedModel(make_model()))
    answer: Comparison = result.output
    return answer


def make_model() -> Model:
    """OpenAI's model where there is a key, else one that follows a script."""
    if os.environ.get("OPENAI_API_KEY"):
        return infer_model(f"openai:{os.environ.get('OPENAI_MODEL', 'gpt-4o-mini')}")
    return FunctionModel(follow_script, model_name="scripted")


def follow_script(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """Measure both cities, then answer from what was measured."""
    parts = messages[-1].parts
    measured = [part.content for part in parts if isinstance(part, ToolReturnPart) and isinstance(part.content, float)]
    if not measured:
        return ModelResponse([ToolCallPart("measure", {"city": city}) for city in ("Oslo", "Lima")])
    oslo, lima = measured
    answer = {"warmer": "Lima" if lima > oslo else "Oslo", "difference": abs(lima - oslo)}
    return ModelResponse([ToolCallPart(info.output_tools[0].name, answer)])


if __name__ == "__main__":
    register(project_name="pydantic-ai")
    print(asyncio.run(compare("Is Oslo or Lima warmer?", Station({"Oslo": 4.5, "Lima": 19.0}))))
