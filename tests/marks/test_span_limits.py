"""A span's limit of attributes, which is 128 on somebody else's provider, drops nothing that matters."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agenttrace import current_span, trace_llm, trace_retriever, trace_step, using_session
from agenttrace.delivery.own_provider import default_span_limits
from agenttrace.provider import use_provider

from .conftest import LogCatcher

USAGE = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
ESSENTIAL = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4o",
    "llm.system": "openai",
    "session.id": "s1",
    "input.mime_type": "application/json",
    "output.mime_type": "application/json",
    "llm.token_count.prompt": 10,
    "llm.token_count.completion": 3,
    "llm.token_count.total": 13,
    "llm.output_messages.0.message.content": "Rain.",
}


@trace_llm
def ask(messages: Any, model: str = "gpt-4o") -> Any:
    return {
        "object": "chat.completion",
        "model": "gpt-4o",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Rain."}}],
        "usage": USAGE,
    }


def conversation(length: int) -> list[dict[str, str]]:
    """A system message and alternating ones, each with its number."""
    roles = ("user", "assistant")
    system = {"role": "system", "content": "Be brief."}
    return [system, *({"role": roles[number % 2], "content": str(number)} for number in range(1, length))]


def recorded(function: Any, limits: SpanLimits) -> dict[str, Any]:
    """The attributes of the one span that ``function`` makes on a provider with these limits."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False, span_limits=limits)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with use_provider(provider):
        function()
    [span] = exporter.get_finished_spans()
    assert span.dropped_attributes == 0
    return dict(span.attributes or {})


def contents(attributes: dict[str, Any]) -> list[str]:
    """The texts of the recorded conversation; the indices are without a gap."""
    messages = [key for key in attributes if key.startswith("llm.input_messages.") and key.endswith(".content")]
    return [attributes[f"llm.input_messages.{index}.message.content"] for index in range(len(messages))]


def test_a_conversation_of_400_messages_loses_none_on_our_provider() -> None:
    """With the limits that `register` sets, every message, the kind and all else are there."""
    messages = conversation(400)
    with using_session("s1"):
        attributes = recorded(lambda: ask(messages), default_span_limits())
    assert attributes.items() >= ESSENTIAL.items()
    assert contents(attributes) == [message["content"] for message in messages]
    assert not [key for key in attributes if key.startswith("agenttrace.omitted")]


@pytest.mark.parametrize("limit", [128, 64, 40])
def test_200_messages_leave_what_matters_at_opentelemetrys_limit(limit: int) -> None:
    """Kind, model, session, input, output and counts stay, with the first and newest messages; the cut is marked."""
    messages = conversation(200)
    with using_session("s1"):
        attributes = recorded(lambda: ask(messages), SpanLimits(max_span_attributes=limit))
    assert attributes.items() >= ESSENTIAL.items()
    assert "200" not in attributes["input.value"]
    assert '"199"' in attributes["input.value"]
    kept = contents(attributes)
    assert kept[0] == "Be brief."
    assert kept[1:] == [str(number) for number in range(201 - len(kept), 200)]
    assert attributes["agenttrace.omitted.llm.input_messages"] == 200 - len(kept)
    assert limit - 10 <= len(attributes) <= limit


def test_attributes_of_the_users_own_push_nothing_out_that_matters(log: LogCatcher) -> None:
    """A program that sets more attributes than a span may have loses some of these, and not the span's kind."""

    @trace_step(attributes={"first": 1})
    def step(question: str) -> str:
        for number in range(300):
            current_span().set_attribute(f"app.{number}", number)
        return "done"

    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False, span_limits=SpanLimits(max_span_attributes=128))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with use_provider(provider):
        step("?")
    [span] = exporter.get_finished_spans()
    assert (span.attributes or {}).items() >= {
        "openinference.span.kind": "CHAIN",
        "input.value": "?",
        "output.value": "done",
        "app.299": 299,
    }.items()
    assert {line.partition(":")[0] for line in log.lines} == {"opentelemetry.attributes"}  # of those that are lost
    log.lines.clear()


def test_of_many_documents_the_first_are_kept() -> None:
    """A retriever's best documents come first, so those stay."""

    @trace_retriever
    def search(query: str) -> list[tuple[str, float]]:
        return [(f"document {number}", 1 - number / 1000) for number in range(500)]

    attributes = recorded(lambda: search("?"), SpanLimits(max_span_attributes=128))
    kept = [key for key in attributes if key.endswith(".document.content")]
    assert attributes["retrieval.documents.0.document.content"] == "document 0"
    assert attributes["agenttrace.omitted.retrieval.documents"] == 500 - len(kept)
    assert len(kept) > 40
