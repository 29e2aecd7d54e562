"""Functions marked `trace_llm` and `trace_embedding` that return whole answers of OpenAI's, or raise its errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from opentelemetry.trace import StatusCode

from agenttrace import trace_embedding, trace_llm
from agenttrace.testing import CapturedSpans

from .answers import answer_of, events_of
from .openai_interfaces import SERVER_ERROR, Interface, assert_whole, both, in_async_client, marked
from .openai_material import COUNTS, MESSAGES, MODEL, OSLO, called, choice, completion
from .replay import ReplayServer, json_answer


@pytest.fixture
def client(server: ReplayServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
        yield client


def test_a_call_says_what_went_in_and_what_came_back(
    client: openai.OpenAI, server: ReplayServer, spans: CapturedSpans
) -> None:
    """Messages, model, parameters, tools and answer are on the span, each by its OpenInference name."""
    server.will_answer(json_answer(completion(choice({"tool_calls": [called(OSLO)]}, "tool_calls"))))
    tool: Any = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}

    @trace_llm
    def ask(messages: list[Any], model: str, temperature: float, tools: list[Any]) -> Any:
        return client.chat.completions.create(messages=messages, model=model, temperature=temperature, tools=tools)

    ask(MESSAGES, model="gpt-4.1", temperature=0.5, tools=[tool])
    attributes = dict(spans.find("ask").attributes or {})
    assert json.loads(str(attributes.pop("llm.tools.0.tool.json_schema"))) == tool
    assert json.loads(str(attributes.pop("llm.invocation_parameters"))) == {"model": "gpt-4.1", "temperature": 0.5}
    wanted = {name: value for name, value in attributes.items() if name.startswith("llm.")}
    assert wanted == {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": MESSAGES[0]["content"],
        "llm.tools.0.tool.name": "get_weather",
        "llm.system": "openai",
        "llm.model_name": MODEL,
        "llm.request.model_name": "gpt-4.1",
        "llm.response.model_name": MODEL,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "call_oslo",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "get_weather",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"city": "Oslo"}',
        "llm.finish_reason": "tool_calls",
        "llm.token_count.prompt": COUNTS["prompt"],
        "llm.token_count.completion": COUNTS["completion"],
        "llm.token_count.total": COUNTS["total"],
        "llm.token_count.prompt_details.cache_read": COUNTS["cache_read"],
        "llm.token_count.prompt_details.cache_write": COUNTS["cache_write"],
        "llm.token_count.prompt_details.audio": COUNTS["audio"],
        "llm.token_count.completion_details.reasoning": COUNTS["reasoning"],
        "llm.token_count.completion_details.audio": COUNTS["completion_audio"],
    }
    spans.assert_conformant(strict=True)


@both
def test_a_function_that_returns_the_answer(
    client: openai.OpenAI, server: ReplayServer, spans: CapturedSpans, interface: Interface
) -> None:
    """The answer is read, from both clients, and the caller gets the client's own object."""
    server.will_answer(interface.whole)
    assert type(marked(interface.ask, client)("?")).__module__.startswith("openai.types")

    async def use(client: openai.AsyncOpenAI) -> None:
        await marked(interface.ask, client)("?")

    in_async_client(server, use)
    for span in spans:
        assert_whole(span, interface)
    assert len(spans) == 2
    spans.assert_conformant()


@both
@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("status", "error"),
    [(401, openai.AuthenticationError), (429, openai.RateLimitError), (500, openai.InternalServerError)],
)
def test_an_error_of_the_provider(
    client: openai.OpenAI,
    server: ReplayServer,
    spans: CapturedSpans,
    interface: Interface,
    is_streamed: bool,
    status: int,
    error: type[Exception],
) -> None:
    """What the client raises reaches the caller as it is, and the span ends with it and nothing of an answer."""
    server.will_answer(json_answer(SERVER_ERROR, status=status))
    with pytest.raises(error):
        marked(interface.stream if is_streamed else interface.ask, client)("?")
    span = spans.find("ask")
    assert span.status.status_code is StatusCode.ERROR
    assert events_of(span) == ["exception"]
    assert answer_of(span) == {}


def test_a_legacy_completion(client: openai.OpenAI, server: ReplayServer, spans: CapturedSpans) -> None:
    """What was to be completed is a prompt, and how it was completed a choice: there are no messages of the answer."""
    text = {"text": " rain.", "index": 0, "logprobs": None, "finish_reason": "stop"}
    server.will_answer(
        json_answer(
            {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "davinci-002", "choices": [text]}
        )
    )

    @trace_llm
    def complete(prompt: str) -> Any:
        return client.completions.create(model="davinci-002", prompt=prompt)

    complete("In Oslo there is")
    attributes = spans.find("complete").attributes or {}
    assert attributes["llm.prompts.0.prompt.text"] == "In Oslo there is"
    assert attributes["llm.choices.0.completion.text"] == " rain."
    assert not [name for name in attributes if name.startswith("llm.output_messages")]


def test_embeddings(client: openai.OpenAI, server: ReplayServer, spans: CapturedSpans) -> None:
    """The vectors, their model and the tokens they took stand on the span of an embedding function."""
    data = [{"object": "embedding", "index": 0, "embedding": [0.5, -1.0]}]
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    model = "text-embedding-3-small"
    server.will_answer(json_answer({"object": "list", "data": data, "model": model, "usage": usage}))

    @trace_embedding
    def embed(texts: list[str]) -> Any:
        return client.embeddings.create(model=model, input=texts)

    embed(["rain"])
    attributes = spans.find(kind="EMBEDDING").attributes or {}
    assert attributes["embedding.model_name"] == model
    assert attributes["embedding.embeddings.0.embedding.text"] == "rain"
    assert attributes["embedding.embeddings.0.embedding.vector"] == (0.5, -1.0)
    assert attributes["llm.token_count.prompt"] == 8
    spans.assert_conformant()
