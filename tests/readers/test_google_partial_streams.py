"""Gemini's streams that were left, broken off or are without end, and chunks that make no sense."""

from __future__ import annotations

from typing import Any

from google.genai import errors
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.readers.google import GoogleReader
from agenttrace.semconv.types import ModelCall

from .assembling import assembled, assembled_until
from .google_material import CASES, COUNTS, KNOWN, MODEL, OSLO, PIXEL, READ_OSLO, USAGE, connect, content, response
from .replay import ReplayServer, event_stream

READER = GoogleReader()
QUESTION = "What is the weather in Oslo and Bergen?"


def test_a_stream_that_was_left_gives_what_there_is() -> None:
    """Whatever was streamed until then is the answer so far."""
    chunks = CASES["parallel functions"].chunks()
    assert assembled(READER, chunks[:0]) == {}
    assert assembled(READER, chunks[:2]) == {
        **KNOWN,
        "output_messages": [{"role": "model", "content": "I look"}],
        "token_counts": {"prompt": 8},
    }
    assert assembled(READER, chunks[:4]) == {
        **KNOWN,
        "output_messages": [
            {
                "role": "model",
                "contents": [{"type": "text", "text": "I look."}, {"type": "tool_use", "tool_call": READ_OSLO}],
                "tool_calls": [READ_OSLO],
            }
        ],
        "token_counts": {"prompt": 8},
    }


def test_an_error_of_the_server_in_a_stream_leaves_what_came_before(server: ReplayServer) -> None:
    """An overloaded server ends the stream with an error, which the client raises."""
    error = {"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}
    server.will_answer(event_stream([*CASES["text"].chunks()[:2], error]))
    with connect(server) as client:
        stream = client.models.generate_content_stream(model=MODEL, contents=QUESTION)
        call = assembled_until(READER, stream, errors.APIError)
    assert call == {
        **KNOWN,
        "output_messages": [{"role": "model", "content": "Rain i"}],
        "token_counts": {"prompt": 8},
    }


def test_a_stream_without_end_fills_no_memory() -> None:
    """Text and pictures are kept up to a limit; beyond it the counts and the reason still arrive."""
    assembler = READER.assembler()
    chunk = response([{"content": content([{"text": "x" * 1_000_000}])}], {})
    for _ in range(10):
        assembler.add(chunk)
    picture = {"inlineData": {"mimeType": "image/png", "data": PIXEL * 1000}}
    for part in (picture, OSLO, {"text": "more", "thought": True}, {"hologram": "x" * 1000}):
        assembler.add(response([{"content": content([part])}], {}))
    assembler.add(response([{"content": content([{"text": ""}]), "finishReason": "STOP"}], USAGE))
    call = assembler.result()
    (message,) = call["output_messages"]
    assert len(repr(message)) < 4_200_000
    assert call["finish_reason"] == "STOP"
    assert call["token_counts"] == COUNTS


def test_a_picture_for_which_there_is_no_room_is_named() -> None:
    """Of pictures beyond the limit it is recorded, once, that there were some."""
    picture = {"inlineData": {"mimeType": "image/png", "data": "A" * 1_500_000}}
    chunks = [response([{"content": content([picture])}], {}) for _ in range(4)]
    (message,) = assembled(READER, chunks)["output_messages"]
    assert [part["type"] for part in message["contents"]] == ["image", "image", "text"]
    assert message["contents"][-1] == {"type": "text", "text": "[image, too large to record]"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["content", "parts", "text", "thought", "functionCall", "partialArgs", "index", "name"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
CHUNKS = st.fixed_dictionaries(
    {},
    optional={
        "candidates": st.lists(
            st.fixed_dictionaries(
                {"content": st.fixed_dictionaries({"parts": st.lists(JSON, max_size=3)}) | JSON},
                optional={"finishReason": JSON, "index": JSON, "groundingMetadata": JSON, "citationMetadata": JSON},
            ),
            max_size=3,
        )
        | JSON,
        "usageMetadata": JSON,
        "modelVersion": JSON,
        "responseId": JSON,
        "promptFeedback": JSON,
        "embeddings": JSON,
        "predictions": JSON,
    },
)


@given(st.lists(CHUNKS | JSON, max_size=6))
def test_chunks_that_make_no_sense_raise_nothing(chunks: list[Any]) -> None:
    """Whatever a chunk holds, the assembler takes it and has a result."""
    assembler = READER.assembler()
    for chunk in chunks:
        READER.reads_chunk(chunk)
        if READER.reads(chunk):
            assert set(READER.read(chunk)) <= set(ModelCall.__annotations__)
        assembler.add(chunk)
        assert set(assembler.result()) <= set(ModelCall.__annotations__)
