"""Ollama's answers, as its own client gives them and as its API writes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import ollama
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.readers.ollama import OllamaReader

from .assembling import assembled, assembled_until, cut
from .replay import ReplayServer, json_answer, json_lines

READER = OllamaReader()
MESSAGES = [{"role": "user", "content": "What is the weather in Oslo and Bergen?"}]
COMMON = {"model": "qwen3:8b", "created_at": "2025-11-24T10:00:00.000000Z"}
COUNTS = {
    "total_duration": 5_191_566_416,
    "load_duration": 2_154_458,
    "prompt_eval_count": 26,
    "prompt_eval_duration": 383_809_000,
    "eval_count": 298,
    "eval_duration": 4_799_921_000,
}
DONE = {"done": True, "done_reason": "stop", **COUNTS}
KNOWN = {
    "provider": "ollama",
    "model_name": "qwen3:8b",
    "finish_reason": "stop",
    "token_counts": {"prompt": 26, "completion": 298},
}
OSLO = {"function": {"name": "get_weather", "arguments": {"city": "Oslo"}}}
BERGEN = {"function": {"name": "get_weather", "arguments": {"city": "Bergen"}}}

CHATS = {
    "text": (
        {"role": "assistant", "content": "Rain."},
        {"role": "assistant", "content": "Rain."},
    ),
    "thought": (
        {"role": "assistant", "content": "Rain.", "thinking": "It is November."},
        {
            "role": "assistant",
            "contents": [{"type": "reasoning", "text": "It is November."}, {"type": "text", "text": "Rain."}],
        },
    ),
    "tools": (
        {"role": "assistant", "content": "", "tool_calls": [OSLO, BERGEN]},
        {
            "role": "assistant",
            "tool_calls": [
                {"name": "get_weather", "arguments": {"city": "Oslo"}},
                {"name": "get_weather", "arguments": {"city": "Bergen"}},
            ],
        },
    ),
    "thought and tools": (
        {"role": "assistant", "content": "", "thinking": "I must look.", "tool_calls": [OSLO]},
        {
            "role": "assistant",
            "contents": [{"type": "reasoning", "text": "I must look."}],
            "tool_calls": [{"name": "get_weather", "arguments": {"city": "Oslo"}}],
        },
    ),
    "nothing": ({"role": "assistant", "content": ""}, {"role": "assistant"}),
}
GENERATED = {
    "text": ({"response": "Rain."}, {"role": "assistant", "content": "Rain."}),
    "thought": (
        {"response": "Rain.", "thinking": "It is November."},
        {
            "role": "assistant",
            "contents": [{"type": "reasoning", "text": "It is November."}, {"type": "text", "text": "Rain."}],
        },
    ),
    "image": (
        {"response": "Here it is.", "image": "iVBORw0KGgo="},
        {
            "role": "assistant",
            "contents": [
                {"type": "text", "text": "Here it is."},
                {"type": "image", "url": "data:image/png;base64,iVBORw0KGgo="},
            ],
        },
    ),
}


@pytest.fixture
def client(server: ReplayServer) -> Iterator[ollama.Client]:
    client = ollama.Client(server.url)
    yield client
    client._client.close()


def streamed_chat(server: ReplayServer) -> list[ollama.ChatResponse]:
    client = ollama.Client(server.url)
    chunks = list(client.chat("qwen3:8b", MESSAGES, stream=True))
    client._client.close()
    return chunks


def async_streamed_chat(server: ReplayServer) -> list[ollama.ChatResponse]:
    async def ask() -> list[ollama.ChatResponse]:
        client = ollama.AsyncClient(server.url)
        chunks = [chunk async for chunk in await client.chat("qwen3:8b", MESSAGES, stream=True)]
        await client._client.aclose()
        return chunks

    return asyncio.run(ask())


both_ways = pytest.mark.parametrize("stream", [streamed_chat, async_streamed_chat], ids=["sync", "async"])


@pytest.mark.parametrize(("message", "expected"), CHATS.values(), ids=CHATS)
def test_a_chat_is_read(
    server: ReplayServer, client: ollama.Client, message: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Message, thought, calls of tools, counts and reason to stop are read from object and mapping alike."""
    body = {**COMMON, "message": message, **DONE}
    server.will_answer(json_answer(body))
    response = client.chat("qwen3:8b", MESSAGES)
    for form in (response, response.model_dump(), body):
        assert READER.reads(form)
        assert READER.read(form) == {**KNOWN, "output_messages": [expected]}


