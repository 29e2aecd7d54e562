"""Errors of traced agents: those that come out, and those that the model mends, are the plain agent's."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any

import pytest
from smolagents import ActionStep
from smolagents.utils import AgentError

from .scenarios import Classes
from .scripted import ScriptedModel, call, calls, get_weather, text
from .twins import QUIET, assert_alike, memory_of, story_of

ERRORS = {
    "the model": ([ZeroDivisionError("the model is ill")], {}),
    "the model at the second step": ([call("get_weather", city="Oslo"), OSError("gone")], {}),
    "the model while planning": ([OSError("gone")], {"planning_interval": 2}),
    "the model, with Ctrl-C": ([KeyboardInterrupt()], {}),
    "the model, with exit": ([SystemExit(3)], {}),
    "no answer at the end": ([text("no call"), OSError("gone")], {"max_steps": 1}),
}


@pytest.mark.parametrize("case", ERRORS)
@pytest.mark.parametrize("streams", [False, True], ids=["at once", "streamed"])
def test_errors_come_out_as_they_do(case: str, streams: bool) -> None:
    """Class, text, frames, causes and contexts, and what is remembered until then."""

    def run(classes: Classes) -> Any:
        script, options = ERRORS[case]
        model = ScriptedModel(*[type(said)(*said.args) if isinstance(said, BaseException) else said for said in script])
        agent = classes.tool_calling_agent([get_weather], model, stream_outputs=streams, **options, **QUIET)
        with redirect_stdout(io.StringIO()):
            return agent.run("What?"), memory_of(agent)

    assert_alike(run)


def test_errors_that_are_mended_are_remembered_as_they_are() -> None:
    """With the tool's own error as the cause, in the memory that callbacks see."""

    def run(classes: Classes) -> Any:
        script = [
            call("get_weather", city="Nowhere"),
            call("get_weather", town="Oslo"),
            call("no_such_tool"),
            calls(("final_answer", {"answer": 1}), ("get_weather", {"city": "Oslo"})),
            call("final_answer", answer=1),
        ]
        agent = classes.tool_calling_agent([get_weather], ScriptedModel(*script), **QUIET)
        answer = agent.run("What?")
        errors = [step.error for step in agent.memory.steps if isinstance(step, ActionStep)]
        assert all(isinstance(error, AgentError) for error in errors[:3])
        return answer, [story_of(error) for error in errors], memory_of(agent)

    assert_alike(run)
