"""OpenInference's instrumentor at work in the same process: of a traced agent it records nothing, of others all."""

# smolagents ships no types, so every class of it is Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import smolagents
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from smolagents import ChatMessage, CodeAgent, LogLevel, Tool, ToolCallingAgent

from agenttrace import suppress_tracing, trace_tool
from agenttrace.integrations.smolagents import TracedCodeAgent, TracedToolCallingAgent, traced
from agenttrace.local.records import record_of
from agenttrace.local.tree import plain_tree
from agenttrace.testing import CapturedSpans, capture_spans
from tests.isolation import Program, isolated, program

from .scenarios import SCENARIOS, Classes
from .scripted import call, code, get_weather
from .scripted_openai import openai_model

instrumentation = pytest.importorskip("openinference.instrumentation.smolagents")
__all__ = ["isolated", "program"]

TRACED = Classes(TracedCodeAgent, TracedToolCallingAgent)
PLAIN = Classes(CodeAgent, ToolCallingAgent)
QUIET: dict[str, Any] = {"verbosity_level": LogLevel.OFF}


class Theirs:
    """The instrumentor, and what it records."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.instrumentor = instrumentation.SmolagentsInstrumentor()

    def switch_on(self, provider: Any = None) -> None:
        """Let it replace smolagents' methods, and record to ``provider``, by default one of its own."""
        self.instrumentor.instrument(tracer_provider=provider or self.provider)

    def switch_off(self) -> None:
        """Let it put smolagents' methods back."""
        self.instrumentor.uninstrument()

    @property
    def spans(self) -> list[ReadableSpan]:
        """What went to the provider of its own."""
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def tree(self) -> str:
        """The same as text."""
        return plain_tree(record_of(span) for span in self.spans)


@pytest.fixture
def theirs() -> Iterator[Theirs]:
    """The instrumentor, off as yet, and smolagents as it was afterwards: it leaves some methods behind itself."""
    classes = [value for value in vars(smolagents).values() if isinstance(value, type)]
    before = {one: dict(vars(one)) for one in classes}
    found = Theirs()
    yield found
    if found.instrumentor.is_instrumented_by_opentelemetry:
        found.switch_off()
    for one, members in before.items():
        for name in [name for name in vars(one) if name not in members]:
            delattr(one, name)


def run(scenario: str, classes: Classes) -> CapturedSpans:
    """What agenttrace records of a scenario."""
    with capture_spans() as spans, suppress(Exception):
        SCENARIOS[scenario](classes)
    return spans


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_of_traced_agents_the_instrumentor_records_nothing(scenario: str, theirs: Theirs) -> None:
    """Each run is recorded once, as if there were no instrumentor; what is no agent's doing, the instrumentor sees."""
    alone = run(scenario, TRACED).tree()
    theirs.switch_on()
    beside = run(scenario, TRACED).tree()

    assert sorted(beside.splitlines()) == sorted(alone.splitlines())
    own_calls = {"calls within a tool": ["SimpleTool", "OpenAIModel.generate"]}
    assert [span.name for span in theirs.spans] == own_calls.get(scenario, [])


def test_what_a_tool_calls_itself_nests_below_the_tool(theirs: Theirs) -> None:
    """On one provider, the instrumentor's spans of calls within a tool are a part of agenttrace's tree."""
    with capture_spans() as spans:
        theirs.switch_on(spans.tracer_provider)
        SCENARIOS["calls within a tool"](TRACED)

    assert [span.name for span in spans.children("ask_others")] == ["SimpleTool", "OpenAIModel.generate"]
    assert len(spans.roots) == 1


@pytest.mark.agenttrace(check=False)  # of the instrumentor's spans
@pytest.mark.parametrize("scenario", ["single", "managed", "parallel tools", "streaming code", "failing code"])
def test_plain_agents_are_the_instrumentors(scenario: str, theirs: Theirs) -> None:
    """Of a plain agent it records what it does without agenttrace, which records nothing of it."""
    theirs.switch_on()
    spans = run(scenario, PLAIN)

    assert len(spans) == 0
    kinds = Counter(str((span.attributes or {})["openinference.span.kind"]) for span in theirs.spans)
    assert kinds["AGENT"] == (2 if scenario == "managed" else 1)
    assert min(kinds["LLM"], kinds["TOOL"], kinds["CHAIN"]) > 0


