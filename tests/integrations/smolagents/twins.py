"""The same run made twice, by a plain agent and by a traced one, and what a program can tell of each."""

from __future__ import annotations

import difflib
import io
import traceback
from collections.abc import Callable
from pprint import pformat
from typing import Any

import pytest
from rich.console import Console
from smolagents import AgentLogger, CodeAgent, LogLevel, ToolCallingAgent

from agenttrace.integrations.smolagents import TracedCodeAgent, TracedToolCallingAgent
from agenttrace.testing import CapturedSpans, capture_spans
from agenttrace.tracebacks import is_own_file

from .scenarios import Classes

__all__ = [
    "PLAIN",
    "QUIET",
    "TRACED",
    "assert_alike",
    "each_kind",
    "logger",
    "memory_of",
    "outcome_of",
    "said_by",
    "story_of",
]

PLAIN = Classes(CodeAgent, ToolCallingAgent)
TRACED = Classes(TracedCodeAgent, TracedToolCallingAgent)
QUIET: dict[str, Any] = {"verbosity_level": LogLevel.OFF}

each_kind = pytest.mark.parametrize("kind", ["code_agent", "tool_calling_agent"])
"""Runs a test with either kind of agent: `Classes` has it under this name."""

Outcome = tuple[str, Any]


def outcome_of(call: Callable[[], Any]) -> Outcome:
    """What ``call`` returned, or everything that a program can tell of what it raised."""
    try:
        return "returned", call()
    except BaseException as error:
        return "raised", story_of(error)


def story_of(error: BaseException | None) -> Any:
    """Class, text, frames (tracing's own left out), cause and context of ``error``."""
    if error is None:
        return None
    frames = [
        (frame.filename, frame.name)
        for frame in traceback.extract_tb(error.__traceback__)
        if not is_own_file(frame.filename)
    ]
    told = (type(error), str(error), frames, error.__suppress_context__)
    return (*told, story_of(error.__cause__), story_of(error.__context__))


def memory_of(agent: Any) -> list[dict[str, Any]]:
    """The steps that ``agent`` remembers, without how long they took."""
    return [{key: value for key, value in step.items() if key != "timing"} for step in agent.memory.get_full_steps()]


def logger(level: LogLevel = LogLevel.DEBUG) -> AgentLogger:
    """A logger that keeps what it says; see `said_by`."""
    made = AgentLogger(level=level)
    made.console = Console(file=io.StringIO(), width=100, force_terminal=False, log_time=False)
    return made


def said_by(made: AgentLogger) -> list[str]:
    """What ``made`` said, but for how long things took."""
    return [line for line in made.console.file.getvalue().splitlines() if "Duration" not in line]


def assert_alike(run: Callable[[Classes], Any]) -> CapturedSpans:
    """``run`` tells the same of plain agents and of traced ones, and of the plain ones there are no spans.

    Args:
        run: Makes agents, runs them, and gives what is to be compared, or raises it.

    Returns:
        The spans of the traced agents, each of which has ended.
    """
    __tracebackhide__ = True
    with capture_spans() as none:
        plain = outcome_of(lambda: run(PLAIN))
    with capture_spans() as spans:
        traced = outcome_of(lambda: run(TRACED))
    if traced != plain:
        told = difflib.unified_diff(pformat(plain).splitlines(), pformat(traced).splitlines(), "plain", "traced", n=1)
        raise AssertionError("\n".join(told) or f"not equal, though told alike: {plain!r:.2000}")
    if [*none, *none.unfinished, *spans.unfinished]:
        raise AssertionError(f"of plain agents: {none!r} {none.unfinished}; not ended of traced: {spans.unfinished}")
    return spans
