"""What Langfuse shows of an agent's run: see `mapping` for what of it is documented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agenttrace import flush, trace_llm, trace_retriever
from agenttrace.registration import shutdown
from tests.isolation import isolated
from tests.langfuse.run import CALL, NAMES, QUESTION, SYSTEM, TOOLS, run
from tests.langfuse.sending import register_with
from tests.langfuse.server import LangfuseServer

__all__ = ["isolated"]

pytestmark = pytest.mark.usefixtures("isolated")

Observations = dict[str, dict[str, Any]]

# Langfuse has no type for two of OpenInference's kinds.
TYPES = {**NAMES, "compose": "SPAN", "rank": "RETRIEVER"}


@pytest.fixture
def server() -> Iterator[LangfuseServer]:
    """Langfuse, with a program registered that sends there."""
    with LangfuseServer() as server:
        register_with(server)
        yield server
        shutdown()


@pytest.fixture
def shown(server: LangfuseServer) -> Observations:
    """The observations of a run, by name."""
    assert run() == "Rain."
    assert flush()
    return server.observations()


def test_each_kind_has_its_type(shown: Observations) -> None:
    """All ten kinds, and the step, are what Langfuse calls them; rerankers and prompts what comes nearest."""
    assert {name: item["type"] for name, item in shown.items()} == TYPES


def test_a_run_is_one_tree(shown: Observations) -> None:
    """Everything hangs where it was called, under one root, in one trace."""
    names = {item["id"]: name for name, item in shown.items()}
    parents = {name: names.get(item["parentObservationId"]) for name, item in shown.items()}
    nested = {"embed": "look up", "find": "look up", "rank": "look up"}
    assert parents == {**dict.fromkeys(NAMES, "planner"), "planner": None, **nested}
    assert len({item["traceId"] for item in shown.values()}) == 1


def test_a_model_call_is_a_conversation_with_its_tools(shown: Observations) -> None:
    """Messages, the tools that were offered and those that were called have the shape of OpenAI's API."""
    call = shown["choose"]
    assert call["input"] == {"messages": [SYSTEM, {"role": "user", "content": QUESTION}], "tools": TOOLS}
    assert call["output"] == {"role": "assistant", "content": None, "tool_calls": [CALL]}
    assert call["model"] == "gpt-4o-2024-08-06"
    assert call["modelParameters"] == {"model": "gpt-4o", "temperature": 0.5}


@pytest.mark.parametrize("subtracts_cached", [True, False])
def test_no_token_is_counted_twice(subtracts_cached: bool) -> None:
    """What was cached and what was thought stand in buckets of their own, on servers from before 2026-05 as well."""
    with LangfuseServer(subtracts_cached=subtracts_cached) as server:
        register_with(server)
        run()
        assert flush()
        shown = server.observations()
    assert shown["choose"]["usageDetails"] == {
        "input": 60,
        "input_cached_tokens": 40,
        "output": 20,
        "output_reasoning_tokens": 10,
        "total": 130,
    }
    assert shown["embed"]["usageDetails"] == {"input": 4, "total": 4}
    carriers = {name for name, item in shown.items() if item["usageDetails"]}
    assert carriers == {"choose", "embed"}


def test_an_embedding_has_its_model(shown: Observations) -> None:
    """So that Langfuse finds the price; it doesn't look for OpenInference's name of it."""
    assert shown["embed"]["model"] == "text-embedding-3-small"
    assert shown["rank"]["model"] == "rerank-v3.5"
    assert [name for name, item in shown.items() if item["model"]] == [
        name for name in shown if name in {"choose", "embed", "rank", "stream"}
    ]


def test_steps_show_what_went_in_and_came_out(shown: Observations) -> None:
    """A tool's arguments, an agent's question and answer, documents."""
    assert shown["planner"]["input"] == QUESTION
    assert shown["planner"]["output"] == "Rain."
    assert shown["get_weather"]["input"] == {"city": "Oslo"}
    assert shown["find"]["input"] == QUESTION
    assert [document["id"] for document in shown["find"]["output"]] == ["d-1", "d-2"]
    assert shown["wrap up"]["input"] == "Rain."
    assert shown["stream"]["output"] == {"role": "assistant", "content": "Rain."}


