"""What went into a span and came out of it, in a line each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from anthropic.types import Message as AnthropicMessage
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion

from agenttrace import trace_embedding, trace_llm, trace_reranker, trace_retriever, trace_tool
from agenttrace.local.exchanges import input_text, output_text
from agenttrace.local.records import SpanRecord, record_of
from agenttrace.testing import capture_spans

CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}


def recorded(run: Callable[[], object]) -> tuple[str | None, str | None]:
    """The lines of the one span that ``run`` makes."""
    with capture_spans() as spans:
        run()
    [span] = spans
    record = record_of(span)
    return input_text(record), output_text(record)


def lines_of(kind: str, attributes: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The lines of a span of this kind with these attributes."""
    everything = {"openinference.span.kind": kind, **attributes}
    span = SpanRecord("1", "2", None, "span", 0, 1, attributes=everything)
    return input_text(span), output_text(span)


def model(kwargs: Mapping[str, Any], answer: object) -> tuple[str | None, str | None]:
    """The lines of a model call that is given ``kwargs`` and returns ``answer``."""

    @trace_llm
    def ask(**kwargs: object) -> object:
        return answer

    return recorded(lambda: ask(**kwargs))


def completion(**message: object) -> ChatCompletion:
    """What OpenAI's client returns."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": None, **message}}
    answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return ChatCompletion.model_validate(answer)


def test_the_answer_of_a_real_client_is_visible() -> None:
    """OpenAI's completion by its words or its calls, not by the id that its JSON begins with."""
    messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Weather?"}]
    assert model({"messages": messages}, completion(content="It\nrains.")) == (
        "… user: Weather?",
        "assistant: It rains.",
    )
    called = model({"messages": messages}, completion(content="Wait.", tool_calls=[CALL]))
    assert called[1] == 'assistant: Wait. get_weather({"city": "Oslo"})'


def test_anthropics_tool_results_and_thoughts_are_visible() -> None:
    """The result that the call was about; a thought only where nothing else is said."""
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "14 °C"}]}
    thought = {"type": "thinking", "thinking": "Hm, rain.", "signature": "s"}
    words = {"type": "text", "text": "It rains."}
    call = {"type": "tool_use", "id": "toolu_2", "name": "get_tide", "input": {}}

    def answer(*content: object) -> AnthropicMessage:
        usage = {"input_tokens": 1, "output_tokens": 1}
        whole = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": content}
        return AnthropicMessage.model_validate({**whole, "stop_reason": "end_turn", "usage": usage})

    asked = {"messages": [{"role": "user", "content": "Weather?"}, {"role": "user", "content": [result]}]}
    assert model(asked, answer(thought, words)) == ("… tool: 14 °C", "assistant: It rains.")
    assert model(asked, answer(thought))[1] == "assistant: (thinks) Hm, rain."
    assert model(asked, answer(thought, call))[1] == "assistant: get_tide()"


def test_parts_that_are_no_text_are_named() -> None:
    """An image, a document, audio."""
    parts = [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "text", "text": "What is it?"},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]
    asked = {"messages": [{"role": "user", "content": parts}]}
    assert model(asked, completion(content="Oslo."))[0] == "user: [image] What is it? [audio] [document]"


@pytest.mark.parametrize(
    ("flattened", "shown"),
    [
        ({"0.message.role": "assistant", "0.message.function_call_name": "f"}, "assistant: f()"),
        ({"0.message.content": "Hi"}, "Hi"),
        (
            {
                "0.message.role": "assistant",
                "0.message.contents.0.message_content.type": "tool_use",
                "0.message.contents.0.tool_call.function.name": "f",
                "0.message.contents.0.tool_call.function.arguments": "[1]",
            },
            "assistant: f([1])",
        ),
        (
            {
                "0.message.role": "assistant",
                "0.message.contents.0.message_content.type": "reasoning",
                "1.message.role": "assistant",
                "1.message.content": "A",
                "10.message.role": "assistant",
                "10.message.content": "C",
                "2.message.role": "assistant",
                "2.message.content": "B",
                "11.message.role": "tool",
                "11.message.content": "D",
            },
            "assistant: A B C tool: D",
        ),
        ({"0.message.contents.0.message_content.type": "reasoning"}, "(thinks)"),
        ({"0.message.role": "assistant"}, "the value"),
        ({"x.message.role": "assistant", "0": "assistant", "1" * 5000: "a"}, "the value"),
        ({"0.message.role": 10**5000, "0.message.content": 7}, "the value"),
        ({}, "the value"),
    ],
)
def test_an_answer_is_read_from_its_flattened_messages(flattened: Mapping[str, Any], shown: str) -> None:
    """All of its messages by their indices; where they say nothing, the value does."""
    attributes = {f"llm.output_messages.{key}": value for key, value in flattened.items()}
    assert lines_of("LLM", {"output.value": "the value", **attributes})[1] == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (
            {"role": "assistant", "content": "", "tool_calls": [{"name": "f", "arguments": {"a": 1}}, {"name": 7}]},
            'assistant: f({"a": 1})',
        ),
        ({"role": "assistant", "tool_calls": [{"id": "c", "name": "f", "arguments": "{}"}]}, "assistant: f()"),
        ({"role": "user", "content": [{"type": "tool_result", "content": "14 °C"}]}, "user: 14 °C"),
        (
            {"role": "user", "content": [{"type": "tool_result", "content": ["a", {"type": "text", "text": "b"}]}]},
            "user: a b",
        ),
        (
            {"role": "assistant", "content": [{"type": "tool_use", "name": "f", "input": {"a": 1}}]},
            'assistant: f({"a": 1})',
        ),
        ({"role": "assistant", "content": "", "reasoning_content": "Hm."}, "assistant: (thinks) Hm."),
        ({"role": "assistant", "content": [{"type": "audio", "transcript": "Hi"}]}, "assistant: [audio] Hi"),
    ],
)
def test_values_that_are_conversations_are_read_too(value: object, shown: str) -> None:
    """Without flattened messages: calls of an assembled stream, results of tools, parts of each kind."""
    attributes = {"output.value": json.dumps(value), "output.mime_type": "application/json"}
    assert lines_of("LLM", attributes)[1] == shown


