"""Functions marked `trace_llm` that return what Anthropic's client gives: whole, streamed, left, broken off."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anthropic
import pytest
from anthropic.lib.streaming import AsyncMessageStream, MessageStream
from anthropic.types import RawMessageStreamEvent
from opentelemetry.trace import StatusCode

from agenttrace import trace_llm
from agenttrace.testing import CapturedSpans

from .answers import answer_of, events_of, told
from .anthropic_material import CASES, MODEL, QUESTION, REQUEST
from .replay import ReplayServer, event_stream, json_answer

CASE = CASES["parallel tools"]
FIRST = "First Token Stream Event"
SO_FAR = {
    "model_name": MODEL,
    "system": "anthropic",
    "output_messages": [{"role": "assistant", "content": "Rain i"}],
    "token_counts": {"prompt": 25, "completion": 1},
}


@pytest.fixture
def client(server: ReplayServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="test", base_url=server.url, max_retries=0) as client:
        yield client


def in_async_client(server: ReplayServer, use: Callable[[anthropic.AsyncAnthropic], Any]) -> Any:
    async def run() -> Any:
        async with anthropic.AsyncAnthropic(api_key="test", base_url=server.url, max_retries=0) as client:
            return await use(client)

    return asyncio.run(run())


def test_a_call_says_what_went_in_and_what_came_back(
    client: anthropic.Anthropic, server: ReplayServer, spans: CapturedSpans
) -> None:
    """Messages, model, parameters, tools and answer are on the span, each by its OpenInference name."""
    server.will_answer(json_answer(CASES["tools alone"].sent()))
    tool = {"name": "get_weather", "description": "Look it up.", "input_schema": {"type": "object"}}

    @trace_llm
    def ask(messages: list[Any], system: str, model: str, max_tokens: int, tools: list[Any]) -> anthropic.types.Message:
        return client.messages.create(messages=messages, system=system, model=model, max_tokens=max_tokens, tools=tools)

    message = ask(QUESTION, "Be brief.", model="claude-test", max_tokens=100, tools=[tool])
    assert message.content[0].type == "tool_use"
    attributes = dict(spans.find("ask").attributes or {})
    assert json.loads(str(attributes.pop("llm.tools.0.tool.json_schema"))) == tool
    assert json.loads(str(attributes.pop("llm.invocation_parameters"))) == {"model": "claude-test", "max_tokens": 100}
    wanted = {name: value for name, value in attributes.items() if name.startswith("llm.")}
    assert wanted == {
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "Be brief.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": QUESTION[0]["content"],
        "llm.tools.0.tool.name": "get_weather",
        "llm.tools.0.tool.description": "Look it up.",
        "llm.system": "anthropic",
        "llm.model_name": MODEL,
        "llm.request.model_name": "claude-test",
        "llm.response.model_name": MODEL,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "toolu_01",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "get_weather",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"city":"Oslo","days":2}',
        "llm.finish_reason": "tool_use",
        "llm.token_count.prompt": 25,
        "llm.token_count.completion": 40,
        "llm.token_count.total": 65,
    }
    spans.assert_conformant(strict=True)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_answer_conforms(
    client: anthropic.Anthropic, server: ReplayServer, spans: CapturedSpans, case: Any
) -> None:
    """Whatever the answer holds, its span says it, and says it as the specification has it."""
    server.will_answer(json_answer(case.sent()))
    ask = trace_llm(lambda messages: client.messages.create(**REQUEST), name="ask")
    ask(QUESTION)
    assert answer_of(spans.find("ask")) == told(case.expected())
    spans.assert_conformant()


def test_a_coroutine_function_that_returns_a_message(server: ReplayServer, spans: CapturedSpans) -> None:
    """The asynchronous client's answer is read as the other's."""
    server.will_answer(json_answer(CASE.sent()))

    async def use(client: anthropic.AsyncAnthropic) -> None:
        @trace_llm
        async def ask(messages: list[Any]) -> anthropic.types.Message:
            return await client.messages.create(**REQUEST)

        assert (await ask(QUESTION)).stop_reason == "tool_use"

    in_async_client(server, use)
    assert answer_of(spans.find("ask")) == told(CASE.expected())


def read_by_loop(stream: Any) -> int:
    return sum(1 for _ in stream)


def read_in_a_block(stream: Any) -> int:
    with stream as entered:
        assert entered is stream
        return sum(1 for _ in entered)


def read_by_next(stream: Any) -> int:
    count = 0
    while next(stream, None) is not None:
        count += 1
    return count


@pytest.mark.parametrize("read", [read_by_loop, read_in_a_block, read_by_next])
def test_a_function_that_returns_the_stream(
    client: anthropic.Anthropic, server: ReplayServer, spans: CapturedSpans, read: Callable[[Any], int]
) -> None:
    """The caller gets what behaves as the client's stream; the span ends with it and has the whole answer."""
    events = CASE.events()
    server.will_answer(event_stream(events, names=True))

    @trace_llm
    def ask(messages: list[Any]) -> anthropic.Stream[RawMessageStreamEvent]:
        return client.messages.create(**REQUEST, stream=True)

    stream = ask(QUESTION)
    assert isinstance(stream, anthropic.Stream)
    assert stream.response.status_code == 200
    assert spans.unfinished == ["ask"]
    assert read(stream) == len(events) - 1  # the client leaves out the ping
    span = spans.find("ask")
    assert answer_of(span) == told(CASE.expected(streamed=True))
    assert events_of(span) == [FIRST]
    spans.assert_conformant()


