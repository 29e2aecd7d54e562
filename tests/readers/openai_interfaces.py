"""The two ways to ask OpenAI for an answer, in one form, for tests that hold for both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import openai
import pytest
from openai.lib.streaming.chat import AsyncChatCompletionStream, ChatCompletionStream
from openai.lib.streaming.responses import AsyncResponseStream, ResponseStream
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from agenttrace import trace_llm

from .answers import answer_of, told
from .openai_material import (
    BERGEN,
    CHAT_CALL,
    CHAT_CHUNKS,
    MESSAGES,
    MODEL,
    OSLO,
    RESPONSE_CALL,
    RESPONSE_EVENTS,
    RESPONSE_MESSAGE,
    WHOLE_RESPONSE,
    called,
    choice,
    completion,
)
from .replay import Answer, ReplayServer, event_stream, json_answer

FIRST = "First Token Stream Event"
SERVER_ERROR = {"error": {"message": "Overloaded", "type": "server_error"}}


class Interface(NamedTuple):
    """One of the two ways to ask OpenAI for an answer, and what the server says."""

    ask: Callable[[Any], Any]
    """Asks with a client, synchronous or not."""
    stream: Callable[[Any], Any]
    help: Callable[[Any], Any]
    """Asks for the helper's stream, which a block opens."""
    finish: str
    """The helper's method that runs to the end and gives the whole."""
    helpers: tuple[type[Any], type[Any]]
    whole: Answer
    streamed: Answer
    call: dict[str, Any]
    beginning: int
    """How many chunks to read for a beginning of the text."""
    so_far: dict[str, Any]
    """What is known then."""


CHAT = Interface(
    ask=lambda client: client.chat.completions.create(model="gpt-4.1", messages=MESSAGES),
    stream=lambda client: client.chat.completions.create(model="gpt-4.1", messages=MESSAGES, stream=True),
    help=lambda client: client.chat.completions.stream(model="gpt-4.1", messages=MESSAGES),
    finish="get_final_completion",
    helpers=(ChatCompletionStream, AsyncChatCompletionStream),
    whole=json_answer(
        completion(choice({"content": "Let me look.", "tool_calls": [called(OSLO), called(BERGEN)]}, "tool_calls"))
    ),
    streamed=event_stream(CHAT_CHUNKS, done=True),
    call={**CHAT_CALL, "system": "openai"},
    beginning=2,
    so_far={
        "model_name": MODEL,
        "system": "openai",
        "output_messages": [{"role": "assistant", "content": "Let me "}],
    },
)
RESPONSES = Interface(
    ask=lambda client: client.responses.create(model="gpt-4.1", input=MESSAGES),
    stream=lambda client: client.responses.create(model="gpt-4.1", input=MESSAGES, stream=True),
    help=lambda client: client.responses.stream(model="gpt-4.1", input=MESSAGES),
    finish="get_final_response",
    helpers=(ResponseStream, AsyncResponseStream),
    whole=json_answer(WHOLE_RESPONSE),
    streamed=event_stream(RESPONSE_EVENTS, names=True),
    call={**RESPONSE_CALL, "system": "openai"},
    beginning=16,
    so_far={
        "model_name": MODEL,
        "system": "openai",
        "output_messages": [
            {"role": "assistant", "contents": [RESPONSE_MESSAGE["contents"][0], {"type": "text", "text": "Let me "}]}  # type: ignore[index]
        ],
    },
)
both = pytest.mark.parametrize("interface", [CHAT, RESPONSES], ids=["chat", "responses"])


def in_async_client(server: ReplayServer, use: Callable[[openai.AsyncOpenAI], Any]) -> None:
    """Run ``use`` with an asynchronous client."""

    async def run() -> None:
        async with openai.AsyncOpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
            await use(client)

    asyncio.run(run())


def marked(ask: Callable[[Any], Any], client: Any) -> Callable[[str], Any]:
    """A traced function that asks with ``client``."""
    return trace_llm(lambda question: ask(client), name="ask")


def assert_whole(span: ReadableSpan, interface: Interface) -> None:
    """The span says all of the answer, and no error."""
    assert answer_of(span) == told(interface.call)
    assert span.status.status_code is not StatusCode.ERROR
