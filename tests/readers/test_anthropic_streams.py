"""Anthropic's streams in every form that its client has: put together, they are the message."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import anthropic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.readers.anthropic import AnthropicReader

from .anthropic_material import BETA_CASES, CASES, MODEL, OSLO, REQUEST, Case, events_of, plain, written
from .assembling import assembled, cut
from .replay import Answer, ReplayServer, event_stream

READER = AnthropicReader()
Events = list[Any]


def connect(server: ReplayServer) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="test", base_url=server.url, max_retries=0)


def connect_async(server: ReplayServer) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(api_key="test", base_url=server.url, max_retries=0)


def raw(server: ReplayServer) -> Events:
    with connect(server) as client, client.messages.create(**REQUEST, stream=True) as stream:
        return list(stream)


def helper(server: ReplayServer) -> Events:
    with connect(server) as client, client.messages.stream(**REQUEST) as stream:
        return list(stream)


def raw_beta(server: ReplayServer) -> Events:
    with connect(server) as client, client.beta.messages.create(**REQUEST, stream=True) as stream:
        return list(stream)


def helper_beta(server: ReplayServer) -> Events:
    with connect(server) as client, client.beta.messages.stream(**REQUEST) as stream:
        return list(stream)


def raw_async(server: ReplayServer) -> Events:
    async def ask() -> Events:
        async with connect_async(server) as client, await client.messages.create(**REQUEST, stream=True) as stream:
            return [event async for event in stream]

    return asyncio.run(ask())


def helper_async(server: ReplayServer) -> Events:
    async def ask() -> Events:
        async with connect_async(server) as client, client.messages.stream(**REQUEST) as stream:
            return [event async for event in stream]

    return asyncio.run(ask())


def as_dictionaries(server: ReplayServer) -> Events:
    return [event.to_dict() for event in raw(server)]


FORMS = (raw, helper, raw_beta, helper_beta, raw_async, helper_async, as_dictionaries)
Form = Callable[[ReplayServer], Events]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("form", FORMS)
def test_a_stream_is_put_together(server: ReplayServer, form: Form, case: Case) -> None:
    """Every event is known, and together they are the message that the API would have sent whole."""
    server.will_answer(event_stream(case.events(), names=True))
    assert plain(assembled(READER, form(server))) == case.expected(streamed=True)


@pytest.mark.parametrize("case", [BETA_CASES["mcp"], BETA_CASES["code and compaction"]])
@pytest.mark.parametrize("form", [raw_beta, helper_beta])
def test_a_stream_of_the_beta_api_is_put_together(server: ReplayServer, form: Form, case: Case) -> None:
    """The blocks that only the beta API has are put together too."""
    server.will_answer(event_stream(case.events(), names=True))
    assert plain(assembled(READER, form(server))) == case.expected(streamed=True)


@pytest.mark.parametrize("form", [raw_beta, helper_beta])
def test_a_compaction_in_pieces_is_put_together(server: ReplayServer, form: Form) -> None:
    """A summary that comes as a delta is recorded, with what is to be sent back with it."""
    events = Case([{"type": "compaction", "content": None}], {}).events()
    delta = {"type": "compaction_delta", "content": "They spoke of rain.", "encrypted_content": "EqQB"}
    events.insert(3, {"type": "content_block_delta", "index": 0, "delta": delta})
    server.will_answer(event_stream(events, names=True))
    compacted = {"type": "compaction", "content": "They spoke of rain.", "encrypted_content": "EqQB"}
    assert plain(assembled(READER, form(server))["output_messages"]) == [{"role": "assistant", "content": compacted}]


def test_interleaved_blocks_are_told_apart_by_index() -> None:
    """Pieces of several blocks that take turns go each to its own."""
    events = CASES["parallel tools"].events()
    starts = [event for event in events if event["type"] == "content_block_start"]
    by_block = [
        [event for event in events if event["type"] == "content_block_delta" and event["index"] == index]
        for index in range(3)
    ]
    turns = [event for column in zip(*by_block, strict=False) for event in column]
    rest = [event for deltas in by_block for event in deltas if event not in turns]
    mixed = [events[0], *starts, *turns, *rest, *events[-2:]]
    assert assembled(READER, mixed) == CASES["parallel tools"].expected(streamed=True)


@given(st.lists(st.integers(0, 80), max_size=12), st.text(min_size=1, max_size=20), st.booleans())
def test_where_the_text_is_cut_makes_no_difference(places: list[int], city: str, is_escaped: bool) -> None:
    """However the API cuts its texts into deltas, the message is the same."""
    arguments = json.dumps({"city": city}, ensure_ascii=is_escaped)
    events = [
        {"type": "message_start", "message": {**CASES["text"].sent(), "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in cut(city, places)
        ),
        {"type": "content_block_start", "index": 1, "content_block": {**OSLO, "input": {}}},
        *(
            {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": piece}}
            for piece in cut(arguments, places)
        ),
    ]
    call = {"id": "toolu_01", "name": "get_weather", "arguments": arguments}
    assert assembled(READER, events)["output_messages"] == [
        {
            "role": "assistant",
            "contents": [{"type": "text", "text": city}, {"type": "tool_use", "tool_call": call}],
            "tool_calls": [call],
        }
    ]


def test_counts_are_totals_of_which_the_latest_holds() -> None:
    """Counts of the last event replace those of the first, but a zero or a missing one doesn't."""
    start = {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 7}
    later = {"input_tokens": 12, "output_tokens": 30, "cache_read_input_tokens": 0, "cache_creation_input_tokens": None}
    events = [
        {"type": "message_start", "message": {**CASES["nothing"].sent(), "usage": start}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 20}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": later},
    ]
    assert assembled(READER, events)["token_counts"] == {
        "prompt": 24,
        "completion": 30,
        "cache_read": 5,
        "cache_write": 7,
    }