def test_a_coroutine_function_that_returns_the_stream(server: ReplayServer, spans: CapturedSpans) -> None:
    """The asynchronous stream is followed as the other."""
    server.will_answer(event_stream(CASE.events(), names=True))

    async def use(client: anthropic.AsyncAnthropic) -> None:
        @trace_llm
        async def ask(messages: list[Any]) -> anthropic.AsyncStream[RawMessageStreamEvent]:
            return await client.messages.create(**REQUEST, stream=True)

        async with await ask(QUESTION) as stream:
            assert isinstance(stream, anthropic.AsyncStream)
            assert [event.type async for event in stream][-1] == "message_stop"

    in_async_client(server, use)
    assert answer_of(spans.find("ask")) == told(CASE.expected(streamed=True))


def take_text(stream: MessageStream) -> object:
    return list(stream.text_stream)


HELPERS: dict[str, tuple[Callable[[Any], object], object]] = {
    "text_stream": (take_text, ["I l", "ook", "."]),
    "get_final_text": (lambda stream: stream.get_final_text(), "I look."),
    "get_final_message": (lambda stream: stream.get_final_message().stop_reason, "tool_use"),
    "until_done": (lambda stream: stream.until_done(), None),
    "events": (lambda stream: [event.type for event in stream][-1], "message_stop"),
    "one event, then the message": (lambda stream: next(stream) and stream.get_final_message().id, "msg_01"),
}


@pytest.mark.parametrize(("use", "given"), HELPERS.values(), ids=HELPERS.keys())
def test_a_function_that_returns_the_helper(
    client: anthropic.Anthropic,
    server: ReplayServer,
    spans: CapturedSpans,
    use: Callable[[Any], object],
    given: object,
) -> None:
    """However the helper's stream is read, it gives what it gives, and the span has the whole answer."""
    server.will_answer(event_stream(CASE.events(), names=True))
    ask = trace_llm(lambda messages: client.messages.stream(**REQUEST), name="ask")
    with ask(QUESTION) as stream:
        assert isinstance(stream, MessageStream)
        assert use(stream) == given
        assert stream.current_message_snapshot.id == "msg_01"
    (span,) = spans
    assert answer_of(span) == told(CASE.expected())
    assert span.status.status_code is not StatusCode.ERROR


ASYNC_HELPERS: dict[str, tuple[Callable[[Any], Any], object]] = {
    "get_final_text": (lambda stream: stream.get_final_text(), "I look."),
    "until_done": (lambda stream: stream.until_done(), None),
}


async def text_of(stream: Any) -> list[str]:
    return [text async for text in stream.text_stream]


@pytest.mark.parametrize(
    ("use", "given"),
    [*ASYNC_HELPERS.values(), (text_of, ["I l", "ook", "."])],
    ids=[*ASYNC_HELPERS, "text_stream"],
)
def test_a_function_that_returns_the_async_helper(
    server: ReplayServer, spans: CapturedSpans, use: Callable[[Any], Any], given: object
) -> None:
    """The asynchronous helper is followed as the other."""
    server.will_answer(event_stream(CASE.events(), names=True))

    async def run(client: anthropic.AsyncAnthropic) -> None:
        ask = trace_llm(lambda messages: client.messages.stream(**REQUEST), name="ask")
        async with ask(QUESTION) as stream:
            assert isinstance(stream, AsyncMessageStream)
            assert await use(stream) == given

    in_async_client(server, run)
    (span,) = spans
    assert answer_of(span) == told(CASE.expected())


def test_text_that_is_read_through_the_helper_is_recorded(
    client: anthropic.Anthropic, server: ReplayServer, spans: CapturedSpans
) -> None:
    """Where only the text is read, its first piece is the moment of the first token, and the answer is the output."""
    server.will_answer(event_stream(CASES["text"].events(), names=True))
    ask = trace_llm(lambda messages: client.messages.stream(**REQUEST), name="ask")
    with ask(QUESTION) as stream:
        assert "".join(stream.text_stream) == "Rain in both."
    (span,) = spans
    assert events_of(span) == [FIRST]
    assert "Rain in both." in str(spans.output("ask"))


