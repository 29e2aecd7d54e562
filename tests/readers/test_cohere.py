"""Cohere's responses of version 2, as its own client gives them and as its API writes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import cohere
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.readers.cohere import CohereReader

from .assembling import assembled, cut, without
from .replay import Answer, ReplayServer, event_stream, json_answer

READER = CohereReader()
MODEL = "command-a-reasoning-08-2025"
MESSAGES: Any = [{"role": "user", "content": "What is the weather in Oslo and Bergen?"}]
USAGE = {
    "billed_units": {"input_tokens": 5, "output_tokens": 418},
    "tokens": {"input_tokens": 71, "output_tokens": 418},
    "cached_tokens": 64,
}
KNOWN = {
    "system": "cohere",
    "finish_reason": "COMPLETE",
    "token_counts": {"prompt": 71, "completion": 418, "cache_read": 64},
}
SOURCE = {"type": "tool", "id": "get_weather_1:0", "tool_output": {"weather": "rain"}}
CITATION = {"start": 0, "end": 4, "text": "Rain", "sources": [SOURCE], "type": "TEXT_CONTENT"}
DOCUMENT = {
    "type": "document",
    "id": "doc:1",
    "document": {"id": "doc:1", "title": "Forecast", "text": "Rain all day."},
}
CITATION_TOO = {"start": 4, "end": 5, "text": ".", "sources": [SOURCE, DOCUMENT], "type": "TEXT_CONTENT"}
CITED = [
    {"type": "document", "id": "get_weather_1:0", "content": {"weather": "rain"}},
    {"type": "document", "id": "doc:1", "content": "Rain all day.", "name": "Forecast"},
]


def call(identifier: str, arguments: str) -> dict[str, Any]:
    return {"id": identifier, "type": "function", "function": {"name": "get_weather", "arguments": arguments}}


MESSAGES_READ: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text": (
        {"role": "assistant", "content": [{"type": "text", "text": "Rain."}]},
        {"role": "assistant", "content": "Rain."},
    ),
    "thought": (
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "It is November."}, {"type": "text", "text": "Rain."}],
        },
        {
            "role": "assistant",
            "contents": [{"type": "reasoning", "text": "It is November."}, {"type": "text", "text": "Rain."}],
        },
    ),
    "plan and tools": (
        {
            "role": "assistant",
            "tool_plan": "I will look it up.",
            "tool_calls": [call("get_weather_1", '{"city":"Oslo"}'), call("get_weather_2", '{"city":"Bergen"}')],
        },
        {
            "role": "assistant",
            "contents": [{"type": "reasoning", "text": "I will look it up."}],
            "tool_calls": [
                {"id": "get_weather_1", "name": "get_weather", "arguments": '{"city":"Oslo"}'},
                {"id": "get_weather_2", "name": "get_weather", "arguments": '{"city":"Bergen"}'},
            ],
        },
    ),
    "citations": (
        {"role": "assistant", "content": [{"type": "text", "text": "Rain."}], "citations": [CITATION, CITATION_TOO]},
        {"role": "assistant", "contents": [{"type": "text", "text": "Rain."}, *CITED]},
    ),
    "nothing": ({"role": "assistant", "content": []}, {"role": "assistant"}),
}


def delta(kind: str, index: int | None = None, **message: Any) -> dict[str, Any]:
    event: dict[str, Any] = {"type": kind, "delta": {"message": message}}
    return event if index is None else {**event, "index": index}


START = {
    "id": "29f14a5a-11de-4cae-9800-25e4747408ea",
    **delta("message-start", role="assistant", content=[], tool_plan="", tool_calls=[], citations=[]),
}
END = {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": USAGE}}


def text_events(text: str, index: int = 0) -> list[dict[str, Any]]:
    return [
        delta("content-start", index, content={"type": "text", "text": ""}),
        *(delta("content-delta", index, content={"text": piece}) for piece in cut(text, [2])),
        {"type": "content-end", "index": index},
    ]


def call_events(index: int, identifier: str, arguments: str) -> list[dict[str, Any]]:
    pieces = cut(arguments, [2, 6])
    return [
        delta("tool-call-start", index, tool_calls=call(identifier, "")),
        *(delta("tool-call-delta", index, tool_calls={"function": {"arguments": piece}}) for piece in pieces),
        {"type": "tool-call-end", "index": index},
    ]


STREAMS = {
    "text": [START, *text_events("Rain."), END],
    "thought": [
        START,
        delta("content-start", 0, content={"type": "thinking", "thinking": ""}),
        delta("content-delta", 0, content={"thinking": "It is "}),
        delta("content-delta", 0, content={"thinking": "November."}),
        {"type": "content-end", "index": 0},
        *text_events("Rain.", 1),
        END,
    ],
    "plan and tools": [
        START,
        delta("tool-plan-delta", tool_plan="I will "),
        delta("tool-plan-delta", tool_plan="look it up."),
        *call_events(0, "get_weather_1", '{"city":"Oslo"}'),
        *call_events(1, "get_weather_2", '{"city":"Bergen"}'),
        END,
    ],
    "citations": [
        START,
        *text_events("Rain.")[:-1],
        delta("citation-start", 0, citations=CITATION),
        {"type": "citation-end", "index": 0},
        delta("citation-start", 1, citations=CITATION_TOO),
        {"type": "citation-end", "index": 1},
        {"type": "content-end", "index": 0},
        END,
    ],
    "nothing": [START, END],
}


@pytest.fixture
def client(server: ReplayServer) -> Iterator[cohere.ClientV2]:
    with cohere.ClientV2("test", base_url=server.url) as client:
        yield client


def streamed(server: ReplayServer) -> list[Any]:
    with cohere.ClientV2("test", base_url=server.url) as client:
        return list(client.chat_stream(model=MODEL, messages=MESSAGES))


def async_streamed(server: ReplayServer) -> list[Any]:
    async def ask() -> list[Any]:
        async with cohere.AsyncClientV2("test", base_url=server.url) as client:
            return [event async for event in client.chat_stream(model=MODEL, messages=MESSAGES)]

    return asyncio.run(ask())


both_ways = pytest.mark.parametrize("stream", [streamed, async_streamed], ids=["sync", "async"])


@pytest.mark.parametrize(("message", "expected"), MESSAGES_READ.values(), ids=MESSAGES_READ)
def test_a_chat_is_read(
    server: ReplayServer, client: cohere.ClientV2, message: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Text, thoughts, the plan, calls and citations are read from object and mapping; tokens, not billed units."""
    body = {"id": "c14c80c3", "finish_reason": "COMPLETE", "message": message, "usage": USAGE}
    server.will_answer(json_answer(body))
    response = client.chat(model=MODEL, messages=MESSAGES)
    for form in (response, response.model_dump(exclude_none=True), body):
        assert READER.reads(form)
        assert READER.read(form) == {**KNOWN, "output_messages": [expected]}


