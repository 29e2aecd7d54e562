"""Anthropic's streams that were left, broken off or passed on in part, and events that make no sense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.readers.anthropic import AnthropicReader
from agenttrace.semconv.types import ModelCall

from .anthropic_material import CASES, MODEL, OSLO, REQUEST, Case, plain
from .assembling import assembled, assembled_until
from .replay import ReplayServer, event_stream
from .test_anthropic_streams import Events, Form, connect, helper, raw

READER = AnthropicReader()

BROKEN_OFF = {
    "before anything": (0, {}),
    "after the start": (
        1,
        {
            "model_name": MODEL,
            "system": "anthropic",
            "output_messages": [{"role": "assistant"}],
            "token_counts": {"prompt": 25, "completion": 1},
        },
    ),
    "in the text": (
        4,
        {
            "model_name": MODEL,
            "system": "anthropic",
            "output_messages": [{"role": "assistant", "content": "I look"}],
            "token_counts": {"prompt": 25, "completion": 1},
        },
    ),
    "in the arguments": (
        9,
        {
            "model_name": MODEL,
            "system": "anthropic",
            "output_messages": [
                {
                    "role": "assistant",
                    "contents": [
                        {"type": "text", "text": "I look."},
                        {
                            "type": "tool_use",
                            "tool_call": {"id": "toolu_01", "name": "get_weather", "arguments": '{"c'},
                        },
                    ],
                    "tool_calls": [{"id": "toolu_01", "name": "get_weather", "arguments": '{"c'}],
                }
            ],
            "token_counts": {"prompt": 25, "completion": 1},
        },
    ),
}


@pytest.mark.parametrize(("length", "expected"), BROKEN_OFF.values(), ids=BROKEN_OFF.keys())
def test_a_stream_that_was_left_gives_what_there_is(length: int, expected: dict[str, Any]) -> None:
    """Whatever was streamed until then is the message so far."""
    events = [event for event in CASES["parallel tools"].events() if event["type"] != "ping"]
    assert assembled(READER, events[:length]) == expected


def test_an_error_of_the_server_in_a_stream_leaves_what_came_before(server: ReplayServer) -> None:
    """An overloaded server ends the stream with an error, which the client raises."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    server.will_answer(event_stream([*CASES["text"].events()[:5], error], names=True))
    with connect(server) as client, client.messages.create(**REQUEST, stream=True) as stream:
        call = assembled_until(READER, stream, anthropic.APIStatusError)
    assert call["output_messages"] == [{"role": "assistant", "content": "Rain i"}]


def test_a_connection_that_ends_amid_a_stream_leaves_what_came_before(server: ReplayServer) -> None:
    """A stream that ends without its last events is what was streamed."""
    server.will_answer(event_stream(CASES["text"].events()[:5], names=True))
    call = assembled(READER, raw(server))
    assert call == {
        "model_name": MODEL,
        "system": "anthropic",
        "output_messages": [{"role": "assistant", "content": "Rain i"}],
        "token_counts": {"prompt": 25, "completion": 1},
    }


def only(*kinds: str) -> Callable[[ReplayServer], Events]:
    def select(server: ReplayServer) -> Events:
        return [event for event in helper(server) if event.type in kinds]

    return select


@pytest.mark.parametrize(
    ("form", "case"),
    [
        (only("message_stop"), CASES["parallel tools"]),
        (only("text"), CASES["text"]),
        (only("text", "message_stop"), CASES["text"]),
        (only("content_block_stop"), CASES["parallel tools"]),
        (only("content_block_delta"), CASES["text"]),
    ],
    ids=["end", "text", "text and end", "blocks", "deltas"],
)
def test_a_program_that_passes_on_some_events_only(server: ReplayServer, form: Form, case: Case) -> None:
    """Where a generator of the user's yields some of the helper's events, the message is read from those."""
    server.will_answer(event_stream(case.events(), names=True))
    assert plain(assembled(READER, form(server))["output_messages"]) == [case.message]


def test_a_stream_without_end_fills_no_memory() -> None:
    """Text is kept up to a limit; beyond it the counts and the reason still arrive."""
    assembler = READER.assembler()
    for event in (*CASES["text"].events()[:3],):
        assembler.add(event)
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x" * 1_000_000}}
    for _ in range(10):
        assembler.add(delta)
    late = {"type": "content_block_start", "index": 1, "content_block": OSLO}
    assembler.add(late)
    for event in CASES["text"].events()[-2:]:
        assembler.add(event)
    call = assembler.result()
    (message,) = call["output_messages"]
    assert len(message["content"]) < 4_200_000
    assert message["content"].endswith("characters]")
    assert call["finish_reason"] == "end_turn"
    assert call["token_counts"] == {"prompt": 25, "completion": 40}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "index", "delta", "text", "usage", "content"]), inner, max_size=3)
    ),
    max_leaves=8,
)
KINDS = ("message_start", "message_delta", "message_stop", "content_block_start", "content_block_delta", "text", "new")


@given(
    st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(KINDS)},
            optional={
                "index": JSON,
                "delta": JSON,
                "content_block": JSON,
                "message": JSON,
                "usage": JSON,
                "text": JSON,
            },
        )
        | JSON,
        max_size=8,
    )
)
def test_events_that_make_no_sense_raise_nothing(events: list[Any]) -> None:
    """Whatever an event holds, the assembler takes it and has a result."""
    assembler = READER.assembler()
    for event in events:
        READER.reads_chunk(event)
        assembler.add(event)
        assert set(assembler.result()) <= set(ModelCall.__annotations__)
