"""OpenAI's responses, streamed: by the client's plain streams and by its helper."""

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
    CREATED,
    MESSAGES,
    MODEL,
    OSLO,
    RESPONSE_CALL,
    RESPONSE_COUNTS,
    RESPONSE_EVENTS,
    RESPONSE_MESSAGE,
    at,
    call_item,
    numbered,
    reasoning_item,
    response,
    text_item,
)
from .replay import Answer, ReplayServer, event_stream

READER = OpenAIReader()
HELPER_FORM = StreamForm(
    finishers=frozenset({"get_final_response", "until_done"}), snapshots=("_state._completed_response",)
)
# The events of one item up to where it is done, and the message that they amount to.
ITEMS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "refusal": (
        [
            at("output_item.added", 0, item=text_item()),
            at("content_part.added", 0, content_index=0, part={"type": "refusal", "refusal": ""}),
            at("refusal.delta", 0, content_index=0, delta="I "),
            at("refusal.delta", 0, content_index=0, delta="won't."),
        ],
        {"role": "assistant", "content": "I won't."},
    ),
    "several texts": (
        [
            at("output_item.added", 0, item=text_item()),
            at("output_text.delta", 0, content_index=1, delta="Snow."),
            at("output_text.delta", 0, content_index=0, delta="Rain."),
        ],
        {"role": "assistant", "contents": [{"type": "text", "text": "Rain."}, {"type": "text", "text": "Snow."}]},
    ),
    "thought in full": (
        [
            at("output_item.added", 0, item=reasoning_item()),
            at("reasoning_text.delta", 0, content_index=0, delta="It is "),
            at("reasoning_text.delta", 0, content_index=0, delta="November."),
        ],
        {"role": "assistant", "contents": [{"type": "reasoning", "id": "rs_1", "text": "It is November."}]},
    ),
    "custom tool": (
        [
            at(
                "output_item.added",
                0,
                item={"id": "ctc_1", "type": "custom_tool_call", "call_id": "call_1", "name": "run", "input": ""},
            ),
            at("custom_tool_call_input.delta", 0, delta="print"),
            at("custom_tool_call_input.delta", 0, delta="(1)"),
        ],
        {"role": "assistant", "tool_calls": [{"id": "call_1", "name": "run", "arguments": "print(1)"}]},
    ),
    "MCP": (
        [
            at(
                "output_item.added",
                0,
                item={
                    "id": "mcp_1",
                    "type": "mcp_call",
                    "name": "forecast",
                    "arguments": "",
                    "server_label": "weather",
                },
            ),
            at("mcp_call.in_progress", 0),
            at("mcp_call_arguments.delta", 0, delta='{"city": '),
            at("mcp_call_arguments.delta", 0, delta='"Oslo"}'),
        ],
        {
            "role": "assistant",
            "tool_calls": [{"id": "mcp_1", "name": "forecast", "arguments": '{"city": "Oslo"}'}],
        },
    ),
    "code": (
        [
            at(
                "output_item.added",
                0,
                item={"id": "ci_1", "type": "code_interpreter_call", "status": "in_progress", "container_id": "cntr_1"},
            ),
            at("code_interpreter_call_code.delta", 0, delta="print"),
            at("code_interpreter_call_code.delta", 0, delta="(1)"),
            at("code_interpreter_call.interpreting", 0),
        ],
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "ci_1",
                    "name": "code_interpreter_call",
                    "arguments": {"container_id": "cntr_1", "code": "print(1)"},
                }
            ],
        },
    ),
    "taken up in its midst": (
        [at("output_text.delta", 0, content_index=0, delta="in.")],
        {"role": "assistant", "content": "in."},
    ),
}


def stream(client: openai.OpenAI) -> Any:
    """The client's plain stream."""
    return client.responses.create(model="gpt-4.1", input=MESSAGES, stream=True)


def test_a_stream_is_put_together(server: ReplayServer) -> None:
    """The client's events, and the API's own, amount to the whole response."""
    server.will_answer(event_stream(RESPONSE_EVENTS, names=True))
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client, stream(client) as events:
        assert READER.stream_form(events) == StreamForm()
        received = list(events)
    assert assembled(READER, received) == RESPONSE_CALL
    assert assembled(READER, RESPONSE_EVENTS) == RESPONSE_CALL
    assert assembled(READER, [event.model_dump() for event in received]) == RESPONSE_CALL


def test_the_helpers_events_are_put_together(server: ReplayServer) -> None:
    """The events of `responses.stream`, the response that it holds, and its final response all read as the whole."""
    server.will_answer(event_stream(RESPONSE_EVENTS, names=True))
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
        manager = client.responses.stream(model="gpt-4.1", input=MESSAGES)
        assert READER.stream_form(manager) == HELPER_FORM
        with manager as events:
            assert READER.stream_form(events) == HELPER_FORM
            assert events._state._completed_response is None
            assert assembled(READER, events) == RESPONSE_CALL
            assert READER.read(events._state._completed_response) == RESPONSE_CALL
            assert READER.read(events.get_final_response()) == RESPONSE_CALL


def test_asynchronous_streams_are_put_together(server: ReplayServer) -> None:
    """The asynchronous client's stream and its helper's give the same events."""

    async def collect() -> list[ModelCall]:
        found = []
        async with openai.AsyncOpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
            plain = await client.responses.create(model="gpt-4.1", input=MESSAGES, stream=True)
            assert READER.stream_form(plain) == StreamForm()
            found.append(assembled(READER, [event async for event in plain]))
            manager = client.responses.stream(model="gpt-4.1", input=MESSAGES)
            assert READER.stream_form(manager) == HELPER_FORM
            async with manager as events:
                assert READER.stream_form(events) == HELPER_FORM
                found.append(assembled(READER, [event async for event in events]))
        return found

    server.will_answer(event_stream(RESPONSE_EVENTS, names=True))
    assert asyncio.run(collect()) == [RESPONSE_CALL, RESPONSE_CALL]