@pytest.mark.parametrize(("body", "expected"), GENERATED.values(), ids=GENERATED)
def test_generated_text_is_read(
    server: ReplayServer, client: ollama.Client, body: dict[str, Any], expected: dict[str, Any]
) -> None:
    """What ``generate`` answered is a message of the assistant."""
    whole = {**COMMON, **body, **DONE}
    server.will_answer(json_answer(whole))
    response = client.generate("qwen3:8b", "Will it rain?")
    for form in (response, response.model_dump(), whole):
        assert READER.reads(form)
        assert READER.read(form) == {**KNOWN, "output_messages": [expected]}


def test_the_id_of_a_call_is_read_where_the_api_has_one() -> None:
    """Newer servers give calls an id, which the client's objects leave out and mappings keep."""
    call = {"id": "call_1", "function": {"index": 0, "name": "get_weather", "arguments": {"city": "Oslo"}}}
    body = {**COMMON, "message": {"role": "assistant", "content": "", "tool_calls": [call]}, **DONE}
    assert READER.read(body)["output_messages"] == [
        {
            "role": "assistant",
            "tool_calls": [{"id": "call_1", "name": "get_weather", "arguments": {"city": "Oslo"}}],
        }
    ]


def test_counts_that_the_server_left_out_are_left_out(server: ReplayServer, client: ollama.Client) -> None:
    """A prompt that was cached whole has no count in older servers; a load without a prompt has none at all."""
    server.will_answer(
        json_answer({**COMMON, "message": {"role": "assistant", "content": "Rain."}, "done": True, "eval_count": 3}),
        json_answer({**COMMON, "response": "", "done": True, "done_reason": "load"}),
    )
    assert READER.read(client.chat("qwen3:8b", MESSAGES)) == {
        "provider": "ollama",
        "model_name": "qwen3:8b",
        "output_messages": [{"role": "assistant", "content": "Rain."}],
        "token_counts": {"completion": 3},
    }
    assert READER.read(client.generate("qwen3:8b")) == {
        "provider": "ollama",
        "model_name": "qwen3:8b",
        "output_messages": [{"role": "assistant"}],
        "finish_reason": "load",
    }