def test_an_error_has_its_level_and_message(shown: Observations) -> None:
    """The tool that failed is an error that says why; the agent, which went on, is none."""
    assert shown["get_weather"]["level"] == "ERROR"
    assert shown["get_weather"]["statusMessage"] == "ConnectionError: no station in Oslo"
    assert {item["level"] for name, item in shown.items() if name != "get_weather"} == {"DEFAULT"}


def test_every_observation_can_be_filtered_by_what_the_run_is(shown: Observations) -> None:
    """Session, user, tags and metadata are on each one, as the documentation asks since version 4."""
    for name, item in shown.items():
        assert (item["sessionId"], item["userId"]) == ("conversation-7", "ada"), name
        assert item["tags"][:2] == ["beta", "weather"], name
        metadata = item["metadata"]
        assert (metadata["team"], metadata["attempt"], json.loads(metadata["limits"])) == ("weather", "2", {"steps": 3})
    assert shown["wrap up"]["tags"] == ["beta", "weather", "late"]
    assert shown["planner"]["metadata"]["station"] == "missing"
    assert "station" not in shown["choose"]["metadata"]


def test_the_trace_is_what_its_root_is(server: LangfuseServer, shown: Observations) -> None:
    """Name, input, output and metadata are the agent's; session, user and tags those of the run."""
    [trace] = server.traces()
    assert trace["name"] == "planner"
    assert (trace["input"], trace["output"]) == (QUESTION, "Rain.")
    assert (trace["sessionId"], trace["userId"]) == ("conversation-7", "ada")
    assert trace["tags"] == ["beta", "late", "weather"]
    assert (trace["metadata"]["team"], trace["metadata"]["station"]) == ("weather", "missing")
    assert len(trace["observations"]) == len(NAMES)


def test_the_first_token_is_timed(shown: Observations) -> None:
    """A stream's first item is when the model began to answer; nothing else began to."""
    assert datetime.fromisoformat(shown["stream"]["completionStartTime"]).tzinfo is not None
    assert [name for name, item in shown.items() if item["completionStartTime"]] == ["stream"]


def test_blocks_show_what_was_set_on_them(server: LangfuseServer) -> None:
    """Messages, counts, costs and documents count without an input or output beside them."""
    with trace_llm("answer", model="gpt-4o") as span:
        span.set_input_messages([{"role": "user", "content": QUESTION}])
        span.set_output_messages("Rain.")
        span.set_token_counts(prompt=12, completion=2, cache_write=8)
        span.set_cost(prompt=0.25, completion=0.5)
    with trace_retriever("find") as span:
        span.set_documents([{"id": "d-1", "content": "It rains.", "score": 0.5}])
    assert flush()
    shown = server.observations()
    answer = shown["answer"]
    assert answer["input"] == [{"role": "user", "content": QUESTION}]
    assert answer["output"] == {"role": "assistant", "content": "Rain."}
    assert answer["usageDetails"] == {"input": 4, "input_cache_creation": 8, "output": 2, "total": 14}
    assert answer["costDetails"] == {"input": 0.25, "output": 0.5, "total": 0.75}
    assert shown["find"]["output"] == [{"id": "d-1", "content": "It rains.", "score": 0.5}]


def test_only_langfuse_sees_its_names() -> None:
    """What the program's other exporters get stays as it was recorded."""
    memory = InMemorySpanExporter()
    with LangfuseServer() as server:
        register_with(server, span_processors=[SimpleSpanProcessor(memory)])
        run()
        assert flush()
        assert any(name.startswith("langfuse.") for span in server.spans for name in span.attributes)
    spans = memory.get_finished_spans()
    assert len(spans) == len(NAMES)
    assert not [name for span in spans for name in span.attributes or {} if name.startswith("langfuse.")]
