"""OpenInference's objects become flat attributes by the specification's names, lists zero-based and without a gap."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenttrace.capture.reserved import encode_reserved
from agenttrace.semconv.attributes import (
    annotation_attributes,
    choice_attributes,
    cost_attributes,
    document_attributes,
    embedding_attributes,
    message_attributes,
    model_call_attributes,
    prompt_attributes,
    prompt_template_attributes,
    token_count_attributes,
    tool_attributes,
)
from agenttrace.semconv.types import Message, ModelCall
from agenttrace.semconv.vocabulary import type_of

from .hostile import anything, assert_valid

quick = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])


def test_a_message_of_one_text() -> None:
    """Role and content, and on a tool's result whose it is."""
    messages: list[Message] = [
        {"role": "user", "content": "a"},
        {"role": "tool", "content": "b", "name": "f", "tool_call_id": "1"},
    ]
    assert message_attributes("llm.input_messages", messages) == {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "a",
        "llm.input_messages.1.message.role": "tool",
        "llm.input_messages.1.message.content": "b",
        "llm.input_messages.1.message.name": "f",
        "llm.input_messages.1.message.tool_call_id": "1",
    }


def test_every_kind_of_part() -> None:
    """Each has its type and its own names; a call of a tool stands among them in its place."""
    message: Message = {
        "role": "assistant",
        "contents": [
            {"type": "text", "text": "a", "id": "p", "signature": "s"},
            {"type": "image", "url": "https://example.com/a.png"},
            {"type": "audio", "url": "https://example.com/a.mp3", "mime_type": "audio/mpeg", "transcript": "b"},
            {"type": "video", "url": "https://example.com/a.mp4"},
            {
                "type": "document",
                "id": "d",
                "url": "https://example.com/a.pdf",
                "content": "c",
                "mime_type": "application/pdf",
                "name": "a.pdf",
            },
            {"type": "reasoning", "text": "hm", "id": "r", "signature": "s", "data": "d", "encrypted_content": "e"},
            {
                "type": "tool_use",
                "tool_call": {"id": "1", "name": "f", "arguments": "{}", "reasoning_signature": "s"},
            },
        ],
        "tool_calls": [{"id": "1", "name": "f", "arguments": "{}", "reasoning_signature": "s"}],
    }
    expected = {
        "0.message_content.type": "text",
        "0.message_content.text": "a",
        "0.message_content.id": "p",
        "0.message_content.signature": "s",
        "1.message_content.type": "image",
        "1.message_content.image.image.url": "https://example.com/a.png",
        "2.message_content.type": "audio",
        "2.message_content.audio.audio.url": "https://example.com/a.mp3",
        "2.message_content.audio.audio.mime_type": "audio/mpeg",
        "2.message_content.audio.audio.transcript": "b",
        "3.message_content.type": "video",
        "3.message_content.video.video.url": "https://example.com/a.mp4",
        "4.message_content.type": "document",
        "4.message_content.document.document.id": "d",
        "4.message_content.document.document.url": "https://example.com/a.pdf",
        "4.message_content.document.document.content": "c",
        "4.message_content.document.document.mime_type": "application/pdf",
        "4.message_content.document.document.name": "a.pdf",
        "5.message_content.type": "reasoning",
        "5.message_content.text": "hm",
        "5.message_content.id": "r",
        "5.message_content.signature": "s",
        "5.message_content.data": "d",
        "5.message_content.encrypted_content": "e",
        "6.message_content.type": "tool_use",
        "6.tool_call.id": "1",
        "6.tool_call.function.name": "f",
        "6.tool_call.function.arguments": "{}",
        "6.tool_call.reasoning_signature": "s",
    }
    start = "llm.output_messages.0.message."
    assert message_attributes("llm.output_messages", [message]) == {
        f"{start}role": "assistant",
        **{f"{start}contents.{key}": value for key, value in expected.items()},
        f"{start}tool_calls.0.tool_call.id": "1",
        f"{start}tool_calls.0.tool_call.function.name": "f",
        f"{start}tool_calls.0.tool_call.function.arguments": "{}",
        f"{start}tool_calls.0.tool_call.reasoning_signature": "s",
    }


