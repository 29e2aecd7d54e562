"""Scripted runs of smolagents' agents, to be made once with the plain classes and once with the traced ones."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from openinference.instrumentation import using_attributes
from PIL import Image
from smolagents import LogLevel, tool

from .scripted import ScriptedModel, call, calls, code, get_weather, text
from .scripted_openai import openai_model

__all__ = ["SCENARIOS", "Classes"]


class Classes(NamedTuple):
    """The classes of agents to make a run with."""

    code_agent: Any
    tool_calling_agent: Any


@tool
def both(name: str) -> str:
    """Wait until there are two callers, so that they run at the same time.

    Args:
        name: Who calls.
    """
    _meeting.wait(timeout=30)
    return f"{name} was here"


@tool
def list_cities(country: str, limit: int = 2) -> list:  # type: ignore[type-arg]
    """List a country's cities.

    Args:
        country: Which country.
        limit: How many at most.
    """
    return ["Oslo", "Bergen", "Trondheim"][:limit]


@tool
def count_cities(country: str) -> int:
    """Count a country's cities.

    Args:
        country: Which country.
    """
    return 3


@tool
def draw(color: str) -> object:
    """Draw a square.

    Args:
        color: In which color.
    """
    return Image.new("RGB", (2, 2), color)


draw.output_type = "image"


@tool
def ask_others(city: str) -> str:
    """Ask another tool, and then a model.

    Args:
        city: Which city.
    """
    said = get_weather(city)
    return str(openai_model(text(f"In short: {said}")).generate([{"role": "user", "content": said}]).content)


_meeting = threading.Barrier(2)
_QUIET: dict[str, Any] = {"verbosity_level": LogLevel.OFF}


def _single(classes: Classes) -> None:
    model = openai_model(call("get_weather", city="Oslo"), call("final_answer", answer="Rain."))
    classes.tool_calling_agent([get_weather], model, **_QUIET).run("What is the weather in Oslo?")


def _second(classes: Classes) -> None:
    model = openai_model(call("final_answer", answer="Rain."), call("final_answer", answer="Sun."))
    agent = classes.tool_calling_agent([], model, **_QUIET)
    agent.run("What is the weather in Oslo?")
    agent.run("And in Rome?", reset=False)


def _code(classes: Classes) -> None:
    model = openai_model(
        code("found = list_cities('Norway', limit=3)\nprint(get_weather(city=found[0]))\ncount_cities('Norway')"),
        code("final_answer('Rain.')"),
    )
    agent = classes.code_agent([get_weather, list_cities, count_cities], model, **_QUIET)
    agent.run("What is the weather in Norway?", additional_args={"country": "Norway"}, max_steps=5)


def _managed(classes: Classes) -> None:
    helper = classes.tool_calling_agent(
        [get_weather],
        openai_model(call("get_weather", city="Oslo"), call("final_answer", answer="Rain.")),
        name="helper",
        description="Knows the weather.",
        **_QUIET,
    )
    model = openai_model(code("print(helper('The weather in Oslo?'))"), code("final_answer('Take an umbrella.')"))
    manager = classes.code_agent([], model, managed_agents=[helper], name="manager", max_steps=4, **_QUIET)
    manager.run("Do I need an umbrella in Oslo?")


def _managed_by_call(classes: Classes) -> None:
    helper = classes.tool_calling_agent(
        [], openai_model(call("final_answer", answer="Rain.")), name="helper", description="Knows.", **_QUIET
    )
    model = openai_model(call("helper", task="The weather in Oslo?"), call("final_answer", answer="Rain."))
    classes.tool_calling_agent([], model, managed_agents=[helper], **_QUIET).run("Do I need an umbrella in Oslo?")


def _parallel(classes: Classes) -> None:
    model = openai_model(
        calls(("both", {"name": "Ada"}), ("both", {"name": "Bob"})), call("final_answer", answer="Both.")
    )
    classes.tool_calling_agent([both], model, **_QUIET).run("Who was here?")


def _streamed(classes: Classes) -> None:
    model = openai_model(call("get_weather", city="Oslo"), call("final_answer", answer="Rain."))
    agent = classes.tool_calling_agent([get_weather], model, stream_outputs=True, **_QUIET)
    list(agent.run("What is the weather in Oslo?", stream=True))


def _streamed_code(classes: Classes) -> None:
    model = openai_model(code("print(get_weather('Oslo'))"), code("final_answer('Rain.')"))
    agent = classes.code_agent([get_weather], model, stream_outputs=True, **_QUIET)
    list(agent.run("What is the weather in Oslo?", stream=True))


def _abandoned(classes: Classes) -> None:
    model = openai_model(call("get_weather", city="Oslo"), call("final_answer", answer="Rain."))
    stream = classes.tool_calling_agent([get_weather], model, **_QUIET).run("What is the weather?", stream=True)
    next(stream)
    stream.close()


def _tool_error(classes: Classes) -> None:
    model = openai_model(
        call("get_weather", city="Nowhere"), call("no_such_tool"), call("final_answer", answer="I can't say.")
    )
    classes.tool_calling_agent([get_weather], model, **_QUIET).run("What is the weather in Nowhere?")


def _code_error(classes: Classes) -> None:
    model = openai_model(
        code("print(get_weather('Oslo'))\n1 / 0"),
        code("get_weather('Nowhere')"),
        text("no code at all"),
        code("final_answer('Rain.')"),
    )
    classes.code_agent([get_weather], model, **_QUIET).run("What is the weather?")


def _max_steps(classes: Classes) -> None:
    model = openai_model(call("get_weather", city="Oslo"), text("It rains, it seems."))
    classes.tool_calling_agent([get_weather], model, max_steps=1, **_QUIET).run("What is the weather?")


def _model_error(classes: Classes) -> None:
    classes.tool_calling_agent([get_weather], openai_model(500), **_QUIET).run("What is the weather?")


def _streamed_model_error(classes: Classes) -> None:
    agent = classes.tool_calling_agent([get_weather], openai_model(500), stream_outputs=True, **_QUIET)
    list(agent.run("What is the weather?", stream=True))


def _images(classes: Classes) -> None:
    picture = Image.new("RGB", (2, 2), "red")
    model = openai_model(call("final_answer", answer="A red square."))
    classes.tool_calling_agent([], model, **_QUIET).run("What is in the picture?", images=[picture])


def _drawing(classes: Classes) -> None:
    model = openai_model(call("draw", color="red"), call("final_answer", answer="image.png"))
    classes.tool_calling_agent([draw], model, **_QUIET).run("Draw a red square.")


def _own_calls(classes: Classes) -> None:
    model = openai_model(call("ask_others", city="Oslo"), call("final_answer", answer="Rain."))
    classes.tool_calling_agent([ask_others], model, **_QUIET).run("What is the weather?")


def _planning(classes: Classes) -> None:
    model = openai_model(text("Ask for the weather."), call("final_answer", answer="Rain."))
    classes.tool_calling_agent([get_weather], model, planning_interval=3, **_QUIET).run("What is the weather?")


def _checks(classes: Classes) -> None:
    def names_a_city(answer: Any, memory: Any, agent: Any = None) -> bool:
        return "Oslo" in str(answer)

    model = openai_model(call("final_answer", answer="Rain."), call("final_answer", answer="Rain in Oslo."))
    agent = classes.tool_calling_agent([], model, final_answer_checks=[names_a_city], **_QUIET)
    agent.run("What is the weather?", return_full_result=True)


def _thoughts(classes: Classes) -> None:
    model = openai_model(code("final_answer(42)"), thoughts="Six times seven.", max_tokens=50)
    agent = classes.code_agent([], model, use_structured_outputs_internally=False, **_QUIET)
    agent.run("What is six times seven?")


def _session(classes: Classes) -> None:
    model = openai_model(code("final_answer(get_weather('Oslo'))"))
    with using_attributes(session_id="s-1", user_id="ada", metadata={"attempt": 2}, tags=["retry"]):
        classes.code_agent([get_weather], model, **_QUIET).run("What is the weather?")


def _own_model(classes: Classes) -> None:
    model = ScriptedModel(call("get_weather", city="Oslo"), call("final_answer", answer="Rain."), temperature=0.1)
    classes.tool_calling_agent([get_weather], model, **_QUIET).run("What is the weather?")


SCENARIOS: dict[str, Callable[[Classes], None]] = {
    "single": _single,
    "a second run": _second,
    "code": _code,
    "managed": _managed,
    "managed by a tool call": _managed_by_call,
    "parallel tools": _parallel,
    "streaming": _streamed,
    "streaming code": _streamed_code,
    "an abandoned stream": _abandoned,
    "a failing tool": _tool_error,
    "failing code": _code_error,
    "no step left": _max_steps,
    "a failing model": _model_error,
    "a failing model, streaming": _streamed_model_error,
    "images": _images,
    "a drawing": _drawing,
    "calls within a tool": _own_calls,
    "planning": _planning,
    "checks": _checks,
    "thoughts": _thoughts,
    "a session": _session,
    "a model of one's own": _own_model,
}
"""The runs, by what is special in them. Two end with an error, which the caller is to catch."""
