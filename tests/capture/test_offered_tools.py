"""The tools of frameworks become definitions in OpenAI's shape, without running what makes them."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic
import pytest
from anthropic import beta_tool
from google.genai import types as google_types
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, InjectedToolArg, StructuredTool
from langchain_core.tools import tool as langchain_tool
from smolagents import Tool as SmolagentsTool
from smolagents import tool
from smolagents.models import get_tool_json_schema

from agenttrace.capture.offered import as_definition
from agenttrace.readers.request import defined_tool

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@langchain_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return city


@langchain_tool
async def get_weather_soon(city: str) -> str:
    """The weather of a city."""
    return city


@langchain_tool
def get_my_weather(city: str, user: Annotated[str, InjectedToolArg], config: RunnableConfig) -> str:
    """The weather of a city."""
    return f"{city} {user} {config}"


class Weather(BaseTool):
    """A tool in the form of a class."""

    name: str = "get_weather"
    description: str = "The weather of a city."

    def _run(self, city: str) -> str:
        return city


SERVED = StructuredTool(name="get_weather", description="The weather of a city.", args_schema=CITY, func=lambda: None)


@pytest.mark.parametrize(
    "offered",
    [get_weather, get_weather_soon, get_my_weather, Weather(), SERVED],
    ids=["a function", "a coroutine", "one with arguments that LangChain fills in", "a class", "one with a schema"],
)
def test_a_tool_of_langchain_s_becomes_a_definition(offered: BaseTool) -> None:
    """What LangChain fills in itself is no argument for a model."""
    function: Any = as_definition(offered)
    assert function == {
        "type": "function",
        "function": {"name": offered.name, "description": "The weather of a city.", "parameters": CITY},
    }


@tool
def get_forecast(city: str, day: str | None = None) -> str:
    """The weather of a city.

    Args:
        city: Its name.
        day: The day, today if left out.
    """
    return f"{city} {day}"


class Anything(SmolagentsTool):  # type: ignore[misc]  # untyped where smolagents is not followed
    """A tool in the form of a class."""

    name = "anything"
    description = "Takes a value of any type."
    inputs = {"value": {"type": "any", "description": "The value."}}
    output_type = "string"

    def forward(self, value: Any) -> str:
        return str(value)


@pytest.mark.parametrize("offered", [get_forecast, Anything()], ids=["a function", "a class"])
def test_a_tool_of_smolagents_becomes_the_definition_that_it_sends(offered: SmolagentsTool) -> None:
    """Its own words for the inputs, and which of them may be left out."""
    assert defined_tool(offered, as_definition) == get_tool_json_schema(offered)


def test_a_class_of_pydantic_s_becomes_a_definition() -> None:
    """Some offer the arguments as a model."""

    class GetWeather(pydantic.BaseModel):
        """The weather of a city."""

        city: str

    assert as_definition(GetWeather) == {
        "type": "function",
        "function": {"name": "GetWeather", "description": "The weather of a city.", "parameters": CITY},
    }


def test_the_objects_of_clients_stay_as_they_are() -> None:
    """They are definitions."""

    @beta_tool
    def get_city_weather(city: str) -> str:
        """The weather of a city."""
        return city

    declared = google_types.FunctionDeclaration(name="f")
    for own in (get_city_weather, declared, google_types.Tool(function_declarations=[declared])):
        assert as_definition(own) is own
