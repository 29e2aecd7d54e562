"""A run that is consumed step by step: the same items as the plain agent's, by every way that a generator is used."""

# smolagents ships no types, so every class of it is Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry import trace
from smolagents import ActionStep, AgentLogger, PlanningStep
from smolagents.agents import ActionOutput
from smolagents.memory import FinalAnswerStep
from smolagents.models import ChatMessageStreamDelta

from agenttrace import trace_step
from agenttrace.testing import capture_spans

from .scenarios import Classes
from .scripted import ScriptedModel, call, code, get_weather, text
from .twins import PLAIN, TRACED, assert_alike, each_kind, logger, memory_of, outcome_of


class WatchedModel(ScriptedModel):
    """Notes when its stream is closed, as one that holds a connection would see it."""

    def __init__(self, *script: Any) -> None:
        super().__init__(*script)
        self.log: list[str] = []

    def generate_stream(self, messages: list[Any], *args: Any, **kwargs: Any) -> Iterator[ChatMessageStreamDelta]:
        try:
            yield from super().generate_stream(messages, *args, **kwargs)
        except GeneratorExit:
            self.log.append("closed")
            raise
        self.log.append("read to its end")


def weather(classes: Classes, kind: str, **options: Any) -> Any:
    """An agent of ``kind`` that plans, looks up the weather, and answers; on a console that nobody reads."""
    if kind == "code_agent":
        script = [text("A plan."), code("print(get_weather('Oslo'))"), code("final_answer('rain')")]
    else:
        script = [text("A plan."), call("get_weather", city="Oslo"), call("final_answer", answer="rain")]
    options = {"planning_interval": 5, "logger": logger(), **options}
    return getattr(classes, kind)([get_weather], WatchedModel(*script), **options)


def told(item: Any) -> Any:
    """What can be compared of an item."""
    if isinstance(item, (ActionStep, PlanningStep)):
        return type(item), {key: value for key, value in item.dict().items() if key != "timing"}
    return type(item), getattr(item, "output", None), repr(item)


@each_kind
@pytest.mark.parametrize("streams", [False, True], ids=["in steps", "in deltas"])
def test_the_same_items_come_out(kind: str, streams: bool) -> None:
    """Of the same classes, with the same contents, in the same order, from a real generator."""

    def run(classes: Classes) -> Any:
        agent = weather(classes, kind, stream_outputs=streams)
        stream = agent.run("The weather?", stream=True)
        assert inspect.isgenerator(stream)
        items = [told(item) for item in stream]
        return stream.__name__, stream.__qualname__, items, outcome_of(lambda: next(stream)), memory_of(agent)

    spans = assert_alike(run)
    assert spans.output(spans.roots[0]) == "rain"
    model = "WatchedModel.generate_stream" if streams else "WatchedModel.generate"
    steps = [["get_weather"], ["final_answer"]]
    assert [span.name for span in spans.find_all(kind="LLM")] == [model] * 3
    assert [child.name for child in spans.children(spans.roots[0])] == ["Planning", "Step 1", "Step 2"]
    for number, tools in enumerate(steps, 1):
        above = spans.children(f"Step {number}")[1] if kind == "code_agent" else spans.find(f"Step {number}")
        assert [child.name for child in spans.children(above) if child.name != model] == tools


@each_kind
def test_nothing_runs_before_the_first_item_is_asked_for(kind: str) -> None:
    """The run's preparations are made at the call, and the steps as they are taken."""

    def run(classes: Classes) -> Any:
        agent = weather(classes, kind)
        stream = agent.run("The weather?", stream=True)
        before = len(agent.model.script), len(agent.memory.steps)
        first = told(next(stream))
        stream.close()
        return before, first, len(agent.model.script), memory_of(agent)

    assert_alike(run)


