"""LiteLLM's answers, whole and streamed, from a server that speaks OpenAI's API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from opentelemetry.trace import StatusCode

from agenttrace import trace_llm
from agenttrace.readers.interface import StreamForm
from agenttrace.readers.litellm import LiteLLMReader
from agenttrace.readers.openai import OpenAIReader
from agenttrace.testing import CapturedSpans

from .answers import answer_of, events_of, told
from .assembling import assembled, assembled_until, without
from .openai_material import (
    BERGEN,
    CHAT_CALL,
    CHAT_CHUNKS,
    COUNTS,
    MESSAGES,
    MODEL,
    OSLO,
    RESPONSE_CALL,
    RESPONSE_EVENTS,
    WHOLE_RESPONSE,
    called,
    choice,
    chunk,
    completion,
    delta,
)
from .replay import Answer, ReplayServer, event_stream, json_answer

# What pydantic says of LiteLLM's own classes is LiteLLM's to hear.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Pydantic serializer:UserWarning",
    "ignore:Item .* on TypedDict:UserWarning",
    "ignore:Accessing the 'model_:DeprecationWarning",
)

READER = LiteLLMReader()
EMBEDDINGS = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -1.0]}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}
TEXT_MODEL = "gpt-3.5-turbo-instruct"


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The event loop: LiteLLM asks for it in synchronous calls too, and else makes one that nobody closes."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def litellm(monkeypatch: pytest.MonkeyPatch, loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    """LiteLLM with the list of prices that comes with it, so that nothing else is asked; its clients are closed."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    monkeypatch.setattr(litellm, "suppress_debug_info", True)
    yield litellm
    loop.run_until_complete(litellm.close_litellm_async_clients())
    for client in litellm.in_memory_llm_clients_cache.cache_dict.values():
        if isinstance(client, openai.OpenAI):
            client.close()
        elif type(client).__name__ == "HTTPHandler":
            client.client.close()
    litellm.in_memory_llm_clients_cache.flush_cache()


def options(server: ReplayServer, **more: Any) -> dict[str, Any]:
    """What every call of LiteLLM is told."""
    return {"api_base": server.url, "api_key": "test", "max_retries": 0, "num_retries": 0, **more}


def priced(call: Any, prompt: float, completion_price: float = 0.0, cached: float = 0.0) -> float:
    """What ``call`` costs at these prices, in dollars for a million tokens."""
    counts = call["token_counts"]
    read = counts.get("cache_read", 0)
    return ((counts["prompt"] - read) * prompt + read * cached + counts.get("completion", 0) * completion_price) / 1e6


def test_a_completion_is_read_with_its_cost(server: ReplayServer, litellm: Any) -> None:
    """A completion is read as OpenAI's; LiteLLM's own notes add the cost. The reader of OpenAI leaves it alone."""
    message = {"content": "I look.", "reasoning_content": "Two.", "tool_calls": [called(OSLO), called(BERGEN)]}
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    server.will_answer(json_answer(completion(choice(message, "tool_calls"), usage=usage)))
    response = litellm.completion(model="openai/gpt-4.1", messages=MESSAGES, **options(server))
    assert READER.reads(response)
    assert not OpenAIReader().reads(response)
    assert not READER.reads_chunk(response)
    call: Any = READER.read(response)
    assert call.pop("cost") == {"total": pytest.approx(priced(call, 2.0, 8.0))}
    assert call == {
        "model_name": MODEL,
        "output_messages": [
            {
                "role": "assistant",
                "contents": [{"type": "reasoning", "text": "Two."}, {"type": "text", "text": "I look."}],
                "tool_calls": [OSLO, BERGEN],
            }
        ],
        "token_counts": {"prompt": 100, "completion": 50, "total": 150},
        "finish_reason": "tool_calls",
    }


def test_a_model_without_a_price_has_no_cost(server: ReplayServer, litellm: Any) -> None:
    """What LiteLLM knows no price of costs nothing that is known; the provider of an unknown server isn't known."""
    server.will_answer(json_answer(completion(choice({"content": "Rain."}), model="my-own-model")))
    response = litellm.completion(model="openai/my-own-model", messages=MESSAGES, **options(server))
    assert READER.read(response) == {
        "model_name": "my-own-model",
        "output_messages": [{"role": "assistant", "content": "Rain."}],
        "token_counts": COUNTS,
        "finish_reason": "stop",
    }


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("groq/llama-3.3-70b-versatile", "groq"),
        ("deepseek/deepseek-chat", "deepseek"),
        ("fireworks_ai/my-own-model", "fireworks"),
        ("together_ai/my-own-model", "together"),
        ("hosted_vllm/my-own-model", "hosted_vllm"),
    ],
)
def test_who_answered_is_told_by_litellm(server: ReplayServer, litellm: Any, model: str, provider: str) -> None:
    """The provider that LiteLLM asked is the call's, under OpenInference's name where it has one."""
    server.will_answer(json_answer(completion(choice({"content": "Rain."}), model="m")))
    response = litellm.completion(model=model, messages=MESSAGES, **options(server))
    assert READER.read(response)["provider"] == provider


