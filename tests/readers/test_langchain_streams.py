"""Streams of LangChain's models, put together from chunks and from both kinds of events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModelError
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import GenerationChunk

from agenttrace.readers.langchain import LangChainReader

from .assembling import assembled, assembled_until, cut
from .langchain_material import CALLS, OPENAI, OPENAI_KNOWN, RAIN, THOUGHT, Scripted, piece, usage

READER = LangChainReader()


ANTHROPIC: list[dict[str, Any]] = [
    {
        "content": [],
        "usage_metadata": usage(319, 0, input_token_details={"cache_read": 100, "cache_creation": 200}),
        "response_metadata": {"model_name": "claude-sonnet-4-5", "model_provider": "anthropic"},
    },
    {"content": [{"type": "thinking", "thinking": "It is ", "index": 0}]},
    {"content": [{"type": "thinking", "thinking": "November.", "index": 0}]},
    {"content": [{"type": "thinking", "signature": "c2ln", "index": 0}]},
    {"content": [{"type": "text", "text": "Ra", "index": 1}]},
    {"content": [{"type": "text", "text": "in.", "index": 1}]},
    {
        "content": [
            {
                "type": "text",
                "text": "",
                "citations": [{"cited_text": "Wet.", "document_title": "Forecast"}],
                "index": 1,
            }
        ]
    },
    {
        "content": [{"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {}, "index": 2}],
        "tool_call_chunks": [piece(2, "", "get_weather", "call_1")],
    },
    {
        "content": [{"type": "input_json_delta", "partial_json": '{"city": "Oslo"}', "index": 2}],
        "tool_call_chunks": [piece(2, '{"city": "Oslo"}')],
    },
    {"usage_metadata": usage(0, 8), "response_metadata": {"stop_reason": "tool_use"}, "chunk_position": "last"},
]
RESPONSES: list[dict[str, Any]] = [
    {"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "It is "}], "index": 0}]},
    {"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "November."}], "index": 0}]},
    {"content": [{"type": "text", "text": "Rain.", "index": 1}]},
]
STANDARD: list[dict[str, Any]] = [
    {"content": [{"type": "reasoning", "reasoning": "It is ", "index": "lc_rs_0"}]},
    {"content": [{"type": "reasoning", "reasoning": "November.", "index": "lc_rs_0"}]},
    {"content": [{"type": "text", "text": "Rain.", "index": "lc_txt_1"}]},
]
BESIDE: list[dict[str, Any]] = [
    {"additional_kwargs": {"reasoning_content": "It is "}},
    {"additional_kwargs": {"reasoning_content": "November."}},
    {"content": "Rain."},
]
BESIDE_AS_ITEM: list[dict[str, Any]] = [
    {"additional_kwargs": {"reasoning": {"summary": [{"index": 0, "type": "summary_text", "text": "It is "}]}}},
    {"additional_kwargs": {"reasoning": {"summary": [{"index": 0, "type": "summary_text", "text": "November."}]}}},
    {"content": "Rain."},
]
STREAMS: dict[str, tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]] = {
    "OpenAI's": (
        OPENAI,
        {"content": "Rain.", "tool_calls": CALLS},
        OPENAI_KNOWN,
    ),
    "Anthropic's": (
        ANTHROPIC,
        {
            "contents": [
                {**THOUGHT, "signature": "c2ln"},
                RAIN,
                {"type": "document", "content": "Wet.", "name": "Forecast"},
            ],
            "tool_calls": CALLS[:1],
        },
        {
            "model_name": "claude-sonnet-4-5",
            "finish_reason": "tool_use",
            "system": "anthropic",
            "token_counts": {"prompt": 319, "completion": 8, "total": 327, "cache_read": 100, "cache_write": 200},
        },
    ),
    "OpenAI's responses": (RESPONSES, {"contents": [THOUGHT, RAIN]}, {}),
    "LangChain's own blocks": (STANDARD, {"contents": [THOUGHT, RAIN]}, {}),
    "thoughts beside the content": (BESIDE, {"contents": [THOUGHT, RAIN]}, {}),
    "items of thought beside the content": (BESIDE_AS_ITEM, {"contents": [THOUGHT, RAIN]}, {}),
    "other blocks": (
        [{"content": ["Rain.", {"type": "image", "base64": "aQ==", "mime_type": "image/png"}]}],
        {"contents": [RAIN, {"type": "image", "url": "data:image/png;base64,aQ=="}]},
        {},
    ),
    "a refusal": ([{"additional_kwargs": {"refusal": "No."}}], {"content": "No."}, {}),
}


def streamed(model: BaseChatModel) -> list[Any]:
    return list(model.stream("What is the weather?"))


def async_streamed(model: BaseChatModel) -> list[Any]:
    async def ask() -> list[Any]:
        return [chunk async for chunk in model.astream("What is the weather?")]

    return asyncio.run(ask())


both_ways = pytest.mark.parametrize("stream", [streamed, async_streamed], ids=["sync", "async"])


@both_ways
@pytest.mark.parametrize(("chunks", "message", "known"), STREAMS.values(), ids=STREAMS)
def test_a_stream_is_put_together(
    stream: Any, chunks: list[dict[str, Any]], message: dict[str, Any], known: dict[str, Any]
) -> None:
    """Whatever an integration streams becomes one message; counts add up, and what is said of the model is kept."""
    expected = {**known, "output_messages": [{"role": "assistant", **message}]}
    assert assembled(READER, stream(Scripted(chunks=chunks))) == expected


def test_chunks_of_generations_are_put_together() -> None:
    """What a model's own ``_stream`` yields has the message within, or is a piece of a completed prompt."""
    expected = {**OPENAI_KNOWN, "output_messages": [{"role": "assistant", **STREAMS["OpenAI's"][1]}]}
    assert assembled(READER, Scripted(chunks=OPENAI)._stream([])) == expected
    pieces = [GenerationChunk(text="Ra"), GenerationChunk(text="in.", generation_info={"finish_reason": "length"})]
    assert assembled(READER, pieces) == {"choices": ["Rain."], "finish_reason": "length"}


