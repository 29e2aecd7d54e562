"""Runs of CrewAI on its event bus: what is below what, however the crew is run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from crewai import Crew, Process
from crewai.flow.flow import Flow, listen, start

from agenttrace import trace_agent, trace_step
from agenttrace.testing import CapturedSpans

from .crews import agent_of, crew_of, fails, look_up, looks_up, loopback, model, recorded, task_of

RUN = """
    AGENT weather
      CHAIN look
        AGENT Scout
          LLM gpt-4o-mini
          TOOL look_up
            CHAIN reading
          LLM gpt-4o-mini
"""


def below(name: str, tree: str) -> str:
    """``tree`` one level deeper, below a span."""
    return f"    {name}\n" + "\n".join(f"  {line}" for line in tree.strip("\n").splitlines())


def test_a_kickoff_is_one_tree() -> None:
    """Crew, task, agent, its model calls, its tool, and in the tool the user's own mark."""
    with model(looks_up("Oslo")) as llm, recorded() as spans:
        assert str(crew_of(llm).kickoff()) == "rain in Oslo"
    spans.assert_tree(RUN)
    spans.assert_no_errors()


def test_a_kickoff_belongs_under_the_mark_that_started_it() -> None:
    """A marked function that runs a crew is the root."""
    with model(looks_up("Oslo")) as llm, recorded() as spans, trace_agent("my program"):
        crew_of(llm).kickoff()
    spans.assert_tree(below("AGENT my program", RUN))


@pytest.mark.parametrize("method", ["akickoff", "kickoff_async"])
def test_crews_that_run_at_once_keep_apart(method: str) -> None:
    """Two crews in two tasks of one loop are two trees below what started them."""

    async def run(llm: Any) -> None:
        with trace_agent("my program"):
            await asyncio.gather(*(getattr(crew_of(llm), method)() for _ in range(2)))

    with model(looks_up("Oslo")) as llm, recorded() as spans:
        asyncio.run(run(llm))
    [root] = spans.roots
    crews = spans.children(root)
    assert [crew.name for crew in crews] == ["weather", "weather"]
    for crew in crews:
        [task] = spans.children(crew)
        [agent] = spans.children(task)
        assert [span.name for span in spans.children(agent)] == ["gpt-4o-mini", "look_up", "gpt-4o-mini"]
        [_, tool, _] = spans.children(agent)
        assert [span.name for span in spans.children(tool)] == ["reading"]


def test_a_kickoff_for_each_input_is_a_tree_of_its_own() -> None:
    """What one input's run left open or closed doesn't reach the next one."""
    with model(looks_up("Oslo")) as llm, recorded() as spans:
        crew_of(llm).kickoff_for_each([{"city": "Oslo"}, {"city": "Rome"}])
    assert [span.name for span in spans.roots] == ["weather", "weather"]
    spans.assert_tree(RUN + RUN.lstrip("\n"))


def test_a_streamed_kickoff_is_the_same_tree() -> None:
    """CrewAI then runs the crew in a thread; the mark that started it is its root all the same."""
    with model(looks_up("Oslo"), stream=True) as llm, recorded() as spans, trace_agent("my program"):
        crew = crew_of(llm)
        crew.stream = True
        assert "".join(chunk.content for chunk in crew.kickoff())
    spans.assert_tree(below("AGENT my program", RUN))
    for call in spans.find_all(kind="LLM"):
        assert [event.name for event in call.events] == ["First Token Stream Event"]


def test_tasks_that_run_at_once_keep_apart() -> None:
    """Each has its own agent, calls and tools below it, though they run in threads."""
    with model(looks_up("Oslo")) as llm, recorded() as spans:
        scouts = [agent_of(llm, role, look_up) for role in ("First", "Second")]
        tasks = [task_of(scout, f"{scout.role} task", async_execution=True) for scout in scouts]
        last = agent_of(llm, "Last")
        Crew(agents=[*scouts, last], tasks=[*tasks, task_of(last, "Last task", context=tasks)]).kickoff()
    [root] = spans.roots
    assert sorted(span.name for span in spans.children(root)) == ["First task", "Last task", "Second task"]
    for role in ("First", "Second"):
        spans.assert_parent(role, f"{role} task")
        assert [span.name for span in spans.children(role)] == ["gpt-4o-mini", "look_up", "gpt-4o-mini"]
    assert len(spans.find_all("reading")) == 2


def delegating(asked: Any) -> Any:
    """A boss that hands the work over, and a worker that does it."""
    if "delegate_work_to_coworker" in asked.tools and not asked.results:
        work = {"task": "look", "context": "none", "coworker": "Worker"}
        return loopback.Reply(calls=[loopback.Call("delegate_work_to_coworker", work)])
    return looks_up("Oslo")(asked)