def team(manager: Any, member: Any) -> None:
    """A run of a manager of one class with a managed agent of another."""
    helper = member(
        [get_weather],
        openai_model(call("get_weather", city="Oslo"), call("final_answer", answer="Rain.")),
        name="helper",
        description="Knows the weather.",
        **QUIET,
    )
    script = (code("print(helper('The weather in Oslo?'))"), code("final_answer('Rain.')"))
    if not issubclass(manager, CodeAgent):
        script = (call("helper", task="The weather in Oslo?"), call("final_answer", answer="Rain."))
    manager([], openai_model(*script), managed_agents=[helper], name="manager", **QUIET).run("An umbrella?")


HELPER = """\
AGENT helper.run
  CHAIN Step 1
    LLM OpenAIModel.generate
    TOOL {get_weather}
  CHAIN Step 2
    LLM OpenAIModel.generate
    TOOL {final_answer}
"""
OURS = HELPER.format(get_weather="get_weather", final_answer="final_answer")
THEIRS = HELPER.format(get_weather="SimpleTool", final_answer="FinalAnswerTool")


def below(text: str, levels: int) -> str:
    """``text``, further in."""
    return "".join(f"{'  ' * levels}{line}\n" for line in text.splitlines())


@pytest.mark.agenttrace(check=False)  # of the instrumentor's spans
@pytest.mark.parametrize("manager", [TracedCodeAgent, TracedToolCallingAgent])
def test_a_plain_agent_in_a_traced_team_is_the_instrumentors(manager: Any, theirs: Theirs) -> None:
    """Its spans stand below the step, or the code, of the manager that calls it, and nothing stands there twice."""
    with capture_spans() as spans:
        theirs.switch_on(spans.tracer_provider)
        team(manager, ToolCallingAgent)

    levels = 3 if issubclass(manager, CodeAgent) else 2
    assert below(THEIRS, levels) in spans.tree()
    assert [span.name for span in spans.find_all(kind="AGENT")] == ["manager.run", "helper.run"]
    assert len(spans.find_all(kind="LLM")) == 4


def test_a_plain_agent_in_a_traced_team_is_one_span_without_the_instrumentor() -> None:
    """Its call is recorded by who makes it, since nobody else does."""
    with capture_spans() as spans:
        team(TracedCodeAgent, ToolCallingAgent)

    assert [span.name for span in spans.find_all(kind="AGENT")] == ["manager.run", "helper"]
    assert spans.children("helper") == []
    assert len(spans.find_all(kind="LLM")) == 2


@pytest.mark.agenttrace(check=False)  # of the instrumentor's spans
@pytest.mark.parametrize("manager", [CodeAgent, ToolCallingAgent])
def test_a_traced_agent_in_a_plain_team_is_agenttraces(manager: Any, theirs: Theirs) -> None:
    """The instrumentor records the manager, agenttrace the managed agent below it."""
    with capture_spans() as spans:
        theirs.switch_on(spans.tracer_provider)
        team(manager, TracedToolCallingAgent)

    assert below(OURS, 2) in spans.tree()
    assert [span.name for span in spans.find_all(kind="AGENT")] == ["manager.run", "helper.run"]
    assert len(spans.find_all(kind="LLM")) == 4


def test_where_agenttrace_records_nothing_the_instrumentor_sees_traced_agents_whole(
    theirs: Theirs, isolated: object
) -> None:
    """Nothing registered: an agent of a traced class is to the instrumentor like one of the plain class."""
    theirs.switch_on()
    SCENARIOS["managed"](PLAIN)
    plain = theirs.tree()
    theirs.exporter.clear()
    SCENARIOS["managed"](TRACED)

    assert "AGENT helper.run" in plain
    assert theirs.tree() == plain


def test_where_tracing_is_suppressed_neither_records(theirs: Theirs) -> None:
    """`suppress_tracing` is the switch that instrumentors heed, too."""
    theirs.switch_on()
    with capture_spans() as spans, suppress_tracing():
        SCENARIOS["managed"](TRACED)

    assert len(spans) == 0
    assert theirs.spans == []


@pytest.mark.parametrize("sampled_by", ["agenttrace", "nobody"])
def test_a_run_that_is_sampled_out_is_not_taken_by_the_instrumentor(sampled_by: str, theirs: Theirs) -> None:
    """Who wants one run in ten gets one in ten, not the other nine from elsewhere."""
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

    from agenttrace.provider import use_provider

    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ALWAYS_ON if sampled_by == "agenttrace" else ALWAYS_OFF)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    theirs.switch_on()
    with use_provider(provider):
        SCENARIOS["single"](TRACED)

    assert len(exporter.get_finished_spans()) == (7 if sampled_by == "agenttrace" else 0)
    assert theirs.spans == []


