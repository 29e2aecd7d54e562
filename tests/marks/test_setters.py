"""The typed setters: what each records, by the specification's names and types, on which kind of span."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from agenttrace import (
    Span,
    current_span,
    trace_agent,
    trace_embedding,
    trace_llm,
    trace_reranker,
    trace_retriever,
    trace_step,
    trace_tool,
)
from agenttrace.tracing import Mark

from .conftest import LogCatcher, Spans


def recorded(spans: Spans) -> dict[str, Any]:
    """What is on the only span besides its kind."""
    attributes = dict(spans.only().attributes or {})
    del attributes["openinference.span.kind"]
    return attributes


SETTERS: dict[str, tuple[Mark, Callable[[Span], None], dict[str, Any]]] = {
    "model": (
        trace_llm,
        lambda span: span.set_model("gpt-4o-2024-08-06", provider="azure", request_name="gpt-4o", response_name="x"),
        {
            "llm.model_name": "gpt-4o-2024-08-06",
            "llm.provider": "azure",
            "llm.system": "openai",
            "llm.request.model_name": "gpt-4o",
            "llm.response.model_name": "x",
        },
    ),
    "model of nobody's": (trace_llm, lambda span: span.set_model("my-own"), {"llm.model_name": "my-own"}),
    "model, system given": (
        trace_llm,
        lambda span: span.set_model("gpt-4o", system="mine"),
        {"llm.model_name": "gpt-4o", "llm.system": "mine"},
    ),
    "embedding model": (
        trace_embedding,
        lambda span: span.set_model("text-embedding-3-small", provider="openai", system="openai"),
        {"embedding.model_name": "text-embedding-3-small"},
    ),
    "reranker model": (
        trace_reranker,
        lambda span: span.set_model("rerank-v3.5", provider="cohere"),
        {"reranker.model_name": "rerank-v3.5"},
    ),
    "invocation parameters": (
        trace_llm,
        lambda span: span.set_invocation_parameters({"temperature": 0.2, "stop": ["."]}),
        {"llm.invocation_parameters": '{"temperature":0.2,"stop":["."]}'},
    ),
    "embedding's invocation parameters": (
        trace_embedding,
        lambda span: span.set_invocation_parameters({"dimensions": 8}),
        {"embedding.invocation_parameters": '{"dimensions":8}'},
    ),
    "input messages": (
        trace_llm,
        lambda span: span.set_input_messages(
            [
                {"role": "system", "content": "Be brief."},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": "http://i"}],
                },
            ]
        ),
        {
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": "Be brief.",
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.contents.0.message_content.type": "text",
            "llm.input_messages.1.message.contents.0.message_content.text": "?",
            "llm.input_messages.1.message.contents.1.message_content.type": "image",
            "llm.input_messages.1.message.contents.1.message_content.image.image.url": "http://i",
        },
    ),
    "output messages": (
        trace_llm,
        lambda span: span.set_output_messages(
            [{"role": "assistant", "tool_calls": [{"id": "c1", "name": "search", "arguments": {"q": "rain"}}]}]
        ),
        {
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "search",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"q":"rain"}',
        },
    ),
    "one string as output": (
        trace_llm,
        lambda span: span.set_output_messages("Rain."),
        {"llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "Rain."},
    ),
    "reasoning, audio, a document and an ordered call": (
        trace_llm,
        lambda span: span.set_output_messages(
            [
                {
                    "role": "assistant",
                    "contents": [
                        {"type": "reasoning", "text": "hm", "id": "r1", "signature": "s", "encrypted_content": "e"},
                        {"type": "reasoning", "data": "d"},
                        {"type": "tool_use", "tool_call": {"name": "f", "reasoning_signature": "t"}},
                        {"type": "audio", "url": "http://a", "mime_type": "audio/wav", "transcript": "hello"},
                        {"type": "document", "url": "http://d", "name": "a.pdf"},
                        {"type": "video", "url": "http://v"},
                    ],
                }
            ]
        ),
        {
            "llm.output_messages.0.message.role": "assistant",
            **{
                f"llm.output_messages.0.message.contents.{key}": value
                for key, value in {
                    "0.message_content.type": "reasoning",
                    "0.message_content.text": "hm",
                    "0.message_content.id": "r1",
                    "0.message_content.signature": "s",
                    "0.message_content.encrypted_content": "e",
                    "1.message_content.type": "reasoning",
                    "1.message_content.data": "d",
                    "2.message_content.type": "tool_use",
                    "2.tool_call.function.name": "f",
                    "2.tool_call.reasoning_signature": "t",
                    "3.message_content.type": "audio",
                    "3.message_content.audio.audio.url": "http://a",
                    "3.message_content.audio.audio.mime_type": "audio/wav",
                    "3.message_content.audio.audio.transcript": "hello",
                    "4.message_content.type": "document",
                    "4.message_content.document.document.url": "http://d",
                    "4.message_content.document.document.name": "a.pdf",
                    "5.message_content.type": "video",
                    "5.message_content.video.video.url": "http://v",
                }.items()
            },
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "f",
            "llm.output_messages.0.message.tool_calls.0.tool_call.reasoning_signature": "t",
        },
    ),
    "token counts": (
        trace_llm,
        lambda span: span.set_token_counts(
            prompt=100, completion=20, cache_read=64, cache_write=8, audio=4, reasoning=16, completion_audio=2
        ),
        {
            "llm.token_count.prompt": 100,
            "llm.token_count.completion": 20,
            "llm.token_count.total": 120,
            "llm.token_count.prompt_details.cache_read": 64,
            "llm.token_count.prompt_details.cache_write": 8,
            "llm.token_count.prompt_details.audio": 4,
            "llm.token_count.completion_details.reasoning": 16,
            "llm.token_count.completion_details.audio": 2,
        },
    ),
    "token counts as a mapping": (
        trace_embedding,
        lambda span: span.set_token_counts({"prompt": 7, "total": 7}),
        {"llm.token_count.prompt": 7, "llm.token_count.total": 7},
    ),
    "cost": (
        trace_llm,
        lambda span: span.set_cost(prompt=1, completion=0.5, prompt_details={"cache_read": 0.25, "input": 0.75}),
        {
            "llm.cost.prompt": 1.0,
            "llm.cost.completion": 0.5,
            "llm.cost.total": 1.5,
            "llm.cost.prompt_details.cache_read": 0.25,
            "llm.cost.prompt_details.input": 0.75,
        },
    ),
    "finish reason": (trace_llm, lambda span: span.set_finish_reason("stop"), {"llm.finish_reason": "stop"}),
    "prompt template": (
        trace_llm,
        lambda span: span.set_prompt_template("In {city}?", version="v2", variables={"city": "Oslo"}),
        {
            "llm.prompt_template.template": "In {city}?",
            "llm.prompt_template.version": "v2",
            "llm.prompt_template.variables": '{"city":"Oslo"}',
        },
    ),
    "prompt": (
        trace_llm,
        lambda span: span.set_prompt("def fib(n):", vendor="mine", id="fib", url="http://p"),
        {
            "llm.prompts.0.prompt.text": "def fib(n):",
            "prompt.vendor": "mine",
            "prompt.id": "fib",
            "prompt.url": "http://p",
        },
    ),
    "choices": (
        trace_llm,
        lambda span: span.set_choices(["a", "b"]),
        {"llm.choices.0.completion.text": "a", "llm.choices.1.completion.text": "b"},
    ),
    "documents": (
        trace_retriever,
        lambda span: span.set_documents(
            [{"id": 7, "content": "Oslo", "score": 1, "metadata": {"page": 2}}, ("Rome", 0.25)]
        ),
        {
            "retrieval.documents.0.document.id": 7,
            "retrieval.documents.0.document.content": "Oslo",
            "retrieval.documents.0.document.score": 1.0,
            "retrieval.documents.0.document.metadata": '{"page":2}',
            "retrieval.documents.1.document.content": "Rome",
            "retrieval.documents.1.document.score": 0.25,
        },
    ),
    "documents of a reranker": (
        trace_reranker,
        lambda span: span.set_documents(["a"]),
        {"reranker.output_documents.0.document.content": "a"},
    ),
    "reranker": (
        trace_reranker,
        lambda span: span.set_reranker(
            query="rain", model="m", top_k=1, input_documents=["a", "b"], output_documents=[("b", 0.5)]
        ),
        {
            "reranker.query": "rain",
            "reranker.model_name": "m",
            "reranker.top_k": 1,
            "reranker.input_documents.0.document.content": "a",
            "reranker.input_documents.1.document.content": "b",
            "reranker.output_documents.0.document.content": "b",
            "reranker.output_documents.0.document.score": 0.5,
        },
    ),
    "embeddings": (
        trace_embedding,
        lambda span: span.set_embeddings([{"text": "a", "vector": [1, 2.5]}]),
        {"embedding.embeddings.0.embedding.text": "a", "embedding.embeddings.0.embedding.vector": (1.0, 2.5)},
    ),
    "embeddings as a matrix": (
        trace_embedding,
        lambda span: span.set_embeddings(texts=["a", "b"], vectors=np.array([[1, 2], [3, 4]], dtype=np.float32)),
        {
            "embedding.embeddings.0.embedding.text": "a",
            "embedding.embeddings.0.embedding.vector": (1.0, 2.0),
            "embedding.embeddings.1.embedding.text": "b",
            "embedding.embeddings.1.embedding.vector": (3.0, 4.0),
        },
    ),
    "tool": (
        trace_step,
        lambda span: span.set_tool("search", description="Finds.", parameters={"type": "object"}, id="c1"),
        {
            "tool.name": "search",
            "tool.description": "Finds.",
            "tool.parameters": '{"type":"object"}',
            "tool.id": "c1",
        },
    ),
    "agent's name": (trace_step, lambda span: span.set_agent_name("planner"), {"agent.name": "planner"}),
    "graph node": (
        trace_step,
        lambda span: span.set_graph_node("search_0", name="Search", parent_id="router_0"),
        {"graph.node.id": "search_0", "graph.node.name": "Search", "graph.node.parent_id": "router_0"},
    ),
}


@pytest.mark.parametrize("name", SETTERS)
def test_a_setter_records_these_attributes_and_no_others(name: str, spans: Spans) -> None:
    """Each setter records what it was given under the specification's names, as the specification's types."""
    mark, use, expected = SETTERS[name]
    with mark("block") as span:
        use(span)
    assert recorded(spans) == expected


@pytest.mark.agenttrace(check=False)  # a list of tools that is one mapping gives odd schemas
@pytest.mark.parametrize("name", SETTERS)
def test_a_setter_takes_anything_without_raising(name: str, spans: Spans, log: LogCatcher) -> None:
    """Whatever a setter is given, the program goes on, and the span's other attributes are valid."""
    mark, use, _ = SETTERS[name]
    setters = [each for each in dir(Span) if each.startswith("set_") and each not in ("set_status", "set_tags")]
    with mark("block") as span:
        for setter in setters:
            for odd in (object(), 5, float("nan"), [None], {1: 2}, [[[]]], b"x", {"type": "text"}):
                try:
                    getattr(span, setter)(odd)
                except TypeError as error:
                    assert "positional" in str(error) or "argument" in str(error)
        use(span)
    assert spans.only().status.is_ok
    log.lines.clear()


