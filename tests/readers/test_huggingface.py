"""What Hugging Face's inference client returns, asked of a server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from huggingface_hub import (
    AsyncInferenceClient,
    ChatCompletionStreamOutput,
    InferenceClient,
    TextGenerationOutput,
    TextGenerationStreamOutput,
)
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.readers.huggingface import HuggingFaceReader

from .assembling import assembled, assembled_until, cut
from .replay import Answer, ReplayServer, event_stream, json_answer

READER = HuggingFaceReader()
MODEL = "Qwen/Qwen3-32B"
MESSAGES: Any = [{"role": "user", "content": "What is the weather in Oslo and Bergen?"}]
COMMON = {"id": "chatcmpl-1", "created": 1_763_978_400, "model": MODEL, "system_fingerprint": "3.3.6-sha-1f"}
USAGE = {"prompt_tokens": 19, "completion_tokens": 8, "total_tokens": 27}
COUNTS = {"prompt": 19, "completion": 8, "total": 27}
KNOWN = {"model_name": MODEL, "finish_reason": "stop", "token_counts": COUNTS}
DETAILED_USAGE = {
    **USAGE,
    "prompt_tokens_details": {"cached_tokens": 16, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 5},
}
DETAILED_COUNTS = {**COUNTS, "cache_read": 16, "audio": 0, "reasoning": 5}


def completion(message: dict[str, Any], *, reason: str = "stop", usage: dict[str, Any] = USAGE) -> dict[str, Any]:
    choices = [{"index": 0, "finish_reason": reason, "message": message, "logprobs": None}]
    return {**COMMON, "object": "chat.completion", "choices": choices, "usage": usage}


def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choices = [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}]
    return {**COMMON, "object": "chat.completion.chunk", "choices": choices, "usage": None}


LAST = {**COMMON, "object": "chat.completion.chunk", "choices": [], "usage": DETAILED_USAGE}


def call(identifier: str | None, name: str | None, arguments: str, **more: Any) -> dict[str, Any]:
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}, **more}


MESSAGES_READ = {
    "text": ({"role": "assistant", "content": "Rain."}, {"role": "assistant", "content": "Rain."}),
    "thought": (
        {"role": "assistant", "content": "Rain.", "reasoning": "It is November."},
        {
            "role": "assistant",
            "contents": [{"type": "reasoning", "text": "It is November."}, {"type": "text", "text": "Rain."}],
        },
    ),
    "thought in a field that the client's release doesn't know": (
        {"role": "assistant", "content": "Rain.", "reasoning_content": "It is November."},
        {
            "role": "assistant",
            "contents": [{"type": "reasoning", "text": "It is November."}, {"type": "text", "text": "Rain."}],
        },
    ),
    "tools": (
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                call("call_1", "get_weather", '{"city": "Oslo"}'),
                call("call_2", "get_weather", '{"city": "Bergen"}'),
            ],
        },
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "call_1", "name": "get_weather", "arguments": '{"city": "Oslo"}'},
                {"id": "call_2", "name": "get_weather", "arguments": '{"city": "Bergen"}'},
            ],
        },
    ),
}


@pytest.fixture
def client(server: ReplayServer) -> Iterator[InferenceClient]:
    with InferenceClient(server.url, token="test") as client:
        yield client


def streamed(server: ReplayServer) -> list[ChatCompletionStreamOutput]:
    with InferenceClient(server.url, token="test") as client:
        return list(client.chat_completion(MESSAGES, stream=True))


def async_streamed(server: ReplayServer) -> list[ChatCompletionStreamOutput]:
    async def ask() -> list[ChatCompletionStreamOutput]:
        async with AsyncInferenceClient(server.url, token="test") as client:
            return [item async for item in await client.chat_completion(MESSAGES, stream=True)]

    return asyncio.run(ask())


both_ways = pytest.mark.parametrize("stream", [streamed, async_streamed], ids=["sync", "async"])


@pytest.mark.parametrize(("message", "expected"), MESSAGES_READ.values(), ids=MESSAGES_READ)
def test_a_chat_completion_is_read(
    server: ReplayServer, client: InferenceClient, message: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Message, thoughts, calls and all counts are read, also where the client's release knows no such field."""
    server.will_answer(json_answer(completion(message, usage=DETAILED_USAGE)))
    response = client.chat_completion(MESSAGES)
    assert READER.reads(response)
    assert READER.read(response) == {**KNOWN, "token_counts": DETAILED_COUNTS, "output_messages": [expected]}


