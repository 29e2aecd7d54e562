"""Whatever a model says, and whatever becomes of it: a traced run is the plain one, and its spans are one tree."""

# smolagents ships no types, so every class of it is Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import io
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from smolagents import ActionStep, AgentLogger, LogLevel

from .scenarios import Classes
from .scripted import ScriptedModel, call, calls, code, get_weather, text
from .twins import assert_alike, memory_of, story_of

CITIES = st.sampled_from(["Oslo", "Nowhere", "[bold]", ""])
ANSWERS = st.one_of(
    st.integers(-3, 3), st.sampled_from(["rain", "", "city"]), st.none(), st.lists(st.integers(), max_size=2)
)
ERRORS = st.sampled_from([OSError, ValueError, KeyboardInterrupt, StopIteration, RuntimeError])
CALLS = st.one_of(
    st.builds(lambda city: ("get_weather", {"city": city}), CITIES),
    st.builds(lambda city: ("get_weather", {"town": city}), CITIES),
    st.builds(lambda city: ("get_weather", city), CITIES),
    st.builds(lambda answer: ("final_answer", {"answer": answer}), ANSWERS),
    st.just(("no_such_tool", {})),
    st.just(("helper", {"task": "The weather?"})),
)
LINES = st.one_of(
    st.builds(lambda city: f"print(get_weather({city!r}))", CITIES),
    st.builds(lambda city: f"x = get_weather(city={city!r})", CITIES),
    st.builds(lambda answer: f"final_answer({answer!r})", ANSWERS),
    st.sampled_from(
        ["1 / 0", "import os", "def", "print('so far')", "y", "for i in range(2): print(i)", "helper('The weather?')"]
    ),
)
SAYINGS = st.one_of(
    st.tuples(st.just("text"), st.text(max_size=12)),
    st.tuples(st.just("calls"), st.lists(CALLS, min_size=1, max_size=3)),
    st.tuples(st.just("code"), st.lists(LINES, min_size=1, max_size=3)),
    st.tuples(st.just("error"), ERRORS),
)
SCRIPTS = st.lists(SAYINGS, min_size=1, max_size=5)
HELPERS = st.lists(st.tuples(st.just("calls"), st.lists(CALLS, min_size=1, max_size=2)), min_size=1, max_size=2)


def said(saying: tuple[str, Any]) -> Any:
    """The model's answer, made anew, since agents write into answers and raising changes errors."""
    kind, what = saying
    if kind == "text":
        return text(what)
    if kind == "code":
        return code("\n".join(what))
    if kind == "calls":
        return calls(*((name, dict(given) if isinstance(given, dict) else given) for name, given in what))
    return what("the model is ill")


def quiet() -> AgentLogger:
    """A logger that draws streams where nobody sees them."""
    made = AgentLogger(level=LogLevel.OFF)
    made.console = Console(file=io.StringIO(), width=80)
    return made


def agent_of(classes: Classes, kind: str, script: Any, helper: Any, options: dict[str, Any]) -> Any:
    """A manager with a member and a check, whose models say what is written for them, and end after that."""
    end = [call("final_answer", answer="the end") if kind == "tool_calling_agent" else code("final_answer('the end')")]
    member = classes.tool_calling_agent(
        [get_weather],
        ScriptedModel(*map(said, helper), call("final_answer", answer="rain")),
        name="helper",
        description="Helps.",
        max_steps=2,
        logger=quiet(),
    )
    return getattr(classes, kind)(
        [get_weather],
        ScriptedModel(*map(said, script), *end, *end),
        managed_agents=[member],
        final_answer_checks=[lambda answer, memory, agent: answer != 3],
        logger=quiet(),
        **options,
    )


def tell(agent: Any) -> Any:
    """What is left of a run."""
    errors = [story_of(step.error)[:2] for step in agent.memory.steps if isinstance(step, ActionStep) and step.error]
    left = [len(one.model.script) for one in (agent, *agent.managed_agents.values())]
    return memory_of(agent), errors, left, agent.step_number


def is_settled(script: Any) -> bool:
    """Whether a run of ``script`` is the same each time: of calls at once any may be the first to fail, or to ask."""
    at_once = [what for kind, what in script if kind == "calls" and len(what) > 1]
    return all(len({str(one) for one in what}) == 1 and what[0][0] != "helper" for what in at_once)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(["code_agent", "tool_calling_agent"]),
    script=SCRIPTS,
    helper=HELPERS,
    streams=st.booleans(),
    planning=st.sampled_from([None, 1, 2]),
    max_steps=st.integers(1, 4),
)
def test_a_run_is_the_plain_one(
    kind: str, script: Any, helper: Any, streams: bool, planning: int | None, max_steps: int
) -> None:
    """The same answer or error, the same memory, as many model calls; one tree, which has ended and is conformant."""
    options = {"stream_outputs": streams, "planning_interval": planning, "max_steps": max_steps}
    settled = is_settled(script) and is_settled(helper)

    def run(classes: Classes) -> Any:
        agent = agent_of(classes, kind, script, helper, options)
        try:
            answer = agent.run("The weather?")
        except BaseException as error:
            return (story_of(error)[:2], tell(agent)) if settled else None
        return (answer, tell(agent)) if settled else None

    spans = assert_alike(run)
    assert [root.attributes and root.attributes["openinference.span.kind"] for root in spans.roots] == ["AGENT"]
    spans.assert_conformant()


WAYS = st.sampled_from(["close", "drop", "throw", "next"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(["code_agent", "tool_calling_agent"]),
    script=SCRIPTS.filter(is_settled),
    helper=HELPERS.filter(is_settled),
    streams=st.booleans(),
    planning=st.sampled_from([None, 2]),
    taken=st.integers(0, 12),
    way=WAYS,
)
def test_a_stream_is_the_plain_one_s(
    kind: str, script: Any, helper: Any, streams: bool, planning: int | None, taken: int, way: str
) -> None:
    """As many items of the same classes, and the same end, wherever the consumer stops and in whatever way."""

    def run(classes: Classes) -> Any:
        agent = agent_of(
            classes, kind, script, helper, {"stream_outputs": streams, "planning_interval": planning, "max_steps": 3}
        )
        stream = agent.run("The weather?", stream=True)
        items: list[str] = []
        try:
            for item in stream:
                items.append(type(item).__name__)
                if len(items) == taken:
                    break
            if way == "close":
                stream.close()
            elif way == "throw":
                items.append(repr(stream.throw(LookupError("enough")))[:30])
            elif way == "next":
                items.append(type(next(stream)).__name__)
        except BaseException as error:
            items.append(repr(story_of(error)[:2]))
        try:
            stream.close()
        except RuntimeError as error:  # smolagents yields once more when it is closed in the middle of a step
            items.append(str(error))
        return items, tell(agent)

    spans = assert_alike(run)
    assert len(spans.roots) == 1
    spans.assert_conformant()
