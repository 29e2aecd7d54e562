"""No class, function or registry of smolagents changes, and agents of the plain classes leave no spans."""

# smolagents ships no types, so every class of it is Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import threading
from typing import Any

import pytest
from smolagents import LocalPythonExecutor, tool

from agenttrace.testing import capture_spans
from tests.isolation import Program, program

from .scripted import ScriptedModel, call, code, get_weather, text
from .twins import PLAIN, QUIET, TRACED, assert_alike, each_kind

__all__ = ["program"]

WALK = """
import importlib
import io
import pkgutil
import sys
import types
from contextlib import redirect_stdout

import smolagents

for module in pkgutil.walk_packages(smolagents.__path__, "smolagents."):
    try:
        importlib.import_module(module.name)
    except Exception:  # it needs something that isn't installed
        pass

def look():
    found = {}
    for name, module in sorted(sys.modules.items()):
        if name.split(".")[0] != "smolagents":
            continue
        for key, value in vars(module).items():
            found[name, key] = value
            if isinstance(value, type) and value.__module__.startswith("smolagents"):
                found[name, key, "bases"] = value.__bases__
                for attribute, member in vars(value).items():
                    found[name, key, attribute] = member
                    for part in ("__func__", "__wrapped__", "fget", "__code__", "__defaults__", "__kwdefaults__"):
                        if getattr(member, part, None) is not None:
                            found[name, key, attribute, part] = getattr(member, part)
            if isinstance(value, types.FunctionType):
                found[name, key, "code"] = value.__code__
                found[name, key, "defaults"] = value.__defaults__
    return found

from tests.integrations.smolagents.scenarios import SCENARIOS, Classes

def run_all(classes, after_each):
    for name, run in SCENARIOS.items():
        with redirect_stdout(io.StringIO()):
            try:
                run(classes)
            except Exception:  # some of them fail
                pass
        after_each(name)

# Python notes something in modules and classes when they are used first: imported submodules, what `copy` found out.
run_all(Classes(smolagents.CodeAgent, smolagents.ToolCallingAgent), lambda name: None)
assert "agenttrace" not in sys.modules

registries = (smolagents.agents.AGENT_REGISTRY, smolagents.models.MODEL_REGISTRY, smolagents.agents.TOOL_MAPPING)
before, entries = look(), [dict(registry) for registry in registries]
assert len(before) > 1000, len(before)

import agenttrace.integrations.smolagents
from agenttrace.testing import capture_spans

traced = agenttrace.integrations.smolagents.traced
classes = Classes(traced(smolagents.CodeAgent), traced(smolagents.ToolCallingAgent))

def check(when):
    after = look()
    changed = [key for key, value in before.items() if key not in after or after[key] is not value]
    added = [key for key in after if key not in before]
    assert not changed and not added, (when, changed, added)
    assert [dict(registry) for registry in registries] == entries, when

check("after the import")
with capture_spans() as spans:
    run_all(classes, check)
assert len(spans) > 50, len(spans)
print("nothing has changed")
"""


def test_every_attribute_of_smolagents_is_the_same_object(program: Program) -> None:
    """Functions, classes, their members and code, and the registries: after the import, and after every scenario."""
    out, _ = program.run(WALK)
    assert out.strip().endswith("nothing has changed")


def test_nothing_is_imported_that_wasn_t_asked_for(program: Program) -> None:
    """Without the integration there is no smolagents, and with it neither the SDK nor the instrumentor."""
    out, _ = program.run(
        """
        import sys
        import agenttrace
        print("smolagents" in sys.modules)
        import agenttrace.integrations.smolagents
        unwanted = ("opentelemetry.sdk", "openinference.instrumentation.smolagents")
        print([name for name in sys.modules if name.startswith(unwanted)])
        """
    )
    assert out.split("\n")[:2] == ["False", "[]"]


def script(kind: str, city: str) -> list[Any]:
    """A tool's call, and an answer."""
    if kind == "code_agent":
        return [code(f"print(get_weather('{city}'))"), code(f"final_answer(get_weather('{city}'))")]
    return [call("get_weather", city=city), call("final_answer", answer=city)]


TREES = {
    "code_agent": """
        AGENT CodeAgent.run
          CHAIN Step 1
            LLM ScriptedModel.generate
            CHAIN CodeAgent.execute
              TOOL get_weather
          CHAIN Step 2
            LLM ScriptedModel.generate
            CHAIN CodeAgent.execute
              TOOL get_weather
              TOOL final_answer
    """,
    "tool_calling_agent": """
        AGENT ToolCallingAgent.run
          CHAIN Step 1
            LLM ScriptedModel.generate
            TOOL get_weather
          CHAIN Step 2
            LLM ScriptedModel.generate
            TOOL final_answer
    """,
}


