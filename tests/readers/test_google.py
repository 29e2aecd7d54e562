"""Gemini's responses and embeddings, as Google's own client gives them and as its API writes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google import genai
from google.genai import types
from pydantic import BaseModel

from agenttrace.readers.google import GoogleReader

from .google_material import (
    ALL_CASES,
    BERGEN,
    CASES,
    COUNTS,
    KNOWN,
    MODEL,
    READ_BERGEN,
    USAGE,
    VERTEX_CASES,
    Case,
    connect,
    content,
    plain,
    response,
)
from .replay import ReplayServer, json_answer

READER = GoogleReader()


@pytest.fixture
def client(server: ReplayServer) -> Iterator[genai.Client]:
    client = connect(server)
    yield client
    client.close()


FORMS: dict[str, Callable[[types.GenerateContentResponse], object]] = {
    "object": lambda response: response,
    "model_dump": lambda response: response.model_dump(),
    "model_dump without None": lambda response: response.model_dump(exclude_none=True),
    "JSON in camel case": lambda response: response.model_dump(mode="json", by_alias=True, exclude_none=True),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_response_of_the_client_is_read(
    client: genai.Client,
    server: ReplayServer,
    case: Case,
    form: Callable[[types.GenerateContentResponse], object],
) -> None:
    """Model, message, counts and finish reason are read from the client's object and its dictionaries alike."""
    server.will_answer(json_answer(case.sent()))
    answer = form(client.models.generate_content(model=MODEL, contents="What is the weather?"))
    assert READER.reads(answer)
    assert plain(READER.read(answer)) == case.expected()


@pytest.mark.parametrize("case", ALL_CASES.values(), ids=ALL_CASES.keys())
def test_the_json_of_the_api_is_read(case: Case) -> None:
    """The REST API's own JSON, in camel case, is read as the client's object is."""
    assert READER.reads(case.sent())
    assert plain(READER.read(case.sent())) == case.expected()


@pytest.mark.parametrize("case", VERTEX_CASES.values(), ids=VERTEX_CASES.keys())
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_response_of_vertex_ai_is_read(
    server: ReplayServer, case: Case, form: Callable[[types.GenerateContentResponse], object]
) -> None:
    """Vertex AI, which doesn't number a single candidate, gives the same."""
    sent = case.sent()
    del sent["candidates"][0]["index"]
    server.will_answer(json_answer(sent))
    with connect(server, vertexai=True) as client:
        answer = form(client.models.generate_content(model=MODEL, contents="What is the weather?"))
    assert READER.reads(answer)
    assert plain(READER.read(answer)) == case.expected()


def test_a_response_of_the_async_client_is_read(server: ReplayServer) -> None:
    """The asynchronous client's response is the same."""
    server.will_answer(json_answer(CASES["parallel functions"].sent()))

    async def ask() -> object:
        async with connect(server).aio as client:
            return await client.models.generate_content(model=MODEL, contents="What is the weather?")

    answer = asyncio.run(ask())
    assert READER.reads(answer)
    assert READER.read(answer) == CASES["parallel functions"].expected()


def test_each_candidate_is_a_message(client: genai.Client, server: ReplayServer) -> None:
    """Several candidates are several messages, in their order; the finish reason is the first one's."""
    candidates: list[dict[str, Any]] = [
        {"content": content([{"text": "Rain."}]), "finishReason": "STOP"},
        {"content": content([BERGEN]), "finishReason": "MAX_TOKENS"},
        {"finishReason": "SAFETY"},
    ]
    sent = response(candidates, USAGE)
    server.will_answer(json_answer(sent))
    answer = client.models.generate_content(model=MODEL, contents="What is the weather?")
    expected = {
        **KNOWN,
        "output_messages": [
            {"role": "model", "content": "Rain."},
            {"role": "model", "tool_calls": [READ_BERGEN]},
            {"role": "model"},
        ],
        "token_counts": COUNTS,
        "finish_reason": "STOP",
    }
    assert READER.read(answer) == READER.read(sent) == expected


BLOCKED = {
    "with a message": (
        {"blockReason": "SAFETY", "blockReasonMessage": "The prompt was blocked."},
        {"output_messages": [{"role": "model", "content": "The prompt was blocked."}]},
    ),
    "without": ({"blockReason": "SAFETY"}, {}),
}


