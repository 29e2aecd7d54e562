"""`register` in one process with FastAPI's and Sentry's OpenTelemetry: the real packages, each test a real service.

Our copy of what happens holds the agents' spans and nothing else, with no orphan among them; everybody else's holds
what it would hold without us.
"""

from __future__ import annotations

import inspect
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from tests.isolation import Program, program
from tests.servers import CollectorServer, ReceivedSpan

__all__ = ["program"]

fastapi = pytest.importorskip("fastapi")
for package in ("uvicorn", "httpx", "sentry_sdk"):
    pytest.importorskip(package)
for package in ("fastapi", "httpx"):
    pytest.importorskip(f"opentelemetry.instrumentation.{package}")

HEADER_TRACE, HEADER_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

# What the service does. The server runs in a thread, and is asked by urllib, which nobody instruments. `wait` lets a
# request that answers early be over before the next one starts.
SERVICE = """
import asyncio, inspect, json, socket, sys, threading, urllib.request
import httpx, uvicorn
from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.responses import StreamingResponse
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from agenttrace import flush, register, trace_agent, trace_tool

arguments = json.loads(sys.argv[1])
theirs = InMemorySpanExporter()

def become_global():
    provider = TracerProvider(resource=Resource({"service.name": "web"}))
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    trace.set_tracer_provider(provider)

@trace_tool
def rank(found):
    return sorted(found)

@trace_tool
def search(question):
    database = trace.get_tracer("database")
    with database.start_as_current_span("SELECT"), database.start_as_current_span("FETCH"):
        return rank([question])

@trace_agent
def planner(question):
    return search(question)

@trace_agent
async def relay(url):
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{url}plan")).json()

@trace_agent
async def writer():
    for word in ("a", "b"):
        await asyncio.sleep(0)
        yield word

def tell_of_failure():
    pass

@trace_agent
def failing():
    try:
        raise ValueError("no plan")
    except ValueError:
        tell_of_failure()
        raise

def make_app(native):
    may_choose = "telemetry" in inspect.signature(FastAPI).parameters
    app = FastAPI(**({"telemetry": {"tracing": native}} if may_choose else {}))

    @app.get("/plan")
    def plan():
        return planner("what?")

    @app.get("/relay")
    async def pass_on(request: Request):
        return await relay(str(request.base_url))

    background = []

    @app.get("/later")
    async def later(tasks: BackgroundTasks):
        tasks.add_task(planner, "later")
        background.append(asyncio.create_task(asyncio.to_thread(after_the_answer, "much later")))
        return "soon"

    @app.get("/wait")
    async def wait():
        answered.set()
        for task in background:
            await task

    @app.get("/stream")
    def stream():
        return StreamingResponse(writer())

    @app.get("/plain")
    def plain():
        with trace.get_tracer("database").start_as_current_span("SELECT"):
            return 1

    @app.get("/failing")
    def fail():
        failing()

    if not native:
        FastAPIInstrumentor.instrument_app(app)
    return app

answered = threading.Event()

def after_the_answer(question):
    answered.wait(30)
    return planner(question)

def ask(*paths, native=False):
    HTTPXClientInstrumentor().instrument()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(make_app(native), log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        for path in paths:
            headers = {"traceparent": TRACEPARENT} if path.endswith("#") else {}
            request = urllib.request.Request(f"http://127.0.0.1:{listener.getsockname()[1]}{path}", headers=headers)
            try:
                urllib.request.urlopen(request, timeout=30).read()
            except urllib.error.HTTPError:
                pass
        server.should_exit = True
        thread.join()

def show():
    shown = []
    for span in theirs.get_finished_spans():
        shown.append({
            "name": span.name,
            "scope": span.instrumentation_scope.name,
            "trace_id": f"{span.context.trace_id:032x}",
            "span_id": f"{span.context.span_id:016x}",
            "parent_id": None if span.parent is None else f"{span.parent.span_id:016x}",
            "attributes": sorted(span.attributes),
            "resource": dict(span.resource.attributes),
        })
    print(json.dumps(shown))
"""
SERVICE = SERVICE.replace("TRACEPARENT", repr(f"00-{HEADER_TRACE}-{HEADER_SPAN}-01"))


