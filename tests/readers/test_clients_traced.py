"""Functions marked `trace_llm` that return what several clients give: whole, streamed, left, broken off, refused."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from agenttrace import trace_llm
from agenttrace.testing import CapturedSpans

from .answers import answer_of, events_of, told
from .clients import ASYNC_PROVIDERS, ERRORS, MESSAGE, PROVIDERS, QUESTION, AsyncProvider, MistralProvider, Provider
from .replay import ReplayServer, json_answer

FIRST = "First Token Stream Event"
every_client = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
every_async_client = pytest.mark.parametrize("provider", ASYNC_PROVIDERS, ids=lambda provider: provider.name)


def whole_of(provider: Provider) -> dict[str, Any]:
    return told({**provider.known, "output_messages": [MESSAGE]})


def streamed_of(provider: Provider) -> dict[str, Any]:
    return told({**getattr(provider, "known_streamed", provider.known), "output_messages": [MESSAGE]})


def first_of(provider: Provider) -> dict[str, Any]:
    return told({**provider.known_at_first, "output_messages": [{"role": "assistant", "content": "Ra"}]})


@every_client
def test_a_function_that_returns_the_answer(server: ReplayServer, spans: CapturedSpans, provider: Provider) -> None:
    """The caller gets the client's own object, and the span has the answer."""
    server.will_answer(provider.whole)
    with provider.connected(server.url) as client:
        given: list[object] = []

        @trace_llm
        def ask(messages: list[Any]) -> Any:
            given.append(provider.ask(client))
            return given[0]

        assert ask(QUESTION) is given[0]
    span = spans.find("ask")
    assert answer_of(span) == whole_of(provider)
    assert (span.attributes or {})["llm.input_messages.0.message.content"] == QUESTION[0]["content"]
    spans.assert_conformant()


@every_client
def test_a_function_that_returns_the_stream(server: ReplayServer, spans: CapturedSpans, provider: Provider) -> None:
    """The stream gives what the client's own does; its span ends with it and has the whole answer."""
    server.will_answer(provider.streamed)
    with provider.connected(server.url) as client:
        plain = provider.stream(client)
        wanted = [str(chunk) for chunk in plain]
        ask = trace_llm(lambda messages: provider.stream(client), name="ask")
        stream = ask(QUESTION)
        assert isinstance(stream, type(plain))
        assert [str(chunk) for chunk in stream] == wanted
    span = spans.find("ask")
    assert answer_of(span) == streamed_of(provider)
    assert events_of(span) == [FIRST]
    spans.assert_conformant()


@every_client
def test_a_generator_that_yields_the_chunks(server: ReplayServer, spans: CapturedSpans, provider: Provider) -> None:
    """A function that yields the client's chunks itself has the answer on its span."""
    server.will_answer(provider.streamed)
    with provider.connected(server.url) as client:

        @trace_llm
        def ask(messages: list[Any]) -> Iterator[Any]:
            yield from provider.stream(client)

        assert len(list(ask(QUESTION))) > 1
    assert answer_of(spans.find("ask")) == streamed_of(provider)


@every_async_client
def test_coroutine_functions(server: ReplayServer, spans: CapturedSpans, provider: AsyncProvider) -> None:
    """What the asynchronous client gives, whole and as a stream, is read as the other's is."""
    server.will_answer(provider.whole, provider.streamed)

    async def run() -> None:
        async with provider.connected_async(server.url) as client:

            @trace_llm
            async def ask(messages: list[Any]) -> Any:
                return await provider.ask_async(client)

            @trace_llm
            async def stream(messages: list[Any]) -> Any:
                return await provider.stream_async(client)

            await ask(QUESTION)
            assert len([chunk async for chunk in await stream(QUESTION)]) > 1

    asyncio.run(run())
    assert answer_of(spans.find("ask")) == whole_of(provider)
    assert answer_of(spans.find("stream")) == streamed_of(provider)


