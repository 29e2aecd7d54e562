"""Where spans stand: in teams, threads, executors, processes, and agents that run themselves."""

# smolagents ships no types, so every class of it is Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from smolagents import LocalPythonExecutor, Tool, tool
from smolagents.local_python_executor import CodeOutput, PythonExecutor
from smolagents.remote_executors import RemotePythonExecutor

from agenttrace import trace_tool
from agenttrace.testing import capture_spans
from tests.isolation import Program, program

from .looking import attributes, errors_in, spans_of
from .scenarios import Classes
from .scripted import ScriptedModel, call, calls, code, get_weather, text
from .twins import PLAIN, QUIET, TRACED

__all__ = ["program"]


def team(top: Classes, middle: Classes, bottom: Classes) -> Any:
    """Three levels: a CodeAgent, a ToolCallingAgent that it calls from its code, a CodeAgent that this calls."""
    deepest = bottom.code_agent(
        [get_weather],
        ScriptedModel(code("final_answer(get_weather('Oslo'))")),
        name="deepest",
        description="Knows.",
        **QUIET,
    )
    helper = middle.tool_calling_agent(
        [],
        ScriptedModel(call("deepest", task="The weather?"), call("final_answer", answer="rain")),
        managed_agents=[deepest],
        name="helper",
        description="Helps.",
        **QUIET,
    )
    answers = ScriptedModel(code("said = helper(task='The weather?')"), code("final_answer('wet')"))
    return top.code_agent([], answers, managed_agents=[helper], name="manager", **QUIET)


def test_a_team_of_three_levels() -> None:
    """Each run below the call that asked for it, and the graph of agents as the team is."""
    answer, spans = spans_of(team(TRACED, TRACED, TRACED))
    assert answer == "wet"
    spans.assert_tree(
        """
        AGENT manager.run
          CHAIN Step 1
            LLM ScriptedModel.generate
            CHAIN CodeAgent.execute
              AGENT helper.run
                CHAIN Step 1
                  LLM ScriptedModel.generate
                  AGENT deepest.run
                    CHAIN Step 1
                      LLM ScriptedModel.generate
                      CHAIN CodeAgent.execute
                        TOOL get_weather
                        TOOL final_answer
                CHAIN Step 2
                  LLM ScriptedModel.generate
                  TOOL final_answer
          CHAIN Step 2
            LLM ScriptedModel.generate
            CHAIN CodeAgent.execute
              TOOL final_answer
        """
    )
    parents = {
        name: attributes(spans.find(f"{name}.run")).get("graph.node.parent_id")
        for name in ("manager", "helper", "deepest")
    }
    assert parents == {"manager": None, "helper": "manager", "deepest": "helper"}
    totals = [attributes(span)["smolagents.token_count.total"] for span in spans.find_all(kind="AGENT")]
    assert totals == [220, 220, 110]


def test_a_plain_member_of_a_traced_team() -> None:
    """One AGENT span stands for it, and what it does itself isn't seen."""
    _, spans = spans_of(team(TRACED, PLAIN, PLAIN))
    spans.assert_tree(
        """
        AGENT manager.run
          CHAIN Step 1
            LLM ScriptedModel.generate
            CHAIN CodeAgent.execute
              AGENT helper
          CHAIN Step 2
            LLM ScriptedModel.generate
            CHAIN CodeAgent.execute
              TOOL final_answer
        """
    )
    assert attributes(spans.find("helper"))["graph.node.parent_id"] == "manager"
    assert spans.input("helper") == {"task": "The weather?"}


def test_a_traced_member_of_a_plain_team() -> None:
    """Its run is a tree of its own."""
    with capture_spans() as spans:
        team(PLAIN, TRACED, PLAIN).run("The weather?")
    assert [root.name for root in spans.roots] == ["helper.run"]
    assert [span.name for span in spans.find_all(kind="AGENT")] == ["helper.run", "deepest"]
    assert spans.unfinished == []


