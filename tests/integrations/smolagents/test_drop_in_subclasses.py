"""Classes of the user's own: made of a traced class, marked as traced, and odd in every way that Python allows."""

# smolagents ships no types, so every class of it is Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import pytest
from smolagents import CodeAgent, MultiStepAgent, Tool, ToolCallingAgent
from smolagents.agents import ActionOutput

from agenttrace.integrations.smolagents import TracedCodeAgent, TracedToolCallingAgent, traced
from agenttrace.testing import CapturedSpans, capture_spans

from .scripted import ScriptedModel, call, code, get_weather, text
from .twins import QUIET, memory_of, outcome_of

T = TypeVar("T")
Maker = Callable[[type], type]

ways = pytest.mark.parametrize(
    "way",
    [lambda make: make(TracedToolCallingAgent), lambda make: traced(make(ToolCallingAgent))],
    ids=["of", "marked"],
)
"""A class that is made of a traced one, and one that is traced once it is made; `way` takes what makes it of a base."""

TREE = """
    AGENT Own.run
      CHAIN Planning
        LLM ScriptedModel.generate
      CHAIN Step 1
        LLM ScriptedModel.generate
        TOOL get_weather
      CHAIN Step 2
        LLM ScriptedModel.generate
        TOOL final_answer
        GUARDRAIL accept
"""


def accept(answer: Any, memory: Any, agent: Any) -> bool:
    return True


def script() -> ScriptedModel:
    """A plan, a tool, an answer."""
    return ScriptedModel(text("A plan."), call("get_weather", city="Oslo"), call("final_answer", answer="rain"))


def assert_alike(make: Maker, way: Callable[[Maker], type], model: Callable[[], Any] = script) -> CapturedSpans:
    """Agents of the class that ``make`` makes of a plain base, and of the one that ``way`` makes, run alike."""

    def run(own: Any) -> Any:
        agent = own([get_weather], model(), planning_interval=9, max_steps=3, final_answer_checks=[accept], **QUIET)
        answer = agent.run("The weather?")
        return answer, memory_of(agent), [key for key in vars(agent) if not key.startswith("_agenttrace")]

    plain = outcome_of(lambda: run(make(ToolCallingAgent)))
    with capture_spans() as spans:
        assert outcome_of(lambda: run(way(make))) == plain
    assert spans.unfinished == []
    assert len(spans.roots) == 1
    return spans


