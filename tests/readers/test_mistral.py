"""Mistral's responses, as its own client gives them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.readers.interface import StreamForm
from agenttrace.readers.mistral import MistralReader

from .assembling import assembled, assembled_until, cut, without
from .replay import ReplayServer, event_stream, json_answer

try:
    from mistralai.client import Mistral, models
except ImportError:  # releases before the second
    from mistralai import Mistral, models  # type: ignore[no-redef, attr-defined]

READER = MistralReader()
MODEL = "magistral-medium-2509"
MESSAGES: Any = [{"role": "user", "content": "What is the weather in Oslo and Bergen?"}]
USAGE = {"prompt_tokens": 19, "completion_tokens": 8, "total_tokens": 27}
KNOWN = {
    "system": "mistralai",
    "model_name": MODEL,
    "finish_reason": "stop",
    "token_counts": {"prompt": 19, "completion": 8, "total": 27},
}


def completion(*messages: dict[str, Any], reason: str = "stop", usage: dict[str, Any] = USAGE) -> dict[str, Any]:
    choices = [{"index": index, "finish_reason": reason, "message": each} for index, each in enumerate(messages)]
    return {
        "id": "cmpl-e5cc70bb28c444948073e77776eb30ef",
        "object": "chat.completion",
        "created": 1702256327,
        "model": MODEL,
        "choices": choices,
        "usage": usage,
    }


def chunk(delta: dict[str, Any], reason: str | None = None, *, index: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": "cmpl-e5cc70bb28c444948073e77776eb30ef",
        "object": "chat.completion.chunk",
        "created": 1702256327,
        "model": MODEL,
        "choices": [{"index": index, "delta": delta, "finish_reason": reason}],
        **more,
    }


def call(identifier: str, arguments: str | dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": identifier, "function": {"name": "get_weather", "arguments": arguments}, **more}


THINKING = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "It is "}, {"type": "text", "text": "November."}]},
    {"type": "text", "text": "Rain."},
    {"type": "reference", "reference_ids": [3, 7]},
]
REFERENCE = {"type": "text", "text": {"type": "reference", "reference_ids": [3, 7]}}
MESSAGES_READ = {
    "text": ({"role": "assistant", "content": "Rain."}, {"role": "assistant", "content": "Rain."}),
    "thought and reference": (
        {"role": "assistant", "content": THINKING},
        {
            "role": "assistant",
            "contents": [
                {"type": "reasoning", "text": "It is November."},
                {"type": "text", "text": "Rain."},
                REFERENCE,
            ],
        },
    ),
    "tools": (
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [call("D681PevKs", '{"city": "Oslo"}'), call("null", {"city": "Bergen"})],
        },
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "D681PevKs", "name": "get_weather", "arguments": '{"city": "Oslo"}'},
                {"name": "get_weather", "arguments": {"city": "Bergen"}},
            ],
        },
    ),
    "nothing": ({"role": "assistant", "content": ""}, {"role": "assistant", "content": ""}),
    "content left out": ({"role": "assistant"}, {"role": "assistant"}),
}


@pytest.fixture
def client(server: ReplayServer) -> Iterator[Mistral]:
    with Mistral(api_key="test", server_url=server.url) as client:
        yield client


def streamed(server: ReplayServer) -> list[models.CompletionEvent]:
    connected = Mistral(api_key="test", server_url=server.url)
    with connected as client, client.chat.stream(model=MODEL, messages=MESSAGES) as stream:
        return list(stream)


def async_streamed(server: ReplayServer) -> list[models.CompletionEvent]:
    async def ask() -> list[models.CompletionEvent]:
        connected = Mistral(api_key="test", server_url=server.url)
        async with connected as client, await client.chat.stream_async(model=MODEL, messages=MESSAGES) as stream:
            return [event async for event in stream]

    return asyncio.run(ask())


both_ways = pytest.mark.parametrize("stream", [streamed, async_streamed], ids=["sync", "async"])


@pytest.mark.parametrize(("message", "expected"), MESSAGES_READ.values(), ids=MESSAGES_READ)
def test_a_completion_is_read(
    server: ReplayServer, client: Mistral, message: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Thoughts, references and calls are read beside the text, and nothing of what the client marks as not set."""
    server.will_answer(json_answer(completion(message)))
    response = client.chat.complete(model=MODEL, messages=MESSAGES)
    assert READER.reads(response)
    assert READER.read(response) == {**KNOWN, "output_messages": [expected]}