def test_tools_may_be_functions_and_definitions(spans: Spans) -> None:
    """A function offered as a tool is recorded with its schema, a definition as it is."""

    def search(query: str, limit: int = 3) -> list[str]:
        """Find pages."""
        return [query] * limit

    with trace_llm("block") as span:
        span.set_tools([search, {"name": "fetch", "input_schema": {"type": "object"}}])
    attributes = recorded(spans)
    schema = json.loads(attributes.pop("llm.tools.0.tool.json_schema"))
    assert schema["function"]["parameters"]["required"] == ["query"]
    assert attributes == {
        "llm.tools.0.tool.name": "search",
        "llm.tools.0.tool.description": "Find pages.",
        "llm.tools.1.tool.name": "fetch",
        "llm.tools.1.tool.json_schema": '{"name":"fetch","input_schema":{"type":"object"}}',
    }


def test_a_list_that_is_set_again_replaces_the_one_before(spans: Spans) -> None:
    """Nothing is left of a longer list that was set first."""
    with trace_llm("block") as span:
        span.set_input_messages([{"role": "user", "content": str(number)} for number in range(5)])
        span.set_input_messages([{"role": "user", "content": "only"}])
    assert recorded(spans) == {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "only",
    }


def test_an_empty_list_leaves_nothing(spans: Spans) -> None:
    """What was set before is taken back by an empty list."""
    with trace_retriever("block") as span:
        span.set_documents(["a"])
        span.set_documents([])
    assert recorded(spans) == {}


