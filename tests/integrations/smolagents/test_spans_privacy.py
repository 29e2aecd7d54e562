"""What is not to be recorded isn't, and where nothing is recorded a traced agent is a plain one."""

# smolagents ships no types, so every class of it is Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from PIL import Image
from smolagents import tool

from agenttrace import TraceConfig, suppress_tracing, trace_step, using_attributes
from agenttrace.provider import set_registered_provider
from agenttrace.testing import CapturedSpans, capture_spans
from tests.isolation import isolated, warnings_in

from .looking import attributes, part
from .scenarios import SCENARIOS, Classes
from .scripted import ScriptedModel, call, code, get_weather, text
from .twins import PLAIN, QUIET, TRACED, each_kind, memory_of, outcome_of

__all__ = ["isolated"]

SECRET = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ"


IN_ERRORS, IN_CHECKS = "wordsoferror", "wordsofcheck"  # not in the line that raises, which a traceback quotes


@tool
def echo(words: str, api_key: str = "none") -> str:
    """Say it again.

    Args:
        words: What to say.
        api_key: Whose it is.
    """
    if words.startswith("raise"):
        raise ValueError(f"{words} {IN_ERRORS}")
    return f"{words} wordsofresult"


def talkative(**options: Any) -> Any:
    """A team whose every text has a word that begins with ``wordsof``."""

    def check(answer: Any, memory: Any, agent: Any) -> bool:
        if "wrong" in str(answer):
            raise ValueError(IN_CHECKS)
        return True

    helper_script = [
        text("wordsofparse, no call"),
        call("echo", words="wordsofargument"),
        call("echo", words="raise wordsofargument"),
        call("wordsofunknown"),
        call("final_answer", answer="wordsofreport"),
    ]
    helper = TRACED.tool_calling_agent(
        [echo], ScriptedModel(*helper_script), name="helper", description="Helps.", **QUIET
    )
    script = [
        text("wordsofplan"),
        code("print('wordsofprint')\nx = echo('wordsofcode')\nprint(x)"),
        code("print('wordsofprint')\nraise ValueError('wordsofcode')"),
        code("echo(words='raise wordsofcode')"),
        code("helper('wordsofdelegation', additional_args={'more': 'wordsofmore'})"),
        code("final_answer('wrong wordsofanswer')"),
        text("wordsoflast"),
    ]
    return TRACED.code_agent(
        [echo],
        ScriptedModel(*script),
        managed_agents=[helper],
        planning_interval=9,
        max_steps=5,
        final_answer_checks=[check],
        **{**QUIET, **options},
    )


def everything_on(spans: CapturedSpans | list[ReadableSpan]) -> str:
    """Every name, attribute, event and status, as text."""
    return json.dumps(
        [
            [
                span.name,
                dict(span.attributes or {}),
                str(span.status.description),
                [[event.name, dict(event.attributes or {})] for event in span.events],
            ]
            for span in spans
        ],
        default=str,
    )


def run_talkative(config: TraceConfig | None) -> CapturedSpans:
    """The spans of a run in which everything happens that can."""
    with capture_spans(config=config) as spans:
        answer = talkative().run(
            "wordsoftask", additional_args={"key": "wordsofargs"}, images=[Image.new("RGB", (2, 2), "red")]
        )
    assert answer == "wordsoflast"
    assert spans.unfinished == []
    return spans


def test_without_a_config_everything_is_there() -> None:
    """The words that the next tests miss."""
    found = everything_on(run_talkative(None))
    said = ("task", "args", "plan", "print", "code", "result", "error", "argument", "parse", "report", "more", "check")
    assert [word for word in (*said, "delegation", "unknown", "answer", "last") if f"wordsof{word}" not in found] == []


def test_hidden_inputs_and_outputs_are_nowhere() -> None:
    """No text of a task, message, tool, code, print or error on any attribute, event or status of any span.

    But the name of a tool that there isn't: that is what the span of the attempt is called.
    """
    spans = run_talkative(TraceConfig(hide_inputs=True, hide_outputs=True))
    found = everything_on([span for span in spans if span.name != "wordsofunknown"])
    assert "wordsof" not in found
    assert "data:image" not in found
    assert set(part(spans.find("wordsofunknown"), "tool.")) == {"id", "name"}
    assert len(spans) == len(run_talkative(None))
    assert attributes(spans.find("helper.run"))["smolagents.token_count.total"] > 0