def test_the_completions_of_agents_and_code_are_read(server: ReplayServer, client: Mistral) -> None:
    """What agents say, and what is filled in between two pieces of code, has the same shape."""
    server.will_answer(json_answer(completion({"role": "assistant", "content": "Rain."})))
    for response in (
        client.agents.complete(agent_id="ag_1", messages=MESSAGES),
        client.fim.complete(model=MODEL, prompt="def rain():"),
    ):
        assert READER.reads(response)
        assert READER.read(response) == {**KNOWN, "output_messages": [{"role": "assistant", "content": "Rain."}]}


def test_several_choices_and_cached_tokens_are_read(server: ReplayServer, client: Mistral) -> None:
    """Each choice is a message; tokens that were cached count within the prompt; the first one's reason is recorded."""
    usage = {**USAGE, "prompt_tokens_details": {"cached_tokens": 16}}
    messages = [{"role": "assistant", "content": text} for text in ("Rain.", "Snow.")]
    server.will_answer(json_answer(completion(*messages, reason="length", usage=usage)))
    response = client.chat.complete(model=MODEL, messages=MESSAGES, n=2)
    assert READER.read(response) == {
        "system": "mistralai",
        "model_name": MODEL,
        "finish_reason": "length",
        "token_counts": {"prompt": 19, "completion": 8, "total": 27, "cache_read": 16},
        "output_messages": messages,
    }


def test_several_messages_of_one_choice_are_read() -> None:
    """A choice may hold a turn of several messages, results of tools among them."""
    body = completion()
    messages = [
        {"role": "assistant", "content": "", "tool_calls": [call("D681PevKs", "{}")]},
        {"role": "tool", "content": "Rain.", "tool_call_id": "D681PevKs"},
        {"role": "assistant", "content": "It rains."},
    ]
    body["choices"] = [{"index": 0, "finish_reason": "stop", "messages": messages}]
    if "messages" not in models.ChatCompletionChoice.model_fields:
        pytest.skip("this release of the client knows one message a choice")
    assert READER.read(models.ChatCompletionResponse(**body)) == {
        **KNOWN,
        "output_messages": [
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "D681PevKs", "name": "get_weather", "arguments": "{}"}],
            },
            {"role": "tool", "content": "Rain.", "tool_call_id": "D681PevKs"},
            {"role": "assistant", "content": "It rains."},
        ],
    }


@both_ways
def test_a_stream_is_put_together(
    server: ReplayServer, stream: Callable[[ReplayServer], list[models.CompletionEvent]]
) -> None:
    """Thoughts, text, references and calls whose arguments take turns are one message; the last has the counts."""
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": ""},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "It is "}]}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "November."}]}]},
        {"content": "Let me "},
        {"content": "look."},
        {"content": [{"type": "reference", "reference_ids": [3, 7]}]},
        {"tool_calls": [call("D681PevKs", '{"city": ', index=0), call("BQ0tQVJqq", '{"city": ', index=1)]},
        {"tool_calls": [call("null", '"Bergen"}', index=1), call("null", '"Oslo"}', index=0)]},
    ]
    events = [*map(chunk, deltas), chunk({"content": ""}, "tool_calls", usage=USAGE)]
    server.will_answer(event_stream(events, done=True))
    assert assembled(READER, stream(server)) == {
        **KNOWN,
        "finish_reason": "tool_calls",
        "output_messages": [
            {
                "role": "assistant",
                "contents": [
                    {"type": "reasoning", "text": "It is November."},
                    {"type": "text", "text": "Let me look."},
                    REFERENCE,
                ],
                "tool_calls": [
                    {"id": "D681PevKs", "name": "get_weather", "arguments": '{"city": "Oslo"}'},
                    {"id": "BQ0tQVJqq", "name": "get_weather", "arguments": '{"city": "Bergen"}'},
                ],
            }
        ],
    }


def test_the_choices_of_a_stream_are_kept_apart(server: ReplayServer) -> None:
    """Chunks of several choices that take turns become a message each."""
    events = [
        chunk({"role": "assistant", "content": "Ra"}),
        chunk({"role": "assistant", "content": "Sn"}, index=1),
        chunk({"content": "ow."}, "length", index=1),
        chunk({"content": "in."}, "stop", usage=USAGE),
    ]
    server.will_answer(event_stream(events, done=True))
    assert assembled(READER, streamed(server)) == {
        **KNOWN,
        "output_messages": [{"role": "assistant", "content": text} for text in ("Rain.", "Snow.")],
    }