def test_documents_are_counted_and_the_first_is_quoted() -> None:
    """What a retriever found, and what a reranker was given and made of it."""

    @trace_retriever
    def search(query: str) -> list[dict[str, object]]:
        return [{"content": "Rain\nin Oslo", "score": 0.5}, {"content": "Tides"}]

    assert recorded(lambda: search("rain")) == ("rain", "2 documents: Rain in Oslo")

    @trace_reranker
    def rerank(query: str, documents: list[str]) -> list[str]:
        return documents[1:]

    lines = recorded(lambda: rerank("rain", ["Tides", "Rain in Oslo"]))
    assert lines == ("rain in 2 documents: Tides", "1 document: Rain in Oslo")
    assert lines_of("RETRIEVER", {"retrieval.documents.0.document.id": 10**5000})[1].startswith('1 document: "0x')  # type: ignore[union-attr]
    assert lines_of("RETRIEVER", {"retrieval.documents.0.document.score": 0.5})[1] == "1 document"
    assert lines_of("RETRIEVER", {"output.value": "nothing"})[1] == "nothing"


def test_embeddings_are_counted_and_measured() -> None:
    """How many texts and the first of them; how many vectors of how many numbers."""

    @trace_embedding(model="m")
    def embed(texts: list[str]) -> list[list[float]]:
        return [[0.5] * 1536 for _ in texts]

    assert recorded(lambda: embed(["rain", "sun"])) == ("2 texts: rain", "2 vectors of 1,536")
    uneven = {"embedding.embeddings.0.embedding.vector": (1.0,), "embedding.embeddings.1.embedding.vector": (1.0, 2.0)}
    assert lines_of("EMBEDDING", {**uneven, "input.value": "tokens"}) == ("tokens", "2 vectors")
    hidden = {"embedding.embeddings.0.embedding.vector": "__REDACTED__", "output.value": "__REDACTED__"}
    assert lines_of("EMBEDDING", hidden) == (None, "__REDACTED__")


def test_no_arguments_and_no_result_are_no_lines() -> None:
    """``input {}`` and ``output null`` say nothing; the same words in a text do."""

    @trace_tool
    def tick() -> None:
        """Do nothing."""

    assert recorded(tick) == (None, None)
    assert lines_of("TOOL", {"input.value": "{}", "output.value": "null"}) == ("{}", "null")


KEYS = st.tuples(
    st.sampled_from(["llm.output_messages", "llm.input_messages", "retrieval.documents", "embedding.embeddings"]),
    st.sampled_from(["0", "1", "x"]),
    st.sampled_from(["message.role", "message.content", "message.contents.0", "message.tool_calls.0", "document"]),
    st.sampled_from(["message_content.type", "message_content.text", "tool_call.function.name", "content"]),
).map(".".join)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.tuples(st.text())
TYPES = st.sampled_from(["text", "reasoning", "tool_use", "image", "tool_result"])


@given(
    st.sampled_from(["LLM", "RETRIEVER", "RERANKER", "EMBEDDING"]),
    st.dictionaries(KEYS | st.sampled_from(["input.value", "output.value", "reranker.query"]), VALUES | TYPES),
)
def test_any_attributes_are_one_line(kind: str, attributes: dict[str, Any]) -> None:
    """Whatever stands under these names, in whatever type: nothing raises and nothing breaks the line."""
    for line in lines_of(kind, attributes):
        assert line is None or not set(line) & set("\n\r\x1b")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | TYPES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "messages", "type", "text", "name", "input", "function", "tool_calls"]),
            inner,
            max_size=5,
        )
    ),
)


@given(JSON)
def test_any_json_of_a_model_is_one_line(value: object) -> None:
    """Values that resemble a conversation and are none don't raise."""
    line = lines_of("LLM", {"input.value": json.dumps(value), "input.mime_type": "application/json"})[0]
    assert line is None or "\n" not in line
