"""Runs of CrewAI that are left without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crewai.tools import tool

from ..example_runs import only_trace, outline
from .crews import loopback
from .programs import REGISTER, run_program

HOLD_ON = """
import os
from agenttrace.integrations.crewai import event_listener
from tests.frameworks.crewai.crews import crew_of, loopback, model
from tests.frameworks.crewai.test_crewai_left import asks, interrupt

event_listener()
with model(asks("interrupt")) as llm:
    crew = crew_of(llm, interrupt)
    try:
        crew.kickoff()
    except KeyboardInterrupt:
        print("interrupted")
"""


def asks(name: str) -> Any:
    """A model that calls one tool."""
    return lambda _: loopback.Reply(calls=[loopback.Call(name, {})])


@tool("interrupt")
def interrupt() -> str:
    """Is cut off, as by Ctrl-C."""
    raise KeyboardInterrupt


def test_a_run_that_was_interrupted_is_recorded_at_the_end_of_the_program(tmp_path: Path) -> None:
    """CrewAI emits nothing for such a run, so only the program's end tells that it is over."""
    assert run_program(f"{REGISTER}\n{HOLD_ON}", tmp_path) == "interrupted"
    assert outline(only_trace(tmp_path)) == [
        "AGENT weather",
        "  CHAIN look",
        "    AGENT Scout",
        "      LLM gpt-4o-mini",
        "      TOOL interrupt",
    ]