def test_a_stream_that_breaks_off_gives_what_there_was(server: ReplayServer, client: Mistral) -> None:
    """What the client can't decode raises there; what came before it is recorded, without counts."""
    server.will_answer(event_stream([chunk({"role": "assistant", "content": "It will"}), {"object": "error"}]))
    with client.chat.stream(model=MODEL, messages=MESSAGES) as stream:
        call_so_far = assembled_until(READER, stream, Exception)
    assert call_so_far == {
        **without(KNOWN, "finish_reason", "token_counts"),
        "output_messages": [{"role": "assistant", "content": "It will"}],
    }


def test_a_dumped_event_is_a_chunk() -> None:
    """An event as a mapping has its chunk under ``data``, which no other provider's stream does."""
    dumped = {"data": chunk({"role": "assistant", "content": "Rain."}, "stop", usage=USAGE)}
    assert assembled(READER, [dumped]) == {**KNOWN, "output_messages": [{"role": "assistant", "content": "Rain."}]}


@given(st.text(max_size=40), st.lists(st.integers(0, 40), max_size=6))
def test_how_a_text_is_cut_makes_no_difference(text: str, places: list[int]) -> None:
    """However the server cuts an answer into chunks, the message is the same."""
    events = [models.CompletionEvent.model_validate({"data": chunk({"content": piece})}) for piece in cut(text, places)]
    assert assembled(READER, events)["output_messages"] == [{"role": "assistant", "content": text}]


def test_the_stream_objects_are_known(server: ReplayServer, client: Mistral) -> None:
    """Both stream objects are known with the generator that they have below; what is none is not."""
    server.will_answer(event_stream([chunk({"content": "Rain."})], done=True))
    form = StreamForm(iterators=frozenset({"generator"}))
    with client.chat.stream(model=MODEL, messages=MESSAGES) as stream:
        assert READER.stream_form(stream) == form

    async def asked() -> StreamForm | None:
        connected = Mistral(api_key="test", server_url=server.url)
        async with connected as client, await client.chat.stream_async(model=MODEL, messages=MESSAGES) as stream:
            return READER.stream_form(stream)

    assert asyncio.run(asked()) == form
    assert READER.stream_form(iter([])) is None
    assert READER.stream_form(client) is None


def test_embeddings_are_read(server: ReplayServer, client: Mistral) -> None:
    """Vectors, model and counts are read."""
    data = [{"object": "embedding", "index": index, "embedding": [0.1, index]} for index in range(2)]
    usage = {"prompt_tokens": 15, "completion_tokens": 0, "total_tokens": 15}
    body = {"id": "embd-1", "object": "list", "model": "mistral-embed", "data": data, "usage": usage}
    server.will_answer(json_answer(body))
    response = client.embeddings.create(model="mistral-embed", inputs=["Oslo", "Bergen"])
    assert READER.reads(response)
    assert READER.read(response) == {
        "model_name": "mistral-embed",
        "embeddings": [{"vector": [0.1, 0.0]}, {"vector": [0.1, 1.0]}],
        "token_counts": {"prompt": 15, "completion": 0, "total": 15},
    }


def test_who_runs_the_model_is_known_of_other_clouds() -> None:
    """The clients for Azure and for Google's cloud have classes of their own; the plain one may talk to anybody."""
    body = completion({"role": "assistant", "content": "Rain."})
    read: dict[str, Any] = {**KNOWN, "output_messages": [{"role": "assistant", "content": "Rain."}]}
    assert READER.read(models.ChatCompletionResponse(**body)) == read
    azure = pytest.importorskip("mistralai.azure.client.models")
    google = pytest.importorskip("mistralai.gcp.client.models")
    event = {"data": chunk({"role": "assistant", "content": "Rain."}, "stop", usage=USAGE)}
    for cloud, provider in ((azure, "azure"), (google, "google")):
        assert READER.read(cloud.ChatCompletionResponse(**body)) == {**read, "provider": provider}
        assert assembled(READER, [cloud.CompletionEvent(**event)]) == {**read, "provider": provider}


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        {},
        completion({"role": "assistant", "content": "x"}),
        chunk({"content": "x"}),
        {"data": [chunk({"content": "x"})]},
        {"data": {"choices": []}},
        models.UserMessage(content="x"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_only_looks_alike_is_left_alone(value: object) -> None:
    """Mappings of the shape that many providers share are the OpenAI reader's."""
    assert not READER.reads(value)
    assert not READER.reads_chunk(value)
    assert READER.stream_form(value) is None
