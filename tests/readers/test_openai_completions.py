"""OpenAI's legacy completions, whole and streamed, and its embeddings."""

from __future__ import annotations

import asyncio
import struct
from base64 import b64encode
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.readers.interface import StreamForm
from agenttrace.readers.openai import OpenAIReader
from agenttrace.readers.openai.embeddings import decode_vector

from .assembling import assembled
from .replay import ReplayServer, event_stream, json_answer

READER = OpenAIReader()
MODEL = "gpt-3.5-turbo-instruct"
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
EMBEDDING_MODEL = "text-embedding-3-small"


def completion(*choices: tuple[int, str, str | None], usage: Any = None) -> dict[str, Any]:
    """A completion, or a chunk of one, which has the same shape."""
    return {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1_763_980_000,
        "model": MODEL,
        "choices": [
            {"text": text, "index": index, "logprobs": None, "finish_reason": reason} for index, text, reason in choices
        ],
        **({} if usage is None else {"usage": usage}),
    }


WHOLE = completion((0, " rain.", "stop"), (1, " sun", "length"), usage=USAGE)
CHUNKS = [
    completion((0, " ra", None)),
    completion((1, " s", None)),
    completion((0, "in.", None), (1, "un", None)),
    completion((1, "", "length")),
    completion((0, "", "stop")),
    completion(usage=USAGE),
]
CALL = {
    "model_name": MODEL,
    "choices": [" rain.", " sun"],
    "token_counts": {"prompt": 5, "completion": 7, "total": 12},
    "finish_reason": "stop",
}


def embeddings(*vectors: Any) -> dict[str, Any]:
    """An embedding response."""
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    return {
        "object": "list",
        "data": data,
        "model": EMBEDDING_MODEL,
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
    }


def encoded(vector: list[float]) -> str:
    """``vector`` as the API writes it in base64."""
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")


def test_a_completion_is_read(server: ReplayServer) -> None:
    """The texts are choices, and there are no messages."""
    server.will_answer(json_answer(WHOLE))
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
        whole = client.completions.create(model=MODEL, prompt="In Oslo there is", n=2)
    for known in (whole, WHOLE, whole.model_dump()):
        assert READER.reads(known)
        assert READER.read(known) == CALL


def test_a_streamed_completion_is_put_together(server: ReplayServer) -> None:
    """The chunks of the client, synchronous and not, and the API's own amount to the whole."""
    server.will_answer(event_stream(CHUNKS, done=True))
    asked: Any = {"model": MODEL, "prompt": "In Oslo there is", "stream": True}
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
        stream = client.completions.create(**asked)
        assert READER.stream_form(stream) == StreamForm()
        assert assembled(READER, stream) == CALL

    async def ask() -> list[Any]:
        async with openai.AsyncOpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
            return [chunk async for chunk in await client.completions.create(**asked)]

    assert assembled(READER, asyncio.run(ask())) == CALL
    assert assembled(READER, CHUNKS) == CALL
    assert assembled(READER, CHUNKS[:3]) == {"model_name": MODEL, "choices": [" rain.", " sun"]}


@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_an_embedding_response_is_read(server: ReplayServer, encoding: str | None) -> None:
    """Vectors are read as numbers, also where the program asked for base64 and gets it."""
    vectors = [[0.5, -1.0, 0.25], [0.0, 2.0, 1.5]]
    answer = embeddings(*(vectors if encoding == "float" else map(encoded, vectors)))
    server.will_answer(json_answer(answer))
    options: Any = {} if encoding is None else {"encoding_format": encoding}
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
        response = client.embeddings.create(model=EMBEDDING_MODEL, input=["rain", "sun"], **options)
    assert isinstance(response.data[0].embedding, str) is (encoding == "base64")
    for known in (response, answer, response.model_dump(warnings=False)):
        assert READER.reads(known)
        assert not READER.reads_chunk(known)
        assert READER.read(known) == {
            "model_name": EMBEDDING_MODEL,
            "embeddings": [{"vector": vector} for vector in vectors],
            "token_counts": {"prompt": 8, "total": 8},
        }


def test_vectors_are_decoded_up_to_a_limit() -> None:
    """A response of more base64 than is worth decoding keeps its count of embeddings, the last without vectors."""
    long = encoded([0.5] * 600_000)
    call = READER.read(embeddings(long, long, "no base64 at all"))
    assert [len(embedding.get("vector", ())) for embedding in call["embeddings"]] == [600_000, 0, 0]


@given(st.lists(st.floats(width=32, allow_nan=False)))
def test_base64_stands_for_the_same_numbers(vector: list[float]) -> None:
    """Decoding is the inverse of how the API writes a vector."""
    assert decode_vector(encoded(vector)) == vector


@given(st.text())
def test_what_is_no_vector_decodes_to_none(text: str) -> None:
    """Text that is no base64 of floats is no vector, and raises nothing."""
    decoded = decode_vector(text)
    assert decoded is None or isinstance(decoded, list)


def test_an_error_of_the_server_is_no_response(server: ReplayServer) -> None:
    """What the client raises for 401 and 500 has a body that no reader takes."""
    for status, error in ((401, openai.AuthenticationError), (500, openai.InternalServerError)):
        server.will_answer(json_answer({"error": {"message": "no", "type": "x", "code": "y"}}, status=status))

        async def ask() -> Any:
            async with openai.AsyncOpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
                return await client.embeddings.create(model=EMBEDDING_MODEL, input="rain")

        with pytest.raises(error) as caught:
            asyncio.run(ask())
        assert not READER.reads(caught.value.body)