@dataclass
class Tree:
    """The spans that one exporter was given."""

    spans: list[Any]

    @classmethod
    def of_json(cls, text: str) -> Tree:
        """What `show` printed."""
        return cls([type("Span", (), fields) for fields in json.loads(text)])

    @classmethod
    def of_server(cls, server: CollectorServer) -> Tree:
        """What arrived at ``server``."""
        return cls(list[ReceivedSpan](server.spans))

    @property
    def edges(self) -> Counter[tuple[str, str | None]]:
        """How often a span of which name is under one of which name; None for roots, the id for orphans."""
        names = {(span.trace_id, span.span_id): span.name for span in self.spans}
        return Counter(
            (
                span.name,
                None if span.parent_id is None else names.get((span.trace_id, span.parent_id), span.parent_id),
            )
            for span in self.spans
        )

    @property
    def scopes(self) -> set[str]:
        """Who made the spans."""
        return {span.scope for span in self.spans}


PLAN: Counter[tuple[str, str | None]] = Counter([("planner", None), ("search", "planner"), ("rank", "search")])
INNER = Counter({edge: count for edge, count in PLAN.items() if edge[1]})
# The newest releases of FastAPI make spans without an instrumentor.
MAKES_SPANS = "telemetry" in inspect.signature(fastapi.FastAPI).parameters
NATIVE = pytest.mark.parametrize(
    "native", [False, True] if MAKES_SPANS else [False], ids=["instrumentor", "fastapi-itself"][: 1 + MAKES_SPANS]
)


@NATIVE
def test_only_agents_spans_are_sent_and_nobody_else_sees_a_change(program: Program, native: bool) -> None:
    """Through a provider that is there: endpoints, requests to itself, background tasks, streams, an outer trace."""
    paths = ("/plan", "/plan#", "/relay", "/later", "/wait", "/stream", "/plain")
    with CollectorServer() as server:
        code = SERVICE + (
            "become_global()\n"
            "if 'endpoint' in arguments: register(endpoint=arguments['endpoint'], verbose=False)\n"
            "ask(*arguments['paths'], native=arguments['native'])\n"
            "assert flush()\n"
            "show()\n"
        )
        settings = {"paths": paths, "native": native}
        without, _ = program.run(code, json.dumps(settings))
        out, err = program.run(code, json.dumps({**settings, "endpoint": server.endpoint}))
        ours = Tree.of_server(server)
    assert ours.scopes == {"agenttrace"}
    expected = Counter({edge: 3 * count for edge, count in PLAN.items()})  # /plan, and twice in /later
    expected += Counter({("planner", HEADER_SPAN): 1}) + INNER  # /plan#
    expected += Counter({("relay", None): 1, ("planner", "relay"): 1}) + INNER
    expected += Counter({("writer", None): 1})
    assert ours.edges == expected
    theirs, untouched = Tree.of_json(out), Tree.of_json(without)
    assert theirs.edges == untouched.edges
    assert Counter(str(span.attributes) for span in theirs.spans) == Counter(
        str(span.attributes) for span in untouched.spans
    )
    assert {str(span.resource) for span in theirs.spans} == {"{'service.name': 'web'}"}
    assert {"database", "agenttrace", "opentelemetry.instrumentation.httpx"} < theirs.scopes
    assert "agenttrace:" not in err


@NATIVE
def test_marks_with_a_provider_of_their_own_have_no_orphans(program: Program, native: bool) -> None:
    """Though the web framework's spans, which are the parents of the agents' there, are another provider's."""
    with CollectorServer() as server:
        code = SERVICE + (
            "become_global()\n"
            "register(endpoint=arguments['endpoint'], verbose=False, set_global_tracer_provider=False)\n"
            "ask('/plan', '/plan#', '/later', '/wait', '/stream', '/plain', native=arguments['native'])\n"
            "assert flush()\n"
            "show()\n"
        )
        out, err = program.run(code, json.dumps({"endpoint": server.endpoint, "native": native}))
        ours, theirs = Tree.of_server(server), Tree.of_json(out)
    expected = Counter({edge: 3 * count for edge, count in PLAN.items()}) + INNER + Counter({("writer", None): 1})
    # FastAPI itself puts two spans of its own above an agent: the outer one, and what came in the headers, are out of
    # sight then, so the agent is a root in the caller's trace.
    expected += Counter({("planner", None if native else HEADER_SPAN): 1})
    assert ours.edges == expected
    assert "agenttrace" not in theirs.scopes
    assert sum(span.name == "FETCH" for span in theirs.spans) == 4
    assert "agenttrace:" not in err