WAYS: dict[str, Callable[[Any], Any]] = {
    "closed": lambda stream: stream.close(),
    "closed twice": lambda stream: [outcome_of(stream.close) for _ in range(2)],
    "thrown at": lambda stream: told(stream.throw(ValueError("the consumer is ill"))),
    "thrown at and read on": lambda stream: [
        outcome_of(lambda: told(stream.throw(ValueError("the consumer is ill")))),
        outcome_of(lambda: told(next(stream))),
        outcome_of(lambda: told(next(stream))),
    ],
    "stopped by Ctrl-C": lambda stream: told(stream.throw(KeyboardInterrupt())),
    "sent something": lambda stream: [told(stream.send("ignored")) for _ in range(3)],
}


@each_kind
@pytest.mark.parametrize(("streams", "taken"), [(False, 2), (True, 1), (True, 6)])
@pytest.mark.parametrize("way", WAYS)
def test_a_stream_that_isn_t_read_to_its_end(kind: str, streams: bool, taken: int, way: str) -> None:
    """Whatever the consumer does in the middle has the same effect, on the agent's memory and the model's stream."""

    def run(classes: Classes) -> Any:
        agent = weather(classes, kind, stream_outputs=streams)
        stream = agent.run("The weather?", stream=True)
        items = [told(next(stream)) for _ in range(taken)]
        outcome = outcome_of(lambda: WAYS[way](stream))
        log = list(agent.model.log)
        outcome_of(stream.close)
        return items, outcome, log, agent.model.log, memory_of(agent)

    assert_alike(run)


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_that_was_never_read(way: str) -> None:
    """The same items and errors as from a generator that hasn't begun."""

    def run(classes: Classes) -> Any:
        agent = weather(classes, "code_agent")
        stream = agent.run("The weather?", stream=True)
        kind, found = outcome_of(lambda: WAYS[way](stream))
        # What is thrown at a generator that hasn't begun has a frame of its first line, which no wrapper can have.
        if way == "thrown at and read on":
            found = [told_of[:2] for _, told_of in found]
        return kind, found if kind == "returned" else found[:2], agent.model.log

    assert_alike(run)


@each_kind
@pytest.mark.parametrize("taken", [0, 1, 6])
def test_a_stream_that_is_dropped(kind: str, taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model's stream is closed at once, without waiting for the garbage collector."""
    unraisable: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda problem: unraisable.append(str(problem.exc_value)))

    def run(classes: Classes) -> Any:
        unraisable.clear()
        agent = weather(classes, kind, stream_outputs=True)
        stream = agent.run("The weather?", stream=True)
        items = [told(next(stream)) for _ in range(taken)]
        del stream
        return items, agent.model.log, memory_of(agent), list(unraisable)

    gc.collect()
    gc.disable()
    try:
        spans = assert_alike(run)
    finally:
        gc.enable()
    assert not [span for span in spans if not span.status.is_ok and span.status.description]


def test_the_consumer_s_span_is_its_own() -> None:
    """Nothing of the run is current while the consumer has the item, and its spans are no part of the run."""
    with capture_spans() as spans:
        agent = weather(TRACED, "tool_calling_agent")
        with trace_step("consumer"):
            mine = trace.get_current_span()
            for number, _ in enumerate(agent.run("The weather?", stream=True)):
                assert trace.get_current_span() is mine
                with trace_step(f"item {number}"):
                    pass
    assert [span.name for span in spans.roots] == ["consumer"]
    names = [child.name for child in spans.children("consumer")]
    assert names == ["ToolCallingAgent.run", *[f"item {number}" for number in range(len(names) - 1)]]


def test_streams_that_take_turns() -> None:
    """Two agents' runs, and two runs of the plain one, in one thread: each span is in its own run."""
    with capture_spans() as spans:
        kinds = [(TRACED, "code_agent"), (PLAIN, "code_agent"), (TRACED, "tool_calling_agent"), (PLAIN, "code_agent")]
        streams = [weather(classes, kind).run("The weather?", stream=True) for classes, kind in kinds]
        while streams:
            streams = [stream for stream in streams if next(stream, None) is not None]
    assert sorted(root.name for root in spans.roots) == ["CodeAgent.run", "ToolCallingAgent.run"]
    for root in spans.roots:
        assert [child.name for child in spans.children(root)] == ["Planning", "Step 1", "Step 2"]
    spans.assert_no_errors()
    assert spans.unfinished == []


