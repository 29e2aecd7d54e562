"""What goes into a model call is read from the arguments by the names that people give them, and no more than that."""

from __future__ import annotations

import dataclasses
import string
import warnings
from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import anthropic
import numpy as np
import openai
import pandas as pd
import pydantic
import pytest
from google import genai
from google.genai import types as google_types
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.tools import tool
from mistralai.client import models as mistral_models
from smolagents import OpenAIModel

from agenttrace.capture.offered import as_definition
from agenttrace.capture.reserved import encode_reserved
from agenttrace.readers import Reader, register_reader, unregister_reader
from agenttrace.readers.request import model_of, read_request
from agenttrace.semconv.attributes import model_call_attributes
from tests.semconv.hostile import HOSTILE, a_generator, anything, assert_untouched, assert_valid

quick = settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

KEY = "sk-1234567890"
USER = {"role": "user", "content": "Weather?"}
SYSTEM = {"role": "system", "content": "Be brief."}


@dataclasses.dataclass
class Request:
    """A request as an object of the program's own."""

    messages: list[dict[str, Any]]
    model: str = "gpt-4o"
    temperature: float = 0.5
    api_key: str = KEY


class ChatRequest(pydantic.BaseModel):
    """A request as a web service takes it."""

    prompt: str
    max_tokens: int = 100


def google_config() -> google_types.GenerateContentConfig:
    return google_types.GenerateContentConfig(
        temperature=0.5,
        system_instruction=google_types.Content(role="user", parts=[google_types.Part(text="Be brief.")]),
        tools=[google_types.Tool(function_declarations=[google_types.FunctionDeclaration(name="f")])],
        http_options=google_types.HttpOptions(headers={"x-goog-api-key": KEY}),
    )


