"""OpenAI's chat completions, streamed: by the client's plain streams and by its helper's events."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.readers.interface import StreamForm
from agenttrace.readers.openai import OpenAIReader
from agenttrace.semconv.types import ModelCall

from .assembling import assembled, assembled_until, cut
from .openai_material import (
    BERGEN,
    CHAT_CALL,
    CHAT_CHUNKS,
    COUNTS,
    MESSAGES,
    MODEL,
    OSLO,
    USAGE,
    called,
    choice,
    chunk,
    completion,
    delta,
    piece,
)
from .replay import Answer, ReplayServer, event_stream, json_answer

READER = OpenAIReader()
HELPER_FORM = StreamForm(
    finishers=frozenset({"get_final_completion", "until_done"}), snapshots=("current_completion_snapshot",)
)
HEAD = {"model_name": MODEL, "finish_reason": "stop"}

STREAMS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "text and interleaved calls": (CHAT_CHUNKS, CHAT_CALL),
    "no usage": (CHAT_CHUNKS[:-1], {name: value for name, value in CHAT_CALL.items() if name != "token_counts"}),
    "usage in every chunk": (  # vLLM's `continuous_usage_stats`
        [
            chunk(delta(content="Ra"), usage={"prompt_tokens": 82, "completion_tokens": 1, "total_tokens": 83}),
            chunk(delta(content="in.", finish_reason="stop"), usage=USAGE),
        ],
        {**HEAD, "token_counts": COUNTS, "output_messages": [{"role": "assistant", "content": "Rain."}]},
    ),
    "several choices": (
        [
            chunk(delta(0, role="assistant", content="Ra")),
            chunk(delta(1, role="assistant", content="Su")),
            chunk(delta(0, content="in."), delta(1, content="n.")),
            chunk(delta(1, finish_reason="length")),
            chunk(delta(0, finish_reason="stop")),
        ],
        {
            **HEAD,
            "output_messages": [{"role": "assistant", "content": "Rain."}, {"role": "assistant", "content": "Sun."}],
        },
    ),
    "refusal": (
        [
            chunk(delta(role="assistant", content="", refusal=None)),
            chunk(delta(refusal="I ")),
            chunk(delta(refusal="won't.")),
            chunk(delta(finish_reason="stop")),
        ],
        {**HEAD, "output_messages": [{"role": "assistant", "content": "I won't."}]},
    ),
    "empty": (
        [chunk(delta(role="assistant", content="")), chunk(delta(finish_reason="stop"))],
        {**HEAD, "output_messages": [{"role": "assistant", "content": ""}]},
    ),
    "reasoning": (  # DeepSeek, xAI, Moonshot, vLLM
        [
            chunk(delta(role="assistant", content=None, reasoning_content="It is ")),
            chunk(delta(content=None, reasoning_content="November.")),
            chunk(delta(content="Rain.", reasoning_content=None)),
            chunk(delta(finish_reason="stop")),
        ],
        {
            **HEAD,
            "output_messages": [
                {
                    "role": "assistant",
                    "contents": [{"type": "reasoning", "text": "It is November."}, {"type": "text", "text": "Rain."}],
                }
            ],
        },
    ),
    "spoken": (
        [
            chunk(delta(role="assistant", audio={"id": "audio_1", "transcript": "Ra"})),
            chunk(delta(audio={"data": "UklGRg=="})),
            chunk(delta(audio={"transcript": "in."})),
            chunk(delta(audio={"expires_at": 1_763_990_000}, finish_reason="stop")),
        ],
        {**HEAD, "output_messages": [{"role": "assistant", "contents": [{"type": "audio", "transcript": "Rain."}]}]},
    ),
    "legacy function call": (
        [
            chunk(delta(role="assistant", content=None, function_call={"name": "get_weather", "arguments": ""})),
            chunk(delta(function_call={"arguments": '{"city": '})),
            chunk(delta(function_call={"arguments": '"Oslo"}'})),
            chunk(delta(finish_reason="function_call")),
        ],
        {
            **HEAD,
            "finish_reason": "function_call",
            "output_messages": [
                {"role": "assistant", "tool_calls": [{"name": "get_weather", "arguments": '{"city": "Oslo"}'}]}
            ],
        },
    ),
    "Azure's filter first": (
        [
            {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": []},
            chunk(delta(role="assistant", content="Rain.", finish_reason="stop")),
        ],
        {**HEAD, "output_messages": [{"role": "assistant", "content": "Rain."}]},
    ),
}


def stream(client: openai.OpenAI) -> Any:
    """The client's plain stream."""
    return client.chat.completions.create(model="gpt-4.1", messages=MESSAGES, stream=True)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_put_together(server: ReplayServer, name: str) -> None:
    """The client's chunks, and the API's own, amount to the final message with its calls and usage."""
    chunks, call = STREAMS[name]
    server.will_answer(event_stream(chunks, done=True))
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client, stream(client) as given_chunks:
        assert READER.stream_form(given_chunks) == StreamForm()
        received = list(given_chunks)
    assert assembled(READER, received) == call
    assert assembled(READER, chunks) == call
    assert assembled(READER, [given.model_dump() for given in received]) == call


