"""The tools of the providers' own client libraries go in as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic.types as anthropic_types
import cohere
import ollama
import openai
import pydantic
import pytest
from google.genai import types as google_types
from mistralai.client import models as mistral_models
from openai.types.responses import FunctionTool

from agenttrace.capture.reserved import encode_reserved
from agenttrace.semconv.attributes import tool_attributes
from agenttrace.semconv.definitions import read_tools

from .hostile import assert_valid


class GetWeather(pydantic.BaseModel):
    """The weather of a city."""

    city: str


TOOLS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "OpenAI's from a model of pydantic": (
        lambda: openai.pydantic_function_tool(GetWeather, name="get_weather"),
        {"name": "get_weather", "description": "The weather of a city."},
    ),
    "OpenAI's responses'": (
        lambda: FunctionTool(type="function", name="f", parameters={"type": "object"}, strict=True),
        {
            "name": "f",
            "json_schema": {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True},
        },
    ),
    "Google's declaration": (
        lambda: google_types.FunctionDeclaration(
            name="f",
            description="d",
            parameters=google_types.Schema(
                type=google_types.Type.OBJECT, properties={"a": google_types.Schema(type=google_types.Type.STRING)}
            ),
        ),
        {
            "name": "f",
            "description": "d",
            "json_schema": {
                "name": "f",
                "description": "d",
                "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
            },
        },
    ),
    "a tool that Google runs": (
        lambda: google_types.Tool(google_search=google_types.GoogleSearch()),
        {"name": "google_search", "json_schema": {"google_search": {}}},
    ),
    "Mistral's": (
        lambda: mistral_models.Tool(function=mistral_models.Function(name="f", parameters={"type": "object"})),
        {"name": "f"},
    ),
    "Cohere's": (
        lambda: cohere.ToolV2(type="function", function=cohere.ToolV2Function(name="f", parameters={"type": "object"})),
        {"name": "f"},
    ),
    "Ollama's": (
        lambda: ollama.Tool(type="function", function=ollama.Tool.Function(name="f", description="d")),
        {"name": "f", "description": "d"},
    ),
    "Anthropic's": (
        lambda: anthropic_types.ToolParam(name="f", description="d", input_schema={"type": "object"}),
        {
            "name": "f",
            "description": "d",
            "json_schema": {"name": "f", "description": "d", "input_schema": {"type": "object"}},
        },
    ),
}


@pytest.mark.parametrize(("make", "expected"), TOOLS.values(), ids=TOOLS)
def test_the_tools_of_a_client_are_read(make: Callable[[], Any], expected: dict[str, Any]) -> None:
    """Fields that aren't set are left out of the definition, which is JSON."""
    [tool] = read_tools([make()])
    assert {name: tool[name] for name in expected} == expected  # type: ignore[literal-required]
    encoded = encode_reserved(tool_attributes([tool]))
    assert_valid(encoded)
    assert "null" not in str(encoded["llm.tools.0.tool.json_schema"])


def test_several_declarations_in_one_object_are_so_many_tools() -> None:
    """Google's tool holds a list of them."""
    declared = [google_types.FunctionDeclaration(name=name) for name in ("f", "g")]
    tool = google_types.Tool(function_declarations=declared, google_search=google_types.GoogleSearch())
    assert [each["name"] for each in read_tools([tool])] == ["f", "g", "google_search"]
