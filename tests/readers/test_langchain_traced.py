"""Functions marked `trace_llm` that return what LangChain's models give: whole, streamed, left, broken off."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModelError
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import LLMResult
from langchain_core.tools import tool
from opentelemetry.trace import StatusCode

from agenttrace import trace_llm
from agenttrace.testing import CapturedSpans

from .answers import answer_of, events_of, told
from .langchain_material import CALLS, OPENAI, OPENAI_KNOWN, Scripted, usage

FIRST = "First Token Stream Event"
ANSWER = {"role": "assistant", "content": "Rain.", "tool_calls": CALLS}
TOLD = told({**OPENAI_KNOWN, "output_messages": [ANSWER], "system": "openai"})
MESSAGE = AIMessage(
    "Rain.",
    usage_metadata=usage(19, 8),  # type: ignore[arg-type]
    response_metadata={"model_name": "claude-sonnet-4-5", "stop_reason": "end_turn", "model_provider": "anthropic"},
)
MESSAGE_TOLD = told(
    {
        "system": "anthropic",
        "model_name": "claude-sonnet-4-5",
        "finish_reason": "end_turn",
        "token_counts": {"prompt": 19, "completion": 8, "total": 27},
        "output_messages": [{"role": "assistant", "content": "Rain."}],
    }
)


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


def test_a_function_that_returns_a_message(spans: CapturedSpans) -> None:
    """The question in LangChain's messages, its tools, and the answer are on the span."""
    model = GenericFakeChatModel(messages=iter([MESSAGE]))

    @trace_llm
    def ask(messages: list[Any], tools: list[Any]) -> AIMessage:
        return model.invoke(messages)

    given = ask([HumanMessage("What is the weather in Oslo?")], [get_weather])
    assert isinstance(given, AIMessage)
    span = spans.find("ask")
    attributes = span.attributes or {}
    assert answer_of(span) == MESSAGE_TOLD
    assert attributes["llm.input_messages.0.message.role"] == "user"
    assert attributes["llm.input_messages.0.message.content"] == "What is the weather in Oslo?"
    assert attributes["llm.tools.0.tool.name"] == "get_weather"
    spans.assert_conformant()


def test_functions_that_return_results_and_parsed_answers(spans: CapturedSpans) -> None:
    """What holds the message, be it a result or a structured output with its raw part, says the same."""
    model = GenericFakeChatModel(messages=iter([MESSAGE, MESSAGE]))

    @trace_llm
    def ask(question: str) -> LLMResult:
        return model.generate([[HumanMessage(question)]])

    @trace_llm
    async def ask_structured(question: str) -> dict[str, Any]:
        return {"raw": await model.ainvoke(question), "parsed": None, "parsing_error": None}

    ask("What is the weather?")
    asyncio.run(ask_structured("What is the weather?"))
    assert [answer_of(span) for span in spans] == [MESSAGE_TOLD, MESSAGE_TOLD]


def test_functions_that_stream(spans: CapturedSpans) -> None:
    """A function that returns the stream, and one that yields its chunks, have the whole answer on their spans."""
    model = Scripted(chunks=OPENAI)

    @trace_llm
    def returns(question: str) -> Iterator[AIMessageChunk]:
        return model.stream(question)

    @trace_llm
    def yields(question: str) -> Iterator[AIMessageChunk]:
        yield from model.stream(question)

    @trace_llm
    def returns_later(question: str) -> AsyncIterator[AIMessageChunk]:
        return model.astream(question)

    @trace_llm
    async def yields_later(question: str) -> AsyncIterator[AIMessageChunk]:
        async for chunk in model.astream(question):
            yield chunk

    async def read_later() -> None:
        for ask in (returns_later, yields_later):
            assert len([chunk async for chunk in ask("What is the weather?")]) >= len(OPENAI)

    for ask in (returns, yields):
        assert len(list(ask("What is the weather?"))) >= len(OPENAI)
    asyncio.run(read_later())
    assert [(span.name, answer_of(span), events_of(span)) for span in spans] == [
        (name, TOLD, [FIRST]) for name in ("returns", "yields", "returns_later", "yields_later")
    ]
    spans.assert_conformant()


def close_it(stream: Any) -> None:
    stream.close()


def drop_it(stream: Any) -> None:
    """The caller's reference is the last."""