def test_a_stream_is_put_together(server: ReplayServer, litellm: Any, loop: asyncio.AbstractEventLoop) -> None:
    """The chunks of LiteLLM's wrapper amount to the final message, with the cost that the last one tells."""
    asked = {"model": "openai/gpt-4.1", "messages": MESSAGES, "stream": True, "stream_options": {"include_usage": True}}
    server.will_answer(event_stream(CHAT_CHUNKS, done=True))
    stream = litellm.completion(**asked, **options(server))
    assert READER.stream_form(stream) == StreamForm()
    assert OpenAIReader().stream_form(stream) is None

    async def ask() -> list[Any]:
        found = await litellm.acompletion(**asked, **options(server))
        assert READER.stream_form(found) == StreamForm()
        return [chunk async for chunk in found]

    for chunks in (list(stream), loop.run_until_complete(ask())):
        assert not OpenAIReader().reads_chunk(chunks[0])
        call: Any = assembled(READER, chunks)
        assert call.pop("cost")["total"] > 0
        assert without(call, "token_counts") == without(CHAT_CALL, "token_counts")
        assert call["token_counts"].items() >= {"prompt": 82, "completion": 37, "total": 119}.items()


def test_reasoning_and_refusals_are_put_together(server: ReplayServer, litellm: Any) -> None:
    """Thought comes before the text that it led to."""
    chunks = [
        chunk(delta(role="assistant", content=None, reasoning_content="It is ")),
        chunk(delta(reasoning_content="November.")),
        chunk(delta(content="Rain.")),
        chunk(delta(finish_reason="stop")),
    ]
    server.will_answer(event_stream(chunks, done=True))
    call = assembled(
        READER, litellm.completion(model="openai/gpt-4.1", messages=MESSAGES, stream=True, **options(server))
    )
    assert call["output_messages"] == [
        {
            "role": "assistant",
            "contents": [{"type": "reasoning", "text": "It is November."}, {"type": "text", "text": "Rain."}],
        }
    ]


def test_a_stream_that_breaks_off_gives_what_there_was(server: ReplayServer, litellm: Any) -> None:
    """The pieces up to the error amount to a message."""
    broken = event_stream([{"error": {"message": "The server had an error", "type": "server_error"}}])
    before = event_stream(CHAT_CHUNKS[:5])
    server.will_answer(Answer([*before.body, *broken.body], content_type="text/event-stream"))  # type: ignore[list-item]
    stream = litellm.completion(model="openai/gpt-4.1", messages=MESSAGES, stream=True, **options(server))
    call = assembled_until(READER, stream, Exception)
    assert call["output_messages"] == [
        {"role": "assistant", "content": "Let me look.", "tool_calls": [{**OSLO, "arguments": '{"city"'}]}
    ]


def test_embeddings_are_read(server: ReplayServer, litellm: Any) -> None:
    """Vectors, tokens and cost of an embedding call."""
    server.will_answer(json_answer(EMBEDDINGS))
    response = litellm.embedding(model="openai/text-embedding-3-small", input=["rain"], **options(server))
    assert READER.reads(response)
    call: Any = READER.read(response)
    assert call.pop("cost") == {"total": pytest.approx(8 * 0.02 / 1e6)}
    assert call == {
        "model_name": "text-embedding-3-small",
        "embeddings": [{"vector": [0.5, -1.0]}],
        "token_counts": {"prompt": 8, "completion": 0, "total": 8},
    }