def test_a_traced_member_below_a_plain_one() -> None:
    """The plain one between them leaves a span for the call, which the run below hangs on."""
    _, spans = spans_of(team(TRACED, PLAIN, TRACED))
    assert [span.name for span in spans.find_all(kind="AGENT")] == ["manager.run", "helper", "deepest.run"]
    spans.assert_parent("deepest.run", "helper")


def meeting_tool(parties: int) -> Any:
    """A tool that waits until that many call it."""
    barrier = threading.Barrier(parties, timeout=30)

    @tool
    def meet(who: str) -> str:
        """Wait for the others.

        Args:
            who: Who calls.
        """
        barrier.wait()
        with_mark(who)
        return f"{who} was there"

    return meet


@trace_tool
def with_mark(who: str) -> str:
    return who


def test_tools_that_are_called_at_once() -> None:
    """Each in a thread of its own, below the one step, with the user's own spans below each, and its own call's id."""
    asked = calls(*(("meet", {"who": name}) for name in ("Ada", "Bob", "Cleo")))
    agent = TRACED.tool_calling_agent(
        [meeting_tool(3)], ScriptedModel(asked, call("final_answer", answer="all")), **QUIET
    )
    _, spans = spans_of(agent)
    found = spans.find_all("meet")
    assert sorted(spans.input(span)["who"] for span in found) == ["Ada", "Bob", "Cleo"]
    for span in found:
        name = spans.input(span)["who"]
        assert spans.output(span) == f"{name} was there"
        assert attributes(span)["tool.id"] == f"call_{['Ada', 'Bob', 'Cleo'].index(name)}"
        assert [spans.input(child) for child in spans.children(span)] == [{"who": name}]
        spans.assert_parent(span, "Step 1")


def test_one_of_several_tools_fails() -> None:
    """Its span is the error, the others are what they are, and the step notes what the model is told."""
    asked = calls(("get_weather", {"city": "Oslo"}), ("get_weather", {"city": "Nowhere"}))
    agent = TRACED.tool_calling_agent([get_weather], ScriptedModel(asked, call("final_answer", answer="rain")), **QUIET)
    _, spans = spans_of(agent)
    assert errors_in(spans) == [("get_weather", "ValueError: no such city: Nowhere")]
    assert spans.find("Step 1").status.is_ok


def test_threads_that_code_and_tools_start() -> None:
    """A tool that the code calls from a tool's own thread hangs on the code; without a context to go by."""

    class Fan(Tool):
        name, description, output_type = "fan", "Ask in threads.", "string"
        inputs: dict[str, Any] = {}

        def forward(self) -> str:
            handed = agent.python_executor.static_tools["get_weather"]
            with ThreadPoolExecutor(2) as pool:
                return "; ".join(pool.map(handed, ("Oslo", "Bergen")))

    agent = TRACED.code_agent([Fan(), get_weather], ScriptedModel(code("final_answer(fan())")), **QUIET)
    answer, spans = spans_of(agent)
    assert answer == "Oslo: 14 °C and rain; Bergen: 14 °C and rain"
    below = spans.children("CodeAgent.execute")
    assert sorted(child.name for child in below) == ["fan", "final_answer", "get_weather", "get_weather"]


@pytest.mark.parametrize("kind", ["code_agent", "tool_calling_agent"])
def test_an_agent_whose_tool_runs_it_again(kind: str) -> None:
    """The inner run hangs on the tool, and the outer one goes on where it was."""

    class Again(Tool):
        name, description, output_type = "again", "Once more.", "string"
        inputs: dict[str, Any] = {}

        def forward(self) -> str:
            return str(agent.run("Inner?", reset=False))

    if kind == "code_agent":
        script = [code("print(again())"), code("final_answer('inner')"), code("final_answer('outer')")]
    else:
        script = [call("again"), call("final_answer", answer="inner"), call("final_answer", answer="outer")]
    agent = getattr(TRACED, kind)([Again()], ScriptedModel(*script), **QUIET)
    answer, spans = spans_of(agent)
    assert answer == "outer"
    outer, inner = spans.find_all(kind="AGENT")
    spans.assert_parent(inner, "again")
    assert [spans.output(run) for run in (outer, inner)] == ["outer", "inner"]
    # The number is the agent's own, which the inner run has counted on.
    assert [len(spans.children(run)) for run in (outer, inner)] == [2, 1]
    spans.assert_no_errors()


