"""Definitions of tools in any provider's shape become OpenInference's tools."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from agenttrace.capture.reserved import encode_reserved
from agenttrace.semconv.attributes import tool_attributes
from agenttrace.semconv.definitions import MOST_TOOLS, read_tools

from .hostile import HOSTILE, anything, assert_untouched, assert_valid, nested_in

quick = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])

TOOLS: dict[str, tuple[Any, list[dict[str, Any]]]] = {
    "OpenAI's": (
        [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {}}}],
        [
            {
                "json_schema": {"type": "function", "function": {"name": "f", "description": "d", "parameters": {}}},
                "name": "f",
                "description": "d",
            }
        ],
    ),
    "OpenAI's responses'": (
        [{"type": "function", "name": "f", "parameters": {}}],
        [{"json_schema": {"type": "function", "name": "f", "parameters": {}}, "name": "f"}],
    ),
    "Anthropic's": (
        [{"name": "f", "input_schema": {}}],
        [{"json_schema": {"name": "f", "input_schema": {}}, "name": "f"}],
    ),
    "Gemini's": (
        [{"functionDeclarations": [{"name": "f"}, {"name": "g"}], "googleSearch": {}}],
        [
            {"json_schema": {"name": "f"}, "name": "f"},
            {"json_schema": {"name": "g"}, "name": "g"},
            {"json_schema": {"googleSearch": {}}, "name": "googleSearch"},
        ],
    ),
    "Bedrock's": (
        [{"toolSpec": {"name": "f", "description": "d"}}],
        [{"json_schema": {"toolSpec": {"name": "f", "description": "d"}}, "name": "f", "description": "d"}],
    ),
    "one that the provider runs": (
        [{"type": "web_search_preview"}],
        [{"json_schema": {"type": "web_search_preview"}, "name": "web_search_preview"}],
    ),
    "OpenInference's": (
        [{"json_schema": '{"name":"f"}', "name": "f", "description": "d"}],
        [{"json_schema": '{"name":"f"}', "name": "f", "description": "d"}],
    ),
    "a name": (["search"], [{"json_schema": {"name": "search"}, "name": "search"}]),
    "a definition in JSON": (['{"name": "f"}'], [{"json_schema": '{"name": "f"}'}]),
    "a single one": ({"name": "f", "parameters": {}}, [{"json_schema": {"name": "f", "parameters": {}}, "name": "f"}]),
    "none": ([None], []),
}


@pytest.mark.parametrize(("tools", "expected"), TOOLS.values(), ids=TOOLS)
def test_definitions_of_tools_are_read(tools: Any, expected: list[dict[str, Any]]) -> None:
    """The whole definition is recorded as it is sent, and beside it the name and what the tool does."""
    assert read_tools(tools) == expected


def test_an_object_that_is_no_definition_is_not_opened() -> None:
    """A tool of the program's own may have its key beside its name."""

    class Search:
        def __init__(self) -> None:
            self.name = "search"
            self.description = "Searches."
            self.inputs = {"query": {"type": "string"}}
            self.api_key = "sk-1234"

    [tool] = read_tools([Search()])
    assert tool == {
        "json_schema": {"name": "search", "description": "Searches.", "inputs": {"query": {"type": "string"}}},
        "name": "search",
        "description": "Searches.",
    }
    assert "sk-1234" not in str(encode_reserved(tool_attributes([tool])))


@quick
@given(anything)
def test_anything_in_the_place_of_tools_is_recorded_validly(value: object) -> None:
    """Nothing raises, and what comes out can be sent and is OpenInference."""
    assert_valid(encode_reserved(tool_attributes(read_tools(value))))


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_what_resists_does_no_harm(make: Any) -> None:
    """Nothing of a foreign object is called while it is read, and the tools beside it are there."""
    value = make()
    tools = read_tools([value, {"name": value, "description": value}, {"name": "f"}])
    assert_untouched(value)
    assert tools[-1].get("name") == "f"
    assert_valid(encode_reserved(tool_attributes(tools)))


def test_very_many_tools_are_cut() -> None:
    """No model takes so many."""
    assert len(read_tools([{"name": "f"}] * 100_000)) == MOST_TOOLS


def test_deeply_nested_definitions_take_no_stack() -> None:
    """A schema may be as deep as it likes."""
    for name in ("function", "json_schema", "parameters", "function_declarations"):
        assert_valid(encode_reserved(tool_attributes(read_tools([nested_in(name, 10_000)]))))