MESSAGES: dict[str, tuple[dict[str, Any], list[dict[str, Any]] | None]] = {
    "messages": ({"messages": [SYSTEM, USER]}, [SYSTEM, USER]),
    "messages in a tuple": ({"messages": (USER,)}, [USER]),
    "a prompt": ({"prompt": "Weather?"}, [USER]),
    "a question": ({"question": "Weather?", "language": "en"}, [USER]),
    "a text": ({"text": "Weather?"}, [USER]),
    "one text by any name": ({"q": "Weather?", "n": 3}, [USER]),
    "one conversation by any name": ({"turns": [USER], "user": "ann"}, [USER]),
    "two texts by any name": ({"a": "Weather?", "b": "Climate?"}, None),
    "one message": ({"message": USER}, [USER]),
    "messages before a prompt": ({"prompt": "Climate?", "messages": [USER]}, [USER]),
    "instructions": ({"system": "Be brief.", "messages": [USER]}, [SYSTEM, USER]),
    "instructions in blocks": (
        {"system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}], "messages": [USER]},
        [SYSTEM, USER],
    ),
    "instructions as a message": ({"system_message": SystemMessage("Be brief."), "messages": [USER]}, [SYSTEM, USER]),
    "instructions of a user's role": (
        {"system_instruction": {"role": "user", "parts": [{"text": "Be brief."}]}, "contents": "Weather?"},
        [SYSTEM, USER],
    ),
    "instructions that are none": ({"system": object(), "messages": [USER]}, [USER]),
    "a history and a question": (
        {"question": "Weather?", "chat_history": [("human", "Hi"), ("ai", "Hello")]},
        [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}, USER],
    ),
    "a text to OpenAI's responses": ({"instructions": "Be brief.", "input": "Weather?"}, [SYSTEM, USER]),
    "items to OpenAI's responses": (
        {
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
                {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "1", "output": "rain"},
            ]
        },
        [
            USER,
            {"role": "assistant", "tool_calls": [{"id": "1", "name": "f", "arguments": "{}"}]},
            {"role": "tool", "tool_call_id": "1", "content": "rain"},
        ],
    ),
    "Google's contents": (
        {"contents": [google_types.Content(role="user", parts=[google_types.Part(text="Weather?")])]},
        [USER],
    ),
    "texts to Google, which makes one message of them": (
        {"contents": ["Weather?", "In Oslo."]},
        [{"role": "user", "contents": [{"type": "text", "text": "Weather?"}, {"type": "text", "text": "In Oslo."}]}],
    ),
    "a text and a picture to Google": (
        {"contents": ["Weather?", google_types.Part.from_bytes(data=b"\0\0\0", mime_type="image/png")]},
        [
            {
                "role": "user",
                "contents": [
                    {"type": "text", "text": "Weather?"},
                    {"type": "image", "url": "data:image/png;base64,AAAA"},
                ],
            }
        ],
    ),
    "Google's configuration": ({"contents": "Weather?", "config": google_config()}, [SYSTEM, USER]),
    "LangChain's messages": ({"messages": [SystemMessage("Be brief."), HumanMessage("Weather?")]}, [SYSTEM, USER]),
    "a prompt of LangChain's that is filled": (
        {"prompt": ChatPromptTemplate.from_messages([("user", "Weather?")]).invoke({})},
        [USER],
    ),
    "a template of a prompt": ({"prompt": PromptTemplate.from_template("In {city}?"), "question": "Weather?"}, [USER]),
    "a template of a conversation": (
        {"prompt": ChatPromptTemplate.from_messages([("user", "In {city}?")]), "q": "Weather?"},
        [USER],
    ),
    "a template of Python's": ({"prompt": string.Template("In $city?"), "q": "Weather?"}, [USER]),
    "prompts to be completed": (
        {"prompt": ["a", "b"]},
        [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
    ),
    "tokens to be completed": ({"prompt": [15339, 1917]}, None),
    "Mistral's messages": ({"messages": [mistral_models.UserMessage(content="Weather?")]}, [USER]),
    "a request in keywords": ({"kwargs": {"messages": [USER], "api_key": KEY}}, [USER]),
    "a request as a mapping": ({"request": {"input": "Weather?", "model": "m"}}, [USER]),
    "the state of a graph": ({"state": {"messages": [USER], "step": 3}}, [USER]),
    "a request as a dataclass": ({"request": Request([USER])}, [USER]),
    "a request as a model of pydantic": ({"request": ChatRequest(prompt="Weather?")}, [USER]),
    "messages in a mapping by that name": ({"messages": {"messages": [USER]}}, [USER]),
    "an argument before one in a mapping": ({"body": {"prompt": "Climate?"}, "prompt": "Weather?"}, [USER]),
    "a generator of messages": ({"messages": a_generator()}, None),
    "a data frame of messages": ({"messages": pd.DataFrame({"role": ["user"], "content": ["a"]})}, None),
    "a series": ({"text": pd.Series(["a"])}, None),
    "an array of messages": ({"messages": np.array([USER])}, None),
    "an array of texts": ({"prompt": np.array(["a", "b"])}, None),
    "what answers to everything": ({"messages": MagicMock(), "prompt": MagicMock(), "client": MagicMock()}, None),
    "a key alone": ({"api_key": KEY}, None),
    "a token alone": ({"access_token": KEY}, None),
    "a key beside the text": ({"openai_api_key": KEY, "q": "Weather?"}, [USER]),
    "a model's name alone": ({"model": "gpt-4o"}, None),
    "an address alone": ({"base_url": "http://localhost:8000"}, None),
    "nothing": ({}, None),
}


@pytest.mark.parametrize(("arguments", "expected"), MESSAGES.values(), ids=MESSAGES)
def test_the_conversation_is_found(arguments: dict[str, Any], expected: list[dict[str, Any]] | None) -> None:
    """By the arguments' names, or because nothing else can be meant."""
    call = read_request(arguments)
    assert call.get("input_messages") == expected
    assert KEY not in str(call)