@both_ways
@pytest.mark.parametrize("name", MESSAGES_READ)
def test_a_stream_is_put_together(server: ReplayServer, stream: Callable[[ReplayServer], list[Any]], name: str) -> None:
    """The events of a streamed chat amount to what the same chat is in one piece."""
    server.will_answer(event_stream(STREAMS[name], names=True))
    expected = {**KNOWN, "output_messages": [MESSAGES_READ[name][1]]}
    events = stream(server)
    assert assembled(READER, events) == expected
    assert assembled(READER, STREAMS[name]) == expected


def test_a_chat_without_usage_has_no_counts(server: ReplayServer, client: cohere.ClientV2) -> None:
    """What is billed alone is not what the model took: it is no token count."""
    body = {"id": "1", "finish_reason": "MAX_TOKENS", "message": MESSAGES_READ["text"][0]}
    server.will_answer(json_answer(body), json_answer({**body, "usage": without(USAGE, "tokens")}))
    for _ in range(2):
        assert READER.read(client.chat(model=MODEL, messages=MESSAGES)) == {
            "system": "cohere",
            "finish_reason": "MAX_TOKENS",
            "output_messages": [{"role": "assistant", "content": "Rain."}],
        }


def test_a_stream_that_breaks_off_gives_what_there_was(server: ReplayServer) -> None:
    """Without its last event a stream has no counts and no reason; the message so far is there."""
    server.will_answer(event_stream(STREAMS["plan and tools"][:6], names=True))
    assert assembled(READER, streamed(server)) == {
        "system": "cohere",
        "output_messages": [
            {
                "role": "assistant",
                "contents": [{"type": "reasoning", "text": "I will look it up."}],
                "tool_calls": [{"id": "get_weather_1", "name": "get_weather", "arguments": '{"city'}],
            }
        ],
    }


def test_several_messages_in_one_stream_are_kept_apart() -> None:
    """A function that runs a loop of tools yields the events of all its calls: each is a message, tokens add up."""
    events = [*STREAMS["plan and tools"], *STREAMS["text"]]
    assert assembled(READER, events) == {
        "system": "cohere",
        "finish_reason": "COMPLETE",
        "token_counts": {"prompt": 142, "completion": 836, "cache_read": 128},
        "output_messages": [MESSAGES_READ["plan and tools"][1], MESSAGES_READ["text"][1]],
    }


@given(st.text(max_size=40), st.lists(st.integers(0, 40), max_size=6))
def test_how_a_text_is_cut_makes_no_difference(text: str, places: list[int]) -> None:
    """However the server cuts an answer into events, the message is the same."""
    pieces = [delta("content-delta", 0, content={"text": piece}) for piece in cut(text, places)]
    assert assembled(READER, [START, *pieces, END])["output_messages"] == [{"role": "assistant", "content": text}]


VECTORS = {
    "floats": ({"float": [[0.5, 1.0], [0.25, -2.0]]}, [[0.5, 1.0], [0.25, -2.0]]),
    "base64": ({"base64": ["AAAAPwAAgD8=", "AACAPgAAAMA="]}, [[0.5, 1.0], [0.25, -2.0]]),
    "small integers": ({"int8": [[5, 10], [2, -20]]}, [[5, 10], [2, -20]]),
    "several types": ({"int8": [[5, 10], [2, -20]], "float": [[0.5, 1.0], [0.25, -2.0]]}, [[0.5, 1.0], [0.25, -2.0]]),
}