def couple(kind: str) -> tuple[Any, Any]:
    """A traced agent and a plain one with the same model, tools and executor."""
    traced, plain = script(kind, "Oslo"), script(kind, "Bergen")
    model = ScriptedModel()
    options = {"executor": LocalPythonExecutor([])} if kind == "code_agent" else {}
    pair = tuple(getattr(classes, kind)([get_weather], model, **options, **QUIET) for classes in (TRACED, PLAIN))
    model.script = [traced[0], plain[0], traced[1], plain[1]]
    return pair  # type: ignore[return-value]


@each_kind
@pytest.mark.parametrize("traced_first", [True, False], ids=["traced first", "plain first"])
def test_only_the_traced_one_of_two_leaves_spans(kind: str, traced_first: bool) -> None:
    """One after the other, with everything in common."""
    traced, plain = couple(kind)
    first, second = (traced, plain) if traced_first else (plain, traced)
    with capture_spans() as spans:
        for agent in (first, second):
            agent.model.script = script(kind, "Oslo" if agent is traced else "Bergen")
            agent.run("The weather?")
    spans.assert_tree(TREES[kind])
    assert "Bergen" not in str([dict(span.attributes or {}) for span in spans])


@each_kind
def test_only_the_traced_one_of_two_streams_leaves_spans(kind: str) -> None:
    """They take turns step by step, with everything in common, the executor's tools included."""
    traced, plain = couple(kind)
    with capture_spans() as spans:
        # The traced one hands its tools to the executor last, so that the plain one's code calls those.
        second, first = plain.run("The weather?", stream=True), traced.run("The weather?", stream=True)
        for _ in zip(first, second, strict=True):
            pass
    spans.assert_tree(TREES[kind])
    assert "Bergen" not in str([dict(span.attributes or {}) for span in spans])


@each_kind
def test_only_the_traced_one_of_two_threads_leaves_spans(kind: str) -> None:
    """They run at the same time, each step of the one while a step of the other goes on."""
    meeting = threading.Barrier(2, timeout=30)

    @tool
    def meet() -> str:
        """Wait for the other agent."""
        meeting.wait()
        return "met"

    def run(classes: Any) -> None:
        if kind == "code_agent":
            answers = [code("print(meet())"), code("print(meet())"), code("final_answer(meet())")]
        else:
            answers = [call("meet"), call("meet"), call("final_answer", answer=1)]
        getattr(classes, kind)([meet], ScriptedModel(*answers), **QUIET).run("Meet.")

    with capture_spans() as spans:
        threads = [threading.Thread(target=run, args=(classes,)) for classes in (TRACED, PLAIN)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(spans.roots) == 1
    assert spans.tools_called == (
        ["meet", "meet", "meet", "final_answer"] if kind == "code_agent" else ["meet", "meet", "final_answer"]
    )
    spans.assert_no_errors()
    assert spans.unfinished == []


def test_a_plain_agent_beside_a_traced_one_in_a_callback() -> None:
    """An agent that a callback makes, with the model of the traced one, is as plain as it is written."""
    answers = [call("final_answer", answer=1), text("yes")]

    def ask_another(step: Any, agent: Any) -> None:
        other = PLAIN.code_agent([get_weather], agent.model, max_steps=1, **QUIET)
        agent.model.script.insert(0, code("final_answer(get_weather('Oslo'))"))
        step.observations = other.run("The weather?")

    with capture_spans() as spans:
        agent = TRACED.tool_calling_agent([], ScriptedModel(*answers), step_callbacks=[ask_another], **QUIET)
        assert agent.run("Well?") == 1
    spans.assert_tree(
        """
        AGENT ToolCallingAgent.run
          CHAIN Step 1
            LLM ScriptedModel.generate
            TOOL final_answer
        """
    )
    assert agent.memory.steps[-1].observations == "Oslo: 14 °C and rain"


def test_plain_agents_run_as_ever() -> None:
    """Their runs are what they were, with traced ones around."""

    def run(classes: Any) -> Any:
        agent = PLAIN.code_agent([get_weather], ScriptedModel(*script("code_agent", "Oslo")), **QUIET)
        return agent.run("The weather?")

    assert list(assert_alike(run)) == []
