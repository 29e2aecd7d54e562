"""The shape of chat completions as servers other than OpenAI's write it, and what an assembler may keep."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.readers.openai.chat_completions import (
    ChatCompletionAssembler,
    is_chat_completion_chunk,
    read_chat_completion,
)
from agenttrace.readers.pieces import Pieces, Room, plain_copy
from agenttrace.readers.token_counts import make_token_count, read_usage
from agenttrace.semconv.types import ModelCall

from .openai_material import MODEL, choice, chunk, completion, delta

LOOK = {"name": "look", "arguments": "{}"}


def put_together(*chunks: dict[str, Any]) -> ModelCall:
    """What ``chunks`` amount to."""
    assembler = ChatCompletionAssembler()
    for each in chunks:
        assert is_chat_completion_chunk(each)
        assembler.add(each)
    return assembler.result()


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (None, None),
        ({}, None),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, None),
        ({"prompt_tokens": -1, "completion_tokens": "7", "total_tokens": None}, None),
        ({"prompt_tokens": 10, "completion_tokens": 5}, {"prompt": 10, "completion": 5}),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 12},
            {"prompt": 10, "completion": 5, "total": 15},
        ),
        (  # DeepSeek
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 15,
                "prompt_cache_hit_tokens": 8,
                "prompt_cache_miss_tokens": 2,
            },
            {"prompt": 10, "completion": 5, "total": 15, "cache_read": 8},
        ),
        (  # Moonshot
            {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "cached_tokens": 8},
            {"prompt": 10, "completion": 5, "total": 15, "cache_read": 8},
        ),
        (  # xAI counts thought outside of the completion
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 35,
                "prompt_tokens_details": {"text_tokens": 10, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 20, "audio_tokens": 0},
            },
            {
                "prompt": 10,
                "completion": 25,
                "total": 35,
                "cache_read": 4,
                "audio": 0,
                "reasoning": 20,
                "completion_audio": 0,
            },
        ),
    ],
)
def test_usage_is_counted_as_openinference_does(usage: Any, counts: Any) -> None:
    """Cached tokens are in the prompt, thought is in the completion, and a total is never less than its parts."""
    assert read_usage(usage) == counts


@given(st.integers(0, 1000), st.integers(0, 1000), st.none() | st.integers(0, 3000))
def test_a_total_is_never_less_than_its_parts(prompt: int, completion: int, total: int | None) -> None:
    """A provider that miscounts its total is corrected; one that gives none is left without."""
    counts = make_token_count(prompt=prompt, completion=completion, total=total)
    if counts is None:
        assert not prompt
        assert not completion
        assert not total
    else:
        assert counts.get("total", prompt + completion) >= prompt + completion
        assert ("total" in counts) is (total is not None)


def test_groqs_usage_is_found() -> None:
    """Groq's streams have the usage in a field of their own, in the last chunk."""
    call = put_together(
        chunk(delta(role="assistant", content="Rain."), x_groq={"id": "req_1"}),
        chunk(
            delta(finish_reason="stop"),
            x_groq={"id": "req_1", "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}},
        ),
    )
    assert call == {
        "model_name": MODEL,
        "output_messages": [{"role": "assistant", "content": "Rain."}],
        "token_counts": {"prompt": 3, "completion": 2, "total": 5},
        "finish_reason": "stop",
    }


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_thought_is_read_under_either_name(name: str) -> None:
    """Groq, OpenRouter and Cerebras have the thought as ``reasoning``, DeepSeek and others as ``reasoning_content``."""
    messages = [
        {
            "role": "assistant",
            "contents": [{"type": "reasoning", "text": "It is November."}, {"type": "text", "text": "Rain."}],
        }
    ]
    whole = read_chat_completion(completion(choice({"content": "Rain.", name: "It is November."})))
    assert whole["output_messages"] == messages
    pieces: list[dict[str, Any]] = [{name: "It is "}, {name: "November."}, {"content": "Rain."}]
    streamed = put_together(*(chunk(delta(**piece)) for piece in pieces))
    assert streamed["output_messages"] == messages


PARTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "It is November."}]},
    {"type": "text", "text": "Rain "},
    {"type": "reference", "reference_ids": [1]},
    {"type": "text", "text": "again."},
]
READ_PARTS = [
    {"type": "reasoning", "text": "It is November."},
    {"type": "text", "text": "Rain "},
    {"type": "text", "text": {"type": "reference", "reference_ids": [1]}},
    {"type": "text", "text": "again."},
]