def test_everything_is_sent_where_that_is_asked_for(program: Program) -> None:
    """With `spans="all"` our copy is as everybody's."""
    with CollectorServer() as server:
        code = SERVICE + (
            "from agenttrace import destinations\n"
            "become_global()\n"
            "register(destinations.otlp(endpoint=arguments['endpoint'], spans='all'), verbose=False)\n"
            "ask('/plan', '/relay')\n"
            "assert flush()\n"
            "show()\n"
        )
        out, _ = program.run(code, json.dumps({"endpoint": server.endpoint}))
        assert Tree.of_server(server).edges == Tree.of_json(out).edges
        assert "opentelemetry.instrumentation.fastapi" in Tree.of_server(server).scopes


SENTRY = (
    SERVICE
    + """
import sentry_sdk
from sentry_sdk.transport import Transport

class Envelopes(Transport):
    events = []

    def capture_envelope(self, envelope):
        self.events.extend(item.payload.json for item in envelope.items if item.payload.json)

def init_sentry(**options):
    dsn = arguments["sentry"].replace("://", "://key@") + "/1"
    # Or it puts headers of its own on what `ask` sends.
    sentry_sdk.init(dsn=dsn, transport=Envelopes, trace_propagation_targets=[], **options)

tell_of_failure = sentry_sdk.capture_exception

def edges_of_transactions():
    edges = []
    for event in Envelopes.events:
        if event.get("type") == "transaction":
            root = event["contexts"]["trace"]
            names = {span["span_id"]: span["op"] for span in event["spans"]} | {root["span_id"]: root["op"]}
            edges.append([root["op"], root.get("parent_span_id")])
            edges.extend([span["op"], names.get(span["parent_span_id"])] for span in event["spans"])
    return edges
"""
)


@pytest.mark.parametrize("first", ["sentry", "agenttrace"])
def test_sentry_gets_every_span_as_it_is(program: Program, first: str) -> None:
    """With its exporter on a provider that it made, or on ours; and its errors name the span that failed."""
    with CollectorServer() as server, CollectorServer() as sentry:
        code = SENTRY + (
            "from sentry_sdk.integrations.otlp import OTLPIntegration\n"
            "steps = {\n"
            "    'sentry': lambda: init_sentry(integrations=[OTLPIntegration()]),\n"
            "    'agenttrace': lambda: register(endpoint=arguments['endpoint'], verbose=False),\n"
            "}\n"
            "for name in sorted(steps, key=lambda name: name != arguments['first']):\n"
            "    steps[name]()\n"
            "ask('/plan', '/relay', '/failing')\n"
            "assert trace.get_tracer_provider().force_flush()\n"
            "errors = [event['contexts']['trace'] for event in Envelopes.events if 'exception' in event]\n"
            "print(json.dumps([[where['trace_id'], where['span_id']] for where in errors]))\n"
        )
        settings = {"endpoint": server.endpoint, "sentry": sentry.endpoint, "first": first}
        out, err = program.run(code, json.dumps(settings))
        ours, theirs = Tree.of_server(server), Tree.of_server(sentry)
    assert ours.scopes == {"agenttrace"}
    assert ours.edges == PLAN + INNER + Counter([("relay", None), ("planner", "relay"), ("failing", None)])
    assert theirs.scopes > {"agenttrace", "database", "opentelemetry.instrumentation.fastapi"}
    assert theirs.edges["planner", "GET /plan"] == 2
    assert theirs.edges["rank", "FETCH"] == 2
    assert {parent for _, parent in theirs.edges} <= {None, *(span.name for span in theirs.spans)}
    [failing] = [span for span in theirs.spans if span.name == "failing"]
    # A second event is Sentry's FastAPI integration's, which catches errors where no span is current any more.
    assert [failing.trace_id, failing.span_id] in json.loads(out)
    assert "agenttrace:" not in err


