"""CrewAI's event listener beside CrewAI's own telemetry, put on and taken off, and where nothing is to be recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from crewai.events import BaseEventListener, crewai_event_bus

from agenttrace import faults, suppress_tracing, trace_agent
from agenttrace.integrations.crewai import event_listener, remove_event_listener
from agenttrace.testing import capture_spans

from ..example_runs import only_trace, outline, run_example, values
from .crews import crew_of, looks_up, model, recorded
from .programs import REGISTER, run_program

PROGRAM = """
import os, sys

def stay(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple) and arguments[1][0] != "127.0.0.1":
        os._exit(3)

sys.addaudithook(stay)
from opentelemetry import trace
{first}
{second}
from agenttrace.integrations.crewai import event_listener
event_listener()
ours = trace.get_tracer_provider()

from tests.frameworks.crewai.crews import crew_of, looks_up, model
from crewai.telemetry import Telemetry
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

theirs, exporter = getattr(Telemetry(), "provider", None), InMemorySpanExporter()
if theirs is not None:
    theirs.add_span_processor(SimpleSpanProcessor(exporter))
with model(looks_up("Oslo")) as llm:
    crew_of(llm).kickoff()
assert trace.get_tracer_provider() is ours
print(sorted({{span.name for span in exporter.get_finished_spans()}}))

import agenttrace
from crewai.events import crewai_event_bus

crewai_event_bus.flush()
agenttrace.shutdown()
sys.stdout.flush()
os._exit(0)  # CrewAI's telemetry would try for ten seconds more
"""
IMPORT = "import crewai; crewai.Crew"
TREE = ["AGENT weather", "  CHAIN look", "    AGENT Scout", "      LLM gpt-4o-mini", "      TOOL look_up"]
TREE += ["        CHAIN reading", "      LLM gpt-4o-mini"]


@pytest.mark.parametrize(("first", "second"), [(REGISTER, IMPORT), (IMPORT, REGISTER)], ids=["register", "crewai"])
@pytest.mark.parametrize("telemetry", ["on", "off"])
def test_neither_s_spans_go_the_other_s_way(first: str, second: str, telemetry: str, tmp_path: Path) -> None:
    """CrewAI has a provider of its own, leaves the global one alone, gets none of our spans and puts none among them.

    Where it is on, it finds no way out here: its proxy is a closed port of this machine.
    """
    nowhere = "http://127.0.0.1:9"
    off = {"CREWAI_DISABLE_TELEMETRY": "true" if telemetry == "off" else "false"}
    program = PROGRAM.format(first=first, second=second)
    theirs = run_program(program, tmp_path, **off, HTTPS_PROXY=nowhere, https_proxy=nowhere)
    assert outline(only_trace(tmp_path)) == TREE
    assert ("Crew Created" in theirs) is (telemetry == "on")
    assert not any(name in theirs for name in ("weather", "Scout", "look_up"))


def test_what_is_on_its_way_at_the_end_of_a_program_is_recorded(tmp_path: Path) -> None:
    """The last events are handled before the spans are sent for the last time, whichever comes first in the program."""
    run = "from tests.frameworks.crewai.crews import *\nwith model(looks_up('Oslo')) as llm: crew_of(llm).kickoff()"
    listen = "from agenttrace.integrations.crewai import event_listener; event_listener()"
    run_program(f"{listen}\n{REGISTER}\n{run}", tmp_path)
    spans = only_trace(tmp_path)
    assert outline(spans) == TREE
    assert values(spans, "weather", "output.value") == ["rain in Oslo"]


def test_the_example_leaves_one_tree_of_its_marks(tmp_path: Path) -> None:
    """Two agents with a model call, a tool and a model call each, below the function that starts them."""
    assert run_example("crewai_crew", tmp_path) == "Take a raincoat.\n"
    spans = only_trace(tmp_path)
    assert outline(spans) == [
        "AGENT packing",
        "  LLM complete",
        "  TOOL get_weather",
        "  LLM complete",
        "  LLM complete",
        "  TOOL look_into_wardrobe",
        "  LLM complete",
    ]
    assert values(spans, "packing", "output.value") == ["Take a raincoat."]
    assert values(spans, "get_weather", "input.value") == ['{"city":"Oslo"}']
    assert values(spans, "complete", "llm.token_count.total") == [48, 88, 48, 88]
    call = "llm.output_messages.0.message.tool_calls.0.tool_call.function.name"
    assert values(spans, "complete", call) == ["get_weather", None, "look_into_wardrobe", None]


def test_two_listeners_record_no_more_than_one() -> None:
    """A module that is imported twice, or two that each make a listener, change nothing."""
    assert isinstance(event_listener(), BaseEventListener)
    with model(looks_up("Oslo")) as llm, recorded() as spans:
        event_listener()
        crew_of(llm).kickoff()
    assert len(spans) == len(TREE)


def test_a_listener_that_was_taken_off_records_nothing() -> None:
    """By the function for it, and by the end of CrewAI's own block for handlers."""
    with model(looks_up("Oslo")) as llm, capture_spans() as spans:
        event_listener()
        remove_event_listener()
        crew_of(llm).kickoff()
        with crewai_event_bus.scoped_handlers():
            event_listener()
        crew_of(llm).kickoff()
        assert crewai_event_bus.flush()
    assert [span.name for span in spans] == ["reading", "reading"]


def test_a_listener_in_a_block_records_what_runs_in_it() -> None:
    """Marks in the run still find their place when the block is what put the listener on."""
    with model(looks_up("Oslo")) as llm, capture_spans() as spans:
        with crewai_event_bus.scoped_handlers():
            event_listener()
            crew_of(llm).kickoff()
        assert crewai_event_bus.flush()
    assert len(spans.roots) == 1
    assert len(spans) == len(TREE)


def test_nothing_is_recorded_where_tracing_is_suppressed() -> None:
    """Not the run, and not what is marked in its tools."""
    with model(looks_up("Oslo")) as llm, recorded() as spans:
        with suppress_tracing():
            assert str(crew_of(llm).kickoff()) == "rain in Oslo"
        with trace_agent("afterwards"):
            pass
    spans.assert_tree("AGENT afterwards")


def test_without_a_provider_a_crew_runs_as_it_does(caplog: pytest.LogCaptureFixture) -> None:
    """No `register()`, no span, no word in the log of agenttrace."""
    event_listener()
    try:
        with model(looks_up("Oslo")) as llm:
            assert str(crew_of(llm).kickoff()) == "rain in Oslo"
        assert crewai_event_bus.flush()
    finally:
        remove_event_listener()
    assert [record for record in caplog.records if record.name == "agenttrace"] == []


def test_an_event_that_is_not_as_expected_is_logged_once_and_harms_nobody(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release of CrewAI whose events have changed costs spans, not runs."""
    from agenttrace.integrations.crewai import beginnings

    def changed(event: Any) -> Any:
        return event.no_such_field

    faults.forget()
    for kind in list(beginnings.BEGINNINGS):
        monkeypatch.setitem(beginnings.BEGINNINGS, kind, changed)
    with model(looks_up("Oslo")) as llm, recorded() as spans:
        assert str(crew_of(llm).kickoff()) == "rain in Oslo"
    faults.forget()
    assert [span.name for span in spans] == ["reading"]
    assert len([record for record in caplog.records if record.name == "agenttrace"]) == 1
