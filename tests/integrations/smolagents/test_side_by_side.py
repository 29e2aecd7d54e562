"""The integration and OpenInference's instrumentor, on the same runs: what that records is in ours, or better there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from agenttrace.integrations.smolagents import TracedCodeAgent, TracedToolCallingAgent
from agenttrace.testing import CapturedSpans, capture_spans

from .comparison import compare, outline
from .recording import RecordedSpan, record_in_process
from .scenarios import SCENARIOS, Classes
from .side_by_side import COMMAND, compared, faults, table, unused, written_block

pytest.importorskip("openinference.instrumentation.smolagents")
Recording = dict[str, list[RecordedSpan]]


@pytest.fixture
def ours() -> Recording:
    return record_in_process("ours")


@pytest.fixture
def theirs() -> Recording:
    return record_in_process("theirs")


def test_whatever_the_instrumentor_records_is_there_or_better() -> None:
    """Every span, at its place in the tree, and every attribute: the same, or different for a reason that holds."""
    assert faults(compared()) == []


def test_every_difference_that_is_explained_is_one() -> None:
    """When the instrumentor learns something, the table must not go on saying that it can't."""
    assert unused(compared()) == []


def test_the_page_has_the_table_of_today() -> None:
    """docs/smolagents.md says what differs now."""
    assert written_block() == table(compared()), f"docs/smolagents.md is not up to date; `{COMMAND}` writes it"


def test_the_scenarios_are_recorded_by_both(ours: Recording, theirs: Recording) -> None:
    """Each run left spans on either side, and one tree on ours: nothing was compared with nothing."""
    assert list(ours) == list(theirs) == list(SCENARIOS)
    assert all(theirs.values())
    roots = {name: [span.name for span in spans if span.parent_id is None] for name, spans in ours.items()}
    expected = {name: 2 if name == "a second run" else 1 for name in SCENARIOS}
    assert {name: len(found) for name, found in roots.items()} == expected


def change(recording: Recording, scenario: str, edit: Callable[[RecordedSpan], RecordedSpan | None]) -> Recording:
    """``recording`` with the spans of one scenario edited; those that come back as None are left out."""
    edited = [changed for span in recording[scenario] if (changed := edit(span)) is not None]
    return {**recording, scenario: edited}


def without(key: str) -> Callable[[RecordedSpan], RecordedSpan]:
    """An edit that takes one attribute away."""

    def edit(span: RecordedSpan) -> RecordedSpan:
        kept = {name: value for name, value in span.attributes.items() if name != key}
        return dataclasses.replace(span, attributes=kept)

    return edit


def moved_up(span: RecordedSpan) -> RecordedSpan:
    """An edit that makes a root of a tool's span."""
    return dataclasses.replace(span, parent_id=None) if span.kind == "TOOL" else span


def renamed(span: RecordedSpan) -> RecordedSpan:
    """An edit that gives a managed agent another name."""
    return dataclasses.replace(span, name="assistant.run") if span.name == "helper.run" else span


EDITS: dict[str, tuple[str, Callable[[RecordedSpan], RecordedSpan | None]]] = {
    "an attribute lost": ("single", without("tool.description")),
    "a token count lost": ("streaming", without("llm.token_count.prompt")),
    "a run's tokens lost": ("managed", without("smolagents.token_count.total")),
    "a message lost": ("code", without("llm.input_messages.1.message.content")),
    "a picture lost": ("images", without("llm.input_messages.1.message.contents.1.message_content.image.image.url")),
    "a session lost": ("a session", without("session.id")),
    "a span lost": ("parallel tools", lambda span: None if span.attributes.get("tool.name") == "both" else span),
    "another nesting": ("single", moved_up),
    "another name": ("managed", renamed),
    "another status": ("single", lambda span: dataclasses.replace(span, status="ERROR")),
}


@pytest.mark.parametrize("edit", EDITS)
def test_the_comparison_notices(edit: str, ours: Recording, theirs: Recording) -> None:
    """Had ours lost something, or put it elsewhere, it would be found."""
    assert faults(compare(change(ours, *EDITS[edit]), theirs))


def run_here(scenario: str) -> CapturedSpans:
    """The spans of a scenario with traced agents in this process, where nothing is instrumented."""
    with capture_spans() as spans, suppress(Exception):
        SCENARIOS[scenario](Classes(TracedCodeAgent, TracedToolCallingAgent))
    return spans


def model_calls(spans: CapturedSpans, span: ReadableSpan) -> Iterator[ReadableSpan]:
    """The model calls below ``span`` that are its agent's own, not a managed one's."""
    for child in spans.children(span):
        kind = (child.attributes or {})["openinference.span.kind"]
        if kind == "LLM":
            yield child
        elif kind != "AGENT":
            yield from model_calls(spans, child)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_run_counts_the_tokens_of_its_own_model_calls(scenario: str) -> None:
    """No managed agent's, no earlier run's; plans and steps that nobody waited for too. And all spans conform."""
    spans = run_here(scenario)

    assert spans.unfinished == []
    for run in spans.find_all(kind="AGENT"):
        calls = [call.attributes or {} for call in model_calls(spans, run)]
        counted: Any = [call.get("llm.token_count.total", 0) for call in calls]
        assert calls
        assert (run.attributes or {}).get("smolagents.token_count.total", 0) == sum(counted)


def test_outlines_show_tools_by_name(theirs: Recording) -> None:
    """What is compared of the instrumentor's spans of tools is the tool's name, not its class's."""
    assert outline(theirs["single"]).splitlines() == [
        "AGENT ToolCallingAgent.run",
        "  CHAIN Step 1",
        "    LLM OpenAIModel.generate",
        "    TOOL get_weather",
        "  CHAIN Step 2",
        "    LLM OpenAIModel.generate",
        "    TOOL final_answer",
    ]