def test_the_openai_alias_is_read(server: ReplayServer, client: InferenceClient) -> None:
    """``client.chat.completions.create`` gives the same objects."""
    server.will_answer(json_answer(completion({"role": "assistant", "content": "Rain."}, reason="length")))
    response = client.chat.completions.create(MESSAGES)
    assert READER.read(response) == {
        **KNOWN,
        "finish_reason": "length",
        "output_messages": [{"role": "assistant", "content": "Rain."}],
    }


@both_ways
def test_a_stream_is_put_together(
    server: ReplayServer, stream: Callable[[ReplayServer], list[ChatCompletionStreamOutput]]
) -> None:
    """Thoughts, text and calls whose arguments take turns are one message; the counts come in a chunk of their own."""
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "It is "},
        {"reasoning_content": "November."},
        {"content": "Let me "},
        {"content": "look."},
        {"tool_calls": [call("call_1", "get_weather", "", index=0)]},
        {"tool_calls": [call("call_2", "get_weather", "", index=1)]},
        {"tool_calls": [call(None, None, '{"city": ', index=0), call(None, None, '{"city": ', index=1)]},
        {"tool_calls": [call(None, None, '"Bergen"}', index=1), call(None, None, '"Oslo"}', index=0)]},
    ]
    server.will_answer(event_stream([*map(chunk, deltas), chunk({}, "tool_calls"), LAST], done=True))
    assert assembled(READER, stream(server)) == {
        "model_name": MODEL,
        "finish_reason": "tool_calls",
        "token_counts": DETAILED_COUNTS,
        "output_messages": [
            {
                "role": "assistant",
                "contents": [
                    {"type": "reasoning", "text": "It is November."},
                    {"type": "text", "text": "Let me look."},
                ],
                "tool_calls": [
                    {"id": "call_1", "name": "get_weather", "arguments": '{"city": "Oslo"}'},
                    {"id": "call_2", "name": "get_weather", "arguments": '{"city": "Bergen"}'},
                ],
            }
        ],
    }


def test_a_call_that_stands_alone_in_a_delta_is_read(server: ReplayServer) -> None:
    """Older servers send one call where others send a list of them."""
    alone = call("call_1", "get_weather", '{"city": "Oslo"}', index=0)
    server.will_answer(event_stream([chunk({"role": "assistant", "tool_calls": alone}, "tool_calls")]))
    assert assembled(READER, streamed(server)) == {
        "model_name": MODEL,
        "finish_reason": "tool_calls",
        "output_messages": [
            {
                "role": "assistant",
                "tool_calls": [{"id": "call_1", "name": "get_weather", "arguments": '{"city": "Oslo"}'}],
            }
        ],
    }


def test_a_stream_that_breaks_off_gives_what_there_was(server: ReplayServer, client: InferenceClient) -> None:
    """An error that the server sends in the middle leaves the text that came before it."""
    error = {"error": "the model is overloaded", "error_type": "overloaded"}
    server.will_answer(event_stream([chunk({"role": "assistant", "content": "It will"}), error]))
    stream = client.chat_completion(MESSAGES, stream=True)
    assert assembled_until(READER, stream, Exception) == {
        "model_name": MODEL,
        "output_messages": [{"role": "assistant", "content": "It will"}],
    }


@given(st.text(max_size=40), st.lists(st.integers(0, 40), max_size=6))
def test_how_a_text_is_cut_makes_no_difference(text: str, places: list[int]) -> None:
    """However the server cuts an answer into chunks, the message is the same."""
    chunks = [
        ChatCompletionStreamOutput.parse_obj_as_instance(chunk({"content": piece})) for piece in cut(text, places)
    ]
    assert assembled(READER, chunks)["output_messages"] == [{"role": "assistant", "content": text}]