def test_tools_documents_embeddings_prompts_and_choices() -> None:
    """Each list has its name, and each object in it its own."""
    assert tool_attributes([{"json_schema": {"a": 1}, "name": "f", "description": "d"}]) == {
        "llm.tools.0.tool.json_schema": {"a": 1},
        "llm.tools.0.tool.name": "f",
        "llm.tools.0.tool.description": "d",
    }
    documents: Any = [{"id": 7, "content": "a", "score": 0.5, "metadata": {"b": 1}}, {"content": "c"}]
    assert document_attributes("retrieval.documents", documents) == {
        "retrieval.documents.0.document.id": 7,
        "retrieval.documents.0.document.content": "a",
        "retrieval.documents.0.document.score": 0.5,
        "retrieval.documents.0.document.metadata": {"b": 1},
        "retrieval.documents.1.document.content": "c",
    }
    assert embedding_attributes([{"text": "a", "vector": [0.5]}]) == {
        "embedding.embeddings.0.embedding.text": "a",
        "embedding.embeddings.0.embedding.vector": [0.5],
    }
    assert prompt_attributes(["a", "b"]) == {"llm.prompts.0.prompt.text": "a", "llm.prompts.1.prompt.text": "b"}
    assert choice_attributes(["a"]) == {"llm.choices.0.completion.text": "a"}


def test_token_counts() -> None:
    """Each count has its name, and the total is added up where nobody says it."""
    assert token_count_attributes(
        {
            "prompt": 10,
            "completion": 5,
            "cache_read": 4,
            "cache_write": 3,
            "audio": 2,
            "reasoning": 1,
            "completion_audio": 0,
        }
    ) == {
        "llm.token_count.prompt": 10,
        "llm.token_count.completion": 5,
        "llm.token_count.total": 15,
        "llm.token_count.prompt_details.cache_read": 4,
        "llm.token_count.prompt_details.cache_write": 3,
        "llm.token_count.prompt_details.audio": 2,
        "llm.token_count.completion_details.reasoning": 1,
        "llm.token_count.completion_details.audio": 0,
    }
    assert token_count_attributes({"prompt": 1, "completion": 2, "total": 9})["llm.token_count.total"] == 9
    assert token_count_attributes({"prompt": 1}) == {"llm.token_count.prompt": 1}


def test_costs() -> None:
    """Each part of a cost has its name, and the total is added up where nobody says it."""
    assert cost_attributes(
        {
            "prompt": 0.5,
            "completion": 0.25,
            "prompt_details": {"input": 1.0, "cache_read": 2.0, "cache_write": 3.0, "cache_input": 4.0, "audio": 5.0},
            "completion_details": {"output": 6.0, "reasoning": 7.0, "audio": 8.0},
        }
    ) == {
        "llm.cost.prompt": 0.5,
        "llm.cost.completion": 0.25,
        "llm.cost.total": 0.75,
        "llm.cost.prompt_details.input": 1.0,
        "llm.cost.prompt_details.cache_read": 2.0,
        "llm.cost.prompt_details.cache_write": 3.0,
        "llm.cost.prompt_details.cache_input": 4.0,
        "llm.cost.prompt_details.audio": 5.0,
        "llm.cost.completion_details.output": 6.0,
        "llm.cost.completion_details.reasoning": 7.0,
        "llm.cost.completion_details.audio": 8.0,
    }
    exact: Any = {"prompt": Decimal("0.1"), "completion": Decimal("0.2")}
    assert encode_reserved(cost_attributes(exact)) == {
        "llm.cost.prompt": 0.1,
        "llm.cost.completion": 0.2,
        "llm.cost.total": 0.3,
    }


@pytest.mark.parametrize(
    "cost", [{"prompt": 10**400, "completion": 0.5}, {"prompt": "1", "completion": "2"}, {"prompt": 1}]
)
def test_a_total_that_can_t_be_added_up_is_left_out(cost: Any) -> None:
    """Nothing is made up."""
    assert "llm.cost.total" not in cost_attributes(cost)


