"""Functions marked `trace_llm` and `trace_embedding` that return what Google's client gives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from opentelemetry.trace import StatusCode

from agenttrace import trace_embedding, trace_llm
from agenttrace.testing import CapturedSpans

from .answers import answer_of, events_of, told
from .google_material import ALL_CASES, CASES, KNOWN, MODEL, Case, connect
from .replay import ReplayServer, event_stream, json_answer

CASE = CASES["parallel functions"]
FIRST = "First Token Stream Event"
QUESTION = "What is the weather in Oslo and Bergen?"
SO_FAR = {
    **KNOWN,
    "output_messages": [{"role": "model", "content": "Rain i"}],
    "token_counts": {"prompt": 8},
}


@pytest.fixture
def client(server: ReplayServer) -> Iterator[genai.Client]:
    client = connect(server)
    yield client
    client.close()


def in_async_client(server: ReplayServer, use: Callable[[Any], Any]) -> Any:
    async def run() -> Any:
        async with connect(server).aio as client:
            return await use(client)

    return asyncio.run(run())


def test_a_call_says_what_went_in_and_what_came_back(
    client: genai.Client, server: ReplayServer, spans: CapturedSpans
) -> None:
    """Contents, model, configuration and answer are on the span, each by its OpenInference name."""
    server.will_answer(json_answer(CASES["functions alone"].sent()))

    @trace_llm
    def ask(contents: list[Any], model: str, config: types.GenerateContentConfig) -> types.GenerateContentResponse:
        return client.models.generate_content(model=model, contents=contents, config=config)

    history = [
        {"role": "user", "parts": [{"text": "Hello"}]},
        {"role": "model", "parts": [{"text": "Hello!"}]},
        {"role": "user", "parts": [{"text": QUESTION}]},
    ]
    answer = ask(history, MODEL, types.GenerateContentConfig(temperature=0.5))
    assert answer.function_calls is not None
    attributes = dict(spans.find("ask").attributes or {})
    assert json.loads(str(attributes.pop("llm.invocation_parameters")))["temperature"] == 0.5
    assert {name: value for name, value in attributes.items() if name.startswith("llm.")} == {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Hello",
        "llm.input_messages.1.message.role": "model",
        "llm.input_messages.1.message.content": "Hello!",
        "llm.input_messages.2.message.role": "user",
        "llm.input_messages.2.message.content": QUESTION,
        "llm.system": "vertexai",
        "llm.provider": "google",
        "llm.model_name": MODEL,
        "llm.output_messages.0.message.role": "model",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "get_weather",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"city":"Bergen"}',
        "llm.finish_reason": "STOP",
        "llm.token_count.prompt": 8,
        "llm.token_count.completion": 20,
        "llm.token_count.total": 28,
    }
    spans.assert_conformant(strict=True)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_answer_conforms(client: genai.Client, server: ReplayServer, spans: CapturedSpans, case: Case) -> None:
    """Whatever the answer holds, its span says it, and says it as the specification has it."""
    server.will_answer(json_answer(case.sent()))
    ask = trace_llm(lambda prompt: client.models.generate_content(model=MODEL, contents=prompt), name="ask")
    ask(QUESTION)
    assert answer_of(spans.find("ask")) == told(snake(case.expected()))
    spans.assert_conformant()


@pytest.mark.parametrize("case", ALL_CASES.values(), ids=ALL_CASES.keys())
def test_the_json_of_every_answer_conforms(spans: CapturedSpans, case: Case) -> None:
    """The same holds of a function that asks the REST API itself and returns its JSON."""
    ask = trace_llm(lambda prompt: case.sent(), name="ask")
    ask(QUESTION)
    assert snake(answer_of(spans.find("ask"))) == told(snake(case.expected()))
    spans.assert_conformant()


def snake(value: Any) -> Any:
    """``value`` with the names of tools' answers as the client has them."""
    if isinstance(value, dict):
        names = {"toolResponse": "tool_response", "toolType": "tool_type"}
        return {names.get(name, name): snake(item) for name, item in value.items()}
    return [snake(item) for item in value] if isinstance(value, list) else value


def test_a_coroutine_function_that_returns_a_response(server: ReplayServer, spans: CapturedSpans) -> None:
    """The asynchronous client's answer is read as the other's."""
    server.will_answer(json_answer(CASE.sent()))

    async def use(client: Any) -> None:
        @trace_llm
        async def ask(prompt: str) -> types.GenerateContentResponse:
            response: types.GenerateContentResponse = await client.models.generate_content(model=MODEL, contents=prompt)
            return response

        assert (await ask(QUESTION)).model_version == MODEL

    in_async_client(server, use)
    assert answer_of(spans.find("ask")) == told(CASE.expected())


def returned(client: genai.Client) -> Callable[[str], Iterator[types.GenerateContentResponse]]:
    @trace_llm
    def ask(prompt: str) -> Iterator[types.GenerateContentResponse]:
        return client.models.generate_content_stream(model=MODEL, contents=prompt)

    return ask


def yielded(client: genai.Client) -> Callable[[str], Iterator[types.GenerateContentResponse]]:
    @trace_llm
    def ask(prompt: str) -> Iterator[types.GenerateContentResponse]:
        yield from client.models.generate_content_stream(model=MODEL, contents=prompt)

    return ask


FORMS = (returned, yielded)
Form = Callable[[genai.Client], Callable[[str], Any]]


