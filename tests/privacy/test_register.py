"""``register(config=…)``: one switch for every span that is delivered, whoever made it, down to the bytes sent."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from openinference import instrumentation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, StatusCode

from agenttrace import current_span, trace_agent, trace_tool
from agenttrace.provider import registered_provider
from agenttrace.registration import flush, register, shutdown
from agenttrace.semconv.masking import REDACTED, current_mask
from agenttrace.semconv.privacy import TraceConfig
from tests.isolation import isolated, warnings_in
from tests.servers import CollectorServer, Fault

__all__ = ["isolated"]

pytestmark = pytest.mark.usefixtures("isolated")

SECRET = "hunter2"


class Wire:
    """A server on loopback that keeps the bytes it is sent as they are."""

    def __init__(self) -> None:
        wire = self
        self.received: list[bytes] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                wire.received.append(self.rfile.read(int(self.headers["content-length"])))
                wire.received.append(str(self.headers).encode())
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    """The server, closed afterwards."""
    made = Wire()
    yield made
    made.close()


def register_own(**settings: Any) -> TracerProvider:
    settings.setdefault("verbose", False)
    return register(set_global_tracer_provider=False, **settings)


@trace_tool
def look_up(name: str, api_key: str) -> str:
    """A tool that is given secrets and fails over them."""
    current_span().add_event("looked", {"name": name})
    try:
        raise KeyError(name)
    except KeyError as error:
        raise ValueError(f"nobody is called {name}") from error


@trace_agent
def run(question: str) -> str:
    """An agent that goes on when its tool fails."""
    try:
        look_up(question, api_key=SECRET)
    except ValueError as error:
        current_span().record_exception(error)
        current_span().set_status("error", str(error))
    return f"I don't know {question}."


def end_foreign_span(provider: TracerProvider) -> None:
    """A span as an auto-instrumentor makes it."""
    tracer = provider.get_tracer("openinference.instrumentation.openai")
    with pytest.raises(ValueError, match=SECRET), tracer.start_as_current_span("first") as first:
        raise ValueError(f"no {SECRET}")
    link = Link(first.get_span_context(), {"note": SECRET})
    with tracer.start_as_current_span("ChatCompletion", links=[link]) as span:
        span.set_attributes(
            {
                "openinference.span.kind": "LLM",
                "input.value": SECRET,
                "input.mime_type": "text/plain",
                "llm.input_messages.0.message.role": "user",
                "llm.input_messages.0.message.content": SECRET,
                "llm.model_name": "gpt-4o",
                "llm.token_count.prompt": 3,
                "gen_ai.input.messages": SECRET,
                "texts": [SECRET, "b"],
            }
        )
        span.add_event("event", {"input.value": SECRET})
        span.set_status(StatusCode.ERROR, f"no {SECRET}")


REDACTING = TraceConfig(redact=lambda key, text: text.replace(SECRET, "•"))
HIDING = TraceConfig(hide_inputs=True, hide_outputs=True, redact=lambda key, text: REDACTED if SECRET in text else text)


@pytest.mark.parametrize("config", [REDACTING, HIDING], ids=["redacting", "hiding"])
def test_no_byte_on_the_wire_and_no_line_of_log_has_the_secret(
    config: TraceConfig, wire: Wire, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the marks' spans and of other libraries', with their events, links, statuses and exceptions."""
    caplog.set_level(logging.DEBUG)
    provider = register_own(endpoint=wire.endpoint, config=config, verbose=True)
    assert run(SECRET) == f"I don't know {SECRET}."
    end_foreign_span(provider)
    assert flush()
    sent = b"\n".join(wire.received)
    for name in (b"look_up", b"run", b"ChatCompletion", b"gpt-4o", b"ValueError", b"exception.stacktrace"):
        assert name in sent
    assert SECRET.encode() not in sent
    assert SECRET not in caplog.text
    assert SECRET not in "".join(capsys.readouterr())


@pytest.mark.parametrize("config", [REDACTING, HIDING], ids=["redacting", "hiding"])
def test_the_local_store_has_no_byte_of_the_secret(config: TraceConfig, isolated: Path) -> None:
    """Nor have the files beside it."""
    provider = register_own(config=config)
    run(SECRET)
    end_foreign_span(provider)
    assert flush()
    shutdown()
    files = [path for path in isolated.rglob("*") if path.is_file()]
    assert files
    stored = b"".join(path.read_bytes() for path in files)
    assert b"ChatCompletion" in stored
    assert SECRET.encode() not in stored


