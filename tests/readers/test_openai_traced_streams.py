"""Functions marked `trace_llm` that return OpenAI's streams, or yield their chunks: read, left, broken off."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import openai
import pytest
from opentelemetry.trace import StatusCode

from agenttrace import trace_llm
from agenttrace.testing import CapturedSpans

from .answers import answer_of, events_of, told
from .openai_interfaces import CHAT, FIRST, SERVER_ERROR, Interface, assert_whole, both, in_async_client, marked
from .openai_material import MODEL
from .replay import ReplayServer, event_stream, json_answer


@pytest.fixture
def client(server: ReplayServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
        yield client


@both
def test_a_function_that_returns_the_stream(
    client: openai.OpenAI, server: ReplayServer, spans: CapturedSpans, interface: Interface
) -> None:
    """The stream that the caller gets is used as the client's own; its end ends the span, with the whole answer."""
    server.will_answer(interface.streamed)
    stream = marked(interface.stream, client)("?")
    assert isinstance(stream, openai.Stream)
    assert stream.response.status_code == 200
    assert spans.unfinished == ["ask"]
    chunks = list(stream)
    assert len(chunks) == len(interface.streamed.body) - (interface is CHAT)
    span = spans.find("ask")
    assert_whole(span, interface)
    assert events_of(span) == [FIRST]
    spans.assert_conformant()


@both
def test_a_coroutine_function_that_returns_the_stream(
    server: ReplayServer, spans: CapturedSpans, interface: Interface
) -> None:
    """The asynchronous stream is followed as the other, in a block too."""
    server.will_answer(interface.streamed)

    async def use(client: openai.AsyncOpenAI) -> None:
        stream = await marked(interface.stream, client)("?")
        assert isinstance(stream, openai.AsyncStream)
        async with stream as entered:
            assert [chunk async for chunk in entered]

    in_async_client(server, use)
    span = spans.find("ask")
    assert_whole(span, interface)
    assert events_of(span) == [FIRST]


@both
def test_a_function_that_returns_the_helper(
    client: openai.OpenAI, server: ReplayServer, spans: CapturedSpans, interface: Interface
) -> None:
    """The helper's events, and the methods that run it to its end, leave the whole answer on the span."""
    server.will_answer(interface.streamed)
    ask = marked(interface.help, client)
    with ask("?") as stream:
        assert isinstance(stream, interface.helpers[0])
        assert list(stream)
    with ask("?") as stream:
        assert getattr(stream, interface.finish)().model == MODEL
    with ask("?") as stream:
        stream.until_done()
    assert len(spans) == 3
    for span in spans:
        assert_whole(span, interface)
    spans.assert_conformant()


@both
def test_a_function_that_returns_the_async_helper(
    server: ReplayServer, spans: CapturedSpans, interface: Interface
) -> None:
    """The asynchronous helper is followed as the other."""
    server.will_answer(interface.streamed)

    async def use(client: openai.AsyncOpenAI) -> None:
        ask = marked(interface.help, client)
        async with ask("?") as stream:
            assert isinstance(stream, interface.helpers[1])
            assert [event async for event in stream]
        async with ask("?") as stream:
            assert (await getattr(stream, interface.finish)()).model == MODEL
        async with ask("?") as stream:
            await stream.until_done()

    in_async_client(server, use)
    assert len(spans) == 3
    for span in spans:
        assert_whole(span, interface)


@both
def test_a_generator_that_yields_the_chunks(
    client: openai.OpenAI, server: ReplayServer, spans: CapturedSpans, interface: Interface
) -> None:
    """Functions that yield the client's chunks themselves, asynchronous or not, have the answer on their spans."""
    server.will_answer(interface.streamed)

    @trace_llm
    def ask(question: str) -> Iterator[Any]:
        with interface.stream(client) as stream:
            yield from stream

    assert list(ask("?"))

    async def use(client: openai.AsyncOpenAI) -> None:
        @trace_llm(name="ask")
        async def ask(question: str) -> AsyncIterator[Any]:
            async with await interface.stream(client) as stream:
                async for chunk in stream:
                    yield chunk

        assert [chunk async for chunk in ask("?")]

    in_async_client(server, use)
    assert len(spans) == 2
    for span in spans:
        assert_whole(span, interface)
        assert events_of(span) == [FIRST]


def close_it(stream: Any) -> None:
    stream.close()


def leave_the_block(stream: Any) -> None:
    with stream:
        pass


def drop_it(stream: Any) -> None:
    """The caller's reference is the last."""


@both
@pytest.mark.parametrize("leave", [close_it, leave_the_block, drop_it])
def test_a_stream_that_is_left(
    client: openai.OpenAI,
    server: ReplayServer,
    spans: CapturedSpans,
    interface: Interface,
    leave: Callable[[Any], None],
) -> None:
    """A stream that isn't read to its end leaves a span with what was read, and no error."""
    server.will_answer(interface.streamed)
    stream = marked(interface.stream, client)("?")
    response = stream.response
    for _ in range(interface.beginning):
        next(stream)
    leave(stream)
    del stream
    gc.collect()
    response.close()
    span = spans.find("ask")
    assert answer_of(span) == told(interface.so_far)
    assert span.status.status_code is not StatusCode.ERROR


@both
def test_a_stream_that_the_server_breaks_off(
    client: openai.OpenAI, server: ReplayServer, spans: CapturedSpans, interface: Interface
) -> None:
    """An error amid a stream reaches the caller as the client raises it, and the span beside what came before."""
    pieces = [*interface.streamed.body[: interface.beginning], *event_stream([SERVER_ERROR]).body]
    server.will_answer(interface.streamed._replace(body=pieces))  # type: ignore[arg-type]
    with pytest.raises(openai.APIError, match="Overloaded"):
        list(marked(interface.stream, client)("?"))
    span = spans.find("ask")
    assert answer_of(span) == told(interface.so_far)
    assert span.status.status_code is StatusCode.ERROR
    assert events_of(span) == [FIRST, "exception"]


@both
def test_an_error_of_the_provider_in_the_helper(
    client: openai.OpenAI, server: ReplayServer, spans: CapturedSpans, interface: Interface
) -> None:
    """The helper asks only when it is entered; what is raised there ends the span too."""
    server.will_answer(json_answer(SERVER_ERROR, status=429))
    manager = marked(interface.help, client)("?")
    with pytest.raises(openai.RateLimitError), manager:
        pass
    del manager
    gc.collect()
    assert spans.find("ask").status.status_code is StatusCode.ERROR