@pytest.mark.parametrize("leave", [close_it, drop_it])
def test_a_stream_that_is_left(spans: CapturedSpans, leave: Callable[[Any], None]) -> None:
    """A stream that isn't read to its end leaves a span with what was read, and no error."""
    ask = trace_llm(lambda question: FakeListChatModel(responses=["Rain."]).stream(question), name="ask")
    stream = ask("What is the weather?")
    next(stream)
    next(stream)
    leave(stream)
    del stream
    gc.collect()
    span = spans.find("ask")
    assert answer_of(span) == told({"output_messages": [{"role": "assistant", "content": "Ra"}]})
    assert span.status.status_code is not StatusCode.ERROR


def test_a_stream_that_breaks_off(spans: CapturedSpans) -> None:
    """The model's error reaches the caller, and the span beside what came before."""
    model = FakeListChatModel(responses=["Rain."], error_on_chunk_number=2)
    ask = trace_llm(lambda question: model.stream(question), name="ask")
    with pytest.raises(FakeListChatModelError):
        list(ask("What is the weather?"))
    span = spans.find("ask")
    assert answer_of(span) == told({"output_messages": [{"role": "assistant", "content": "Ra"}]})
    assert events_of(span) == [FIRST, "exception"]


def test_events_of_a_model(spans: CapturedSpans) -> None:
    """Of ``astream_events`` the model's chunks are read."""
    model = Scripted(chunks=OPENAI)

    @trace_llm
    def ask(question: str) -> AsyncIterator[Any]:
        return model.astream_events(question, version="v2")

    async def read() -> list[str]:
        return [event["event"] async for event in ask("What is the weather?")]

    assert asyncio.run(read())[-1] == "on_chat_model_end"
    assert answer_of(spans.find("ask")) == TOLD


def read_events(stream: Any) -> object:
    return list(stream)[-1]["event"]


def read_text(stream: Any) -> object:
    return "".join(stream.text)


def read_output(stream: Any) -> object:
    return stream.output.content[0]["text"]


WAYS: dict[str, tuple[Callable[[Any], object], object]] = {
    "events": (read_events, "message-finish"),
    "text": (read_text, "Rain."),
    "output": (read_output, "Rain."),
}


@pytest.mark.filterwarnings("ignore:.* is in beta")
@pytest.mark.parametrize(("read", "given"), WAYS.values(), ids=WAYS)
def test_a_stream_of_version_3s_events(spans: CapturedSpans, read: Callable[[Any], object], given: object) -> None:
    """However the stream is read, it gives what it gives, and its span ends with it and has the whole answer."""
    module = pytest.importorskip("langchain_core.language_models.chat_model_stream")
    ask = trace_llm(lambda question: Scripted(chunks=OPENAI).stream_events(question, version="v3"), name="ask")
    stream: Any = ask("What is the weather?")
    assert isinstance(stream, module.ChatModelStream)
    assert read(stream) == given
    del stream
    gc.collect()
    attributes = answer_of(spans.find("ask"))
    assert attributes["llm.token_count.total"] == 27
    assert attributes["llm.model_name"] == "gpt-4o-2024-08-06"
    assert attributes["llm.output_messages.0.message.contents.0.message_content.text"] == "Rain."
    assert attributes["llm.output_messages.0.message.tool_calls.1.tool_call.id"] == "call_2"


@pytest.mark.filterwarnings("ignore:.* is in beta")
def test_an_asynchronous_stream_of_version_3s_events(spans: CapturedSpans) -> None:
    """The asynchronous stream is iterated as its own, and has its message."""
    module = pytest.importorskip("langchain_core.language_models.chat_model_stream")

    @trace_llm
    async def ask(question: str) -> Any:
        model: Any = Scripted(chunks=OPENAI)
        return await model.astream_events(question, version="v3")

    async def read() -> None:
        async with await ask("What is the weather?") as stream:
            assert isinstance(stream, module.AsyncChatModelStream)
            assert [event["event"] async for event in stream][-1] == "message-finish"
            assert type(await stream.output) is AIMessage

    asyncio.run(read())
    attributes = answer_of(spans.find("ask"))
    assert attributes["llm.token_count.total"] == 27
    assert attributes["llm.output_messages.0.message.tool_calls.1.tool_call.id"] == "call_2"
