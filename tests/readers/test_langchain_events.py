"""LangChain's events of blocks that begin, grow and finish: its ``stream_events`` of version 3, which is in beta."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain_core.language_models.chat_models import BaseChatModel

from agenttrace.readers.interface import StreamForm
from agenttrace.readers.langchain import LangChainReader

from .assembling import assembled
from .langchain_material import CALLS, OPENAI, OPENAI_KNOWN, RAIN, THOUGHT, Scripted, usage

READER = LangChainReader()
IN_VERSION_1 = {"output_version": "v1"}
CITED = {"type": "text", "text": "in.", "annotations": [{"type": "citation", "url": "https://yr.no"}], "index": 1}
BLOCKS: list[dict[str, Any]] = [
    {"content": [{"type": "reasoning", "reasoning": "It is ", "index": 0}]},
    {"content": [{"type": "reasoning", "reasoning": "November.", "extras": {"signature": "c2ln"}, "index": 0}]},
    {"content": [{"type": "text", "text": "Ra", "index": 1}]},
    {"content": [CITED]},
    {"content": [{"type": "image", "base64": "aQ==", "mime_type": "image/png", "index": 2}]},
    {"usage_metadata": usage(19, 8), "response_metadata": {"finish_reason": "stop"}, "chunk_position": "last"},
]
for written in BLOCKS:
    written["response_metadata"] = {**written.get("response_metadata", {}), **IN_VERSION_1}
PARSED = [{**call, "arguments": json.loads(call["arguments"])} for call in CALLS]
VERSION_3: dict[str, tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]] = {
    "text and calls": (
        OPENAI,
        {"contents": [RAIN, *({"type": "tool_use", "tool_call": call} for call in PARSED)], "tool_calls": PARSED},
        OPENAI_KNOWN,
    ),
    "blocks": (
        BLOCKS,
        {
            "contents": [
                {**THOUGHT, "signature": "c2ln"},
                RAIN,
                {"type": "document", "url": "https://yr.no"},
                {"type": "image", "url": "data:image/png;base64,aQ=="},
            ]
        },
        {"finish_reason": "stop", "token_counts": {"prompt": 19, "completion": 8, "total": 27}},
    ),
}
BEGUN = [{**CALLS[0], "arguments": '{"city": '}, {"id": "call_2", "name": "get_weather"}]
BROKEN_OFF = {
    "contents": [RAIN, *({"type": "tool_use", "tool_call": call} for call in BEGUN)],
    "tool_calls": BEGUN,
}
needs_version_3 = pytest.mark.skipif(
    not hasattr(BaseChatModel, "stream_events"), reason="this release of LangChain has no events of version 3"
)
is_beta = pytest.mark.filterwarnings("ignore:.* is in beta")


def events_of(chunks: list[dict[str, Any]]) -> tuple[Any, list[Any]]:
    stream: Any = Scripted(chunks=chunks).stream_events("What is the weather?", version="v3")
    return stream, list(stream)


def async_events_of(chunks: list[dict[str, Any]]) -> tuple[Any, list[Any]]:
    async def ask() -> tuple[Any, list[Any]]:
        model: Any = Scripted(chunks=chunks)
        stream = await model.astream_events("What is the weather?", version="v3")
        return stream, [event async for event in stream]

    return asyncio.run(ask())


@is_beta
@needs_version_3
@pytest.mark.parametrize("read_events", [events_of, async_events_of], ids=["sync", "async"])
@pytest.mark.parametrize(("chunks", "message", "known"), VERSION_3.values(), ids=VERSION_3)
def test_events_of_version_3_are_put_together(
    read_events: Any, chunks: list[dict[str, Any]], message: dict[str, Any], known: dict[str, Any]
) -> None:
    """Blocks that begin, grow and finish become one message; the stream itself has it in the end."""
    stream, events = read_events(chunks)
    expected = {**known, "output_messages": [{"role": "assistant", **message}]}
    assert assembled(READER, events) == expected
    assert READER.stream_form(stream) == StreamForm(snapshots=("output_message",))
    assert READER.read(stream.output_message) == expected


@is_beta
@needs_version_3
def test_several_answers_in_events_of_version_3_are_kept_apart() -> None:
    """A message that starts after one has finished is one of its own."""
    events = [*events_of(BLOCKS)[1], *events_of(BLOCKS)[1]]
    message = {"role": "assistant", **VERSION_3["blocks"][1]}
    assert assembled(READER, events) == {
        "finish_reason": "stop",
        "token_counts": {"prompt": 38, "completion": 16, "total": 54},
        "output_messages": [message, message],
    }


@is_beta
@needs_version_3
def test_events_of_version_3_that_break_off_give_what_there_was() -> None:
    """Blocks that never finished are there as far as they came."""
    for chunks, message in ((BLOCKS[:4], {"contents": [THOUGHT, RAIN]}), (OPENAI[:4], BROKEN_OFF)):
        _, events = events_of(chunks)
        begun = [event for event in events if event["event"] not in ("content-block-finish", "message-finish")]
        assert assembled(READER, begun) == {"output_messages": [{"role": "assistant", **message}]}