def test_a_model_that_takes_over_is_the_model() -> None:
    """Where another model goes on with an answer, its name is the one that is recorded."""
    block = {
        "type": "fallback",
        "from": {"model": MODEL},
        "to": {"model": "claude-opus-4-1"},
        "trigger": {"type": "refusal"},
    }
    events = Case([block], {}).events()
    assert assembled(READER, [event for event in events if event["type"] != "ping"])["model_name"] == "claude-opus-4-1"


def test_several_messages_in_one_stream_are_several_messages(server: ReplayServer) -> None:
    """A loop of tools that yields the events of all its calls has all their messages, and the sum of their tokens."""
    server.will_answer(
        event_stream(CASES["tools alone"].events(), names=True), event_stream(CASES["cache"].events(), names=True)
    )
    assert assembled(READER, [*raw(server), *raw(server)]) == {
        "model_name": MODEL,
        "system": "anthropic",
        "output_messages": [written(CASES["tools alone"].message), CASES["cache"].message],
        "token_counts": {"prompt": 1250, "completion": 80, "cache_read": 1000, "cache_write": 200},
        "finish_reason": "end_turn",
    }


def test_a_stream_leaves_its_events_as_they_were(server: ReplayServer) -> None:
    """Nothing of an event is changed, and what is recorded doesn't follow when the program changes one."""
    server.will_answer(event_stream(CASES["web search"].events(), names=True))
    events = raw(server)
    before = [event.model_dump_json() for event in events]
    assembler = READER.assembler()
    for event in events:
        assembler.add(event)
    assert [event.model_dump_json() for event in events] == before
    for event in events:
        if event.type == "content_block_start" and event.content_block.type == "web_search_tool_result":
            event.content_block.content.clear()
    assert plain(assembler.result()) == CASES["web search"].expected(streamed=True)