@pytest.mark.parametrize(("feedback", "expected"), BLOCKED.values(), ids=BLOCKED.keys())
@pytest.mark.parametrize("vertexai", [True, False])
def test_a_prompt_that_was_blocked(
    server: ReplayServer, vertexai: bool, feedback: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Where there is no candidate, why the prompt was blocked is the finish reason."""
    if not vertexai:  # the Gemini API has no messages
        feedback = {name: item for name, item in feedback.items() if name != "blockReasonMessage"}
        expected = {}
    sent = {
        "promptFeedback": feedback,
        "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8},
        "modelVersion": MODEL,
    }
    server.will_answer(json_answer(sent))
    with connect(server, vertexai=vertexai) as client:
        answer = client.models.generate_content(model=MODEL, contents="What is the weather?")
    for form in (answer, sent):
        assert READER.reads(form)
        assert READER.read(form) == {
            **KNOWN,
            **expected,
            "token_counts": {"prompt": 8, "total": 8},
            "finish_reason": "SAFETY",
        }


def test_parsed_output_is_read_as_it_was_written(client: genai.Client, server: ReplayServer) -> None:
    """A response with parsed output is read as the text that the model wrote."""

    class Forecast(BaseModel):
        city: str

    case = Case([{"text": '{"city": "Oslo"}'}], {"role": "model", "content": '{"city": "Oslo"}'})
    server.will_answer(json_answer(case.sent()))
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Forecast)
    answer = client.models.generate_content(model=MODEL, contents="?", config=config)
    assert answer.parsed == Forecast(city="Oslo")
    assert READER.read(answer) == case.expected()


USAGES = {
    "thought counted within": (
        {"promptTokenCount": 8, "candidatesTokenCount": 50, "thoughtsTokenCount": 30, "totalTokenCount": 58},
        {"prompt": 8, "completion": 50, "total": 58, "reasoning": 30},
    ),
    "a total that is too small": (
        {"promptTokenCount": 8, "candidatesTokenCount": 20, "totalTokenCount": 8},
        {"prompt": 8, "completion": 20, "total": 28},
    ),
    "no total": ({"promptTokenCount": 8, "candidatesTokenCount": 20}, {"prompt": 8, "completion": 20}),
    "audio given by tools": (
        {
            "promptTokenCount": 8,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 5}],
            "toolUsePromptTokenCount": 4,
            "toolUsePromptTokensDetails": [{"modality": "AUDIO", "tokenCount": 3}, {"modality": "TEXT"}],
        },
        {"prompt": 12, "audio": 8},
    ),
    "nothing": ({}, None),
    "no numbers": ({"promptTokenCount": "8", "totalTokenCount": -1, "promptTokensDetails": 3}, None),
}


@pytest.mark.parametrize(("usage", "counts"), USAGES.values(), ids=USAGES.keys())
def test_counts_are_openinferences(usage: dict[str, Any], counts: dict[str, int] | None) -> None:
    """What Gemini counts beside prompt and candidates is added in, and the total is no less than its parts."""
    read = READER.read({**CASES["text"].sent(), "usageMetadata": usage})
    assert read.get("token_counts") == counts


def test_a_part_of_an_unknown_kind_is_kept() -> None:
    """A part that a later API has is recorded as it is, in its place."""
    unknown = {"hologram": {"size": 3}}
    sent = Case([unknown, {"text": "Rain."}], {}).sent()
    assert READER.read(sent)["output_messages"] == [
        {"role": "model", "contents": [{"type": "text", "text": unknown}, {"type": "text", "text": "Rain."}]}
    ]


SPOKEN = {"audioTranscription": {"text": "Rain."}}
ANSWERED = {"functionResponse": {"name": "get_weather", "response": {"result": "Rain"}}}


@pytest.mark.parametrize("part", [SPOKEN, ANSWERED], ids=["transcript", "function response"])
def test_a_part_that_openinference_has_no_word_for_is_kept(part: dict[str, Any]) -> None:
    """What stands among a turn's parts stays there, as it is."""
    sent = Case([{"text": "Hear:"}, part], {}).sent()
    assert READER.read(sent)["output_messages"] == [
        {"role": "model", "contents": [{"type": "text", "text": "Hear:"}, {"type": "text", "text": part}]}
    ]


TEXTS: Any = ["Oslo", "Bergen"]
VECTORS = [{"values": [0.5, -1.0]}, {"values": [0.25, 2.0]}]
READ_VECTORS = [{"vector": [0.5, -1.0]}, {"vector": [0.25, 2.0]}]


def test_embeddings_of_the_client_are_read(client: genai.Client, server: ReplayServer) -> None:
    """The vectors are read in order, with the tokens of their texts."""
    server.will_answer(json_answer({"embeddings": VECTORS, "usageMetadata": {"promptTokenCount": 7}}))
    answer = client.models.embed_content(model="gemini-embedding-001", contents=TEXTS)
    assert READER.reads(answer)
    assert not READER.reads_chunk(answer)
    assert READER.read(answer) == {"embeddings": READ_VECTORS, "token_counts": {"prompt": 7}}


def test_embeddings_of_vertex_ai_are_read(server: ReplayServer) -> None:
    """Vertex AI counts each text's tokens, which are added up."""
    predictions = [
        {"embeddings": {**vector, "statistics": {"truncated": False, "token_count": 3.0}}} for vector in VECTORS
    ]
    sent = {"predictions": predictions, "metadata": {"billableCharacterCount": 9}}
    server.will_answer(json_answer(sent))
    with connect(server, vertexai=True) as client:
        answer = client.models.embed_content(model="text-embedding-005", contents=TEXTS)
    for form in (answer, sent):
        assert READER.reads(form)
        assert READER.read(form) == {"embeddings": READ_VECTORS, "token_counts": {"prompt": 6}}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"embeddings": VECTORS}, {"embeddings": READ_VECTORS}),
        ({"embedding": VECTORS[0]}, {"embeddings": READ_VECTORS[:1]}),
    ],
    ids=["several", "one"],
)
def test_the_json_of_embeddings_is_read(sent: dict[str, Any], expected: dict[str, Any]) -> None:
    """The REST API's forms of one embedding and of several are read."""
    assert READER.reads(sent)
    assert READER.read(sent) == expected