@every_async_client
def test_an_async_generator_that_yields_the_chunks(
    server: ReplayServer, spans: CapturedSpans, provider: AsyncProvider
) -> None:
    """An asynchronous generator has the answer on its span too."""
    server.will_answer(provider.streamed)

    async def run() -> None:
        async with provider.connected_async(server.url) as client:

            @trace_llm
            async def ask(messages: list[Any]) -> AsyncIterator[Any]:
                async for chunk in await provider.stream_async(client):
                    yield chunk

            assert len([chunk async for chunk in ask(QUESTION)]) > 1

    asyncio.run(run())
    span = spans.find("ask")
    assert answer_of(span) == streamed_of(provider)
    assert events_of(span) == [FIRST]


def close_it(stream: Any) -> None:
    stream.close()


def drop_it(stream: Any) -> None:
    """The caller's reference is the last."""


@every_client
@pytest.mark.parametrize("leave", [close_it, drop_it])
def test_a_stream_that_is_left(
    server: ReplayServer, spans: CapturedSpans, provider: Provider, leave: Callable[[Any], None]
) -> None:
    """A stream that isn't read to its end leaves a span with what was read, and no error."""
    server.will_answer(provider.streamed)
    with provider.connected(server.url) as client:
        kept: list[Any] = []

        def ask(messages: list[Any]) -> Any:
            kept.append(provider.stream(client))
            return kept[0]

        stream = trace_llm(ask)(QUESTION)
        for _ in range(provider.steps_to_first):
            next(stream)
        leave(stream)
        del stream
        gc.collect()
        kept.pop().close()
    span = spans.find("ask")
    assert answer_of(span) == first_of(provider)
    assert span.status.status_code is not StatusCode.ERROR


def test_a_stream_that_is_a_context_manager(server: ReplayServer, spans: CapturedSpans) -> None:
    """Mistral's stream is entered and left like its own, be it read to the end or not."""
    provider = MistralProvider()
    server.will_answer(provider.streamed)
    with provider.connected(server.url) as client:
        ask = trace_llm(lambda messages: provider.stream(client), name="ask")
        with ask(QUESTION) as stream:
            assert stream.response.status_code == 200
            assert len(list(stream)) == 2
        with ask(QUESTION) as stream:
            next(stream)
        assert list(stream) == []
    read, left = spans
    assert answer_of(read) == streamed_of(provider)
    assert answer_of(left) == first_of(provider)


@every_client
def test_a_stream_that_breaks_off(server: ReplayServer, spans: CapturedSpans, provider: Provider) -> None:
    """What came before the stream broke off is on the span, with the error that the client made of it, if any."""
    server.will_answer(provider.broken)
    with provider.connected(server.url) as client:
        ask = trace_llm(lambda messages: provider.stream(client), name="ask")
        raised: BaseException | None = None
        try:
            for _ in ask(QUESTION):
                pass
        except Exception as error:
            raised = error
    span = spans.find("ask")
    assert answer_of(span) == first_of(provider)
    if provider.name == "cohere":  # to its client a stream without its last event is one that has ended
        assert raised is None
        assert span.status.status_code is not StatusCode.ERROR
    else:
        assert span.status.status_code is StatusCode.ERROR
        assert type(raised).__name__ in str(span.status.description)
        assert events_of(span) == [FIRST, "exception"]


@every_client
@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("status", [401, 429, 500])
def test_an_error_of_the_provider(
    server: ReplayServer, spans: CapturedSpans, provider: Provider, status: int, is_streamed: bool
) -> None:
    """What the client raises reaches the caller as it is, and the span ends with it."""
    server.will_answer(json_answer({"error": {"message": "No."}, "message": "No."}, status))
    with provider.connected(server.url) as client:

        @trace_llm
        def ask(messages: list[Any]) -> Any:
            return list(provider.stream(client)) if is_streamed else provider.ask(client)

        with pytest.raises(ERRORS[provider.name]) as raised:
            ask(QUESTION)
    span = spans.find("ask")
    assert span.status.status_code is StatusCode.ERROR
    assert type(raised.value).__name__ in str(span.status.description)
    assert events_of(span) == ["exception"]
    assert answer_of(span) == {}
