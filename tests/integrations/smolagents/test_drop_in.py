"""A traced agent is used as the plain one is, and gives what that gives."""

# smolagents ships no types, so every class of it is Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import gc
import inspect
import pydoc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any

import pytest
from smolagents import ActionStep, CodeAgent, MultiStepAgent, PlanningStep, Tool, ToolCallingAgent, tool
from smolagents.agents import RunResult
from smolagents.memory import FinalAnswerStep, TaskStep

from agenttrace.integrations.smolagents import TracedCodeAgent, TracedToolCallingAgent, traced
from agenttrace.testing import capture_spans

from .scenarios import Classes
from .scripted import ScriptedModel, call, code, get_weather, text
from .twins import PLAIN, QUIET, TRACED, assert_alike, each_kind, logger, memory_of, said_by

PAIRS = [(TracedCodeAgent, CodeAgent), (TracedToolCallingAgent, ToolCallingAgent)]


def final(kind: str, answer: Any) -> Any:
    """A model's last answer, for an agent of ``kind``."""
    return code(f"final_answer({answer!r})") if kind == "code_agent" else call("final_answer", answer=answer)


def ask(kind: str, city: str) -> Any:
    """A model's call of the tool ``get_weather``, for an agent of ``kind``."""
    return code(f"print(get_weather({city!r}))") if kind == "code_agent" else call("get_weather", city=city)


@pytest.mark.parametrize(("made", "plain"), PAIRS)
def test_a_traced_class_looks_like_the_plain_one(made: type, plain: type) -> None:
    """Name, documentation, signatures, and whatever else `inspect` finds."""
    assert issubclass(made, plain)
    assert issubclass(made, MultiStepAgent)
    assert made.__name__ == plain.__name__
    assert inspect.getdoc(made) == inspect.getdoc(plain)
    assert inspect.signature(made) == inspect.signature(plain)
    added = {name for name in set(dir(made)) ^ set(dir(plain)) if not name.startswith("_agenttrace")}
    assert added <= {"__reduce_ex__"}
    for name in dir(plain):
        ours, theirs = inspect.getattr_static(made, name), inspect.getattr_static(plain, name)
        assert type(ours) is type(theirs) or name in ("__getattribute__", "__reduce_ex__"), name
        if callable(getattr(plain, name)) and not name.startswith("__"):
            assert inspect.signature(getattr(made, name)) == inspect.signature(getattr(plain, name)), name
            assert inspect.getdoc(getattr(made, name)) == inspect.getdoc(getattr(plain, name)), name


@pytest.mark.parametrize(("made", "plain"), PAIRS)
def test_help_says_what_it_says_of_the_plain_class(made: type, plain: type) -> None:
    """Every method is there with its parameters and its text."""
    ours, theirs = pydoc.render_doc(made, renderer=pydoc.plaintext), pydoc.render_doc(plain, renderer=pydoc.plaintext)
    for line in theirs.splitlines():
        if line.startswith(" |  ") and line[4:5].isalpha() and "(" in line:
            assert line.split(" from ")[0] in ours


def test_what_was_made_once_is_not_made_twice() -> None:
    """One traced class for one plain class, whoever asks, and from how many threads."""

    class Own(ToolCallingAgent):
        pass

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(traced, [Own] * 64))
    assert set(found) == {traced(Own)}
    assert traced(CodeAgent) is TracedCodeAgent
    assert traced(TracedCodeAgent) is TracedCodeAgent
    assert traced(Own).__qualname__ == Own.__qualname__
    assert traced(Own).__module__ == Own.__module__


def test_a_class_that_nobody_uses_any_more_is_forgotten() -> None:
    """Neither the plain class nor the traced one is kept."""

    def make() -> tuple[Any, Any]:
        class Own(ToolCallingAgent):
            pass

        return weakref.ref(Own), weakref.ref(traced(Own))

    refs = make()
    gc.collect()  # the traced class, which keeps the plain one
    gc.collect()
    assert [ref() for ref in refs] == [None, None]


@each_kind
def test_constructors_take_what_they_took(kind: str) -> None:
    """By position and by name, and wrong arguments are refused in the same words."""

    def run(classes: Classes) -> Any:
        made = getattr(classes, kind)
        model = ScriptedModel()
        agent = made([get_weather], model, None, planning_interval=3, name="ada", description="helps", max_steps=7)
        kept = {name: value for name, value in vars(agent).items() if isinstance(value, (str, int, dict, type(None)))}
        kept.pop("tools")
        refused = []
        for arguments in ({}, {"tools": [1], "model": model}, {"tools": [], "model": model, "name": "no name"}):
            with pytest.raises((TypeError, AssertionError, ValueError)) as raised:
                made(**arguments)
            refused.append((type(raised.value), str(raised.value)))
        assert agent.model is model
        return list(vars(agent)), kept, list(agent.tools), agent.agent_name, repr(refused)

    assert_alike(run)