@each_kind
def test_a_stream_that_another_thread_takes_over(kind: str) -> None:
    """Each item is asked for in a thread of its own; the run is still one tree."""

    def run(classes: Classes) -> Any:
        stream = weather(classes, kind, stream_outputs=True).run("The weather?", stream=True)
        items: list[Any] = []
        while not items or items[-1] is not None:
            thread = threading.Thread(target=lambda: items.append(next(stream, None)))
            thread.start()
            thread.join()
        return [told(item) for item in items]

    assert len(assert_alike(run).roots) == 1


def test_a_stream_in_a_web_server() -> None:
    """As Starlette iterates one: each item in `asyncio.to_thread`."""

    async def consume(stream: Iterator[Any]) -> list[Any]:
        items = []
        while (item := await asyncio.to_thread(next, stream, None)) is not None:
            items.append(told(item))
        return items

    def run(classes: Classes) -> Any:
        return asyncio.run(consume(weather(classes, "code_agent").run("The weather?", stream=True)))

    assert len(assert_alike(run).roots) == 1


def test_a_run_in_a_loop_s_thread() -> None:
    """``asyncio.to_thread(agent.run, …)`` hands the context on, so the runs stand below the step that asks for them."""

    async def both() -> list[Any]:
        with trace_step("both"):
            runs = (weather(TRACED, kind).run for kind in ("code_agent", "tool_calling_agent"))
            return await asyncio.gather(*(asyncio.to_thread(run, "The weather?") for run in runs))

    with capture_spans() as spans:
        assert asyncio.run(both()) == ["rain", "rain"]
    assert sorted(child.name for child in spans.children("both")) == ["CodeAgent.run", "ToolCallingAgent.run"]


def test_the_last_item_is_the_answer_and_ends_the_run() -> None:
    """A consumer that stops at the answer has seen all of it."""
    with capture_spans() as spans:
        agent = weather(TRACED, "code_agent")
        for item in agent.run("The weather?", stream=True):
            if isinstance(item, FinalAnswerStep):
                break
        assert spans.unfinished == []
    assert spans.output("CodeAgent.run") == "rain"
    assert spans.find("CodeAgent.run").status.is_ok


def test_generators_of_a_step_are_generators() -> None:
    """``_step_stream`` gives one, and ``step`` its last item, for those who take an agent's steps themselves."""

    def run(classes: Classes) -> Any:
        agent = weather(classes, "code_agent", planning_interval=None)
        agent.model.script.pop(0)
        agent.task = "The weather?"
        agent.python_executor.send_tools(agent.tools)
        first = ActionStep(step_number=1, timing=None)
        stream = agent._step_stream(first)
        assert inspect.isgenerator(stream)
        items = [told(item) for item in stream]
        second = agent.step(ActionStep(step_number=2, timing=None))
        assert type(second) is ActionOutput
        return items, second.output, first.observations, first.action_output

    spans = assert_alike(run)
    assert [span.name for span in spans.roots] == ["Step 1", "Step 2"]


def test_a_logger_of_one_s_own_sees_the_same_steps() -> None:
    """Its methods are called by the agent, with the agent's own things."""

    class Noting(AgentLogger):
        def log_task(self, content: str, subtitle: str, *args: Any, **options: Any) -> None:
            noted.append((content, subtitle))

    noted: list[Any] = []

    def run(classes: Classes) -> Any:
        noted.clear()
        agent = weather(classes, "code_agent", logger=Noting(level=0))
        agent.run("The weather?")
        return list(noted)

    assert_alike(run)