@ways
def test_methods_that_call_those_they_replace(way: Any) -> None:
    """Every method that smolagents calls, replaced by one that calls ``super()``: each thing is recorded once."""

    def make(base: Any) -> type:
        class Own(base):
            def _step_stream(self, memory_step: Any) -> Iterator[Any]:
                yield from super()._step_stream(memory_step=memory_step)

            def _generate_planning_step(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
                yield from super()._generate_planning_step(*args, **kwargs)

            def _finalize_step(self, memory_step: Any) -> None:
                super()._finalize_step(memory_step)

            def _validate_final_answer(self, final_answer: Any) -> None:
                super()._validate_final_answer(final_answer)

            def execute_tool_call(self, tool_name: str, arguments: Any) -> Any:
                return super().execute_tool_call(tool_name=tool_name, arguments=arguments)

            def __getattribute__(self, name: str) -> Any:
                return super().__getattribute__(name)

        return Own

    assert_alike(make, way).assert_tree(TREE)


@ways
def test_methods_that_do_it_all_themselves(way: Any) -> None:
    """They call nothing of smolagents', and what the agent uses in them is recorded below the step all the same."""

    def make(base: Any) -> type:
        class Own(base):
            def _step_stream(self, memory_step: Any) -> Iterator[Any]:
                answer = self.model.generate(self.write_memory_to_messages())
                wanted = answer.tool_calls[0].function
                found = self.execute_tool_call(wanted.name, wanted.arguments)
                memory_step.observations = str(found)
                yield ActionOutput(output=found, is_final_answer=wanted.name == "final_answer")

            def execute_tool_call(self, tool_name: str, arguments: Any) -> Any:
                return self.tools[tool_name](**arguments)

        return Own

    assert_alike(make, way).assert_tree(TREE)


@ways
def test_a_step_that_gives_a_list(way: Any) -> None:
    """smolagents takes any iterable; the work is done before it is iterated, in the step nevertheless."""

    def make(base: Any) -> type:
        class Own(base):
            def _step_stream(self, memory_step: Any) -> list[Any]:  # type: ignore[override]
                return list(super()._step_stream(memory_step))

        return Own

    assert_alike(make, way).assert_tree(TREE)


@ways
def test_an_answer_of_one_s_own_when_no_step_is_left(way: Any) -> None:
    """Its model call stands in a step that says why."""

    def make(base: Any) -> type:
        class Own(base):
            def _handle_max_steps_reached(self, task: str) -> Any:
                return f"gave up on {task}: {super()._handle_max_steps_reached(task)}"

        return Own

    def model() -> ScriptedModel:
        return ScriptedModel(*[text("A plan."), *[call("get_weather", city="Oslo")] * 3, text("No answer.")])

    spans = assert_alike(make, way, model)
    assert [child.name for child in spans.children("Step 4")] == ["ScriptedModel.generate"]
    assert spans.find("Step 4").status.description == "AgentMaxStepsError: Reached max steps."


@ways
def test_run_replaced(way: Any) -> None:
    """One run, whose task is what the user's method was asked, or what it asked for."""

    def make(base: Any) -> type:
        class Own(base):
            def run(self, task: str, **options: Any) -> Any:  # type: ignore[override]
                return f"Carefully: {super().run(f'Carefully: {task}', **options)}"

        return Own

    spans = assert_alike(make, way)
    assert [span.name for span in spans.find_all(kind="AGENT")] == ["Own.run"]


@ways
def test_attributes_that_are_computed(way: Any) -> None:
    """``model`` as a property, unknown attributes made up, slots, and a constructor of one's own."""

    def make(base: Any) -> type:
        class Own(base):
            __slots__ = ("asked",)

            def __init__(self, tools: Any, model: Any, **options: Any) -> None:
                self.asked = 0
                super().__init__(tools=tools, model=model, **options)

            @property
            def model(self) -> Any:
                self.asked += 1
                return self.__dict__["own_model"]

            @model.setter
            def model(self, model: Any) -> None:
                self.__dict__["own_model"] = model

            def __getattr__(self, name: str) -> Any:
                if name.startswith("__") or name == "python_executor":
                    raise AttributeError(name)
                return f"made up: {name}"

        return Own

    spans = assert_alike(make, way)
    spans.assert_tree(TREE)


@ways
def test_a_metaclass_and_parameters_of_a_class(way: Any) -> None:
    """The traced class is made by the user's metaclass, and what a class is asked for when it is made has a default."""
    made: list[str] = []

    class Meta(ABCMeta):
        def __new__(mcs, name: str, bases: Any, namespace: Any, **options: Any) -> Any:
            made.append(name)
            return super().__new__(mcs, name, bases, namespace)

        def __init__(cls, name: str, bases: Any, namespace: Any, **options: Any) -> None:
            super().__init__(name, bases, namespace)

    def make(base: Any) -> type:
        class Own(base, metaclass=Meta, key="value"):
            def __init_subclass__(cls, key: str = "none") -> None:
                super().__init_subclass__()

        return Own

    spans = assert_alike(make, way)
    spans.assert_tree(TREE)
    assert type(way(make)) is Meta
    assert set(made) == {"Own"}


def test_mixins_before_a_traced_class() -> None:
    """A method of a mixin that stands first is what runs, and its step is recorded."""

    class Mixin:
        def _step_stream(self, memory_step: Any) -> Iterator[Any]:
            yield ActionOutput(output=self.model.generate([]).content, is_final_answer=True)  # type: ignore[attr-defined]

    class Own(Mixin, TracedCodeAgent):
        pass

    with capture_spans() as spans:
        assert Own([], ScriptedModel(text("yes")), **QUIET).run("Well?") == "yes"
    spans.assert_tree("AGENT Own.run\n  CHAIN Step 1\n    LLM ScriptedModel.generate\n")


def test_a_method_of_one_agent() -> None:
    """What is set on the agent itself, as tests do it, is called, and recorded as the class's would be."""
    agent = TracedToolCallingAgent([get_weather], script(), **QUIET)
    agent.model.script.pop(0)
    asked: list[Any] = []

    def execute(tool_name: str, arguments: Any) -> Any:
        asked.append((tool_name, arguments))
        return "rain"

    agent.execute_tool_call = execute
    with capture_spans() as spans:
        assert agent.run("The weather?") == "rain"
    assert asked == [("get_weather", {"city": "Oslo"}), ("final_answer", {"answer": "rain"})]
    spans.assert_tools_called(["get_weather", "final_answer"])


def test_a_generic_class_stays_generic() -> None:
    """It takes the parameters that the plain one takes."""

    class Own(ToolCallingAgent, Generic[T]):
        pass

    made: Any = traced(Own)
    assert made[int].__origin__ is made
    assert type(made[int]([], ScriptedModel())) is made


def test_a_class_from_scratch() -> None:
    """A direct subclass of `MultiStepAgent`, of which smolagents knows nothing."""

    class Poet(MultiStepAgent):
        def initialize_system_prompt(self) -> str:
            return "You rhyme."

        def _step_stream(self, memory_step: Any) -> Iterator[Any]:
            yield ActionOutput(output=self.model.generate([]).content, is_final_answer=True)

    own = traced(Poet)
    with capture_spans() as spans:
        assert own(tools=[], model=ScriptedModel(text("moon, June")), **QUIET).run("Rhyme!") == "moon, June"
    spans.assert_tree("AGENT Poet.run\n  CHAIN Step 1\n    LLM ScriptedModel.generate\n")


def test_an_abstract_class_stays_abstract() -> None:
    """With the plain class's own words."""
    plain = outcome_of(lambda: MultiStepAgent([], ScriptedModel()))
    assert outcome_of(lambda: traced(MultiStepAgent)([], ScriptedModel()))[1][:2] == plain[1][:2]


def test_calls_that_are_wrong_raise_what_they_raise() -> None:
    """Arguments that a method doesn't take, and attributes that an agent hasn't got."""

    def wrong(own: Any) -> list[Any]:
        agent = own([], ScriptedModel(), **QUIET)
        attempts: list[Callable[[], Any]] = [
            lambda: agent.run(),
            lambda: agent.run("Well?", no_such_option=True),
            lambda: agent.run("Well?", images=[], max_steps="many"),
            lambda: agent.step(),
            lambda: list(agent._step_stream()),
            lambda: list(agent._step_stream(1, 2)),
            lambda: agent._finalize_step(),
            lambda: agent._validate_final_answer(),
            lambda: agent.nothing,
            lambda: agent(),
        ]
        if own is not CodeAgent and not issubclass(own, CodeAgent):
            attempts += [lambda: agent.execute_tool_call(), lambda: agent.execute_tool_call([], {})]
        return [outcome_of(attempt) for attempt in attempts]

    with capture_spans() as spans:
        for own, plain in ((TracedCodeAgent, CodeAgent), (TracedToolCallingAgent, ToolCallingAgent)):
            ours = [(kind, *found[:2]) for kind, found in wrong(own)]
            assert ours == [(kind, *found[:2]) for kind, found in wrong(plain)]
    assert spans.unfinished == []


def test_a_run_that_fails_at_once_has_its_span() -> None:
    """An error before the first step is the run's."""
    with capture_spans() as spans, pytest.raises(TypeError) as raised:
        TracedCodeAgent([], ScriptedModel(), **QUIET).run("Well?", additional_args=3)
    assert spans.find("CodeAgent.run").status.description == f"TypeError: {raised.value}"


def test_code_that_knows_the_agent() -> None:
    """A tool that holds its agent finds it as it is, in the middle of the agent's own step."""

    class Own(TracedCodeAgent):
        def whoami(self) -> list[str]:
            return [type(part).__name__ for part in (self.model, self.python_executor, self.tools)]

    class Look(Tool):
        name, description, output_type = "look", "Look.", "string"
        inputs: dict[str, Any] = {}

        def forward(self) -> str:
            return str(agent.whoami())

    agent = Own([Look()], ScriptedModel(code("final_answer(look())")), **QUIET)
    with capture_spans():
        assert agent.run("Well?") == "['ScriptedModel', 'LocalPythonExecutor', 'dict']"
