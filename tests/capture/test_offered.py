"""What is offered to a model as a tool becomes a definition, where it isn't one already."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from agenttrace.capture.offered import as_definition
from agenttrace.capture.reserved import encode_reserved
from agenttrace.semconv.attributes import tool_attributes
from agenttrace.semconv.definitions import read_tools
from tests.semconv.hostile import HOSTILE, anything, assert_valid


def get_weather(city: str, days: int = 3) -> str:
    """The weather of a city.

    Args:
        city: Its name.
        days: How many.
    """
    return f"rain in {city} for {days} days"


class Forecaster:
    """Forecasts."""

    def weather(self, city: str) -> str:
        """The weather of a city."""
        return city

    def __call__(self, city: str) -> str:
        return city


class Search:
    """A tool of the program's own, which can be called too."""

    def __init__(self) -> None:
        self.name = "search"
        self.description = "Searches."
        self.parameters = {"type": "object"}
        self.api_key = "sk-1234"

    def __call__(self, query: str) -> str:
        return query


WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Its name."},
        "days": {"type": "integer", "default": 3, "description": "How many."},
    },
    "required": ["city"],
}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTIONS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "a function": (
        lambda: get_weather,
        {"name": "get_weather", "description": "The weather of a city.", "parameters": WEATHER},
    ),
    "a method": (
        lambda: Forecaster().weather,
        {"name": "weather", "description": "The weather of a city.", "parameters": CITY},
    ),
    "an object that can be called": (
        Forecaster,
        {"name": "Forecaster", "description": "Forecasts.", "parameters": CITY},
    ),
    "a partial, of which an argument is given": (
        lambda: functools.partial(get_weather, days=1),
        {
            "name": "get_weather",
            "description": "The weather of a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string", "description": "Its name."}},
                "required": ["city"],
            },
        },
    ),
}


@pytest.mark.parametrize(("make", "function"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_function_becomes_a_definition(make: Callable[[], Any], function: dict[str, Any]) -> None:
    """Its name, what its docstring says, and a schema of its arguments."""
    assert as_definition(make()) == {"type": "function", "function": function}


@pytest.mark.parametrize("tool", [{"name": "f"}, "search", {"type": "web_search"}, 5, None, object(), Search()])
def test_what_is_a_definition_or_nothing_that_is_known_stays_as_it_is(tool: object) -> None:
    """A mapping, a name, an object with a schema of its own, and whatever else there is."""
    assert as_definition(tool) is tool


def test_of_a_tool_of_the_program_s_own_only_the_definition_is_recorded() -> None:
    """It may have a key among its fields."""
    encoded = encode_reserved(tool_attributes(read_tools([as_definition(Search())])))
    assert encoded == {
        "llm.tools.0.tool.json_schema": '{"name":"search","description":"Searches.","parameters":{"type":"object"}}',
        "llm.tools.0.tool.name": "search",
        "llm.tools.0.tool.description": "Searches.",
    }


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_what_resists_does_no_harm(make: Callable[[], Any]) -> None:
    """Whatever is in the place of a tool, what is recorded of it is valid."""
    assert_valid(encode_reserved(tool_attributes(read_tools([as_definition(make())]))))


@given(anything)
def test_anything_can_be_offered(tool: object) -> None:
    """Nothing raises."""
    assert_valid(encode_reserved(tool_attributes(read_tools([as_definition(tool)]))))