@pytest.mark.parametrize("form", FORMS)
def test_a_function_whose_result_is_a_stream(
    client: genai.Client, server: ReplayServer, spans: CapturedSpans, form: Form
) -> None:
    """The span ends with the stream and has the whole answer, with the moment of the first chunk."""
    chunks = CASE.chunks()
    server.will_answer(event_stream(chunks))
    assert len(list(form(client)(QUESTION))) == len(chunks)
    span = spans.find("ask")
    assert answer_of(span) == told(CASE.expected())
    assert events_of(span) == [FIRST]
    spans.assert_conformant()


@pytest.mark.parametrize("is_generator", [False, True], ids=["returned", "yielded"])
def test_a_stream_of_the_async_client(server: ReplayServer, spans: CapturedSpans, is_generator: bool) -> None:
    """An asynchronous stream, returned or yielded, is followed as the other."""
    server.will_answer(event_stream(CASE.chunks()))

    async def use(client: Any) -> int:
        @trace_llm(name="ask")
        async def returned(prompt: str) -> AsyncIterator[types.GenerateContentResponse]:
            stream: AsyncIterator[types.GenerateContentResponse] = await client.models.generate_content_stream(
                model=MODEL, contents=prompt
            )
            return stream

        @trace_llm(name="ask")
        async def yielded(prompt: str) -> AsyncIterator[types.GenerateContentResponse]:
            async for chunk in await client.models.generate_content_stream(model=MODEL, contents=prompt):
                yield chunk

        stream = yielded(QUESTION) if is_generator else await returned(QUESTION)
        return len([chunk async for chunk in stream])

    assert in_async_client(server, use) == len(CASE.chunks())
    span = spans.find("ask")
    assert answer_of(span) == told(CASE.expected())
    assert events_of(span) == [FIRST]


@pytest.mark.parametrize("form", FORMS)
def test_a_stream_that_is_left(client: genai.Client, server: ReplayServer, spans: CapturedSpans, form: Form) -> None:
    """A stream that isn't read to its end leaves a span with what was read, and no error."""
    server.will_answer(event_stream(CASES["text"].chunks()))
    stream = form(client)(QUESTION)
    next(stream)
    next(stream)
    stream.close()
    span = spans.find("ask")
    assert answer_of(span) == told(SO_FAR)
    assert span.status.status_code is not StatusCode.ERROR


@pytest.mark.parametrize("form", FORMS)
def test_a_stream_that_the_server_breaks_off(
    client: genai.Client, server: ReplayServer, spans: CapturedSpans, form: Form
) -> None:
    """An error amid a stream reaches the caller as the client raises it, and the span beside what came before."""
    error = {"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}
    server.will_answer(event_stream([*CASES["text"].chunks()[:2], error]))
    with pytest.raises(errors.APIError, match="Overloaded"):
        list(form(client)(QUESTION))
    span = spans.find("ask")
    assert answer_of(span) == told(SO_FAR)
    assert span.status.status_code is StatusCode.ERROR
    assert events_of(span) == [FIRST, "exception"]


REFUSED = {
    401: ("UNAUTHENTICATED", errors.ClientError),
    429: ("RESOURCE_EXHAUSTED", errors.ClientError),
    500: ("INTERNAL", errors.ServerError),
}


@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("status", REFUSED)
def test_an_error_of_the_provider(
    client: genai.Client, server: ReplayServer, spans: CapturedSpans, status: int, is_streamed: bool
) -> None:
    """What the client raises reaches the caller as it is, and the span ends with it."""
    word, cls = REFUSED[status]
    server.will_answer(json_answer({"error": {"code": status, "message": "No.", "status": word}}, status))
    ask = trace_llm(lambda prompt: client.models.generate_content(model=MODEL, contents=prompt), name="ask")
    with pytest.raises(cls):
        list(returned(client)(QUESTION)) if is_streamed else ask(QUESTION)
    span = spans.find("ask")
    assert span.status.status_code is StatusCode.ERROR
    assert events_of(span) == ["exception"]
    assert answer_of(span) == {}


def test_embeddings_are_on_the_span(client: genai.Client, server: ReplayServer, spans: CapturedSpans) -> None:
    """Texts, vectors, model and tokens are on an embedding span, and nothing that is a model call's."""
    vectors = [{"values": [0.5, -1.0]}, {"values": [0.25, 2.0]}]
    server.will_answer(json_answer({"embeddings": vectors, "usageMetadata": {"promptTokenCount": 7}}))

    @trace_embedding
    def embed(contents: list[Any], model: str) -> types.EmbedContentResponse:
        return client.models.embed_content(model=model, contents=contents)

    answer = embed(["Oslo", "Bergen"], "gemini-embedding-001")
    assert answer.embeddings is not None
    (span,) = spans
    attributes = dict(span.attributes or {})
    told_of = {
        name: value for name, value in attributes.items() if name.startswith(("embedding.e", "embedding.m", "llm."))
    }
    assert told_of == {
        "embedding.model_name": "gemini-embedding-001",
        "embedding.embeddings.0.embedding.text": "Oslo",
        "embedding.embeddings.0.embedding.vector": (0.5, -1.0),
        "embedding.embeddings.1.embedding.text": "Bergen",
        "embedding.embeddings.1.embedding.vector": (0.25, 2.0),
        "llm.token_count.prompt": 7,
    }
    spans.assert_conformant()