def test_what_the_environment_says_holds_for_every_span(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables may be set until register() is called; other libraries' spans heed them then too."""
    assert not current_mask().is_active
    monkeypatch.setenv("OPENINFERENCE_HIDE_INPUTS", "yes")
    with CollectorServer() as server:
        provider = register_own(endpoint=server.endpoint)
        run("who?")
        end_foreign_span(provider)
        assert flush()
        by_name = {span.name: span for span in server.spans}
    assert by_name["run"].attributes["input.value"] == REDACTED
    assert by_name["run"].attributes["output.value"] == "I don't know who?."
    foreign = by_name["ChatCompletion"].attributes
    assert foreign["input.value"] == REDACTED
    assert "input.mime_type" not in foreign
    assert not [key for key in foreign if key.startswith(("llm.input_messages", "gen_ai.input"))]
    assert foreign["llm.token_count.prompt"] == 3


def test_another_librarys_provider_is_masked_for_us_alone() -> None:
    """Its other exporters see its spans as they are; what we deliver is masked, and the marks' spans are anyway."""
    theirs = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    with CollectorServer() as server:
        register_own(endpoint=server.endpoint, tracer_provider=provider, config=HIDING)
        run(SECRET)
        end_foreign_span(provider)
        assert flush()
        by_name = {span.name: span for span in server.spans}
    assert SECRET not in str([span.attributes for span in by_name.values()])
    assert by_name["ChatCompletion"].attributes["input.value"] == REDACTED
    seen = {span.name: span for span in theirs.get_finished_spans()}
    assert dict(seen["ChatCompletion"].attributes or {})["input.value"] == SECRET
    assert dict(seen["run"].attributes or {})["input.value"] == REDACTED
    assert SECRET not in seen["run"].to_json()
    assert SECRET not in seen["look_up"].to_json()


def test_what_is_set_past_the_marks_is_hidden_when_it_is_delivered(wire: Wire) -> None:
    """On the OpenTelemetry span of a mark, by its own methods; what the marks recorded isn't redacted twice."""
    asked = []

    def redact(key: str, text: str) -> str:
        asked.append(key)
        return f"<{text}>"

    @trace_agent
    def agent() -> None:
        span = current_span().otel_span
        span.set_attributes({"input.value": SECRET, "llm.input_messages.0.message.content": SECRET})
        span.record_exception(ValueError(SECRET))
        span.set_status(StatusCode.ERROR, SECRET)

    register_own(endpoint=wire.endpoint, config=TraceConfig(hide_inputs=True, redact=redact))
    agent()
    assert flush()
    sent = b"\n".join(wire.received)
    assert SECRET.encode() not in sent
    assert b"<agent>" in sent
    assert b"<<agent>>" not in sent


def test_a_span_that_is_sent_again_is_redacted_once() -> None:
    """However often the server refuses it: a redactor may count, or hash."""
    asked: list[str] = []

    def redact(key: str, text: str) -> str:
        asked.append(key)
        return f"<{text}>"

    with CollectorServer() as server:
        server.script(Fault("status", 503), Fault("status", 503))
        provider = register_own(endpoint=server.endpoint, config=TraceConfig(redact=redact))
        with provider.get_tracer("another").start_as_current_span("foreign") as span:
            span.set_attributes({"openinference.span.kind": "CHAIN", "app.text": "x"})
        [received] = server.wait_for_spans(1)
        assert server.attempts == 3
    assert received.attributes["app.text"] == "<x>"
    assert asked.count("app.text") == 1


def test_secrets_in_other_libraries_spans() -> None:
    """In their names and in JSON, where anything is configured."""
    with CollectorServer() as server:
        provider = register_own(endpoint=server.endpoint, config=TraceConfig(hide_llm_tools=True))
        with provider.get_tracer("another").start_as_current_span("foreign") as span:
            span.set_attributes(
                {
                    "openinference.span.kind": "LLM",
                    "http.request.header.authorization": [SECRET],
                    "llm.invocation_parameters": f'{{"api_key": "{SECRET}", "temperature": 0}}',
                    "texts": [f'{{"password": "{SECRET}"}}'],
                }
            )
            span.add_event("exception", {"exception.message": f"bad {{'password': '{SECRET}'}}"})
        assert flush()
        [received] = server.spans
    assert received.attributes == {
        "openinference.span.kind": "LLM",
        "http.request.header.authorization": REDACTED,
        "llm.invocation_parameters": f'{{"api_key": "{REDACTED}", "temperature": 0}}',
        "texts": [f'{{"password": "{REDACTED}"}}'],
    }


def test_a_configuration_replaces_the_one_before(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The same one changes nothing, another one is told of, and none goes back to what the environment says."""
    first = register_own(config=TraceConfig(hide_inputs=True))
    assert current_mask().hides_input
    assert register_own(config=TraceConfig(hide_inputs=True)) is first
    assert not warnings_in(caplog)
    assert register_own(config=TraceConfig(hide_outputs=True)) is not first
    assert "replace the ones before: config" in warnings_in(caplog)[0]
    assert not current_mask().hides_input
    assert current_mask().hides_output
    register_own()
    assert not current_mask().is_active
    assert registered_provider() is not None


def test_a_configuration_of_openinference_will_do() -> None:
    """Who has one for an instrumentor can give it to register() too."""
    register_own(config=instrumentation.TraceConfig(hide_inputs=True))
    assert current_mask().hides_input
    with pytest.raises(TypeError, match="write config=TraceConfig"):
        register_own(config={"hide_inputs": True})
