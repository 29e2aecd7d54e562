"""Gemini's streams, which are generators of responses: put together, they are the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.readers.google import GoogleReader

from .assembling import assembled, cut
from .google_material import (
    ALL_CASES,
    BERGEN,
    CASES,
    COUNTS,
    KNOWN,
    MODEL,
    OSLO,
    READ_BERGEN,
    READ_OSLO,
    USAGE,
    VERTEX_CASES,
    Case,
    connect,
    content,
    plain,
    response,
)
from .replay import ReplayServer, event_stream

READER = GoogleReader()
Chunks = list[Any]
QUESTION = "What is the weather in Oslo and Bergen?"


def streamed(server: ReplayServer) -> Chunks:
    with connect(server) as client:
        return list(client.models.generate_content_stream(model=MODEL, contents=QUESTION))


def streamed_by_vertex_ai(server: ReplayServer) -> Chunks:
    with connect(server, vertexai=True) as client:
        return list(client.models.generate_content_stream(model=MODEL, contents=QUESTION))


def streamed_async(server: ReplayServer) -> Chunks:
    async def ask() -> Chunks:
        async with connect(server).aio as client:
            stream = await client.models.generate_content_stream(model=MODEL, contents=QUESTION)
            return [chunk async for chunk in stream]

    return asyncio.run(ask())


def in_a_chat(server: ReplayServer) -> Chunks:
    with connect(server) as client:
        return list(client.chats.create(model=MODEL).send_message_stream(QUESTION))


def as_dictionaries(server: ReplayServer) -> Chunks:
    return [chunk.model_dump() for chunk in streamed(server)]


Form = Callable[[ReplayServer], Chunks]
FORMS = (streamed, streamed_async, in_a_chat, as_dictionaries)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("form", FORMS)
def test_a_stream_is_put_together(server: ReplayServer, form: Form, case: Case) -> None:
    """Every chunk is known, and together they are the answer that the API would have sent whole."""
    server.will_answer(event_stream(case.chunks()))
    assert plain(assembled(READER, form(server))) == case.expected()


@pytest.mark.parametrize("case", VERTEX_CASES.values(), ids=VERTEX_CASES.keys())
def test_a_stream_of_vertex_ai_is_put_together(server: ReplayServer, case: Case) -> None:
    """Vertex AI's stream is put together as the Gemini API's is."""
    server.will_answer(event_stream(case.chunks()))
    assert plain(assembled(READER, streamed_by_vertex_ai(server))) == case.expected()


@pytest.mark.parametrize("case", ALL_CASES.values(), ids=ALL_CASES.keys())
def test_the_json_of_a_stream_is_put_together(case: Case) -> None:
    """The REST API's own chunks, in camel case, are put together as the client's objects are."""
    assert plain(assembled(READER, case.chunks())) == case.expected()


def test_a_prompt_that_was_blocked_has_no_candidates(server: ReplayServer) -> None:
    """Why a prompt was blocked is in the only chunk."""
    chunk = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": MODEL}
    server.will_answer(event_stream([chunk]))
    assert assembled(READER, streamed(server)) == {**KNOWN, "finish_reason": "PROHIBITED_CONTENT"}


def piece_of_call(call: dict[str, Any], **part: Any) -> dict[str, Any]:
    return response([{"content": content([{"functionCall": call, **part}])}], {"promptTokenCount": 8})


def partial(path: str, *, more: bool = False, **value: Any) -> dict[str, Any]:
    return {
        "partialArgs": [{"jsonPath": path, **value, **({"willContinue": True} if more else {})}],
        "willContinue": True,
    }


STREAMED_CALL = [
    piece_of_call({"name": "book", "id": "c1", "willContinue": True}, thoughtSignature="AQIDBA=="),
    piece_of_call(partial("$.city", stringValue="Os", more=True)),
    piece_of_call(partial("$.city", stringValue="lo")),
    piece_of_call(partial("$.days", numberValue=2)),
    piece_of_call(partial("$.price", numberValue=2.5)),
    piece_of_call({"willContinue": True}),
    piece_of_call(partial("$.breakfast", boolValue=False)),
    piece_of_call(partial("$.notes", nullValue="NULL_VALUE")),
    piece_of_call(partial("$.guests[0].name", stringValue="Ada")),
    piece_of_call(partial("$.guests[1]['last name']", stringValue="Lovelace")),
    piece_of_call(partial('$.guests[1]["a.b"]', numberValue=1)),
    piece_of_call(partial("guests..x", stringValue="lost")),
    piece_of_call({}),
    piece_of_call({}),
    response([{"content": content([BERGEN]), "finishReason": "STOP"}], USAGE),
]
READ_CALL = {
    "id": "c1",
    "name": "book",
    "reasoning_signature": "AQIDBA==",
    "arguments": {
        "city": "Oslo",
        "days": 2,
        "price": 2.5,
        "breakfast": False,
        "notes": None,
        "guests": [{"name": "Ada"}, {"last name": "Lovelace", "a.b": 1}],
        "guests..x": "lost",
    },
}


@pytest.mark.parametrize("form", [streamed_by_vertex_ai, lambda server: STREAMED_CALL], ids=["client", "JSON"])
def test_arguments_that_are_streamed_are_put_together(server: ReplayServer, form: Form) -> None:
    """Values and pieces of texts at paths in the arguments become the arguments; other calls are not mixed in."""
    server.will_answer(event_stream(STREAMED_CALL))
    assert assembled(READER, form(server)) == {
        **KNOWN,
        "output_messages": [
            {
                "role": "model",
                "tool_calls": [READ_CALL, READ_BERGEN],
            }
        ],
        "token_counts": COUNTS,
        "finish_reason": "STOP",
    }


def test_arguments_that_broke_off_are_what_there_is() -> None:
    """A call of which a part was streamed has the arguments so far."""
    call = assembled(READER, STREAMED_CALL[:2])
    assert call["output_messages"] == [{"role": "model", "tool_calls": [{**READ_CALL, "arguments": {"city": "Os"}}]}]


@given(
    st.lists(st.sampled_from([".a", ".b", "[0]", "[1]", "[99]", "['c']", "..", "[", "$", "]"]), max_size=5), st.data()
)
def test_any_path_in_arguments_raises_nothing(steps: list[str], data: st.DataObject) -> None:
    """However paths contradict each other, each value is somewhere in the arguments."""
    other = data.draw(st.lists(st.sampled_from([".a", ".b", "[0]", "[1]", "['c']"]), max_size=4))
    chunks = [
        piece_of_call({"name": "book", "willContinue": True}),
        piece_of_call(partial("$" + "".join(steps), stringValue="first")),
        piece_of_call(partial("$" + "".join(other), stringValue="second")),
    ]
    (message,) = assembled(READER, chunks)["output_messages"]
    assert "second" in repr(message["tool_calls"])


def test_candidates_that_take_turns_are_told_apart() -> None:
    """Pieces of several candidates go each to its own, by index."""
    chunks = [
        {**response([], {}), "candidates": [{"index": index, "content": content([{"text": text}])}]}
        for index, text in [(1, "So"), (0, "Ra"), (1, "rry"), (0, "in")]
    ]
    assert assembled(READER, chunks)["output_messages"] == [
        {"role": "model", "content": "Rain"},
        {"role": "model", "content": "Sorry"},
    ]


def get_weather(city: str) -> str:
    """Look up the weather."""
    return f"Rain in {city}"


def test_functions_that_the_client_calls_itself_make_several_answers(server: ReplayServer) -> None:
    """Where the client calls a function and asks again, the stream has both answers, and the tokens of both."""
    first = [response([{"content": content([BERGEN]), "finishReason": "STOP"}], USAGE, "r-1")]
    second = [
        response([{"content": content([{"text": "Ra"}])}], {"promptTokenCount": 30}, "r-2"),
        response(
            [{"content": content([{"text": "in."}]), "finishReason": "MAX_TOKENS"}],
            {"promptTokenCount": 30, "candidatesTokenCount": 2, "totalTokenCount": 32},
            "r-2",
        ),
    ]
    server.will_answer(event_stream(first), event_stream(second))
    config = types.GenerateContentConfig(tools=[get_weather])
    with connect(server) as client:
        chunks = list(client.models.generate_content_stream(model=MODEL, contents=QUESTION, config=config))
    assert len(server.requests) == 2
    assert assembled(READER, chunks) == {
        **KNOWN,
        "output_messages": [
            {"role": "model", "tool_calls": [READ_BERGEN]},
            {"role": "model", "content": "Rain."},
        ],
        "token_counts": {"prompt": 38, "completion": 22, "total": 60},
        "finish_reason": "MAX_TOKENS",
    }


def test_the_total_of_several_answers_is_no_less_than_its_parts() -> None:
    """Where the last of several answers broke off before its total came, its prompt counts all the same."""
    chunks = [
        response([{"content": content([BERGEN]), "finishReason": "STOP"}], USAGE, "r-1"),
        response([{"content": content([{"text": "Ra"}])}], {"promptTokenCount": 30}, "r-2"),
    ]
    assert assembled(READER, chunks)["token_counts"] == {"prompt": 38, "completion": 20, "total": 58}


def test_an_answer_that_is_continued_is_one_message() -> None:
    """An answer that comes in several responses, each counted for itself, is one message with the counts of all."""
    chunks = [
        response([{"content": content([{"text": "Ra"}]), "finishReason": "CONTINUATION"}], USAGE, "r-1"),
        response([{"content": content([{"text": "in."}]), "finishReason": "STOP"}], USAGE, "r-2"),
    ]
    assert assembled(READER, chunks) == {
        **KNOWN,
        "output_messages": [{"role": "model", "content": "Rain."}],
        "token_counts": {"prompt": 16, "completion": 40, "total": 56},
        "finish_reason": "STOP",
    }


def test_sources_that_every_chunk_repeats_are_recorded_once() -> None:
    """Grounding that grows from chunk to chunk is what there is at the end."""
    web = [{"web": {"uri": f"https://yr.no/{number}", "title": "yr"}} for number in range(3)]
    chunks = [
        response([{"content": content([{"text": "x"}]), "groundingMetadata": {"groundingChunks": web[:length]}}], {})
        for length in (1, 2, 3)
    ]
    assert assembled(READER, chunks)["output_messages"] == [
        {
            "role": "model",
            "contents": [
                {"type": "text", "text": "xxx"},
                *({"type": "document", "url": f"https://yr.no/{number}", "name": "yr"} for number in range(3)),
            ],
        }
    ]


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30), st.lists(st.integers(0, 30), max_size=8))
def test_where_the_text_is_cut_makes_no_difference(thought: str, text: str, places: list[int]) -> None:
    """However the API cuts its texts into chunks, the answer is the same."""
    parts: list[dict[str, Any]] = [
        *({"text": piece, "thought": True} for piece in cut(thought, places)),
        *({"text": piece} for piece in cut(text, places)),
        {**OSLO, "thoughtSignature": "AQIDBA=="},
    ]
    chunks = [response([{"content": content([part])}], {}) for part in parts]
    (message,) = assembled(READER, chunks)["output_messages"]
    assert message["contents"] == [
        {"type": "reasoning", "text": thought},
        {"type": "text", "text": text},
        {"type": "tool_use", "tool_call": READ_OSLO},
    ]


def test_a_signature_ends_a_part() -> None:
    """Text that follows a signature is a part of its own, and a signature without text is kept."""
    parts = [
        {"text": "a", "thoughtSignature": "AQ=="},
        {"text": "b"},
        {"text": "", "thoughtSignature": "Ag=="},
        {"text": "", "thoughtSignature": "Aw=="},
    ]
    chunks = [response([{"content": content([part])}], {}) for part in parts]
    (message,) = assembled(READER, chunks)["output_messages"]
    assert message["contents"] == [
        {"type": "text", "text": "a", "signature": "AQ=="},
        {"type": "text", "text": "b", "signature": "Ag=="},
        {"type": "text", "text": "", "signature": "Aw=="},
    ]


def test_a_stream_leaves_its_chunks_as_they_were(server: ReplayServer) -> None:
    """Nothing of a chunk is changed, and what is recorded doesn't follow when the program changes one."""
    case = CASES["functions alone"]
    server.will_answer(event_stream(case.chunks()))
    chunks = streamed(server)
    before = [chunk.model_dump_json() for chunk in chunks]
    assembler = READER.assembler()
    for chunk in chunks:
        assembler.add(chunk)
    assert [chunk.model_dump_json() for chunk in chunks] == before
    chunks[0].candidates[0].content.parts[0].function_call.args.clear()
    assert assembler.result() == case.expected()