def test_content_in_parts_keeps_its_order() -> None:
    """Where the content is a list of parts, as Mistral's is, pieces of one part are joined and others kept apart."""
    message = {"role": "assistant", "contents": READ_PARTS}
    assert read_chat_completion(completion(choice({"content": PARTS})))["output_messages"] == [message]
    streamed = put_together(
        chunk(delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "It is "}]}])),
        chunk(delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "November."}]}])),
        chunk(delta(content="Ra")),
        chunk(delta(content="in ")),
        chunk(delta(content=[PARTS[2], {"type": "text", "text": "aga"}])),
        chunk(delta(content="in.")),
    )
    assert streamed["output_messages"] == [message]


def test_thoughts_are_joined_up_to_their_signature() -> None:
    """LiteLLM's blocks of Anthropic's thoughts come in pieces; the signature ends one."""
    streamed = put_together(
        chunk(delta(reasoning_content="It is ", thinking_blocks=[{"type": "thinking", "thinking": "It is "}])),
        chunk(delta(reasoning_content="November.", thinking_blocks=[{"type": "thinking", "thinking": "November."}])),
        chunk(delta(thinking_blocks=[{"type": "thinking", "thinking": "", "signature": "sig1"}])),
        chunk(delta(thinking_blocks=[{"type": "redacted_thinking", "data": "gAAA"}])),
        chunk(delta(thinking_blocks=[{"type": "thinking", "thinking": "So.", "signature": "sig2"}])),
        chunk(delta(content="Rain.")),
    )
    assert streamed["output_messages"] == [
        {
            "role": "assistant",
            "contents": [
                {"type": "reasoning", "text": "It is November.", "signature": "sig1"},
                {"type": "reasoning", "data": "gAAA"},
                {"type": "reasoning", "text": "So.", "signature": "sig2"},
                {"type": "text", "text": "Rain."},
            ],
        }
    ]