@pytest.mark.parametrize(("by_type", "expected"), VECTORS.values(), ids=VECTORS)
def test_embeddings_are_read(
    server: ReplayServer, client: cohere.ClientV2, by_type: dict[str, Any], expected: list[list[float]]
) -> None:
    """Each text has its vector, of the most exact type there is; the tokens are those that were billed."""
    body = {
        "id": "5807ee2e",
        "texts": ["Oslo", "Bergen"],
        "embeddings": by_type,
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 6}},
        "response_type": "embeddings_by_type",
    }
    server.will_answer(json_answer(body))
    response = client.embed(model="embed-v4.0", texts=["Oslo", "Bergen"], input_type="search_document")
    for form in (response, response.model_dump(), body, without(body, "response_type")):
        assert READER.reads(form)
        assert READER.read(form) == {
            "embeddings": [
                {"text": text, "vector": vector} for text, vector in zip(["Oslo", "Bergen"], expected, strict=True)
            ],
            "token_counts": {"prompt": 6},
        }


def test_embeddings_of_images_have_no_text(server: ReplayServer, client: cohere.ClientV2) -> None:
    """What was embedded is an image, of which the response says the size alone."""
    body = {
        "id": "5807ee2e",
        "images": [{"width": 400, "height": 400, "format": "jpeg", "bit_depth": 24}],
        "embeddings": {"float": [[0.5, 1.0]]},
        "meta": {"billed_units": {"images": 1}},
    }
    server.will_answer(json_answer(body))
    response = client.embed(model="embed-v4.0", images=["data:image/png;base64,aQ=="], input_type="image")
    assert READER.read(response) == {"embeddings": [{"vector": [0.5, 1.0]}]}


def test_reranked_documents_are_read(server: ReplayServer, client: cohere.ClientV2) -> None:
    """Each result has its place among the documents as id, and its score; the spans that matter go along."""
    body: dict[str, Any] = {
        "id": "07734bd2",
        "results": [
            {"index": 1, "relevance_score": 0.99, "relevant_spans": [{"start": 0, "end": 4, "score": 0.9}]},
            {"index": 0, "relevance_score": 0.5},
        ],
        "meta": {"billed_units": {"search_units": 1}},
    }
    server.will_answer(json_answer(body))
    response = client.rerank(model="rerank-v4.0", query="weather", documents=["Sun.", "Rain."])
    for form in (response, response.model_dump(exclude_none=True), body):
        assert READER.reads(form)
        assert READER.read(form) == {
            "documents": [
                {"id": 1, "score": 0.99, "metadata": {"relevant_spans": [{"start": 0, "end": 4, "score": 0.9}]}},
                {"id": 0, "score": 0.5},
            ]
        }


def test_reranked_documents_that_come_back_are_read() -> None:
    """Version 1 of the API, and servers that follow it, give the documents back: as text, or as fields."""
    results: list[dict[str, Any]] = [
        {"index": 1, "relevance_score": 1, "document": {"text": "Rain."}},
        {"index": 2, "relevance_score": 0.75, "document": "Snow."},
        {"index": 0, "relevance_score": 0.5, "document": {"title": "Sun"}},
    ]
    assert READER.read({"results": results}) == {
        "documents": [
            {"id": 1, "score": 1.0, "content": "Rain."},
            {"id": 2, "score": 0.75, "content": "Snow."},
            {"id": 0, "score": 0.5, "metadata": {"document": {"title": "Sun"}}},
        ]
    }


def test_an_error_of_the_server_is_no_response(server: ReplayServer, client: cohere.ClientV2) -> None:
    """The client raises for what isn't an answer; its error is not taken for one."""
    server.will_answer(Answer(b'{"message": "invalid api token"}', status=401))
    with pytest.raises(cohere.UnauthorizedError) as caught:
        client.chat(model=MODEL, messages=MESSAGES)
    assert not READER.reads(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        {},
        {"finish_reason": "COMPLETE"},
        {"finish_reason": "stop", "message": {"role": "assistant", "content": "x"}},
        {"finish_reason": "COMPLETE", "message": {"role": "user", "content": "x"}},
        {"type": "debug"},
        {"type": "content-start"},
        {"type": "text", "index": 0},
        {"id": "1", "embeddings": [[0.1]]},
        {"id": "1", "embeddings": {"mine": [[0.1]]}},
        {"embeddings": {"float": [[0.1]]}},
        {"results": []},
        {"results": [{"index": 0}]},
        {"results": [{"index": True, "relevance_score": "high"}]},
        cohere.UserChatMessageV2(content="x"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_response_of_cohere_is_left_alone(value: object) -> None:
    """Other providers' answers, and a program's own values, are not taken for Cohere's."""
    assert not READER.reads(value)
    assert not READER.reads_chunk(value)
    assert READER.stream_form(value) is None