def test_nothing_of_the_arguments_is_consumed_or_changed() -> None:
    """A generator is still there for the program, and the messages are as they were."""
    messages, arguments = a_generator(), {"messages": [dict(USER)], "kwargs": {"temperature": 0}}
    read_request({"messages": messages})
    assert len(list(messages)) == 1
    read_request(arguments)
    assert arguments == {"messages": [USER], "kwargs": {"temperature": 0}}


PARAMETERS: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "by name": ({"q": "a", "temperature": 0, "max_tokens": 5}, {"temperature": 0, "max_tokens": 5}),
    "with the model": ({"model": "gpt-4o", "temperature": 0}, {"model": "gpt-4o", "temperature": 0}),
    "in keywords": ({"messages": [], "kwargs": {"temperature": 0, "api_key": KEY}}, {"temperature": 0}),
    "in keywords with the model": (
        {"kwargs": {"model": "m", "stop": ["a"], "api_key": KEY, "extra_headers": {"x": KEY}}},
        {"model": "m", "stop": ["a"]},
    ),
    "in a configuration": ({"generation_config": {"topP": 0.5, "apiKey": KEY}}, {"topP": 0.5}),
    "in Google's configuration": ({"config": google_config()}, {"temperature": 0.5}),
    "in a request": ({"request": Request([USER])}, {"model": "gpt-4o", "temperature": 0.5}),
    "a mapping that is a parameter itself": (
        {"response_format": {"type": "json_schema", "model": "x"}},
        {"response_format": {"type": "json_schema", "model": "x"}},
    ),
    "that aren't set": (
        {"temperature": openai.NOT_GIVEN, "top_p": anthropic.NOT_GIVEN, "stop": openai.omit, "seed": ..., "n": None},
        None,
    ),
    "that nobody knows": ({"api_key": KEY, "base_url": "http://x", "headers": {"a": KEY}, "user": "ann"}, None),
}


@pytest.mark.parametrize(("arguments", "expected"), PARAMETERS.values(), ids=PARAMETERS)
def test_parameters_are_those_that_are_known_and_no_keys(
    arguments: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    """What has a value that somebody set."""
    call = read_request(arguments)
    assert call.get("invocation_parameters") == expected
    assert KEY not in str(call)
    assert KEY not in str(encode_reserved(model_call_attributes(call)))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"model": "gpt-4o"}, "gpt-4o"),
        ({"model_id": "m"}, "m"),
        ({"deployment": "d"}, "d"),
        ({"model": OpenAIModel("gpt-4o", api_key=KEY)}, "gpt-4o"),
        ({"model": {"model_name": "m"}}, "m"),
        ({"model": ChatRequest}, None),
        ({"model": ""}, None),
        ({"model": 5}, None),
        ({"model": MagicMock()}, None),
        ({}, None),
    ],
)
def test_the_model_is_a_name_or_what_an_object_has_as_its_name(arguments: dict[str, Any], expected: str | None) -> None:
    """A class of an answer, say, is no model's name."""
    assert model_of(arguments) == expected


def google_client() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return genai.Client(api_key=KEY)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: {"client": openai.OpenAI(api_key=KEY)}, "openai"),
        (lambda: {"openai_client": openai.OpenAI(api_key=KEY, base_url="https://api.groq.com/openai/v1")}, "groq"),
        (lambda: {"llm": google_client()}, "google"),
        (lambda: {"model": OpenAIModel("m", api_key=KEY)}, "openai"),
        (lambda: {"base_url": "https://api.mistral.ai/v1", "client": openai.OpenAI(api_key=KEY)}, "mistralai"),
        (lambda: {"client": "openai"}, None),
        (lambda: {"client": openai.OpenAI(api_key=KEY, base_url="http://localhost:1")}, None),
        (lambda: {"database": openai.OpenAI(api_key=KEY)}, None),
        (lambda: {"client": MagicMock()}, None),
    ],
    ids=["client", "x_client", "llm", "a model object", "an address", "a name", "a server", "another name", "a mock"],
)
def test_the_provider_is_told_by_an_address_or_a_client(
    make: Callable[[], dict[str, Any]], expected: str | None
) -> None:
    """Of a client's object only where it connects is looked at."""
    call = read_request(make())
    assert call.get("provider") == expected
    assert KEY not in str(call)