@both_ways
def test_langchains_scripted_model_is_put_together(stream: Any) -> None:
    """LangChain's own model for tests streams text word by word, and a call's arguments up to each comma."""
    legacy = {"function_call": {"name": "get_weather", "arguments": '{"city": "Oslo", "days": 3}'}}
    model = GenericFakeChatModel(messages=iter([AIMessage("It will rain.", additional_kwargs=legacy)]))
    assert assembled(READER, stream(model)) == {
        "output_messages": [
            {
                "role": "assistant",
                "content": "It will rain.",
                "tool_calls": [{"name": "get_weather", "arguments": '{"city": "Oslo", "days": 3}'}],
            }
        ]
    }


def test_a_stream_that_breaks_off_gives_what_there_was() -> None:
    """What came before the error is recorded."""
    model = FakeListChatModel(responses=["Rain."], error_on_chunk_number=3)
    assert assembled_until(READER, model.stream("What is the weather?"), FakeListChatModelError) == {
        "output_messages": [{"role": "assistant", "content": "Rai"}]
    }


def test_several_answers_in_one_stream_are_kept_apart() -> None:
    """A function that runs a loop of tools yields the chunks of all its calls: each is a message, tokens add up."""
    chunks = [*streamed(Scripted(chunks=OPENAI)), *streamed(Scripted(chunks=OPENAI))]
    message = {"role": "assistant", **STREAMS["OpenAI's"][1]}
    read = assembled(READER, chunks)
    assert read["output_messages"] == [message, message]
    assert read["token_counts"] == {
        "prompt": 38,
        "completion": 16,
        "total": 54,
        "cache_read": 32,
        "reasoning": 10,
        "completion_audio": 0,
    }


calls_in_pieces = st.dictionaries(
    st.integers(0, 3), st.dictionaries(st.text(max_size=4), st.text(max_size=8), max_size=3), max_size=3
)


@given(st.text(max_size=40), calls_in_pieces, st.lists(st.integers(0, 40), max_size=6), st.data())
def test_what_is_put_together_is_what_langchain_adds_up(
    text: str, calls: dict[int, dict[str, str]], places: list[int], data: st.DataObject
) -> None:
    """However a stream is cut and mixed, the result is that of adding its chunks up as LangChain does."""
    queues: list[list[AIMessageChunk]] = [
        [AIMessageChunk(content=each, usage_metadata=usage(1, 2)) for each in cut(text, places)]  # type: ignore[arg-type]
    ]
    for index, arguments in calls.items():
        pieces = list(cut(json.dumps(arguments), places))
        first = piece(index, pieces[0], "get_weather", f"call_{index}")
        written: Iterable[dict[str, Any]] = [first, *(piece(index, each) for each in pieces[1:])]
        queues.append([AIMessageChunk(content="", tool_call_chunks=[each]) for each in written])  # type: ignore[list-item]
    chunks = []
    while queues:
        queue = queues[data.draw(st.integers(0, len(queues) - 1))]
        chunks.append(queue.pop(0))
        queues = [each for each in queues if each]
    whole = READER.read(sum(chunks[1:], chunks[0]))
    read: Any = assembled(READER, chunks)
    for call in read["output_messages"][0].get("tool_calls", ()):
        call["arguments"] = json.loads(call["arguments"])
    assert read == whole


def test_the_events_of_a_model_are_put_together() -> None:
    """Of ``astream_events`` the chunks of the model are read, and its name where its answers don't say it."""
    model = Scripted(chunks=[{"content": "Ra"}, {"content": "in.", "chunk_position": "last"}], metadata={"a": "b"})

    async def ask() -> list[Any]:
        return [event async for event in model.astream_events("What is the weather?", version="v2")]

    events = asyncio.run(ask())
    assert events[0]["event"] == "on_chat_model_start"
    assert assembled(READER, events) == {"output_messages": [{"role": "assistant", "content": "Rain."}]}
    for event in events:
        event["metadata"] = {"ls_provider": "anthropic", "ls_model_name": "claude-sonnet-4-5"}
    assert assembled(READER, events) == {
        "model_name": "claude-sonnet-4-5",
        "system": "anthropic",
        "output_messages": [{"role": "assistant", "content": "Rain."}],
    }


def test_the_events_of_several_runs_are_kept_apart() -> None:
    """Where the events of two models take turns, each has its message."""

    def event(run: str, text: str) -> dict[str, Any]:
        chunk = AIMessageChunk(content=text)
        return {"event": "on_chat_model_stream", "run_id": run, "data": {"chunk": chunk}, "metadata": {}}

    events = [event("1", "Ra"), event("2", "Sn"), event("1", "in."), event("2", "ow.")]
    assert assembled(READER, events) == {
        "output_messages": [{"role": "assistant", "content": text} for text in ("Rain.", "Snow.")]
    }
