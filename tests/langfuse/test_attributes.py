"""What a span's copy for Langfuse has in addition, attribute by attribute."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agenttrace.delivery.langfuse import attributes_for
from tests.langfuse.mapping import EXPLICIT_TYPES
from tests.semconv import correct

KIND = "openinference.span.kind"
INPUT, OUTPUT = "langfuse.observation.input", "langfuse.observation.output"
USAGE = "langfuse.observation.usage_details"


def test_a_plain_span_has_nothing_added() -> None:
    """A web framework's span, or one that OpenInference's names say all about, stays as it is."""
    assert attributes_for({}) == {}
    assert attributes_for({"http.method": "GET", "input.value": "in", "session.id": "s", "user.id": "u"}) == {}


@pytest.mark.parametrize("name", ["LLM", "EMBEDDING", "RETRIEVER", "RERANKER", "TOOL", "AGENT"])
def test_what_is_added_is_of_types_that_langfuse_takes(name: str) -> None:
    """Strings, and one list of strings; the observation's type is one of those that are documented."""
    added = attributes_for(getattr(correct, name))
    assert added["langfuse.observation.type"] in EXPLICIT_TYPES
    assert {type(value) for key, value in added.items() if key != "langfuse.trace.tags"} == {str}


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"prompt": 30, "completion": 12, "total": 42}, None),
        ({"prompt": 30, "prompt_details.cache_read": 0, "total": 30}, None),
        (
            {"prompt": 30, "prompt_details.cache_read": 10, "prompt_details.cache_write": 5, "completion": 12},
            {"input": 15, "output": 12, "input_cached_tokens": 10, "input_cache_creation": 5},
        ),
        (
            {"completion": 12, "completion_details.reasoning": 8, "completion_details.audio": 4, "total": 42},
            {"output": 0, "output_reasoning_tokens": 8, "output_audio_tokens": 4, "total": 42},
        ),
        ({"prompt": 3, "prompt_details.cache_read": 10}, {"input": 0, "input_cached_tokens": 10}),
        ({"prompt_details.audio": 5}, {"input_audio_tokens": 5}),
    ],
    ids=["plain", "nothing cached", "cached", "thought and spoken", "impossible", "details only"],
)
def test_token_counts_are_made_buckets_that_do_not_overlap(
    counts: dict[str, int], usage: dict[str, int] | None
) -> None:
    """Details are taken out of what includes them; where there are none, Langfuse reads the counts as they are."""
    added = attributes_for({f"llm.token_count.{name}": count for name, count in counts.items()})
    assert (json.loads(added[USAGE]) if USAGE in added else None) == usage


def test_metadata_is_told_value_by_value() -> None:
    """Each under its own name, as text: strings as they are, the rest as JSON."""
    metadata = {"team": "weather", "attempt": 2, "live": True, "tags": ["a"], "": "nameless", "nothing": None}
    assert attributes_for({"metadata": json.dumps(metadata)}) == {
        "langfuse.observation.metadata.team": "weather",
        "langfuse.observation.metadata.attempt": "2",
        "langfuse.observation.metadata.live": "true",
        "langfuse.observation.metadata.tags": '["a"]',
    }


@pytest.mark.parametrize("metadata", ['{"team": "wea', "[1]", "weather", 7, "[" * 100_000])
def test_metadata_that_is_no_object_adds_nothing(metadata: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Such as what an attribute's longest length cut off, or another library meant otherwise."""
    assert attributes_for({"metadata": metadata}) == {}
    assert not caplog.records


def test_input_and_output_come_as_a_pair() -> None:
    """As soon as Langfuse has one of its own names, it doesn't look for the other under OpenInference's."""
    asked = {KIND: "LLM", "input.value": "in", "output.value": "out", "llm.output_messages.0.message.content": "hi"}
    added = attributes_for(asked)
    assert added[INPUT] == "in"
    assert json.loads(added[OUTPUT]) == {"role": None, "content": "hi"}
    assert attributes_for({KIND: "CHAIN", "output.value": "out", INPUT: "mine"})[OUTPUT] == "out"


def test_parts_of_messages_have_the_shape_of_openai() -> None:
    """Texts and images do; a call that is told twice is told once, and what has no such shape is kept."""
    added = attributes_for(correct.LLM)
    system, user, tool = json.loads(added[INPUT])["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    text, image, document = user["content"]
    assert text == {"type": "text", "text": "What is this?"}
    assert image == {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    assert document["type"] == "document"
    assert tool == {"role": "tool", "content": "rain", "name": "get_weather", "tool_call_id": "call-0"}
    answer = json.loads(added[OUTPUT])
    assert [part["type"] for part in answer["content"]] == ["reasoning"]
    assert [call["function"]["name"] for call in answer["tool_calls"]] == ["look"]


def test_a_completion_shows_prompt_and_choice() -> None:
    """A completions API has no messages."""
    added = attributes_for(correct.COMPLETION)
    assert (json.loads(added[INPUT]), json.loads(added[OUTPUT])) == ("Once upon", " a time")


def test_lists_are_shown_where_there_is_nothing_else() -> None:
    """Documents, texts to embed, a query: with an output beside them it is what is shown."""
    assert json.loads(attributes_for(correct.RETRIEVER)[OUTPUT]) == [
        {"id": "d-1", "content": "It rains.", "score": 0.5, "metadata": '{"source": "notes"}'},
        {"id": 2},
    ]
    assert json.loads(attributes_for(correct.EMBEDDING)[INPUT]) == ["hello"]
    ranked = attributes_for(correct.RERANKER)
    assert json.loads(ranked[INPUT])["query"] == "rain"
    assert json.loads(ranked[OUTPUT]) == [{"content": "It rains.", "score": 0.75}]
    assert OUTPUT not in attributes_for({**correct.RETRIEVER, "output.value": "two"})


def test_what_the_program_says_to_langfuse_stands() -> None:
    """A name that the span has already is not told again."""
    own = {
        "langfuse.observation.type": "event",
        "langfuse.trace.tags": ["mine"],
        "langfuse.observation.metadata.a": "b",
    }
    added = attributes_for({KIND: "TOOL", "tag.tags": ["ours"], "metadata": '{"a": 1, "c": 2}', **own})
    assert added == {"langfuse.observation.metadata.c": "2"}


def test_what_is_hidden_stays_hidden() -> None:
    """Nothing is told but what the copy still has."""
    hidden = {KIND: "LLM", "input.value": "__REDACTED__", "llm.tools.0.tool.json_schema": "__REDACTED__"}
    hidden["llm.output_messages.0.message.content"] = "__REDACTED__"
    added = attributes_for(hidden)
    assert added[INPUT] == "__REDACTED__"
    assert json.loads(added[OUTPUT]) == {"role": None, "content": "__REDACTED__"}


@pytest.mark.parametrize(
    "attributes",
    [
        {KIND: ["LLM"]},
        {KIND: "LLM", "llm.input_messages.0.message.content": "\ud800"},
        {"llm.cost.total": float("nan")},
        {"tag.tags": "beta"},
        {"llm.token_count.prompt": "many", "llm.token_count.prompt_details.cache_read": 2.5},
        {KIND: "LLM", f"llm.input_messages.{'9' * 30}.message.role": "user", "llm.input_messages.x.y": 1},
    ],
    ids=["kind", "surrogate", "cost", "tags", "counts", "indices"],
)
def test_odd_attributes_of_other_libraries_do_no_harm(attributes: dict[str, Any]) -> None:
    """Nothing raises, and what else there is to tell is told."""
    added = attributes_for({**attributes, "embedding.model_name": "e"})
    assert added["langfuse.observation.model.name"] == "e"