@both_ways
def test_a_streamed_chat_is_put_together(
    server: ReplayServer, stream: Callable[[ReplayServer], list[ollama.ChatResponse]]
) -> None:
    """Thoughts, text and several calls that come one by one are one message; the last chunk has the counts."""
    pieces: list[dict[str, Any]] = [
        {"role": "assistant", "content": "", "thinking": "It is "},
        {"role": "assistant", "content": "", "thinking": "November."},
        {"role": "assistant", "content": "Let me "},
        {"role": "assistant", "content": "look."},
        {"role": "assistant", "content": "", "tool_calls": [OSLO]},
        {"role": "assistant", "content": "", "tool_calls": [BERGEN]},
    ]
    last = {**COMMON, "message": {"role": "assistant", "content": ""}, **DONE}
    server.will_answer(json_lines([*({**COMMON, "message": piece, "done": False} for piece in pieces), last]))
    assert assembled(READER, stream(server)) == {
        **KNOWN,
        "output_messages": [
            {
                "role": "assistant",
                "contents": [
                    {"type": "reasoning", "text": "It is November."},
                    {"type": "text", "text": "Let me look."},
                ],
                "tool_calls": [
                    {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
                    {"name": "get_weather", "arguments": '{"city": "Bergen"}'},
                ],
            }
        ],
    }


def test_streamed_generated_text_is_put_together(server: ReplayServer, client: ollama.Client) -> None:
    """The pieces of ``generate`` are one message, an image that came with the last one included."""
    pieces = [{**COMMON, "response": text, "done": False} for text in ("Ra", "in", ".")]
    last = {**COMMON, "response": "", "image": "iVBORw0KGgo=", **DONE}
    server.will_answer(json_lines([*pieces, last]))
    chunks = list(client.generate("qwen3:8b", "Will it rain?", stream=True))
    assert assembled(READER, chunks) == {
        **KNOWN,
        "output_messages": [
            {
                "role": "assistant",
                "contents": [
                    {"type": "text", "text": "Rain."},
                    {"type": "image", "url": "data:image/png;base64,iVBORw0KGgo="},
                ],
            }
        ],
    }


def test_a_stream_that_breaks_off_gives_what_there_was(server: ReplayServer, client: ollama.Client) -> None:
    """An error in the middle leaves the text that came before it, with neither counts nor a reason to stop."""
    piece = {**COMMON, "message": {"role": "assistant", "content": "It will"}, "done": False}
    server.will_answer(json_lines([piece, {"error": "an error was encountered while running the model"}]))
    chunks = client.chat("qwen3:8b", MESSAGES, stream=True)
    assert assembled_until(READER, chunks, ollama.ResponseError) == {
        "provider": "ollama",
        "model_name": "qwen3:8b",
        "output_messages": [{"role": "assistant", "content": "It will"}],
    }


def test_several_answers_in_one_stream_are_kept_apart() -> None:
    """A function that runs a loop of tools yields the chunks of all its calls: each is a message, tokens add up."""
    first = [
        {**COMMON, "message": {"role": "assistant", "content": "Let me look."}, "done": False},
        {**COMMON, "message": {"role": "assistant", "content": "", "tool_calls": [OSLO]}, **DONE},
    ]
    second = [
        {**COMMON, "message": {"role": "assistant", "content": "Rain."}, "done": False},
        {**COMMON, "message": {"role": "assistant", "content": ""}, **DONE, "done_reason": "length"},
    ]
    assert assembled(READER, [ollama.ChatResponse.model_validate(chunk) for chunk in (*first, *second)]) == {
        "provider": "ollama",
        "model_name": "qwen3:8b",
        "finish_reason": "length",
        "token_counts": {"prompt": 52, "completion": 596},
        "output_messages": [
            {
                "role": "assistant",
                "content": "Let me look.",
                "tool_calls": [{"name": "get_weather", "arguments": '{"city": "Oslo"}'}],
            },
            {"role": "assistant", "content": "Rain."},
        ],
    }


@given(st.text(max_size=40), st.lists(st.integers(0, 40), max_size=6))
def test_how_a_text_is_cut_makes_no_difference(text: str, places: list[int]) -> None:
    """However the server cuts an answer into chunks, the message is the same."""
    chunks = [ollama.GenerateResponse(model="qwen3:8b", response=piece, done=False) for piece in cut(text, places)]
    expected = {"role": "assistant", "content": text} if text else {"role": "assistant"}
    assert assembled(READER, chunks)["output_messages"] == [expected]


def test_embeddings_are_read(server: ReplayServer, client: ollama.Client) -> None:
    """Vectors, model and the tokens of the texts are read; of the older API the vector is all there is."""
    body = {
        "model": "all-minilm",
        "embeddings": [[0.1, 0.2], [0.3, -0.4]],
        "total_duration": 14,
        "prompt_eval_count": 8,
    }
    server.will_answer(json_answer(body), json_answer({"embedding": [0.5, 0.25]}))
    response = client.embed("all-minilm", ["Oslo", "Bergen"])
    for form in (response, response.model_dump(), body):
        assert READER.reads(form)
        assert READER.read(form) == {
            "model_name": "all-minilm",
            "embeddings": [{"vector": [0.1, 0.2]}, {"vector": [0.3, -0.4]}],
            "token_counts": {"prompt": 8},
        }
    older = client.embeddings("all-minilm", "Oslo")
    assert READER.reads(older)
    assert READER.read(older) == {"embeddings": [{"vector": [0.5, 0.25]}]}


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        {},
        {"content": "text"},
        {"role": "assistant", "content": "text"},
        {"message": {"role": "assistant", "content": "text"}},
        {"model": "m", "response": "text"},
        {"model": "m", "response": "text", "created_at": "now", "done": "yes"},
        {"embedding": [0.1]},
        {"embeddings": [[0.1]]},
        {"id": "1", "texts": ["a"], "embeddings": {"float": [[0.1]]}, "meta": {"billed_units": {"input_tokens": 1}}},
        {"id": "1", "object": "chat.completion", "choices": [{"message": {"role": "assistant", "content": "x"}}]},
        ollama.ListResponse(models=[]),
        ollama.Message(role="assistant", content="text"),
    ],
    ids=repr,
)
def test_what_is_no_answer_of_ollama_is_left_alone(value: object) -> None:
    """Other providers' answers, and a program's own values, are not taken for Ollama's."""
    assert not READER.reads(value)
    assert not READER.reads_chunk(value)
    assert READER.stream_form(value) is None