def test_the_streams_of_the_client_are_known(server: ReplayServer) -> None:
    """Raw streams need no word; the helpers' say what else reads them, and where the message is."""
    server.will_answer(event_stream(CASES["text"].events(), names=True))
    with connect(server) as client:
        for messages in (client.messages, client.beta.messages):
            manager: Any = messages.stream(**REQUEST)
            with manager as stream:
                for managed in (manager, stream):
                    form = READER.stream_form(managed)
                    assert form is not None
                    assert form.opens == {"__enter__", "__aenter__"}
                for name in (*form.iterators, *form.finishers):
                    assert hasattr(stream, name)
                assert form.iterators == {"text_stream"}
                assert form.finishers == {"get_final_message", "get_final_text", "until_done"}
                stream.until_done()
                (snapshot,) = form.snapshots
                message = getattr(stream, snapshot)
                assert READER.reads(message)
                assert READER.read(message) == CASES["text"].expected()
            with messages.create(**REQUEST, stream=True) as raw_stream:
                raw_form = READER.stream_form(raw_stream)
                assert raw_form is not None
                assert not raw_form.iterators | raw_form.finishers
                assert not raw_form.snapshots


def test_the_streams_of_the_async_client_are_known(server: ReplayServer) -> None:
    """The asynchronous streams are known as the others are."""
    server.will_answer(event_stream(CASES["thinking"].events(), names=True))

    async def ask() -> None:
        async with connect_async(server) as client:
            for messages in (client.messages, client.beta.messages):
                manager: Any = messages.stream(**REQUEST)
                async with manager as stream:
                    form = READER.stream_form(manager)
                    assert form == READER.stream_form(stream)
                    assert form is not None
                    for name in (*form.iterators, *form.finishers):
                        assert hasattr(stream, name)
                    assert [text async for text in stream.text_stream] == ["Rai", "n."]
                    message = getattr(stream, form.snapshots[0])
                    assert READER.read(message) == CASES["thinking"].expected()
                raw_stream = await messages.create(**REQUEST, stream=True)
                assert READER.stream_form(raw_stream) is not None
                await raw_stream.close()

    asyncio.run(ask())


def test_a_snapshot_of_a_stream_that_was_left_is_read(server: ReplayServer) -> None:
    """Of text that was read in part, the helper's snapshot is the message so far."""
    server.will_answer(event_stream(CASES["text"].events(), names=True))
    with connect(server) as client, client.messages.stream(**REQUEST) as stream:
        assert next(iter(stream.text_stream)) == "Rai"
        snapshot = stream.current_message_snapshot
    assert READER.reads(snapshot)
    assert READER.read(snapshot)["output_messages"] == [{"role": "assistant", "content": "Rai"}]


def eventstream_message(event: dict[str, Any]) -> bytes:
    """One message of AWS's binary event stream, as Bedrock wraps each event in."""
    from base64 import b64encode
    from binascii import crc32

    def header(name: str, value: str) -> bytes:
        text = value.encode()
        return bytes([len(name)]) + name.encode() + b"\x07" + len(text).to_bytes(2, "big") + text

    headers = header(":message-type", "event") + header(":event-type", "chunk") + header(":content-type", "json")
    payload = json.dumps({"bytes": b64encode(json.dumps(event).encode()).decode()}).encode()
    prelude = (len(headers) + len(payload) + 16).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    body = prelude + crc32(prelude).to_bytes(4, "big") + headers + payload
    return body + crc32(body).to_bytes(4, "big")


def test_a_stream_of_bedrock_is_put_together(server: ReplayServer) -> None:
    """Bedrock's binary stream gives the same events through the client's class for it."""
    case = CASES["parallel tools"]
    pieces = [eventstream_message(event) for event in events_of(case.sent()) if event["type"] != "ping"]
    server.will_answer(Answer(pieces, content_type="application/vnd.amazon.eventstream"))
    client = anthropic.AnthropicBedrock(
        aws_access_key="test", aws_secret_key="test", aws_region="eu-north-1", base_url=server.url, max_retries=0
    )
    with client, client.messages.create(**REQUEST, stream=True) as stream:
        assert READER.stream_form(stream) is not None
        assert assembled(READER, stream) == case.expected(streamed=True)
