"""Anthropic's messages, as its own clients give them and as its API writes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest
from anthropic import beta_tool
from pydantic import BaseModel

from agenttrace.readers.anthropic import AnthropicReader

from .anthropic_material import BETA_CASES, CASES, COUNTS, MODEL, REQUEST, Case, plain
from .replay import ReplayServer, json_answer

READER = AnthropicReader()


@pytest.fixture
def client(server: ReplayServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="test", base_url=server.url, max_retries=0) as client:
        yield client


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize(
    "form",
    [lambda message: message, lambda message: message.model_dump(), lambda message: message.to_dict()],
    ids=["object", "model_dump", "to_dict"],
)
def test_a_message_of_the_client_is_read(
    client: anthropic.Anthropic, server: ReplayServer, case: Case, form: Callable[[anthropic.types.Message], object]
) -> None:
    """Model, message, counts and stop reason are read from the client's object and its dictionaries alike."""
    server.will_answer(json_answer(case.sent()))
    response = form(client.messages.create(**REQUEST))
    assert READER.reads(response)
    assert plain(READER.read(response)) == case.expected()


@pytest.mark.parametrize("case", BETA_CASES.values(), ids=BETA_CASES.keys())
def test_a_message_of_the_beta_api_is_read(client: anthropic.Anthropic, server: ReplayServer, case: Case) -> None:
    """The beta API's message is read too, with the blocks that only it has."""
    server.will_answer(json_answer(case.sent()))
    response = client.beta.messages.create(**REQUEST)
    assert READER.reads(response)
    assert plain(READER.read(response)) == case.expected()


@pytest.mark.parametrize("case", BETA_CASES.values(), ids=BETA_CASES.keys())
def test_the_json_of_the_api_is_read(case: Case) -> None:
    """The API's own JSON is read as the client's object is."""
    assert READER.reads(case.sent())
    assert plain(READER.read(case.sent())) == case.expected()


def test_a_message_of_the_async_client_is_read(server: ReplayServer) -> None:
    """The asynchronous client's message is the same."""
    server.will_answer(json_answer(CASES["parallel tools"].sent()))

    async def ask() -> object:
        async with anthropic.AsyncAnthropic(api_key="test", base_url=server.url, max_retries=0) as client:
            return await client.messages.create(**REQUEST)

    response = asyncio.run(ask())
    assert READER.reads(response)
    assert READER.read(response) == CASES["parallel tools"].expected()


def test_a_parsed_message_is_read(client: anthropic.Anthropic, server: ReplayServer) -> None:
    """A message with parsed output is read as the text that the model wrote."""

    class Forecast(BaseModel):
        city: str

    case = Case([{"type": "text", "text": '{"city": "Oslo"}'}], {"role": "assistant", "content": '{"city": "Oslo"}'})
    server.will_answer(json_answer(case.sent()))
    response = client.messages.parse(**REQUEST, output_format=Forecast)
    assert response.parsed_output == Forecast(city="Oslo")
    assert READER.reads(response)
    assert READER.read(response) == case.expected()


def bedrock(url: str) -> anthropic.AnthropicBedrock:
    return anthropic.AnthropicBedrock(
        aws_access_key="test", aws_secret_key="test", aws_region="eu-north-1", base_url=url, max_retries=0
    )


def vertex(url: str) -> anthropic.AnthropicVertex:
    return anthropic.AnthropicVertex(
        region="europe-north1", project_id="test", access_token="test", base_url=url, max_retries=0
    )


@pytest.mark.parametrize("make", [bedrock, vertex])
def test_who_ran_the_model_is_not_read_from_a_message(server: ReplayServer, make: Callable[[str], Any]) -> None:
    """Clients of Bedrock and Vertex AI give the same message, which says whose the model is and not who ran it."""
    case = CASES["thinking"]
    server.will_answer(json_answer(case.sent()))
    with make(server.url) as client:
        response = client.messages.create(**REQUEST)
    assert READER.reads(response)
    assert READER.read(response) == case.expected()