DELEGATED = """
    AGENT crew
      CHAIN look
        AGENT {boss}
          LLM gpt-4o-mini
          TOOL delegate_work_to_coworker
            AGENT Worker
              LLM gpt-4o-mini
              TOOL look_up
                CHAIN reading
              LLM gpt-4o-mini
          LLM gpt-4o-mini
"""


def assert_handed_over(spans: CapturedSpans, boss: str) -> None:
    """The graph says who gave the work to whom."""
    spans.assert_tree(DELEGATED.format(boss=boss))
    nodes = [span.attributes or {} for span in spans.find_all(kind="AGENT")]
    graph = [(node["graph.node.id"], node.get("graph.node.parent_id")) for node in nodes]
    assert graph == [("crew", None), (boss, "crew"), ("Worker", boss)]


def test_delegated_work_is_below_who_gave_it() -> None:
    """The other agent's run is below the tool call that asked for it, and its node below the first one's."""
    with model(delegating) as llm, recorded() as spans:
        boss, worker = agent_of(llm, "Boss", allow_delegation=True), agent_of(llm, "Worker", look_up)
        Crew(agents=[boss, worker], tasks=[task_of(boss)]).kickoff()
    assert_handed_over(spans, "Boss")


def test_a_hierarchical_crew_has_its_manager_in_the_tree() -> None:
    """The manager that CrewAI makes is an agent like any other."""
    with model(delegating) as llm, recorded() as spans:
        worker = agent_of(llm, "Worker", look_up)
        Crew(agents=[worker], tasks=[task_of(None)], process=Process.hierarchical, manager_llm=llm).kickoff()
    assert_handed_over(spans, "Crew Manager")


def test_tools_that_run_at_once_hold_their_own_marks() -> None:
    """Two calls in one answer run in two threads; each has what ran in it, and one that fails fails alone."""
    with model(looks_up("Oslo", "Atlantis")) as llm, recorded() as spans:
        crew_of(llm).kickoff()
    tools = spans.find_all("look_up")
    assert sorted(spans.input(tool)["city"] for tool in tools) == ["Atlantis", "Oslo"]
    for tool in tools:
        [mark] = spans.children(tool)
        city = spans.input(tool)["city"]
        assert spans.input(mark) == city
        assert tool.status.description == ("LookupError: no such city" if city == "Atlantis" else None)


def test_a_flow_holds_its_methods_and_the_crews_they_run() -> None:
    """A CHAIN for the flow and for each method; marks and crews in a method are below it, and nothing else is."""
    with model(looks_up("Oslo")) as llm, recorded() as spans:

        class Packing(Flow):  # type: ignore[type-arg, misc]
            @start()  # type: ignore[untyped-decorator]
            def look(self) -> str:
                with trace_step("mine"):
                    return str(crew_of(llm).kickoff())

            @listen(look)  # type: ignore[untyped-decorator]
            async def pack(self, weather: str) -> str:
                with trace_step("also mine"):
                    await asyncio.sleep(0)
                return f"raincoat for {weather}"

        assert Packing().kickoff() == "raincoat for rain in Oslo"
    methods = below("CHAIN look", below("CHAIN mine", RUN)) + "\n    CHAIN pack\n      CHAIN also mine"
    spans.assert_tree(below("CHAIN Packing", methods))
    assert spans.output("Packing") == "raincoat for rain in Oslo"


def test_an_agent_alone_is_a_root() -> None:
    """`Agent.kickoff` needs no crew."""
    with model(looks_up("Oslo")) as llm, recorded() as spans:
        agent_of(llm, "Scout", look_up).kickoff("The weather in Oslo?")
    spans.assert_tree("""
        AGENT Scout
          LLM gpt-4o-mini
          TOOL look_up
            CHAIN reading
          LLM gpt-4o-mini
    """)


def test_a_model_that_fails_fails_its_call_and_all_above() -> None:
    """CrewAI tries an agent three times; the error reaches the caller as without tracing, and nothing stays open."""
    with model(fails) as llm, recorded() as spans, pytest.raises(Exception, match="the model is down"):
        crew_of(llm).kickoff()
    assert spans.unfinished == []
    assert [span.name for span in spans if span.status.is_ok] == []
    spans.assert_tree("""
        AGENT weather
          CHAIN look
            AGENT Scout
              LLM gpt-4o-mini
            AGENT Scout
              LLM gpt-4o-mini
            AGENT Scout
              LLM gpt-4o-mini
    """)
    for span in spans:
        assert span.status.description is not None
        assert "the model is down" in span.status.description