@pytest.mark.parametrize("name", [name for name in STREAMS if name not in ("spoken", "Azure's filter first")])
def test_the_helpers_events_are_put_together(server: ReplayServer, name: str) -> None:
    """Of the events that `chat.completions.stream` gives, those that hand on chunks amount to the same."""
    chunks, call = STREAMS[name]
    server.will_answer(event_stream(chunks, done=True))
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
        manager = client.chat.completions.stream(model="gpt-4.1", messages=MESSAGES)
        assert READER.stream_form(manager) == HELPER_FORM
        with manager as events:
            assert READER.stream_form(events) == HELPER_FORM
            assembler = READER.assembler()
            for number, event in enumerate(events):
                assert number or READER.reads_chunk(event)
                assembler.add(event)
            assert assembler.result() == call
            assert READER.reads(events.current_completion_snapshot)
            assert READER.read(events.current_completion_snapshot)["output_messages"] == call["output_messages"]


def test_a_final_completion_is_read(server: ReplayServer) -> None:
    """What the helper's `get_final_completion` gives is a completion like any other."""
    server.will_answer(event_stream(CHAT_CHUNKS, done=True))
    with (
        openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client,
        client.chat.completions.stream(model="gpt-4.1", messages=MESSAGES) as events,
    ):
        assert READER.read(events.get_final_completion()) == CHAT_CALL


def test_asynchronous_streams_are_put_together(server: ReplayServer) -> None:
    """The asynchronous client's stream and its helper's give the same chunks."""

    async def collect() -> list[ModelCall]:
        found = []
        async with openai.AsyncOpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
            plain = await client.chat.completions.create(model="gpt-4.1", messages=MESSAGES, stream=True)
            assert READER.stream_form(plain) == StreamForm()
            found.append(assembled(READER, [chunk async for chunk in plain]))
            manager = client.chat.completions.stream(model="gpt-4.1", messages=MESSAGES)
            assert READER.stream_form(manager) == HELPER_FORM
            async with manager as events:
                assert READER.stream_form(events) == HELPER_FORM
                found.append(assembled(READER, [event async for event in events if event.type == "chunk"]))
        return found

    server.will_answer(event_stream(CHAT_CHUNKS, done=True))
    assert asyncio.run(collect()) == [CHAT_CALL, CHAT_CALL]


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (Answer([b"data: {\n\n"], content_type="text/event-stream"), ValueError),
        (event_stream([{"error": {"message": "The server had an error", "type": "server_error"}}]), openai.APIError),
    ],
    ids=["no JSON", "an error of the server"],
)
def test_a_stream_that_breaks_off_gives_what_there_was(
    server: ReplayServer, broken: Answer, error: type[Exception]
) -> None:
    """The pieces up to the error amount to a message, calls half written included."""
    before = event_stream(CHAT_CHUNKS[:7])
    server.will_answer(before._replace(body=[*before.body, *broken.body]))  # type: ignore[list-item]
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
        call = assembled_until(READER, stream(client), error)
    assert call == {
        "model_name": MODEL,
        "output_messages": [
            {
                "role": "assistant",
                "content": "Let me look.",
                "tool_calls": [OSLO, {**BERGEN, "arguments": '{"city": "Ber'}],
            }
        ],
    }