def test_the_model_of_another_maker_behind_this_api_is_not_anthropics() -> None:
    """A model whose name says that it is DeepSeek's is DeepSeek's, whatever the API."""
    message = {**CASES["text"].sent(), "model": "deepseek-chat"}
    assert READER.read(message) == {
        **CASES["text"].expected(),
        "model_name": "deepseek-chat",
        "system": "deepseek",
    }


def test_a_block_of_an_unknown_type_is_kept(client: anthropic.Anthropic, server: ReplayServer) -> None:
    """A block that a later API has is recorded as it is, in its place."""
    unknown = {"type": "hologram", "url": "https://example.org/1", "size": 3}
    server.will_answer(json_answer(CASES["text"]._replace(content=[unknown, *CASES["text"].content]).sent()))
    response = client.messages.create(**REQUEST)
    assert plain(READER.read(response)["output_messages"]) == [
        {
            "role": "assistant",
            "contents": [{"type": "text", "text": unknown}, {"type": "text", "text": "Rain in both."}],
        }
    ]


def test_a_tool_that_the_client_made_of_a_function_is_read() -> None:
    """What `beta_tool` makes is read as the definition that is sent, nothing of the function's."""

    @beta_tool
    def get_weather(city: str) -> str:
        """Look up the weather.

        Args:
            city: A city's name.
        """
        return city

    assert READER.reads_tool(get_weather)
    assert READER.read_tool(get_weather) == get_weather.to_dict()
    assert not READER.reads_tool(get_weather.to_dict())


SENT = CASES["text"].sent()
FOREIGN = {
    "an input message": {"role": "assistant", "content": [{"type": "text", "text": "Rain."}]},
    "an item of OpenAI's responses": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "Rain.", "annotations": []}],
    },
    "no usage": {name: item for name, item in SENT.items() if name != "usage"},
    "no stop reason": {name: item for name, item in SENT.items() if name != "stop_reason"},
    "no model": {**SENT, "model": None},
    "content that is text": {**SENT, "content": "Rain."},
    "another role": {**SENT, "role": "user"},
    "another type": {**SENT, "type": "completion"},
    "a user's own dictionary": {"type": "message", "content": "Rain.", "model": "claude", "usage": {}},
    "Cohere's response": {
        "id": "1",
        "finish_reason": "COMPLETE",
        "message": {"role": "assistant", "content": [{"type": "text", "text": "Rain."}]},
        "usage": {"tokens": {"input_tokens": 1, "output_tokens": 2}},
    },
    "text": "Rain.",
    "nothing": None,
    "a list": [SENT],
    "an error": {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    "counted tokens": anthropic.types.MessageTokensCount(input_tokens=3),
}


@pytest.mark.parametrize("value", FOREIGN.values(), ids=FOREIGN.keys())
def test_what_is_no_message_is_not_taken(value: object) -> None:
    """Others' shapes, and a program's own dictionaries, are left to others."""
    assert not READER.reads(value)
    assert not READER.reads_chunk(value)
    assert READER.stream_form(value) is None


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({}, None),
        ({"input_tokens": 0, "output_tokens": 0}, None),
        ({"input_tokens": None, "output_tokens": 7}, {"completion": 7}),
        ({"input_tokens": -3, "output_tokens": "7"}, None),
        ({"input_tokens": 0, "output_tokens": 7, "cache_read_input_tokens": 5}, {"prompt": 5, "completion": 7}),
        (None, None),
    ],
)
def test_odd_usage_gives_what_can_be_told(usage: Any, counts: dict[str, int] | None) -> None:
    """Counts that are missing or no counts are left out, and nothing raises."""
    read = READER.read({**SENT, "usage": usage})
    found = dict(read.get("token_counts") or {})
    assert ({name: found[name] for name in ("prompt", "completion") if name in found} or None) == counts


def test_the_counts_of_the_material_are_its_own() -> None:
    """The plain case has the counts that the others build on."""
    assert READER.read(SENT).get("token_counts") == COUNTS
    assert READER.read(SENT).get("model_name") == MODEL