@pytest.mark.parametrize(
    ("config", "hidden", "kept"),
    [
        (TraceConfig(hide_inputs=True), ("task", "args"), ("result", "print", "report")),
        (TraceConfig(hide_outputs=True), ("result", "print", "report", "last"), ("task", "args")),
    ],
    ids=["inputs", "outputs"],
)
def test_one_of_both_may_be_hidden(config: TraceConfig, hidden: Any, kept: Any) -> None:
    """On the spans of a run and its tools: what went in isn't there, and what came out is, or the other way round."""
    spans = run_talkative(config)
    own = everything_on([span for span in spans if span.name in ("CodeAgent.run", "echo")])
    assert [word for word in hidden if f"wordsof{word}" in own] == []
    assert [word for word in kept if f"wordsof{word}" not in everything_on(spans)] == []


def test_secrets_are_redacted() -> None:
    """By the argument's name, wherever the arguments are recorded, and by their look."""
    script = [
        call("echo", words="hi", api_key=SECRET),
        call("echo", words=f"raise api_key={SECRET}"),
        call("final_answer", answer="done"),
    ]
    agent = TRACED.tool_calling_agent([echo], ScriptedModel(*script), **QUIET)
    with capture_spans() as spans:
        assert agent.run("Well?", additional_args={"password": SECRET}) == "done"
    own = [span for span in spans if span.name in ("echo", "ToolCallingAgent.run")]
    on_arguments = everything_on(
        [span for span in own if (span.attributes or {}).get("input.value") and span.status.is_ok]
    )
    assert spans.input(spans.find_all("echo")[0]) == {"words": "hi", "api_key": "__REDACTED__"}
    assert SECRET not in json.dumps(spans.input("ToolCallingAgent.run")["additional_args"])
    assert SECRET not in str(attributes(spans.find("ToolCallingAgent.run"))["smolagents.additional_args"])
    assert "__REDACTED__" in on_arguments


def test_session_and_user_are_on_every_span() -> None:
    """In threads, in code, in teams."""
    with capture_spans() as spans, using_attributes(session_id="s-1", user_id="ada", tags=["retry"]):
        talkative().run("Well?")
    assert len(spans) > 20
    told = {tuple(attributes(span)[key] for key in ("session.id", "user.id", "tag.tags")) for span in spans}
    assert told == {("s-1", "ada", ("retry",))}


def as_plain(run: Any) -> None:
    """``run`` of traced classes gives what that of plain ones gives."""
    assert outcome_of(lambda: run(TRACED))[1] == outcome_of(lambda: run(PLAIN))[1]


def weather(kind: str, classes: Classes) -> Any:
    """The answer and the memory of a short run."""
    if kind == "code_agent":
        script = [code("print(get_weather('Oslo'))"), code("get_weather('Nowhere')"), code("final_answer('rain')")]
    else:
        script = [call("get_weather", city="Oslo"), call("get_weather", city="Nowhere"), call("final_answer", answer=1)]
    agent = getattr(classes, kind)([get_weather], ScriptedModel(*script), **QUIET)
    return agent.run("The weather?"), memory_of(agent)


@each_kind
def test_nothing_registered(kind: str, isolated: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The run is as ever, and nothing is said."""
    as_plain(lambda classes: weather(kind, classes))
    assert warnings_in(caplog) == []


@each_kind
def test_suppressed(kind: str) -> None:
    """Neither the run nor anything in it leaves a span, and what isn't suppressed any more does."""
    with capture_spans() as spans:
        with suppress_tracing():
            as_plain(lambda classes: weather(kind, classes))
        assert list(spans) == []
        weather(kind, TRACED)
    assert len(spans.roots) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["in one go", "as a stream"])