def test_token_counts_stay_off_spans_of_other_kinds(spans: Spans, log: LogCatcher) -> None:
    """An agent's span gets no token counts, since backends would count them twice; the log says so, once."""
    for _ in range(2):
        with trace_agent("agent") as span:
            span.set_token_counts(prompt=1, completion=2)
    for ended in spans.all():
        assert not [key for key in ended.attributes or {} if "token" in key]
    log.expect("set_token_counts() records nothing on spans of other kinds")


def test_setters_reach_the_span_of_another_library(spans: Spans) -> None:
    """On a span that no mark opened, lists are written at once."""
    with spans.tracer.start_as_current_span("theirs", attributes={"openinference.span.kind": "LLM"}) as theirs:
        current_span().set_output_messages("Rain.")
        current_span().set_token_counts(prompt=1, completion=2)
        assert theirs.attributes["llm.output_messages.0.message.content"] == "Rain."
    assert recorded(spans)["llm.token_count.total"] == 3


def test_setters_do_nothing_after_the_end(spans: Spans) -> None:
    """A handle that outlives its span is no danger and records nothing."""
    with trace_llm("block") as span:
        pass
    span.set_model("gpt-4o")
    span.set_input_messages("late")
    assert recorded(spans) == {}


def test_what_was_set_is_recorded_when_the_body_fails(spans: Spans) -> None:
    """Lists that wait for the span's end are written when that is an exception, too."""

    @trace_tool
    def search() -> None:
        current_span().set_documents(["a"])
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        search()
    assert recorded(spans)["retrieval.documents.0.document.content"] == "a"