def test_templates_and_annotations() -> None:
    """A prompt's template, its version and what filled it; a judgement's name and result."""
    assert prompt_template_attributes({"template": "{a}", "version": "v1", "variables": {"a": 1}}) == {
        "llm.prompt_template.template": "{a}",
        "llm.prompt_template.version": "v1",
        "llm.prompt_template.variables": {"a": 1},
    }
    annotation: Any = {
        "name": "n",
        "score": 1,
        "label": "l",
        "explanation": "e",
        "annotator_kind": "LLM",
        "identifier": "i",
        "metadata": {"a": 1},
    }
    assert annotation_attributes("trace.annotations", 2, annotation) == {
        f"trace.annotations.2.annotation.{name}": value for name, value in annotation.items()
    }


def test_all_of_a_model_call() -> None:
    """What a reader knows goes into one set of attributes, and what it doesn't know leaves none."""
    call: ModelCall = {
        "model_name": "m",
        "provider": "p",
        "system": "s",
        "invocation_parameters": {"a": 1},
        "finish_reason": "stop",
        "input_messages": [{"role": "user", "content": "a"}],
        "output_messages": [{"role": "assistant", "content": "b"}],
        "token_counts": {"prompt": 1},
    }
    assert model_call_attributes(call) == {
        "llm.model_name": "m",
        "llm.provider": "p",
        "llm.system": "s",
        "llm.invocation_parameters": {"a": 1},
        "llm.finish_reason": "stop",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "a",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "b",
        "llm.token_count.prompt": 1,
    }
    assert model_call_attributes({}) == {}


def test_none_leaves_no_attribute() -> None:
    """OpenTelemetry has no value for it."""
    unknown: Any = [{"role": "user", "content": None, "contents": None, "tool_calls": None, "name": None}]
    assert message_attributes("llm.input_messages", unknown) == {"llm.input_messages.0.message.role": "user"}


def test_objects_that_say_nothing_leave_no_gap() -> None:
    """Backends read a list up to the first index that is missing."""
    embeddings: Any = [{"vector": [1.0]}, {}, {"vector": None}, {"vector": [2.0]}]
    assert embedding_attributes(embeddings) == {
        "embedding.embeddings.0.embedding.vector": [1.0],
        "embedding.embeddings.1.embedding.vector": [2.0],
    }
    messages: Any = [
        {"role": "user"},
        {},
        "no message",
        {"role": "user", "contents": [{}, 5, {"type": "text", "text": "a"}]},
    ]
    assert message_attributes("llm.input_messages", messages) == {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.contents.0.message_content.type": "text",
        "llm.input_messages.1.message.contents.0.message_content.text": "a",
    }


FLATTENERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "messages": lambda value: message_attributes("llm.input_messages", value),
    "tools": tool_attributes,
    "documents": lambda value: document_attributes("retrieval.documents", value),
    "embeddings": embedding_attributes,
    "prompts": prompt_attributes,
    "choices": choice_attributes,
    "counts": token_count_attributes,
    "costs": cost_attributes,
    "a template": prompt_template_attributes,
    "an annotation": lambda value: annotation_attributes("annotations", 0, value),
}
NAMES = st.sampled_from(
    [
        *("role", "content", "contents", "tool_calls", "type", "text", "tool_call", "name", "id", "url", "vector"),
        *("prompt", "completion", "total", "prompt_details", "score", "metadata", "json_schema", "arguments"),
    ]
)
objects = st.recursive(
    anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("flatten", FLATTENERS.values(), ids=FLATTENERS)
def test_anything_a_reader_may_give_is_flattened_validly(flatten: Callable[[Any], dict[str, Any]]) -> None:
    """A user's own reader may give anything; nothing raises, every name is reserved, and lists have no gap."""

    @quick
    @given(objects)
    def check(value: object) -> None:
        flat = flatten(value)
        assert all(type_of(key) is not None for key in flat)
        assert all(value is not None for value in flat.values())
        assert_valid(encode_reserved(flat))

    check()


@quick
@given(st.dictionaries(st.sampled_from(sorted(ModelCall.__annotations__)), objects))
def test_anything_can_be_a_model_call(call: Any) -> None:
    """Nothing raises, and what comes out can be sent and is OpenInference."""
    assert_valid(encode_reserved(model_call_attributes(call)))