DETAILS = {"finish_reason": "length", "generated_tokens": 3, "prefill": [], "tokens": [], "seed": None}
PREFILL = [{"id": number, "logprob": None, "text": "a"} for number in range(4)]
OTHER = {**DETAILS, "finish_reason": "eos_token", "generated_text": "Snow.", "generated_tokens": 2}
GENERATED = {
    "plain": (DETAILS, {"choices": ["Rain."], "finish_reason": "length", "token_counts": {"completion": 3}}),
    "the prompt's tokens listed": (
        {**DETAILS, "prefill": PREFILL},
        {"choices": ["Rain."], "finish_reason": "length", "token_counts": {"prompt": 4, "completion": 3}},
    ),
    "best of several": (
        {**DETAILS, "best_of_sequences": [OTHER]},
        {"choices": ["Rain.", "Snow."], "finish_reason": "length", "token_counts": {"completion": 5}},
    ),
}


@pytest.mark.parametrize(("details", "expected"), GENERATED.values(), ids=GENERATED)
def test_generated_text_is_read(
    server: ReplayServer, client: InferenceClient, details: dict[str, Any], expected: dict[str, Any]
) -> None:
    """What a prompt was completed to is its choices, the sequences that were not the best included."""
    body = {"generated_text": "Rain.", "details": details}
    server.will_answer(json_answer([body]))
    response = client.text_generation("The weather: ", details=True)
    for form in (response, dict(response), body):
        assert READER.reads(form)
        assert READER.read(form) == expected


def test_generated_text_without_details_is_read() -> None:
    """Servers that know no details leave them out."""
    response = TextGenerationOutput.parse_obj_as_instance({"generated_text": "Rain."})
    assert READER.read(response) == {"choices": ["Rain."]}


def token(text: str, *, special: bool = False, **more: Any) -> dict[str, Any]:
    return {"index": 1, "token": {"id": 1, "text": text, "logprob": -0.5, "special": special}, **more}


def test_streamed_generated_text_is_put_together(server: ReplayServer, client: InferenceClient) -> None:
    """Tokens add up to the text without the mark of its end; the last one has the reason and the counts."""
    details = {"finish_reason": "eos_token", "generated_tokens": 3, "input_length": 4, "seed": None}
    events = [token("Ra"), token("in."), token("</s>", special=True, generated_text="Rain.", details=details)]
    server.will_answer(event_stream(events))
    chunks = list(client.text_generation("The weather: ", details=True, stream=True))
    expected = {
        "choices": ["Rain."],
        "finish_reason": "eos_token",
        "token_counts": {"prompt": 4, "completion": 3},
    }
    assert assembled(READER, chunks) == expected
    assert assembled(READER, events) == expected
    assert assembled(READER, chunks[:2]) == {"choices": ["Rain."]}


def test_a_mark_of_the_end_is_no_text() -> None:
    """Where the server doesn't repeat the whole text, the special tokens are left out of it."""
    events = [token("Rain."), token("</s>", special=True)]
    chunks = [TextGenerationStreamOutput.parse_obj_as_instance(event) for event in events]
    assert assembled(READER, chunks) == {"choices": ["Rain."]}


def test_an_error_of_the_server_is_no_response(server: ReplayServer, client: InferenceClient) -> None:
    """The client raises for what isn't an answer; its error is not taken for one."""
    server.will_answer(Answer(b'{"error": "unauthorized"}', status=401))
    with pytest.raises(OSError, match="401") as caught:
        client.chat_completion(MESSAGES)
    assert not READER.reads(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        {},
        {"generated_text": "text"},
        {"generated_text": "text", "details": "long"},
        {"token": "text"},
        {"token": {"text": "text"}},
        completion({"role": "assistant", "content": "x"}),
        chunk({"content": "x"}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_only_looks_alike_is_left_alone(value: object) -> None:
    """Mappings of the shape that many providers share are the OpenAI reader's."""
    assert not READER.reads(value)
    assert not READER.reads_chunk(value)
    assert READER.stream_form(value) is None