def test_options_say_what_is_known_of_the_model_beforehand(spans: Spans) -> None:
    """The marks of model calls, embeddings and rerankers take what the setters take where it is known."""
    with trace_llm("llm", model="claude-sonnet-4", provider="aws", invocation_parameters={"max_tokens": 5}):
        pass
    with trace_embedding("embedding", model="m", invocation_parameters={"dimensions": 8}):
        pass
    with trace_reranker("reranker", model="m", top_k=3):
        pass
    found = {span.name: dict(span.attributes or {}) for span in spans.all()}
    assert found == {
        "llm": {
            "openinference.span.kind": "LLM",
            "llm.model_name": "claude-sonnet-4",
            "llm.provider": "aws",
            "llm.system": "anthropic",
            "llm.invocation_parameters": '{"max_tokens":5}',
        },
        "embedding": {
            "openinference.span.kind": "EMBEDDING",
            "embedding.model_name": "m",
            "embedding.invocation_parameters": '{"dimensions":8}',
        },
        "reranker": {"openinference.span.kind": "RERANKER", "reranker.model_name": "m", "reranker.top_k": 3},
    }


def test_options_of_another_kind_are_refused_at_decoration() -> None:
    """A model on a tool, a provider on an embedding, a ``top_k`` that is no number: TypeError where the mark stands."""
    with pytest.raises(TypeError, match="no option 'model'"):
        trace_agent(model="m")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="no option 'provider'"):
        trace_embedding(provider="openai")
    with pytest.raises(TypeError, match="no option 'top_k'"):
        trace_llm(top_k=3)
    with pytest.raises(TypeError, match=r"top_k=…\) takes a whole number, not str"):
        trace_reranker(top_k="3")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"model=…\) takes a string, not int"):
        trace_llm(model=4)  # type: ignore[call-overload]