def test_suppressed_code_calls_nothing_that_leaves_a_span(stream: bool) -> None:
    """Code runs in a thread that has no context: tools with marks in them and the team are suppressed all the same."""

    @tool
    def marked(word: str) -> str:
        """Work.

        Args:
            word: On what.
        """
        from agenttrace import trace_step

        with trace_step("in the tool"):
            return word

    def team() -> Any:
        member_model = ScriptedModel(call("final_answer", answer="done"))
        member = TRACED.tool_calling_agent(tools=[], model=member_model, name="member", description="Helps.", **QUIET)
        model = ScriptedModel(code("print(marked('a'), member('b'))"), code("final_answer(marked('c'))"))
        return TRACED.code_agent(tools=[marked], model=model, managed_agents=[member], **QUIET)

    with capture_spans() as spans:
        with suppress_tracing():
            agent = team()
            answer = agent.run("Go.", stream=stream)
            if stream:
                answer = list(answer)[-1].output
        assert answer == "c"
        assert list(spans) == []
        agent.python_executor("marked('d')")  # the run is over, and with it what it suppressed
        team().run("Go.")
    assert [span.name for span in spans.roots] == ["in the tool", "CodeAgent.run"]
    assert len(spans.find_all("in the tool")) == 3


@each_kind
def test_sampled_out(kind: str, isolated: Path) -> None:
    """A trace that isn't wanted has no span at all, and the run is as ever."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ALWAYS_OFF)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    set_registered_provider(provider)
    as_plain(lambda classes: weather(kind, classes))
    assert exporter.get_finished_spans() == ()


def test_a_tool_that_suppresses() -> None:
    """What a tool does where tracing is suppressed isn't there; the rest of the run is."""

    @tool
    def quietly() -> str:
        """Run another agent, which nobody sees."""
        with suppress_tracing():
            return str(weather("code_agent", TRACED)[0])

    agent = TRACED.tool_calling_agent(
        [quietly], ScriptedModel(call("quietly"), call("final_answer", answer=1)), **QUIET
    )
    with capture_spans() as spans, trace_step("all"):
        agent.run("Well?")
    assert [span.name for span in spans.find_all(kind="AGENT")] == ["ToolCallingAgent.run"]
    assert [child.name for child in spans.children("quietly")] == []
    assert [child.name for child in spans.children("ToolCallingAgent.run")] == ["Step 1", "Step 2"]


class Hostile:
    """An object that can't be looked at."""

    def __repr__(self) -> str:
        raise RuntimeError("hands off")

    __str__ = __repr__

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("hands off")


def test_values_that_are_huge_or_hostile() -> None:
    """They are cut, or named by their class, and go where they go."""

    @tool
    def give(which: str) -> Any:
        """Give.

        Args:
            which: What.
        """
        return values[which]

    loop: list[Any] = []
    loop.append(loop)
    values = {"huge": "x" * 3_000_000, "loop": loop, "nested": json.loads("[" * 900 + "]" * 900), "bytes": b"\xff" * 99}

    def run(classes: Classes) -> Any:
        lines = [f"v{number} = give('{which}')" for number, which in enumerate(values)]
        script = [code("\n".join(lines)), code("final_answer(v0)")]
        agent = classes.code_agent([give], ScriptedModel(*script), **QUIET)
        return agent.run("Give."), memory_of(agent)

    with capture_spans() as spans:
        as_plain(run)
    assert all(len(attributes(span)["output.value"]) < 3_000_000 for span in spans.find_all("give"))
    assert len(spans.find_all("give")) == len(values)
    assert spans.unfinished == []
    spans.assert_no_errors()


def test_a_hostile_argument_of_a_run() -> None:
    """An object that raises wherever it is touched makes the run what it makes of the plain one."""

    def run(classes: Classes) -> Any:
        model = ScriptedModel(call("final_answer", answer="yes"))
        return classes.tool_calling_agent([], model, **QUIET).run("Well?", additional_args={"what": Hostile()})

    with capture_spans() as spans:
        assert outcome_of(lambda: run(TRACED))[1][:2] == outcome_of(lambda: run(PLAIN))[1][:2]
    assert spans.find("ToolCallingAgent.run").status.description == "RuntimeError: hands off"


def test_every_scenario_is_conformant_and_hides_all() -> None:
    """All the runs that are compared with the instrumentor's, with everything hidden."""
    with capture_spans(config=TraceConfig(hide_inputs=True, hide_outputs=True)) as spans:
        for run in SCENARIOS.values():
            outcome_of(lambda run=run: run(TRACED))  # type: ignore[misc]
    found = everything_on(spans)
    assert [word for word in ("14 °C", "Six times", "umbrella", "was here") if word in found] == []
    assert spans.unfinished == []
    spans.assert_conformant()