@each_kind
def test_base_tools_are_added_by_the_class_s_name(kind: str) -> None:
    """smolagents gives the Python interpreter to a class that is called ToolCallingAgent."""

    def run(classes: Classes) -> Any:
        agent = getattr(classes, kind)([], ScriptedModel(), add_base_tools=True, **QUIET)
        return {name: type(made) for name, made in agent.tools.items()}

    assert_alike(run)


@each_kind
def test_a_run_gives_what_the_plain_one_gives(kind: str) -> None:
    """Answers, what is remembered, token counts, and what was said on the console."""

    def run(classes: Classes) -> Any:
        script = [text("A plan."), ask(kind, "Oslo"), ask(kind, "Nowhere"), text("no call"), final(kind, {"rain": 1})]
        said = logger()
        agent = getattr(classes, kind)([get_weather], ScriptedModel(*script), planning_interval=9, logger=said)
        answer = agent.run("The weather?", additional_args={"city": "Oslo"}, max_steps=8)
        agent.replay(detailed=True)
        agent.visualize()
        usage = agent.monitor.get_total_token_counts()
        return answer, memory_of(agent), agent.state, agent.step_number, usage, said_by(said)

    assert_alike(run).assert_conformant(strict=True)


@each_kind
@pytest.mark.parametrize("by", ["argument", "constructor"])
def test_full_results(kind: str, by: str) -> None:
    """``return_full_result`` gives smolagents' own object."""

    def run(classes: Classes) -> Any:
        at_construction = {"return_full_result": True} if by == "constructor" else {}
        at_run = {"return_full_result": True} if by == "argument" else {}
        agent = getattr(classes, kind)([], ScriptedModel(final(kind, 4)), **at_construction, **QUIET)
        result = agent.run("2 + 2?", **at_run)
        assert type(result) is RunResult
        return result.output, result.state, result.token_usage, len(result.steps)

    spans = assert_alike(run)
    assert spans.output(spans.roots[0]) == 4


@each_kind
def test_a_conversation_goes_on(kind: str) -> None:
    """``reset=False`` keeps the memory of the run before."""

    def run(classes: Classes) -> Any:
        agent = getattr(classes, kind)([], ScriptedModel(final(kind, 1), final(kind, 2), final(kind, 3)), **QUIET)
        answers = [agent.run("First?"), agent.run("Second?", reset=False)]
        steps = [type(step) for step in agent.memory.steps]
        return answers, agent.run("Third?"), steps, memory_of(agent)

    assert len(assert_alike(run).roots) == 3


def test_a_member_of_a_team_reports_as_the_plain_one() -> None:
    """What a manager gets of it: the report, the summary, and its memory."""

    def run(classes: Classes) -> Any:
        script = [call("get_weather", city="Oslo"), call("final_answer", answer="rain")]
        helper = classes.tool_calling_agent(
            [get_weather],
            ScriptedModel(*script),
            name="helper",
            description="Helps.",
            provide_run_summary=True,
            **QUIET,
        )
        model = ScriptedModel(code("print(helper('Weather?', additional_args={'a': 1}))"), code("final_answer(1)"))
        manager = classes.code_agent([], model, managed_agents=[helper], **QUIET)
        return manager.run("Well?"), memory_of(manager), memory_of(helper), helper.inputs, helper.output_type

    assert_alike(run)


def test_an_agent_called_by_the_user() -> None:
    """``agent(task)`` is what a manager does."""

    def run(classes: Classes) -> Any:
        model = ScriptedModel(call("final_answer", answer="yes"), call("final_answer", answer="yes"))
        agent = classes.tool_calling_agent([], model, name="helper", description="Helps.", **QUIET)
        return agent("Well?"), agent("Well?", reset=False, max_steps=2)

    assert_alike(run)


@pytest.mark.parametrize("where", ["callback", "tool", "thread"])
def test_interrupting(where: str) -> None:
    """A run ends before its next step, with smolagents' own error."""

    def run(classes: Classes) -> Any:
        @tool
        def stop() -> str:
            """Stop."""
            if where == "tool":
                agent.interrupt()
            if where == "thread":
                thread = threading.Thread(target=agent.interrupt)
                thread.start()
                thread.join()
            return "stopped"

        def callback(step: ActionStep, agent: Any) -> None:
            if where == "callback":
                agent.interrupt()

        agent = classes.tool_calling_agent([stop], ScriptedModel(call("stop")), step_callbacks=[callback], **QUIET)
        agent.run("Stop?")

    spans = assert_alike(run)
    root = spans.find(kind="AGENT")
    assert root.status.description == "AgentError: Agent interrupted."
    assert spans.find("Step 1").status.is_ok