def test_switched_off_again_it_leaves_all_as_it_was(theirs: Theirs) -> None:
    """An agent that was made while the instrumentor was on runs on when it is off, and the other way round."""
    before = TracedToolCallingAgent([], openai_model(call("final_answer", answer="1")), **QUIET)
    theirs.switch_on()
    between = TracedToolCallingAgent([], openai_model(call("final_answer", answer="2")), **QUIET)
    with capture_spans() as spans:
        assert before.run("One?") == "1"
        theirs.switch_off()
        assert between.run("Two?") == "2"

    first, second = spans.tree().split("AGENT")[1:]
    assert first.strip() == second.strip()
    assert theirs.spans == []


class Careful(ToolCallingAgent):
    """A user's class whose methods call those of smolagents, which the instrumentor replaces."""

    def run(self, task: str, **options: Any) -> Any:
        return super().run(f"Carefully: {task}", **options)

    def _step_stream(self, memory_step: Any) -> Any:
        yield from super()._step_stream(memory_step)


class VeryCareful(Careful):
    """A class of a class of one's own."""

    def run(self, task: str, **options: Any) -> Any:
        return super().run(f"Very {task}", **options)


class CarefulFromTraced(TracedToolCallingAgent):
    """The same, made of the traced class."""

    def run(self, task: str, **options: Any) -> Any:
        return super().run(f"Carefully: {task}", **options)


@pytest.mark.parametrize("own", [traced(Careful), traced(VeryCareful), CarefulFromTraced])
def test_a_class_of_ones_own_is_recorded_once(own: Any, theirs: Theirs) -> None:
    """What its methods call through ``super()`` is recorded already."""
    theirs.switch_on()
    with capture_spans() as spans:
        own([], openai_model(call("final_answer", answer="Yes.")), **QUIET).run("Is it safe?")

    assert [span.name for span in spans] == [
        f"{own.__name__}.run",
        "Step 1",
        "OpenAIModel.generate",
        "final_answer",
    ]
    assert theirs.spans == []


def test_a_class_of_ones_own_is_the_instrumentors_where_agenttrace_records_nothing(
    theirs: Theirs, isolated: object
) -> None:
    """What keeps the instrumentor out lets it in again."""
    theirs.switch_on()
    traced(VeryCareful)([], openai_model(call("final_answer", answer="Yes.")), **QUIET).run("Is it safe?")

    assert [span.name for span in theirs.spans] == [
        "VeryCareful.run",
        "Step 1",
        "OpenAIModel.generate",
        "FinalAnswerTool",
    ]


class MarkedTool(Tool):
    """A tool that the user has marked."""

    name = "marked"
    description = "Says yes."
    inputs: dict[str, Any] = {}
    output_type = "string"

    @trace_tool(name="marked")
    def forward(self) -> str:
        return "yes"


@pytest.mark.parametrize(
    "script", [(call("marked"), call("final_answer", answer="Yes.")), (code("final_answer(marked())"),)]
)
def test_a_tool_that_is_marked_is_recorded_once(script: tuple[ChatMessage, ...], theirs: Theirs) -> None:
    """The user's own mark makes the span; neither the agent nor the instrumentor adds one."""
    theirs.switch_on()
    made = TracedToolCallingAgent if len(script) > 1 else TracedCodeAgent
    with capture_spans() as spans:
        made([MarkedTool()], openai_model(*script), **QUIET).run("Yes?")

    assert [span.name for span in spans.find_all(kind="TOOL")] == ["marked", "final_answer"]
    assert theirs.spans == []


PROGRAM = """
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

def instrument():
    from openinference.instrumentation.smolagents import SmolagentsInstrumentor
    SmolagentsInstrumentor().instrument(tracer_provider=provider)

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
{first}
{second}
from agenttrace.provider import set_registered_provider
from tests.integrations.smolagents.scenarios import SCENARIOS, Classes
set_registered_provider(provider)
SCENARIOS["managed"](Classes(TracedCodeAgent, TracedToolCallingAgent))
scopes = {{span.instrumentation_scope.name for span in exporter.get_finished_spans()}}
print(*scopes, len(exporter.get_finished_spans()))
"""
INSTRUMENT = "instrument()"
IMPORT = "from agenttrace.integrations.smolagents import TracedCodeAgent, TracedToolCallingAgent"


@pytest.mark.parametrize("order", [(INSTRUMENT, IMPORT), (IMPORT, INSTRUMENT)], ids=["before", "after"])
def test_the_instrumentor_may_be_switched_on_before_or_after_the_import(
    order: tuple[str, str], program: Program
) -> None:
    """Either way every span is agenttrace's."""
    out, _ = program.run(PROGRAM.format(first=order[0], second=order[1]))
    assert out.split() == ["agenttrace", "15"]