def test_a_generator_that_yields_the_events(
    client: anthropic.Anthropic, server: ReplayServer, spans: CapturedSpans
) -> None:
    """A function that yields the client's events itself has the answer on its span."""
    server.will_answer(event_stream(CASE.events(), names=True))

    @trace_llm
    def ask(messages: list[Any]) -> Iterator[RawMessageStreamEvent]:
        with client.messages.create(**REQUEST, stream=True) as stream:
            yield from stream

    assert [event.type for event in ask(QUESTION)][-1] == "message_stop"
    span = spans.find("ask")
    assert answer_of(span) == told(CASE.expected(streamed=True))
    assert events_of(span) == [FIRST]


def test_an_async_generator_that_yields_the_events(server: ReplayServer, spans: CapturedSpans) -> None:
    """An asynchronous one too."""
    server.will_answer(event_stream(CASE.events(), names=True))

    async def use(client: anthropic.AsyncAnthropic) -> None:
        @trace_llm
        async def ask(messages: list[Any]) -> AsyncIterator[RawMessageStreamEvent]:
            async with await client.messages.create(**REQUEST, stream=True) as stream:
                async for event in stream:
                    yield event

        assert [event.type async for event in ask(QUESTION)][-1] == "message_stop"

    in_async_client(server, use)
    assert answer_of(spans.find("ask")) == told(CASE.expected(streamed=True))


def close_it(stream: Any) -> None:
    stream.close()


def leave_the_block(stream: Any) -> None:
    with stream:
        pass


def drop_it(stream: Any) -> None:
    """The caller's reference is the last."""


@pytest.mark.parametrize("leave", [close_it, leave_the_block, drop_it])
def test_a_stream_that_is_left(
    client: anthropic.Anthropic, server: ReplayServer, spans: CapturedSpans, leave: Callable[[Any], None]
) -> None:
    """A stream that isn't read to its end leaves a span with what was read, and no error."""
    server.will_answer(event_stream(CASES["text"].events(), names=True))
    ask = trace_llm(lambda messages: client.messages.create(**REQUEST, stream=True), name="ask")
    stream = ask(QUESTION)
    response = stream.response
    for _ in range(4):
        next(stream)
    leave(stream)
    del stream
    gc.collect()
    response.close()
    span = spans.find("ask")
    assert answer_of(span) == told(SO_FAR)
    assert span.status.status_code is not StatusCode.ERROR


def test_a_stream_that_the_server_breaks_off(
    client: anthropic.Anthropic, server: ReplayServer, spans: CapturedSpans
) -> None:
    """An error amid a stream reaches the caller as the client raises it, and the span beside what came before."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    server.will_answer(event_stream([*CASES["text"].events()[:5], error], names=True))
    ask = trace_llm(lambda messages: client.messages.create(**REQUEST, stream=True), name="ask")
    with pytest.raises(anthropic.APIStatusError, match="Overloaded") as raised:
        list(ask(QUESTION))
    span = spans.find("ask")
    assert answer_of(span) == told(SO_FAR)
    assert span.status.status_code is StatusCode.ERROR
    assert events_of(span) == [FIRST, "exception"]
    assert type(raised.value).__name__ in str(span.status.description)


REFUSED = {
    401: ("authentication_error", anthropic.AuthenticationError),
    429: ("rate_limit_error", anthropic.RateLimitError),
    500: ("api_error", anthropic.InternalServerError),
}


@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("status", REFUSED)
def test_an_error_of_the_provider(
    client: anthropic.Anthropic, server: ReplayServer, spans: CapturedSpans, status: int, is_streamed: bool
) -> None:
    """What the client raises reaches the caller as it is, and the span ends with it."""
    kind, cls = REFUSED[status]
    server.will_answer(json_answer({"type": "error", "error": {"type": kind, "message": "No."}}, status))
    ask = trace_llm(lambda messages: client.messages.create(**REQUEST, stream=is_streamed), name="ask")
    with pytest.raises(cls):
        ask(QUESTION)
    span = spans.find("ask")
    assert span.status.status_code is StatusCode.ERROR
    assert events_of(span) == ["exception"]
    assert answer_of(span) == {}


def test_an_error_of_the_provider_in_the_helper(
    client: anthropic.Anthropic, server: ReplayServer, spans: CapturedSpans
) -> None:
    """The helper asks only when it is entered; what is raised there ends the span too."""
    error = {"type": "error", "error": {"type": "rate_limit_error", "message": "No."}}
    server.will_answer(json_answer(error, 429))
    ask = trace_llm(lambda messages: client.messages.stream(**REQUEST), name="ask")
    manager = ask(QUESTION)
    with pytest.raises(anthropic.RateLimitError), manager:
        pass
    del manager
    gc.collect()
    assert spans.find("ask").status.status_code is StatusCode.ERROR