def test_a_stream_of_nothing_amounts_to_nothing() -> None:
    """An assembler that saw no chunk, or only ones it doesn't know, has nothing to say."""
    assembler = READER.assembler()
    assert assembler.result() == {}
    for unknown in (None, "text", {}, {"object": "chat.completion.chunk"}, {"type": "chunk"}):
        assembler.add(unknown)
    assert assembler.result() == {}


TEXTS = st.text(max_size=40)
CALLS = st.lists(
    st.fixed_dictionaries(
        {"id": st.uuids().map(str), "name": st.sampled_from(["search", "fetch"]), "arguments": TEXTS}
    ),
    max_size=3,
)

PLACES = st.lists(st.integers(0, 40), max_size=4)


@given(st.data(), st.lists(st.tuples(TEXTS, TEXTS, CALLS), min_size=1, max_size=3))
def test_a_stream_amounts_to_the_whole(data: st.DataObject, turns: list[tuple[str, str, list[dict[str, str]]]]) -> None:
    """However a completion is cut up, and in whatever order its choices and calls take turns, it reads as the whole."""
    rows: list[list[dict[str, Any]]] = []
    choices = []
    for index, (text, thought, calls) in enumerate(turns):
        message = {"content": text, "reasoning_content": thought, "tool_calls": [called(call) for call in calls]}
        choices.append(choice(message, index=index))
        rows.append([delta(index, content=part) for part in cut(text, data.draw(PLACES))])
        rows.append([delta(index, reasoning_content=part) for part in cut(thought, data.draw(PLACES))])
        for number, call in enumerate(calls):
            parts = ["", *cut(call["arguments"], data.draw(PLACES))]
            named = [call, *[None] * len(parts)]
            rows.append([delta(index, tool_calls=[piece(number, *both)]) for both in zip(parts, named, strict=False)])
    turn_taking = data.draw(st.permutations([number for number, row in enumerate(rows) for _ in row]))
    chunks = [chunk(delta(index, role="assistant", content="")) for index in range(len(turns))]
    chunks += [chunk(rows[number].pop(0)) for number in turn_taking]
    chunks += [chunk(delta(index, finish_reason="stop")) for index in range(len(turns))]
    streamed = assembled(READER, [*chunks, chunk(usage=USAGE)])
    assert _calls_by_id(streamed) == _calls_by_id(READER.read(completion(*choices)))


def _calls_by_id(call: ModelCall) -> dict[str, Any]:
    """``call`` with its messages' tool calls by their id: which of them began first was up to chance."""
    messages: list[dict[str, Any]] = [dict(message) for message in call["output_messages"]]
    for message in messages:
        message["tool_calls"] = {made["id"]: made for made in message.get("tool_calls", ())}
    return {**call, "output_messages": messages}


def test_the_chunks_of_several_completions_are_kept_apart() -> None:
    """A generator that asks again with each tool's result yields them all: each is a message, and tokens add up."""
    second = [
        chunk(delta(role="assistant", content="Rain."), id="chatcmpl-2", model="gpt-4.1-mini"),
        chunk(delta(finish_reason="stop"), id="chatcmpl-2", model="gpt-4.1-mini"),
        chunk(id="chatcmpl-2", model="gpt-4.1-mini", usage=USAGE),
    ]
    assert assembled(READER, [*CHAT_CHUNKS, *second]) == {
        "model_name": "gpt-4.1-mini",
        "output_messages": [*CHAT_CALL["output_messages"], {"role": "assistant", "content": "Rain."}],  # type: ignore[misc]
        "token_counts": {name: 2 * count for name, count in COUNTS.items()},
        "finish_reason": "stop",
    }


def test_chunks_with_ids_of_their_own_are_one_completion() -> None:
    """Servers that give each chunk another id still stream one message."""
    chunks = [{**sent, "id": f"chatcmpl-{number}"} for number, sent in enumerate(CHAT_CHUNKS)]
    assert assembled(READER, chunks) == CHAT_CALL


def test_errors_of_the_server_stay_the_clients(server: ReplayServer) -> None:
    """An error that the client raises has no response to read."""
    server.will_answer(json_answer({"error": {"message": "slow down", "type": "requests"}}, status=429))
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
        with pytest.raises(openai.RateLimitError) as caught:
            stream(client)
        assert not READER.reads(caught.value.body)