def test_sentrys_span_processor_gets_every_span_as_it_is(program: Program) -> None:
    """With its older set-up, which makes transactions of OpenTelemetry's spans, and a propagator of its own."""
    with CollectorServer() as server, CollectorServer() as sentry:
        code = SENTRY + (
            "from opentelemetry.propagate import set_global_textmap\n"
            "from sentry_sdk.integrations.opentelemetry import SentryPropagator, SentrySpanProcessor\n"
            "init_sentry(traces_sample_rate=1.0, instrumenter='otel')\n"
            "become_global()\n"
            "trace.get_tracer_provider().add_span_processor(SentrySpanProcessor())\n"
            "set_global_textmap(SentryPropagator())\n"
            "if 'endpoint' in arguments: register(endpoint=arguments['endpoint'], verbose=False)\n"
            "ask('/plan', '/relay')\n"
            "assert flush()\n"
            "print(json.dumps(sorted(edges_of_transactions(), key=str)))\n"
        )
        without, _ = program.run(code, json.dumps({"sentry": sentry.endpoint}))
        out, err = program.run(code, json.dumps({"sentry": sentry.endpoint, "endpoint": server.endpoint}))
        ours = Tree.of_server(server)
    assert ours.scopes == {"agenttrace"}
    assert ours.edges == PLAN + INNER + Counter([("relay", None), ("planner", "relay")])
    edges = [tuple(edge) for edge in json.loads(out)]
    assert edges.count(("search", "planner")) == 2
    assert edges.count(("FETCH", "SELECT")) == 2
    assert Counter(edges) == Counter(tuple(edge) for edge in json.loads(without))
    assert "agenttrace:" not in err


@pytest.mark.parametrize("sets_global", [True, False], ids=["joined", "own"])
def test_auto_instrument_with_a_real_instrumentor(program: Program, sets_global: bool) -> None:
    """OpenAI's client, asked in an agent behind FastAPI: its model call stands under the agent."""
    pytest.importorskip("openinference.instrumentation.openai")
    with CollectorServer() as server:
        code = SERVICE + (
            "import openai\n"
            "become_global()\n"
            "register(endpoint=arguments['endpoint'], verbose=False, auto_instrument=True,\n"
            "         set_global_tracer_provider=arguments['sets_global'])\n"
            "original = make_app\n"
            "def make_app(native):\n"
            "    app = original(native)\n"
            "    @app.post('/v1/chat/completions')\n"
            "    def complete():\n"
            "        message = {'role': 'assistant', 'content': 'yes'}\n"
            "        return {'id': '1', 'object': 'chat.completion', 'created': 1, 'model': 'm',\n"
            "                'choices': [{'index': 0, 'finish_reason': 'stop', 'message': message}]}\n"
            "    @trace_agent\n"
            "    def asker(url):\n"
            "        client = openai.OpenAI(base_url=url + 'v1', api_key='none', max_retries=0)\n"
            "        with trace.get_tracer('web').start_as_current_span('pool'):\n"
            "            messages = [{'role': 'user', 'content': 'well?'}]\n"
            "            return client.chat.completions.create(model='m', messages=messages).id\n"
            "    @app.get('/ask')\n"
            "    def ask_model(request: Request):\n"
            "        return asker(str(request.base_url))\n"
            "    return app\n"
            "ask('/ask')\n"
            "assert flush()\n"
            "show()\n"
        )
        out, err = program.run(code, json.dumps({"endpoint": server.endpoint, "sets_global": sets_global}))
        ours, theirs = Tree.of_server(server), Tree.of_json(out)
    assert ours.edges == Counter([("asker", None), ("ChatCompletion", "asker")])
    assert ours.scopes == {"agenttrace", "openinference.instrumentation.openai"}
    assert ("ChatCompletion" in {span.name for span in theirs.spans}) == sets_global
    assert "agenttrace:" not in err