@each_kind
def test_callbacks_get_the_agent_as_it_is(kind: str) -> None:
    """The agent itself, with its own model, tools, executor and checks, at every kind of step."""

    def run(classes: Classes) -> Any:
        seen: list[Any] = []

        def callback(step: Any, agent: Any) -> None:
            own = agent is made and agent.model is model and agent.tools["get_weather"] is get_weather
            checks = agent.final_answer_checks == [check]
            executor = type(getattr(agent, "python_executor", None)).__name__
            seen.append((type(step), own, type(agent.model), checks, executor))

        def check(answer: Any, memory: Any, agent: Any) -> bool:
            seen.append((answer, agent is made, agent.model is model, agent.final_answer_checks == [check]))
            return True

        model = ScriptedModel(text("A plan."), final(kind, 5))
        kinds = (ActionStep, PlanningStep, FinalAnswerStep)
        made = getattr(classes, kind)(
            [get_weather],
            model,
            planning_interval=4,
            step_callbacks=dict.fromkeys(kinds, callback),
            final_answer_checks=[check],
            **QUIET,
        )
        made.run("What?")
        return seen

    assert_alike(run)


def test_a_callback_that_raises_ends_the_run_as_it_does() -> None:
    """The error that comes out is the callback's own."""

    def run(classes: Classes) -> Any:
        def callback(step: ActionStep, agent: Any) -> None:
            raise LookupError("the callback is ill")

        agent = classes.tool_calling_agent(
            [], ScriptedModel(call("final_answer", answer=1)), step_callbacks=[callback], **QUIET
        )
        agent.run("What?")

    spans = assert_alike(run)
    assert spans.find("Step 1").status.description == "LookupError: the callback is ill"
    assert spans.find(kind="AGENT").status.description == "LookupError: the callback is ill"


def test_a_check_may_change_the_checks() -> None:
    """The list is the agent's own."""

    def run(classes: Classes) -> Any:
        def only_once(answer: Any, memory: Any, agent: Any) -> bool:
            agent.final_answer_checks.clear()
            return False

        agent = classes.tool_calling_agent(
            [],
            ScriptedModel(call("final_answer", answer=1), call("final_answer", answer=2)),
            final_answer_checks=[only_once],
            **QUIET,
        )
        return agent.run("What?"), agent.final_answer_checks

    assert_alike(run)


def test_a_tool_may_give_the_agent_another_tool() -> None:
    """What a tool does to its agent lasts, and the next step finds it."""

    def run(classes: Classes) -> Any:
        class Learn(Tool):
            name, description, output_type = "learn", "Learn to look up the weather.", "string"
            inputs: dict[str, Any] = {}

            def forward(self) -> str:
                agent.tools["get_weather"] = get_weather
                agent.max_steps += 1
                return f"learned with {type(agent.model).__name__}"

        script = [call("learn"), call("get_weather", city="Oslo"), call("final_answer", answer="rain")]
        agent = classes.tool_calling_agent([Learn()], ScriptedModel(*script), **QUIET)
        return agent.run("The weather?"), list(agent.tools), agent.max_steps, memory_of(agent)

    assert_alike(run)


@each_kind
def test_an_agent_that_nobody_has_any_more_is_gone(kind: str) -> None:
    """At once, as the plain one is, and with it the model; whatever keeps a context of its tools and callbacks."""
    contexts: list[Context] = []

    @tool
    def remember() -> None:
        """Keep the context, as a thread would that is started here."""
        contexts.append(copy_context())

    def check(answer: Any, memory: Any, agent: Any) -> bool:
        contexts.append(copy_context())
        return True

    def run(classes: Classes) -> Any:
        contexts.clear()
        asked = code("remember()") if kind == "code_agent" else call("remember")
        model = ScriptedModel(asked, ask(kind, "Nowhere"), final(kind, 1))
        tools = [get_weather, remember]
        agent = getattr(classes, kind)(tools, model, final_answer_checks=[check], step_callbacks=[keep], **QUIET)
        agent.run("What?")
        kept = weakref.ref(agent), weakref.ref(model)
        del agent, model
        return [ref() is None for ref in kept], len(contexts)

    def keep(step: Any, agent: Any) -> None:
        contexts.append(copy_context())

    gc.collect()
    gc.disable()
    try:
        assert_alike(run)
    finally:
        gc.enable()


@each_kind
def test_nothing_of_an_agent_changes_by_being_run(kind: str) -> None:
    """The same attributes, of the same classes, as a plain agent's after the same run."""

    def run(classes: Classes) -> Any:
        agent = getattr(classes, kind)([get_weather], ScriptedModel(ask(kind, "Oslo"), final(kind, 1)), **QUIET)
        agent.run("What?")
        return {name: type(value).__name__ for name, value in vars(agent).items()}

    assert_alike(run)


def test_one_agent_is_itself_and_its_steps_are_smolagents() -> None:
    """Steps that are kept are of smolagents' classes and equal to themselves, whoever made them."""
    with capture_spans():
        agent = TRACED.tool_calling_agent([], ScriptedModel(call("final_answer", answer=1)), **QUIET)
        agent.run("What?")
    assert [type(step) for step in agent.memory.steps] == [TaskStep, ActionStep]
    assert type(agent) is TracedToolCallingAgent
    assert isinstance(agent, PLAIN.tool_calling_agent)