def test_tools_of_the_client_are_read() -> None:
    """The client's own objects for tools are read as the definition that is sent."""
    declared = types.FunctionDeclaration(
        name="get_weather",
        description="Look up the weather.",
        parameters=types.Schema(type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}),
    )
    read = {
        "name": "get_weather",
        "description": "Look up the weather.",
        "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}},
    }
    tool = types.Tool(function_declarations=[declared])
    search = types.Tool(google_search=types.GoogleSearch())
    assert all(map(READER.reads_tool, (declared, tool, search)))
    assert READER.read_tool(declared) == read
    assert READER.read_tool(tool) == {"function_declarations": [read]}
    assert READER.read_tool(search) == {"google_search": {}}
    assert not READER.reads_tool(read)


FOREIGN = {
    "OpenAI's": {"choices": [{"message": {"role": "assistant", "content": "Rain."}}], "model": "gpt-4o"},
    "people who apply": {"candidates": [{"name": "Ada", "content": "Rain."}]},
    "people in a search": {"candidates": [{"content": {"text": "Rain."}}]},
    "candidates that are none": {"candidates": "Ada"},
    "no candidates": {"candidates": []},
    "feedback": {"promptFeedback": {"stars": 5}},
    "usage alone": {"usageMetadata": {"promptTokenCount": 3}},
    "an input content": {"role": "model", "parts": [{"text": "Rain."}]},
    "Cohere's embeddings": {"embeddings": [[0.5, 1.0]], "texts": ["Oslo"]},
    "Cohere's typed embeddings": {"embeddings": {"float": [[0.5, 1.0]]}},
    "Ollama's embeddings": {"model": "nomic", "embeddings": [[0.5, 1.0]]},
    "Ollama's embedding": {"embedding": [0.5, 1.0]},
    "OpenAI's embeddings": {"object": "list", "data": [{"object": "embedding", "embedding": [0.5]}]},
    "a user's embeddings": {"embeddings": [{"values": "secret"}]},
    "no embeddings": {"embeddings": []},
    "predictions": {"predictions": [{"content": "Rain."}]},
    "text": "Rain.",
    "nothing": None,
    "a list": [CASES["text"].sent()],
    "counted tokens": types.CountTokensResponse(total_tokens=3),
    "an error": {"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED"}},
}


@pytest.mark.parametrize("value", FOREIGN.values(), ids=FOREIGN.keys())
def test_what_is_no_response_is_not_taken(value: object) -> None:
    """Others' shapes, and a program's own dictionaries, are left to others."""
    assert not READER.reads(value)
    assert not READER.reads_chunk(value)
    assert READER.stream_form(value) is None
