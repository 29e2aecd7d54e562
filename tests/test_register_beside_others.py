"""`register` in programs that have OpenTelemetry's global provider, each in a process of its own."""

from __future__ import annotations

import pytest

from tests.isolation import Program, program
from tests.servers import CollectorServer

__all__ = ["program"]


@pytest.fixture(autouse=True)
def all_spans(program: Program) -> None:
    """Send the spans that these programs make with plain tracers, which say of no agent that it made them."""
    program.environment["AGENTTRACE_SPANS"] = "all"


START = """
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from agenttrace import trace_tool
from agenttrace.registration import flush, register

@trace_tool
def tool(): ...

def span(name):
    trace.get_tracer("web").start_span(name).end()

def quietly(**settings):
    return register(endpoint=sys.argv[1], verbose=False, **settings)
"""

FOREIGN = (
    START
    + """
from opentelemetry.sdk.resources import Resource
theirs = InMemorySpanExporter()
foreign = TracerProvider(resource=Resource({"service.name": "web"}))
foreign.add_span_processor(SimpleSpanProcessor(theirs))
trace.set_tracer_provider(foreign)
"""
)


def received(server: CollectorServer) -> list[str]:
    return [span.name for span in server.spans]


def test_it_becomes_the_global_provider_where_there_is_none(program: Program) -> None:
    """Tracers that were made before it too."""
    with CollectorServer() as server:
        code = START + (
            "early = trace.get_tracer('early')\n"
            "provider = quietly()\n"
            "assert trace.get_tracer_provider() is provider\n"
            "assert isinstance(provider, TracerProvider)\n"
            "early.start_span('early').end(); span('other'); tool()\n"
        )
        program.run(code, server.endpoint)
        assert received(server) == ["early", "other", "tool"]


def test_it_leaves_the_global_provider_alone_when_told(program: Program) -> None:
    """Marks record, other libraries don't."""
    with CollectorServer() as server:
        code = START + (
            "for settings in ({'set_global_tracer_provider': False}, {'tracer_provider': 'own'}):\n"
            "    quietly(**settings)\n"
            "    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)\n"
            "    span('other'); tool()\n"
        )
        program.run(code, server.endpoint)
        assert received(server) == ["tool", "tool"]


def test_the_global_provider_leads_to_the_newest_destination(program: Program) -> None:
    """Though OpenTelemetry lets it be set once: through tracers from before, and new ones."""
    with CollectorServer() as first, CollectorServer("grpc") as second:
        code = START + (
            "kept = trace.get_tracer('kept')\n"
            "register(endpoint=sys.argv[1], verbose=False); kept.start_span('kept 1').end(); span('1'); tool()\n"
            "register(endpoint=sys.argv[2], verbose=False); kept.start_span('kept 2').end(); span('2'); tool()\n"
            "register(endpoint=sys.argv[1], verbose=False); kept.start_span('kept 3').end(); span('3'); tool()\n"
        )
        _, err = program.run(code, first.endpoint, second.endpoint)
        assert received(first) == ["kept 1", "1", "tool", "kept 3", "3", "tool"]
        assert received(second) == ["kept 2", "2", "tool"]
        assert err.count("register() was called again") == 2


def test_an_existing_provider_is_joined_once_and_said(program: Program) -> None:
    """What it does itself stays as it was; our copy carries the project."""
    with CollectorServer() as server:
        code = FOREIGN + (
            "assert register(endpoint=sys.argv[1], project_name='p') is foreign\n"
            "assert register(endpoint=sys.argv[1], project_name='p') is foreign\n"
            "span('other'); tool()\n"
            "for kept in theirs.get_finished_spans(): print(kept.name, dict(kept.resource.attributes))\n"
        )
        out, err = program.run(code, server.endpoint)
        assert received(server) == ["other", "tool"]
        assert [span.resource for span in server.spans] == [
            {"service.name": "web", "openinference.project.name": "p"}
        ] * 2
        assert out == "other {'service.name': 'web'}\ntool {'service.name': 'web'}\n"
        assert err.count("the OpenTelemetry provider that is there already") == 1


def test_an_existing_provider_is_joined_anew_with_other_settings(program: Program) -> None:
    """The processor before is emptied: nothing is delivered twice."""
    with CollectorServer() as first, CollectorServer() as second:
        code = FOREIGN + (
            "open_span = trace.get_tracer('web').start_span('open')\n"
            "register(endpoint=sys.argv[1], verbose=False); span('1')\n"
            "register(endpoint=sys.argv[2], verbose=False); span('2'); open_span.end()\n"
            "register(endpoint=sys.argv[1], verbose=False, tracer_provider='own'); span('3'); tool()\n"
        )
        program.run(code, first.endpoint, second.endpoint)
        assert received(first) == ["1", "tool"]
        assert received(second) == ["2", "open"]


