"""An agent: one tree from the question to the answer, with each step and tool call where it happened."""

from __future__ import annotations

import asyncio
import re

from checked import checked_run

from agenttrace import trace_agent, trace_step, trace_tool

WEATHER = {"Oslo": "14 °C and rain", "Rome": "27 °C and sun"}


@trace_tool
async def get_weather(city: str) -> str:
    """Look up today's weather in a city."""
    await asyncio.sleep(0)  # where a request would be waited for
    return f"{city}: {WEATHER[city]}"


@trace_agent(name="travel agent")
async def advise(question: str) -> str:
    """Answer a question about the weather."""
    with trace_step("find the cities", input=question) as step:
        cities = [word for word in re.findall(r"\w+", question) if word in WEATHER]
        step.set_output(cities)
    reports = await asyncio.gather(*map(get_weather, cities))  # side by side, and both below the agent
    return "; ".join(reports)


with checked_run():
    print(asyncio.run(advise("Should I travel to Oslo or to Rome today?")))
