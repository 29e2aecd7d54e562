"""An agent of the OpenAI Agents SDK that hands over to a second one, traced by marks alone: nothing is patched.

    pip install openai-agents
    python examples/frameworks/openai_agents_sdk.py

``@trace_tool`` stands under ``@function_tool``, ``@trace_agent`` on the function that runs the agents, and
``@trace_llm`` on a subclass of the model, for the two methods of the SDK's ``Model`` interface. The model is the SDK's
own ``ScriptedModel``, so that no key and no network are needed; with ``OPENAI_API_KEY`` set it is OpenAI's.
"""

# The SDK isn't installed where this is type-checked, so its classes and decorators are Any to mypy:
# mypy: disallow-subclassing-any=False, disallow-untyped-decorators=False

from __future__ import annotations

import asyncio
import os

from agents import Agent, Model, OpenAIResponsesModel, Runner, function_tool, handoff, set_tracing_disabled
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call
from agents.usage import Usage
from openai import AsyncOpenAI

from agenttrace import register, trace_agent, trace_llm, trace_step, trace_tool

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
WEATHER = {"Oslo": "14 °C and rain", "Rome": "27 °C and sun"}


@trace_llm(method="get_response", name="ask", model="scripted")
@trace_llm(method="stream_response", name="ask", model="scripted")
class TracedScriptedModel(ScriptedModel):
    """The SDK's model for tests, its calls on record."""


@trace_llm(method="get_response", name="ask", model=MODEL)
@trace_llm(method="stream_response", name="ask", model=MODEL)
class TracedResponsesModel(OpenAIResponsesModel):
    """OpenAI's, in the same way."""


@function_tool
@trace_tool
def get_weather(city: str) -> str:
    """Look up today's weather in a city.

    Args:
        city: Its name, in English.
    """
    return f"{city}: {WEATHER[city]}"


@trace_step(name="hand over to the forecaster", capture_input=False)
def note_handover(context: object) -> None:
    """The SDK calls this when the first agent hands over."""


@trace_agent(name="weather desk")
async def answer(question: str) -> str:
    """Have the receptionist, and whoever it hands over to, answer ``question``."""
    model = make_model()
    forecaster = Agent("Forecaster", instructions="Answer from the tool.", model=model, tools=[get_weather])
    receptionist = Agent(
        "Receptionist",
        instructions="Hand questions about the weather over to the forecaster.",
        model=model,
        handoffs=[handoff(forecaster, on_handoff=note_handover)],
    )
    result = await Runner.run(receptionist, question)
    return str(result.final_output)


def make_model() -> Model:
    """OpenAI's model where there is a key, else one that says what it was told to."""
    if os.environ.get("OPENAI_API_KEY"):
        return TracedResponsesModel(MODEL, AsyncOpenAI())
    cities = {f"call_{number}": city for number, city in enumerate(WEATHER, 1)}
    asked = [function_call("get_weather", {"city": city}, call_id=call_id) for call_id, city in cities.items()]
    said = assistant_message("It rains in Oslo, and the sun shines in Rome.")
    return TracedScriptedModel(
        [
            ModelStep([function_call("transfer_to_forecaster", {}, call_id="call_0")], Usage(1, 61, output_tokens=9)),
            ModelStep(asked, Usage(1, 84, output_tokens=22)),
            ModelStep([said], Usage(1, 121, output_tokens=14)),
        ]
    )


if __name__ == "__main__":
    # The SDK sends traces of its own to OpenAI unless it is told not to.
    set_tracing_disabled(True)
    register(project_name="openai-agents")
    print(asyncio.run(answer("What is the weather in Oslo and in Rome?")))