def test_own_keeps_marks_and_the_existing_provider_apart(program: Program) -> None:
    """The other libraries' spans stay where they were."""
    with CollectorServer() as server:
        code = FOREIGN + (
            "assert quietly(tracer_provider='own') is not foreign\n"
            "span('other'); tool()\n"
            "assert trace.get_tracer_provider() is foreign\n"
            "assert [kept.name for kept in theirs.get_finished_spans()] == ['other']\n"
        )
        program.run(code, server.endpoint)
        assert received(server) == ["tool"]


def test_a_provider_that_is_given_is_joined(program: Program) -> None:
    """It doesn't become the global one."""
    with CollectorServer() as server:
        code = START + (
            "mine = TracerProvider()\n"
            "assert quietly(tracer_provider=mine) is mine\n"
            "assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)\n"
            "mine.get_tracer('x').start_span('mine').end(); tool(); span('nobody')\n"
        )
        program.run(code, server.endpoint)
        assert received(server) == ["mine", "tool"]


def test_joining_moves_what_a_provider_of_ours_had(program: Program) -> None:
    """The global provider is ours, then the user gives another one: everything goes there."""
    with CollectorServer() as server:
        code = START + (
            "quietly(); span('1')\n"
            "mine = TracerProvider()\n"
            "quietly(tracer_provider=mine); span('2'); tool()\n"
            "mine.get_tracer('x').start_span('3').end()\n"
        )
        program.run(code, server.endpoint)
        assert received(server) == ["1", "2", "tool", "3"]


def test_a_provider_of_ours_may_be_given_back(program: Program) -> None:
    """As the one in force: nothing is delivered twice."""
    with CollectorServer() as server:
        code = START + ("first = quietly()\nassert quietly(tracer_provider=first) is first\nspan('1'); tool()\n")
        program.run(code, server.endpoint)
        assert received(server) == ["1", "tool"]


def test_a_provider_that_takes_no_processors_is_left(program: Program) -> None:
    """The marks get a provider of their own, with a warning."""
    with CollectorServer() as server:
        code = START + (
            "class Bare(trace.TracerProvider):\n"
            "    def get_tracer(self, *args, **kwargs): return trace.NoOpTracer()\n"
            "trace.set_tracer_provider(Bare())\n"
            "quietly(); span('other'); tool()\n"
        )
        _, err = program.run(code, server.endpoint)
        assert received(server) == ["tool"]
        assert "Bare" in err
        assert err.count("agenttrace:") == 1


def test_settings_that_cannot_hold_on_an_existing_provider_are_said(program: Program) -> None:
    """A sampler has no effect there; a sample rate holds for our copy."""
    with CollectorServer() as server:
        code = FOREIGN + (
            "from opentelemetry.sdk.trace.sampling import ALWAYS_OFF\n"
            "quietly(sampler=ALWAYS_OFF); span('1')\n"
            "quietly(sample_rate=0); span('2')\n"
        )
        _, err = program.run(code, server.endpoint)
        assert received(server) == ["1"]
        assert err.count("have no effect") == 1


def test_a_disabled_process_touches_no_global(program: Program) -> None:
    """Nor does it start a thread or make a file."""
    code = START + (
        "import threading, os\n"
        "register(); span('1'); tool()\n"
        "assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)\n"
        "assert threading.active_count() == 1\n"
        "assert not os.path.exists(os.environ['AGENTTRACE_HOME'])\n"
    )
    _, err = program.run(code, AGENTTRACE_DISABLED="1")
    assert err == ""


@pytest.mark.parametrize("kind", ["good", "raising", "none"])
def test_auto_instrument_calls_what_is_installed(program: Program, kind: str) -> None:
    """Each once, with our provider; one that fails doesn't stop the program or the others."""
    names = {"good": ["good"], "raising": ["raising", "good"], "none": []}[kind]
    entry_points = "".join(f"{name} = instrumentors:{name.title()}\n" for name in names)
    metadata = program.folder / "instrumentors-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: instrumentors\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(f"[openinference_instrumentor]\n{entry_points}", encoding="utf-8")
    (program.folder / "instrumentors.py").write_text(
        "class Good:\n"
        "    is_instrumented_by_opentelemetry = False\n"
        "    def instrument(self, tracer_provider):\n"
        "        Good.is_instrumented_by_opentelemetry = True\n"
        "        print('instrumented', type(tracer_provider).__name__)\n"
        "class Raising:\n"
        "    def __init__(self): raise RuntimeError('secret')\n",
        encoding="utf-8",
    )
    code = START + "quietly(auto_instrument=True)\nquietly(auto_instrument=True)"
    out, err = program.run(code, "http://127.0.0.1:1")
    assert out.count("instrumented OwnProvider") == ("good" in names)
    assert ("the instrumentor raising" in err) == (kind == "raising")
    assert "secret" not in err
    if kind == "none" and "finds no instrumentor" not in err:
        assert err == ""  # the machine has instrumentors of its own