def test_agents_that_run_at_once() -> None:
    """Two agents in two threads are two trees, step by step at the same time."""
    meet = meeting_tool(2)

    def run(name: str) -> Any:
        script = [call("meet", who=name), call("meet", who=name), call("final_answer", answer=name)]
        return TRACED.tool_calling_agent([meet], ScriptedModel(*script), name=name, **QUIET).run("Meet.")

    with capture_spans() as spans, ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, ("ada", "bob"))) == ["ada", "bob"]
    assert sorted(root.name for root in spans.roots) == ["ada.run", "bob.run"]
    for root in spans.roots:
        steps = spans.children(root)
        assert [step.name for step in steps] == ["Step 1", "Step 2", "Step 3"]
        tools = [
            child.name for step in steps for child in spans.children(step) if child.name != "ScriptedModel.generate"
        ]
        assert tools == ["meet", "meet", "final_answer"]
    assert spans.unfinished == []


@pytest.mark.parametrize("kind", ["code_agent", "tool_calling_agent"])
def test_one_agent_that_runs_at_once(kind: str) -> None:
    """smolagents has one memory for both runs; the spans are two trees all the same, each with what it did."""
    meet = meeting_tool(2)

    class Twofold(ScriptedModel):
        def generate(self, messages: list[Any], *args: Any, **kwargs: Any) -> Any:
            name = threading.current_thread().name
            turn = turns[name] = turns.get(name, 0) + 1
            if kind == "code_agent":
                return code(f"print(meet('{name}'))") if turn < 3 else code(f"final_answer('{name}')")
            return call("meet", who=name) if turn < 3 else call("final_answer", answer=name)

    turns: dict[str, int] = {}
    agent = getattr(TRACED, kind)([meet], Twofold(), **QUIET)
    with capture_spans() as spans:
        threads = [threading.Thread(target=agent.run, args=("Meet.",), name=name) for name in ("ada", "bob")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert spans.unfinished == []
    assert len(spans.roots) == 2
    assert sorted(spans.output(root) for root in spans.roots) == ["ada", "bob"]
    for root in spans.roots:
        calls_of_models = [child for step in spans.children(root) for child in spans.children(step)]
        assert len([child for child in calls_of_models if child.name == "Twofold.generate"]) == 3
        if kind == "tool_calling_agent":
            met = [spans.input(child)["who"] for child in calls_of_models if child.name == "meet"]
            assert met == [spans.output(root)] * 2


class Remote(RemotePythonExecutor):
    """As far as it can be seen from this side: it pickles what it is sent, and answers in text."""

    def __init__(self) -> None:
        self.sent: dict[str, Any] = {}

    def send_tools(self, tools: dict[str, Any]) -> None:
        self.sent = tools

    def send_variables(self, variables: dict[str, Any]) -> None:
        self.variables = variables

    def run_code_raise_errors(self, code_action: str) -> CodeOutput:
        return CodeOutput(output="far away", logs="sent", is_final_answer="final" in code_action)

    def __call__(self, code_action: str) -> CodeOutput:
        return self.run_code_raise_errors(code_action)


class Own(PythonExecutor):
    """A user's own executor: it notes what it gets, and calls a tool."""

    def __init__(self) -> None:
        self.sent: dict[str, Any] = {}

    def __bool__(self) -> bool:
        return True

    def send_tools(self, tools: dict[str, Any]) -> None:
        self.sent = dict(tools)

    def send_variables(self, variables: dict[str, Any]) -> None:
        self.variables = variables

    def __call__(self, code_action: str) -> CodeOutput:
        return CodeOutput(self.sent["get_weather"]("Oslo"), "looked", is_final_answer=True)


def test_a_remote_executor() -> None:
    """It gets the user's own tools, whose source goes along, and the code's span says what came back."""
    executor = Remote()
    agent = TRACED.code_agent(
        [get_weather], ScriptedModel(code("x = 1"), code("final_answer(1)")), executor=executor, **QUIET
    )
    answer, spans = spans_of(agent)
    assert answer == "far away"
    assert executor.sent["get_weather"] is get_weather
    assert type(executor.sent["final_answer"]).__name__ == "FinalAnswerTool"
    assert [spans.output(span) for span in spans.find_all("CodeAgent.execute")] == ["far away", "far away"]
    assert attributes(spans.find_all("CodeAgent.execute")[0])["smolagents.code.executor"] == "Remote"


def test_an_executor_of_one_s_own() -> None:
    """The tools that it calls hang on the code."""
    answer, spans = spans_of(TRACED.code_agent([get_weather], ScriptedModel(code("any")), executor=Own(), **QUIET))
    assert answer == "Oslo: 14 °C and rain"
    spans.assert_parent("get_weather", "CodeAgent.execute")


def test_code_that_takes_too_long() -> None:
    """The code's span ends with the error; the tool that it waits in hangs where it began."""

    @tool
    def wait() -> str:
        """Wait for longer than code may run."""
        threading.Event().wait(1)
        return "waited"

    executor = LocalPythonExecutor([], timeout_seconds=0.05)
    script = ScriptedModel(code("wait()"), code("final_answer(1)"))
    _, spans = spans_of(TRACED.code_agent([wait], script, executor=executor, max_steps=2, **QUIET))
    assert "exceeded the maximum execution time" in errors_in(spans)[0][1]
    spans.assert_parent("wait", spans.find_all("CodeAgent.execute")[0])
    assert spans.output("wait") == "waited"


def test_a_forked_process(program: Program) -> None:
    """A child goes on in the step that its parent was in; the parent's own spans are whole."""
    out, _ = program.run(
        """
        import os
        from smolagents import tool
        from agenttrace.integrations.smolagents import TracedToolCallingAgent
        from agenttrace.testing import capture_spans
        from tests.integrations.smolagents.scripted import ScriptedModel, call

        @tool
        def fork() -> str:
            \"\"\"Fork.\"\"\"
            pid = os.fork()
            if not pid:
                inner = TracedToolCallingAgent([], ScriptedModel(call("final_answer", answer="child")), name="child")
                try:
                    with capture_spans() as spans:
                        assert inner.run("Well?") == "child"
                    assert len(spans) == 4 and not spans.unfinished, spans
                except BaseException:
                    os._exit(1)
                os._exit(0)
            return f"status {os.waitpid(pid, 0)[1]}"

        with capture_spans() as spans:
            agent = TracedToolCallingAgent([fork], ScriptedModel(call("fork"), call("final_answer", answer=1)))
            agent.run("Fork.")
        print(spans.output("fork"), len(spans), spans.unfinished)
        """
    )
    assert out.splitlines()[-1] == "status 0 7 []"


def test_an_agent_that_a_tool_makes_and_runs() -> None:
    """An agent that a tool makes and runs hangs on the tool, as a node below its caller."""

    class Delegate(Tool):
        name, description, output_type = "delegate", "Delegate.", "string"
        inputs: dict[str, Any] = {}

        def forward(self) -> str:
            model = ScriptedModel(text("no call"), call("final_answer", answer="done"))
            return str(TRACED.tool_calling_agent([], model, name="inner", **QUIET).run("Do it."))

    script = [call("delegate"), call("final_answer", answer="done")]
    _, spans = spans_of(TRACED.tool_calling_agent([Delegate()], ScriptedModel(*script), name="outer", **QUIET))
    spans.assert_parent("inner.run", "delegate")
    assert attributes(spans.find("inner.run"))["graph.node.parent_id"] == "outer"
