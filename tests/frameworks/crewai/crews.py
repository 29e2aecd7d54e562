"""Crews whose model is a scripted endpoint on this machine, which CrewAI's own OpenAI client talks to."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from crewai import LLM, Agent, Crew, Task
from crewai.events import crewai_event_bus
from crewai.tools import tool

from agenttrace import trace_step
from agenttrace.integrations.crewai import event_listener, remove_event_listener
from agenttrace.testing import CapturedSpans, capture_spans

loopback: Any = importlib.import_module("loopback")

Script = Callable[[Any], Any]


@tool("look_up")
def look_up(city: str) -> str:
    """Today's weather in a city."""
    with trace_step("reading", input=city) as step:
        if city == "Atlantis":
            raise LookupError("no such city")
        step.set_output("rain")
    return f"rain in {city}"


@contextmanager
def recorded() -> Iterator[CapturedSpans]:
    """What CrewAI runs in the block as spans; all of them are there when it is left."""
    event_listener()
    try:
        with capture_spans() as spans:
            yield spans
            assert crewai_event_bus.flush()
    finally:
        remove_event_listener()


@contextmanager
def model(script: Script, **options: Any) -> Iterator[Any]:
    """A model of CrewAI's own that answers as ``script`` says."""
    with loopback.serve(script) as url:
        yield LLM(model="openai/gpt-4o-mini", base_url=f"{url}/v1", api_key="none", **options)


def looks_up(*cities: str) -> Script:
    """A model that looks up the cities, all at once, and then says what it was told."""

    def script(asked: Any) -> Any:
        if asked.results or not asked.tools:
            return loopback.Reply(" ".join(result.text for result in asked.results) or "nothing")
        return loopback.Reply(calls=[loopback.Call("look_up", {"city": city}) for city in cities])

    return script


def fails(_: Any) -> Any:
    """A model that is down."""
    raise RuntimeError("the model is down")


def agent_of(llm: Any, role: str = "Scout", *tools: Any, **options: Any) -> Agent:
    """An agent with a name and no more of a character."""
    return Agent(role=role, goal="Be of use", backstory="None", llm=llm, tools=list(tools), **options)


def task_of(agent: Agent | None, name: str = "look", **options: Any) -> Task:
    """A task that says little."""
    return Task(name=name, description="The weather", expected_output="A few words", agent=agent, **options)


def crew_of(llm: Any, *tools: Any, **options: Any) -> Crew:
    """One agent with one task."""
    scout = agent_of(llm, "Scout", *(tools or (look_up,)))
    return Crew(name="weather", agents=[scout], tasks=[task_of(scout, **options)])