def get_weather(city: str) -> str:
    """The weather of a city."""
    return city


DEFINITION = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.mark.parametrize(
    "tools",
    [
        [get_weather],
        (tool(get_weather),),
        [DEFINITION],
        [{"type": "function", "function": DEFINITION["function"]}],
    ],
    ids=["a function", "LangChain's", "a definition", "another one"],
)
def test_tools_are_read_in_whichever_form(tools: Any) -> None:
    """A function's schema is read from its signature, a framework's tool by the reader that knows it."""
    [read] = read_request({"q": "a", "tools": tools}, as_definition)["tools"]
    assert read == {"json_schema": DEFINITION, "name": "get_weather", "description": "The weather of a city."}


def test_google_s_tools_are_read_from_its_configuration() -> None:
    """It has them, as most else, in one object."""
    [read] = read_request({"contents": "a", "config": google_config()}, as_definition)["tools"]
    assert read == {"json_schema": {"name": "f"}, "name": "f"}


@pytest.mark.parametrize("tools", [[], None, "search", 5, {"f": get_weather}, a_generator()])
def test_what_is_no_list_of_tools_is_none(tools: Any) -> None:
    """A generator isn't read, and nothing is made up."""
    assert "tools" not in read_request({"tools": tools}, as_definition)


def test_a_reader_of_one_s_own_reads_tools_in_a_form_of_its_own() -> None:
    """It is asked before all others; one that fails is none."""

    class Acme:
        name = "acme"

    class AcmeReader(Reader):
        def reads(self, response: object) -> bool:
            return isinstance(response, Acme)

        def read(self, response: object) -> Any:
            return {}

        def reads_tool(self, offered: object) -> bool:
            return isinstance(offered, Acme)

        def read_tool(self, offered: object) -> dict[str, object]:
            if self.fails:
                raise LookupError
            return {"name": "acme_search"}

        fails = False

    reader = register_reader(AcmeReader())
    try:
        assert read_request({"tools": [Acme()]}, as_definition)["tools"] == [
            {"json_schema": {"name": "acme_search"}, "name": "acme_search"}
        ]
        AcmeReader.fails = True
        assert len(read_request({"tools": [Acme(), {"name": "f"}]}, as_definition)["tools"]) == 2
    finally:
        unregister_reader(reader)


ARGUMENTS = (
    *("messages", "prompt", "input", "contents", "system", "system_instruction", "chat_history", "tools", "functions"),
    *(
        "model",
        "client",
        "llm",
        "base_url",
        "config",
        "kwargs",
        "request",
        "temperature",
        "stop",
        "text",
        "q",
        "x_client",
    ),
)


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_what_resists_does_no_harm(make: Callable[[], Any]) -> None:
    """Nothing of a foreign object is called while it is read, and what is beside it is there."""
    for name in ARGUMENTS:
        value = make()
        call = read_request({name: value, "top_p": 0.5, "prompt" if name != "prompt" else "question": "Weather?"})
        assert_untouched(value)
        assert call["invocation_parameters"]["top_p"] == 0.5
        assert_valid(encode_reserved(model_call_attributes(call)))


@quick
@given(st.dictionaries(st.sampled_from(ARGUMENTS), anything, max_size=6))
def test_any_arguments_are_recorded_validly(arguments: dict[str, Any]) -> None:
    """Nothing raises, and what comes out can be sent and is OpenInference."""
    assert_valid(encode_reserved(model_call_attributes(read_request(arguments, as_definition))))