def test_text_completions_are_read(server: ReplayServer, litellm: Any) -> None:
    """Legacy completions, whole and streamed, have choices and no messages."""
    whole = {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1_763_980_000,
        "model": TEXT_MODEL,
        "choices": [{"text": " rain.", "index": 0, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
    }
    asked = {"model": f"text-completion-openai/{TEXT_MODEL}", "prompt": "In Oslo there is"}
    server.will_answer(json_answer(whole))
    response = litellm.text_completion(**asked, **options(server))
    assert READER.reads(response)
    call: Any = READER.read(response)
    assert call.pop("cost")["total"] > 0
    assert call == {
        "model_name": TEXT_MODEL,
        "choices": [" rain."],
        "token_counts": {"prompt": 5, "completion": 7, "total": 12},
        "finish_reason": "stop",
    }
    chunks = [
        {**whole, "usage": None, "choices": [{"text": text, "index": 0, "logprobs": None, "finish_reason": reason}]}
        for text, reason in ((" ra", None), ("in.", None), ("", "stop"))
    ]
    server.will_answer(event_stream(chunks, done=True))
    stream = litellm.text_completion(**asked, stream=True, **options(server))
    assert READER.stream_form(stream) == StreamForm()
    assert assembled(READER, stream) == {"model_name": TEXT_MODEL, "choices": [" rain."], "finish_reason": "stop"}


def test_responses_are_read(server: ReplayServer, litellm: Any, loop: asyncio.AbstractEventLoop) -> None:
    """LiteLLM's responses, whole and streamed, synchronous and not, read as OpenAI's."""
    asked = {"model": "openai/gpt-4.1", "input": MESSAGES}
    server.will_answer(json_answer(WHOLE_RESPONSE))
    response = litellm.responses(**asked, **options(server))
    assert READER.reads(response)
    server.will_answer(event_stream(RESPONSE_EVENTS, names=True))
    stream = litellm.responses(**asked, stream=True, **options(server))
    assert READER.stream_form(stream) == StreamForm()

    async def ask() -> list[Any]:
        found = await litellm.aresponses(**asked, stream=True, **options(server))
        assert READER.stream_form(found) == StreamForm()
        return [event async for event in found]

    for call in (READER.read(response), assembled(READER, stream), assembled(READER, loop.run_until_complete(ask()))):
        assert without(dict(call), "cost") == RESPONSE_CALL


@pytest.mark.parametrize(
    ("status", "name"),
    [(401, "AuthenticationError"), (429, "RateLimitError"), (500, "InternalServerError")],
)
def test_errors_stay_litellms(
    server: ReplayServer, litellm: Any, loop: asyncio.AbstractEventLoop, status: int, name: str
) -> None:
    """What LiteLLM raises is no response and no stream."""
    server.will_answer(json_answer({"error": {"message": "no", "type": "x", "code": "y"}}, status=status))
    with pytest.raises(getattr(litellm, name)) as caught:
        litellm.completion(model="openai/gpt-4.1", messages=MESSAGES, **options(server))
    with pytest.raises(getattr(litellm, name)):
        loop.run_until_complete(litellm.acompletion(model="openai/gpt-4.1", messages=MESSAGES, **options(server)))
    assert not READER.reads(caught.value)
    assert READER.stream_form(caught.value) is None


def test_a_traced_call_has_its_cost(server: ReplayServer, spans: CapturedSpans, litellm: Any) -> None:
    """A function that returns LiteLLM's answer has it on its span, with what it cost and who gave it."""
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    server.will_answer(json_answer(completion(choice({"content": "Rain."}), usage=usage)))
    ask = trace_llm(
        lambda messages: litellm.completion(model="deepseek/deepseek-chat", messages=messages, **options(server)),
        name="ask",
    )
    assert type(ask(MESSAGES)).__name__ == "ModelResponse"
    attributes = spans.find("ask").attributes or {}
    assert attributes["llm.provider"] == "deepseek"
    assert attributes["llm.output_messages.0.message.content"] == "Rain."
    assert attributes["llm.token_count.total"] == 150
    total = attributes["llm.cost.total"]
    assert isinstance(total, float)
    assert total > 0
    spans.assert_conformant()


def test_a_traced_stream_is_followed(
    server: ReplayServer, spans: CapturedSpans, litellm: Any, loop: asyncio.AbstractEventLoop
) -> None:
    """Streams that functions return, and chunks that they yield, synchronous or not, leave the answer on spans."""
    asked: Any = {"model": "openai/gpt-4.1", "stream": True, **options(server)}
    server.will_answer(event_stream(CHAT_CHUNKS, done=True))

    @trace_llm(name="ask")
    def returning(messages: list[Any]) -> Any:
        return litellm.completion(messages=messages, **asked)

    @trace_llm(name="ask")
    def yielding(messages: list[Any]) -> Iterator[Any]:
        yield from litellm.completion(messages=messages, **asked)

    @trace_llm(name="ask")
    async def returning_later(messages: list[Any]) -> Any:
        return await litellm.acompletion(messages=messages, **asked)

    async def read() -> None:
        async for _ in await returning_later(MESSAGES):
            pass

    stream = returning(MESSAGES)
    assert isinstance(stream, litellm.CustomStreamWrapper)
    assert stream.custom_llm_provider == "openai"
    assert list(stream)
    assert list(yielding(MESSAGES))
    loop.run_until_complete(read())
    assert len(spans) == 3
    wanted = told({"output_messages": CHAT_CALL["output_messages"], "finish_reason": "tool_calls"})
    for span in spans:
        assert answer_of(span).items() >= wanted.items()
        assert events_of(span) == ["First Token Stream Event"]
    spans.assert_conformant()


def test_a_traced_stream_that_is_left(server: ReplayServer, spans: CapturedSpans, litellm: Any) -> None:
    """A stream that is closed early leaves what was read, and no error."""
    server.will_answer(event_stream(CHAT_CHUNKS, done=True))
    asked: Any = {"model": "openai/gpt-4.1", "stream": True, **options(server)}
    stream = trace_llm(lambda messages: litellm.completion(messages=messages, **asked), name="ask")(MESSAGES)
    text = ""
    while "look" not in text:
        text += next(stream).choices[0].delta.content or ""
    stream.close()
    span = spans.find("ask")
    assert answer_of(span)["llm.output_messages.0.message.content"] == "Let me look."
    assert span.status.status_code is not StatusCode.ERROR