def test_pictures_beside_the_text_are_read() -> None:
    """OpenRouter and LiteLLM have generated images in a list beside the content."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,UklGRg=="}}
    message = {
        "role": "assistant",
        "contents": [{"type": "text", "text": "Oslo:"}, {"type": "image", "url": "data:image/png;base64,UklGRg=="}],
    }
    assert read_chat_completion(completion(choice({"content": "Oslo:", "images": [image]})))["output_messages"] == [
        message
    ]
    streamed = put_together(chunk(delta(content="Oslo:")), chunk(delta(images=[image])))
    assert streamed["output_messages"] == [message]


def calls_of(*pieces: dict[str, Any]) -> Any:
    """The calls that ``pieces``, each in a chunk of its own, amount to."""
    [message] = put_together(*(chunk(delta(tool_calls=[piece])) for piece in pieces))["output_messages"]
    return message["tool_calls"]


@pytest.mark.parametrize(
    ("pieces", "calls"),
    [
        pytest.param(
            [{"index": 0, "id": "a", "function": LOOK}, {"index": 0, "id": "b", "function": LOOK}],
            [{"id": "a", **LOOK}, {"id": "b", **LOOK}],
            id="all of one index",
        ),
        pytest.param(
            [{"id": "a", "function": LOOK}, {"id": "b", "function": LOOK}],
            [{"id": "a", **LOOK}, {"id": "b", **LOOK}],
            id="no index",
        ),
        pytest.param(
            [
                {"id": "a", "function": {"name": "look", "arguments": "{"}},
                {"id": "b", "function": LOOK},
                {"id": "a", "function": {"arguments": "}"}},
            ],
            [{"id": "a", **LOOK}, {"id": "b", **LOOK}],
            id="no index, taking turns",
        ),
        pytest.param([{"function": LOOK}, {"function": LOOK}], [LOOK, LOOK], id="neither index nor id"),
        pytest.param(
            [{"function": {"name": "look", "arguments": "{"}}, {"function": {"arguments": "}"}}],
            [LOOK],
            id="neither, in pieces",
        ),
        pytest.param(
            [
                {"index": 0, "id": "a", "function": {"name": "look", "arguments": "{"}},
                {"index": 0, "id": "a", "function": {"name": "look", "arguments": "}"}},
            ],
            [{"id": "a", **LOOK}],
            id="id and name in each piece",
        ),
        pytest.param(
            [
                {"index": 0, "id": "a", "function": {"name": "lo"}},
                {"index": 0, "function": {"name": "ok", "arguments": "{}"}},
            ],
            [{"id": "a", **LOOK}],
            id="the name in pieces",
        ),
        pytest.param(
            [{"index": 0, "id": "null", "function": {"name": "look", "arguments": {"city": "Ålesund"}}}],
            [{"name": "look", "arguments": '{"city": "Ålesund"}'}],
            id="arguments as an object",
        ),
        pytest.param(
            [
                {"index": 0, "id": "a", "type": "custom", "custom": {"name": "run", "input": "print"}},
                {"index": 0, "custom": {"input": "(1)"}},
            ],
            [{"id": "a", "name": "run", "arguments": "print(1)"}],
            id="custom tool",
        ),
    ],
)
def test_calls_are_kept_apart_however_they_are_counted(pieces: list[dict[str, Any]], calls: list[Any]) -> None:
    """Servers that count calls wrongly, or not at all, still give each call its own arguments."""
    assert calls_of(*pieces) == calls


def test_what_can_not_be_json_is_no_argument() -> None:
    """Arguments that are an object no API sends leave a call without any."""
    assert calls_of({"index": 0, "function": {"name": "look", "arguments": {"city": object()}}}) == [
        {"name": "look", "arguments": ""}
    ]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("choices", "delta", "message", "index", "content", "tool_calls", "function", "name", "arguments"),
                    *(
                        "type",
                        "text",
                        "thinking",
                        "usage",
                        "prompt_tokens",
                        "id",
                        "model",
                        "refusal",
                        "audio",
                        "object",
                    ),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.lists(JUNK, max_size=4))
def test_nothing_raises_whatever_comes(chunks: list[Any]) -> None:
    """Chunks and responses that no server should send amount to something or nothing, and raise nothing."""
    assembler = ChatCompletionAssembler()
    for each in chunks:
        for response in (each, {"choices": [{"message": each}]}):
            assert set(read_chat_completion(response)) <= set(ModelCall.__annotations__)
        for part in (each, {"choices": [each]}, {"choices": [{"index": 0, "delta": each}]}):
            assembler.add(part)
    assert set(assembler.result()) <= set(ModelCall.__annotations__)


def test_a_stream_without_end_is_kept_up_to_a_limit() -> None:
    """Past some 4 MiB of text, what comes is only counted; the message says how long it was."""
    assembler = ChatCompletionAssembler()
    piece = "x" * 100_000
    for _ in range(50):
        assembler.add(chunk(delta(content=piece)))
    assembler.add(chunk(delta(tool_calls=[{"index": 0, "id": "a", "function": LOOK}])))
    [message] = assembler.result()["output_messages"]
    assert message["content"].endswith("x… [truncated: 5000000 characters]")
    assert len(message["content"]) < 4 * 1024 * 1024 + 50
    assert "tool_calls" not in message


@given(st.lists(st.text(max_size=10)), st.integers(0, 60))
def test_pieces_are_kept_as_far_as_there_is_room(texts: list[str], characters: int) -> None:
    """A text is whole where there is room for it, and else its beginning with a mark of its length."""
    room = Room(characters)
    pieces = Pieces(room)
    for text in texts:
        pieces.add(text)
    whole = "".join(texts)
    assert bool(pieces) is bool(whole)
    assert room.left == characters - min(len(whole), characters)
    if len(whole) <= characters:
        assert pieces.text() == whole
    else:
        assert pieces.text() == f"{whole[:characters]}… [truncated: {len(whole)} characters]"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=10))
def test_a_copy_is_equal_where_there_is_room(value: Any) -> None:
    """A plain value is copied as it is, within the room there is."""
    assert plain_copy(value, Room(), depth=50) == value
    room = Room(3)
    plain_copy(value, room)
    assert room.left >= 0