@pytest.mark.parametrize("count", range(1, len(RESPONSE_EVENTS)))
def test_a_stream_that_ends_early_gives_a_beginning_of_the_whole(count: int) -> None:
    """After each event there is a prefix of the final message's parts, whose last is a prefix itself."""
    call = assembled(READER, RESPONSE_EVENTS[:count])
    assert call.keys() <= {"model_name", "output_messages"}
    assert call["model_name"] == MODEL
    for message in call.get("output_messages", ()):
        texts = [str(part) for part in _flat(message)]
        whole = [str(part) for part in _flat(RESPONSE_MESSAGE)]
        assert len(texts) <= len(whole)
        assert all(full.startswith(text) for text, full in zip(texts, whole, strict=False))


def _flat(message: Any) -> list[str]:
    """The text of each part of ``message``."""
    if "content" in message:
        return [message["content"]]
    parts = message.get("contents", ())
    return [part.get("text") or part.get("tool_call", {}).get("arguments", "") for part in parts]


@pytest.mark.parametrize("name", ITEMS)
def test_an_item_that_was_not_done_is_read(server: ReplayServer, name: str) -> None:
    """What the deltas brought of an item counts where neither the whole item nor the whole response came."""
    events, message = ITEMS[name]
    broken = [*event_stream(numbered(CREATED, *events), names=True).body, b"data: {\n\n"]
    server.will_answer(Answer(broken, content_type="text/event-stream"))  # type: ignore[arg-type]
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
        call = assembled_until(READER, stream(client), ValueError)
    assert call == {"model_name": MODEL, "output_messages": [message]}


@pytest.mark.parametrize(
    ("kind", "last", "reason"),
    [
        ("incomplete", {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter"),
        ("failed", {"status": "failed", "error": {"code": "server_error", "message": "no"}}, "failed"),
        ("completed", {}, "completed"),
    ],
)
def test_a_last_event_without_output_ends_what_came_before(
    server: ReplayServer, kind: str, last: dict[str, Any], reason: str
) -> None:
    """Why it ended and what it took come from the last event, the message from the ones before it."""
    events = [*ITEMS["refusal"][0], {"type": f"response.{kind}", "response": response(**last)}]
    server.will_answer(event_stream(numbered(CREATED, *events), names=True))
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client, stream(client) as received:
        assert assembled(READER, received) == {
            "model_name": MODEL,
            "output_messages": [{"role": "assistant", "content": "I won't."}],
            "token_counts": RESPONSE_COUNTS,
            "finish_reason": reason,
        }


def test_an_error_event_is_why_it_ended(server: ReplayServer) -> None:
    """An event of type ``error`` is the end of a stream that the client doesn't raise."""
    error = {"type": "error", "code": "server_error", "message": "no", "param": None}
    server.will_answer(event_stream(numbered(CREATED, *ITEMS["refusal"][0], error), names=True))
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client, stream(client) as received:
        assert assembled(READER, received) == {
            "model_name": MODEL,
            "output_messages": [{"role": "assistant", "content": "I won't."}],
            "finish_reason": "error",
        }


def test_the_events_of_several_responses_are_kept_apart() -> None:
    """A generator that asks again with each tool's result yields them all: each is a message, and tokens add up."""
    last = response(text_item("Rain."), id="resp_2")
    second = numbered(CREATED, *ITEMS["refusal"][0])
    assert assembled(READER, [*RESPONSE_EVENTS, *second])["output_messages"] == [
        RESPONSE_MESSAGE,
        {"role": "assistant", "content": "I won't."},
    ]
    ended = [*RESPONSE_EVENTS, *second, {"type": "response.completed", "response": last, "sequence_number": 99}]
    assert assembled(READER, ended) == {
        "model_name": MODEL,
        "output_messages": [RESPONSE_MESSAGE, {"role": "assistant", "content": "Rain."}],
        "token_counts": {name: 2 * count for name, count in RESPONSE_COUNTS.items()},
        "finish_reason": "completed",
    }


def test_the_realtime_apis_events_are_left_alone() -> None:
    """Events of the realtime API have the same types and another meaning."""
    for event in (
        {"type": "response.created", "event_id": "event_1", "response": {"object": "realtime.response", "id": "r"}},
        {"type": "response.output_item.added", "event_id": "event_2", "output_index": 0, "item": {}},
        {"type": "session.created", "event_id": "event_3"},
    ):
        assert not READER.reads_chunk(event)


@given(
    st.text(max_size=30),
    st.text(max_size=30),
    st.lists(st.integers(0, 30), max_size=4),
    st.lists(st.booleans(), max_size=12),
)
def test_calls_that_take_turns_are_kept_apart(oslo: str, bergen: str, places: list[int], turns: list[bool]) -> None:
    """However the arguments of two calls are cut up and take turns, each call gets its own."""
    rows = [list(cut(oslo, places)), list(cut(bergen, places))]
    order = [*turns, *[False] * len(rows[0]), *[True] * len(rows[1])]
    events = [
        at("output_item.added", index, item={**call_item(call), "arguments": ""})
        for index, call in enumerate((OSLO, BERGEN))
    ]
    events += [at("function_call_arguments.delta", int(turn), delta=rows[turn].pop(0)) for turn in order if rows[turn]]
    call = assembled(READER, numbered(CREATED, *events))
    assert call["output_messages"] == [
        {"role": "assistant", "tool_calls": [{**OSLO, "arguments": oslo}, {**BERGEN, "arguments": bergen}]}
    ]
