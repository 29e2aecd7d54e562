"""What `register` makes of its keywords and of the environment, and how it refuses what can't be meant."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openinference.semconv.resource import ResourceAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, TraceIdRatioBased

from agenttrace import trace_tool
from agenttrace.delivery.own_provider import default_span_limits
from agenttrace.provider import find_source, registered_provider
from agenttrace.registration import flush, register, shutdown
from agenttrace.settings import choose_destinations, make_settings
from tests.isolation import isolated, warnings_in
from tests.servers import CollectorServer, Fault, unused_port

__all__ = ["isolated"]

pytestmark = pytest.mark.usefixtures("isolated")

Register = Callable[..., TracerProvider]


@pytest.fixture(autouse=True)
def all_spans(monkeypatch: pytest.MonkeyPatch, isolated: Path) -> None:
    """Send the spans that these tests make with plain tracers, which say of no agent that it made them."""
    monkeypatch.setenv("AGENTTRACE_SPANS", "all")


def register_own(**settings: Any) -> TracerProvider:
    """`register` without touching OpenTelemetry's global provider, which a test process can't take back."""
    settings.setdefault("verbose", False)
    return register(set_global_tracer_provider=False, **settings)


def end_span(provider: TracerProvider, name: str = "span") -> None:
    provider.get_tracer("test").start_span(name).end()


# Where spans go


def test_nothing_configured_is_the_local_store(isolated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line says where and how to look, another which variable said so; the file comes with the first span."""
    provider = register_own(verbose=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 2
    assert str(isolated) in err
    assert "AGENTTRACE_HOME" in err
    assert "agenttrace show" in err
    assert not isolated.exists()
    end_span(provider)
    assert flush()
    assert [path.suffix for path in isolated.iterdir() if path.suffix == ".db"] == [".db"]


def test_verbose_false_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Not on stderr either."""
    register_own(endpoint="http://127.0.0.1:1", verbose=False)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
@pytest.mark.parametrize("batch", [True, False])
def test_spans_of_marks_and_of_others_reach_the_server(protocol: str, batch: bool) -> None:
    """By themselves, with project, credentials and headers."""
    with CollectorServer(protocol) as server:
        provider = register_own(
            endpoint=server.endpoint, project_name="weather", api_key="k", headers={"X-Tenant": "blue"}, batch=batch
        )

        @trace_tool
        def tool() -> None:
            end_span(provider, "other")

        tool()
        spans = server.wait_for_spans(2)
        assert sorted(span.name for span in spans) == ["other", "tool"]
        assert {span.resource["openinference.project.name"] for span in spans} == {"weather"}
        assert server.requests[0].headers["authorization"] == "Bearer k"
        assert server.requests[0].headers["x-tenant"] == "blue"
        assert flush()


def environment_destination(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], **arguments: Any) -> Any:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    [destination] = choose_destinations((), arguments.pop("endpoint", None), **arguments)
    return destination


@pytest.mark.parametrize(
    ("variables", "arguments", "address"),
    [
        ({"PHOENIX_COLLECTOR_ENDPOINT": "http://p:6006"}, {}, "http://p:6006/v1/traces"),
        ({"PHOENIX_COLLECTOR_ENDPOINT": "http://p:6006"}, {"protocol": "grpc"}, "grpc://p:4317"),
        ({"PHOENIX_COLLECTOR_ENDPOINT": "https://p/s/space"}, {}, "https://p/s/space/v1/traces"),
        (
            {"PHOENIX_COLLECTOR_ENDPOINT": "http://[::1]:6006", "PHOENIX_GRPC_PORT": "5000"},
            {"protocol": "grpc"},
            "grpc://[::1]:5000",
        ),
        ({"PHOENIX_GRPC_PORT": "5000"}, {"endpoint": "http://p:5000"}, "grpc://p:5000"),
        ({"PHOENIX_COLLECTOR_ENDPOINT": "http://p:6006"}, {"endpoint": "q:1"}, "http://q:1/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o:4318"}, {}, "http://o:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o:4317"}, {}, "grpc://o:4317"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o:9", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            {},
            "grpc://o:9",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:1/exact"},
            {},
            "http://t:1/exact",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o:4318", "PHOENIX_COLLECTOR_ENDPOINT": "http://p:6006"},
            {"headers": {"x-a": "1"}},
            "http://p:6006/v1/traces",
        ),
        ({}, {"api_key": "k"}, "http://localhost:6006/v1/traces"),
        ({}, {"protocol": "grpc"}, "grpc://localhost:4317"),
        ({}, {"protocol": "http/protobuf"}, "http://localhost:6006/v1/traces"),
        ({}, {"headers": {"x-a": "1"}}, "http://localhost:6006/v1/traces"),
        ({"PHOENIX_COLLECTOR_ENDPOINT": "localhost"}, {}, "http://localhost:6006/v1/traces"),
    ],
)
def test_the_environment_says_where(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], arguments: dict[str, Any], address: str
) -> None:
    """Where one server is meant: Phoenix's variables before OpenTelemetry's, and an argument before all."""
    assert str(environment_destination(monkeypatch, variables, **arguments)) == address


@pytest.mark.parametrize(
    ("variables", "arguments", "headers"),
    [
        ({}, {}, {}),
        ({}, {"headers": {"X-A": "1"}}, {"x-a": "1"}),
        ({}, {"headers": "X-A=1,x-b=two%20words"}, {"x-a": "1", "x-b": "two words"}),
        ({}, {"api_key": " k\n"}, {"authorization": "Bearer k"}),
        ({}, {"headers": {"Authorization": "x"}, "api_key": "k"}, {"authorization": "Bearer k"}),
        ({"PHOENIX_API_KEY": "e"}, {}, {"authorization": "Bearer e"}),
        ({"PHOENIX_API_KEY": "e"}, {"headers": {"x-a": "1"}}, {"authorization": "Bearer e", "x-a": "1"}),
        ({"PHOENIX_API_KEY": "e"}, {"headers": {"Authorization": "x"}}, {"authorization": "x"}),
        ({"PHOENIX_API_KEY": "e"}, {"api_key": "k"}, {"authorization": "Bearer k"}),
        ({"PHOENIX_CLIENT_HEADERS": "x-a=1", "OTEL_EXPORTER_OTLP_HEADERS": "x-b=2"}, {}, {"x-a": "1"}),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "x-b=2"}, {}, {"x-b": "2"}),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "x-b=2"}, {"headers": {"x-a": "1"}}, {"x-a": "1"}),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "x-b=2", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x-c=3"}, {}, {"x-c": "3"}),
        ({"PHOENIX_CLIENT_HEADERS": "x-a=1, nonsense,"}, {}, {"x-a": "1"}),
    ],
)
def test_headers_come_from_the_arguments_or_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], arguments: dict[str, Any], headers: dict[str, str]
) -> None:
    """As phoenix.otel takes them: names in lower case, api_key as bearer token."""
    destination = environment_destination(monkeypatch, variables, endpoint="http://host:1", **arguments)
    assert dict(destination.headers) == headers


def test_transport_options_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The variables for traces first."""
    certificate = tmp_path / "ca.pem"
    certificate.touch()
    options = environment_destination(
        monkeypatch,
        {
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "4.5",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificate),
        },
        endpoint="https://host",
    ).options
    assert (options.compression, options.timeout, options.certificate) == ("gzip", 4.5, str(certificate))


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf"])
def test_an_impossible_timeout_in_the_environment_is_said_and_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, value: str
) -> None:
    """It was set for something else, maybe: the program starts."""
    variables = {"OTEL_EXPORTER_OTLP_TIMEOUT": value, "OTEL_EXPORTER_OTLP_COMPRESSION": "brotli"}
    options = environment_destination(monkeypatch, variables, endpoint="host:1").options
    assert (options.timeout, options.compression) == (10.0, None)
    assert len(warnings_in(caplog)) == 2


# Resource and limits


@pytest.mark.parametrize(
    ("variables", "arguments", "project"),
    [
        ({}, {}, "default"),
        ({}, {"project_name": "p"}, "p"),
        ({"PHOENIX_PROJECT_NAME": "e"}, {}, "e"),
        ({"PHOENIX_PROJECT_NAME": "e", "PHOENIX_PROJECT": "f"}, {}, "f"),
        ({"PHOENIX_PROJECT_NAME": "e"}, {"project_name": "p"}, "p"),
        ({}, {"resource": Resource({ResourceAttributes.PROJECT_NAME: "r"})}, "r"),
        ({}, {"resource": Resource({ResourceAttributes.PROJECT_NAME: "r"}), "project_name": "p"}, "p"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "openinference.project.name=o"}, {}, "o"),
    ],
)
def test_the_project_is_an_attribute_of_the_resource(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], arguments: dict[str, Any], project: str
) -> None:
    """From the argument, the environment or the resource, else "default"."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    provider = register_own(**arguments)
    assert provider.resource.attributes[ResourceAttributes.PROJECT_NAME] == project


def test_a_resource_of_the_user_is_kept() -> None:
    """With the project added."""
    provider = register_own(resource=Resource({"service.name": "web"}), project_name="p")
    assert dict(provider.resource.attributes) == {"service.name": "web", "openinference.project.name": "p"}


def test_long_conversations_fit_in_a_span(monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 attributes, unless the environment or an argument says otherwise."""
    span = register_own().get_tracer("test").start_span("s", attributes={str(number): 1 for number in range(11_000)})
    assert len(span.attributes) == 10_000  # type: ignore[attr-defined]
    provider = register_own(span_limits=SpanLimits(max_span_attributes=5))
    span = provider.get_tracer("test").start_span("s", attributes={str(number): 1 for number in range(9)})
    assert len(span.attributes) == 5  # type: ignore[attr-defined]
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "77")
    assert default_span_limits().max_span_attributes == 77
    monkeypatch.setenv("OTEL_ATTRIBUTE_COUNT_LIMIT", "66")
    monkeypatch.delenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT")
    assert default_span_limits().max_span_attributes == 66


def test_a_sample_rate_of_nothing_records_nothing() -> None:
    """And one of everything everything; a sampler does what it does."""
    assert not register_own(sample_rate=0).get_tracer("test").start_span("s").is_recording()
    assert register_own(sample_rate=1.0).get_tracer("test").start_span("s").is_recording()
    assert not register_own(sampler=ALWAYS_OFF).get_tracer("test").start_span("s").is_recording()


def test_processors_of_the_user_see_every_span() -> None:
    """Next to the destination, wherever it is."""
    seen: list[str] = []

    class Seeing(SpanProcessor):
        def on_end(self, span: Any) -> None:
            seen.append(span.name)

    end_span(register_own(span_processors=[Seeing()]), "a")
    assert seen == ["a"]


# Refusals


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"protocol": "http"}, ValueError, 'write "http/protobuf" or "grpc"'),
        ({"endpoint": "http://"}, ValueError, "has no host"),
        ({"endpoint": ""}, ValueError, "leave it out"),
        ({"endpoint": "ftp://host"}, ValueError, "write http://"),
        ({"endpoint": 4317}, TypeError, "write it like"),
        ({"sample_rate": 2}, ValueError, "from 0 (no trace) to 1"),
        ({"sample_rate": -0.1}, ValueError, "from 0 (no trace) to 1"),
        ({"sample_rate": float("nan")}, ValueError, "from 0 (no trace) to 1"),
        ({"sample_rate": "half"}, TypeError, "write a number"),
        ({"sample_rate": True}, TypeError, "write a number"),
        ({"sampler": 0.5}, TypeError, "write sample_rate=0.5"),
        ({"sampler": ALWAYS_OFF, "sample_rate": 0.5}, ValueError, "leave one of them out"),
        ({"project_name": 7}, TypeError, "write a string"),
        ({"resource": {"a": 1}}, TypeError, "Resource.create"),
        ({"span_processors": SpanProcessor()}, TypeError, "span_processors=[processor]"),
        ({"span_processors": [print]}, TypeError, "no span processor"),
        ({"tracer_provider": "mine"}, ValueError, 'write "own"'),
        ({"tracer_provider": 3}, TypeError, 'write "own"'),
        ({"headers": ["a"]}, TypeError, "write a dict"),
        ({"headers": {"a": 1}}, TypeError, "must be strings"),
        ({"headers": "nonsense"}, ValueError, "name=value"),
        ({"api_key": 5}, TypeError, "must be a string"),
        ({"colour": "blue"}, TypeError, "unexpected keyword argument 'colour': it takes endpoint, project_name"),
        ({"project": "p"}, TypeError, "did you mean project_name?"),
        ({"samplerate": 0.5}, TypeError, "did you mean sample_rate?"),
        ({"span_limit": 5}, TypeError, "did you mean span_limits?"),
        ({"span_limits": 3}, TypeError, "span_limits is int: write SpanLimits(max_span_attributes=…)"),
        ({"id_generator": 3}, TypeError, "id_generator is int: write an IdGenerator"),
        ({"url": "http://host:1"}, TypeError, "did you mean endpoint?"),
        ({"host": "host:1"}, TypeError, "did you mean endpoint? For Langfuse, write register(langfuse(host=…))"),
        ({"token": "k"}, TypeError, "did you mean api_key?"),
        ({"spans": "all"}, TypeError, 'register(phoenix(spans="all")), or set AGENTTRACE_SPANS=all'),
        (
            {"timeout": 3},
            TypeError,
            "(otlp(timeout=…)), or set OTEL_EXPORTER_OTLP_TIMEOUT, or AGENTTRACE_TIMEOUT",
        ),
        ({"secret_key": "k"}, TypeError, "as in register(langfuse(secret_key=…))"),
        ({"outbox_mb": 3}, TypeError, "set AGENTTRACE_OUTBOX_MB"),
        ({"destinations": []}, TypeError, "without a keyword, as in register(phoenix(), …)"),
        ({"langfuse": None}, TypeError, "as in register(langfuse(), …), with langfuse from agenttrace.destinations"),
        ({"batch": "no"}, TypeError, "batch is str: write batch=True or batch=False"),
        ({"batch": 0}, TypeError, "batch is int"),
        ({"verbose": "yes"}, TypeError, "write verbose=True or verbose=False"),
        ({"auto_instrument": None}, TypeError, "auto_instrument is NoneType"),
        ({"endpoint": "phoenix.example.com"}, ValueError, "neither a scheme nor a port"),
        ({"config": object()}, TypeError, "write config=TraceConfig"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_to_write_instead(
    settings: dict[str, Any], error: type[Exception], words: str
) -> None:
    """At once, and nothing is registered."""
    with pytest.raises(error) as caught:
        register_own(**settings)
    assert words in str(caught.value)
    assert registered_provider() is None


def test_set_global_tracer_provider_is_true_or_false() -> None:
    """Python counts "no" as true."""
    with pytest.raises(TypeError, match="write set_global_tracer_provider=True or set_global_tracer_provider=False"):
        register(set_global_tracer_provider="no")  # type: ignore[arg-type]


def test_a_positional_argument_is_refused_with_the_keyword_to_write() -> None:
    """As phoenix.otel.register takes keywords only, too. The value isn't quoted: it may hold a password."""
    with pytest.raises(TypeError, match=r"write register\(endpoint=\.\.\.\)") as caught:
        register("http://user:secret@host:1")  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)
    assert registered_provider() is None


def test_every_keyword_of_register_is_known_to_the_advice() -> None:
    """Its signature can be read, and a near miss of each leads to it."""
    keywords = [
        name for name in inspect.signature(register).parameters if name not in ("destinations", "provider_options")
    ]
    assert len(keywords) == 20
    for keyword in keywords:
        with pytest.raises(TypeError, match=f"did you mean {keyword}\\?"):
            register_own(**{f"{keyword}_": None})


@pytest.mark.parametrize("variable", ["PHOENIX_COLLECTOR_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """Nobody would look for it otherwise."""
    monkeypatch.setenv(variable, "ftp://host")
    with pytest.raises(ValueError, match=f"^{variable}: "):
        register_own()


@pytest.mark.parametrize("port", ["x", "0", "65536", "²"])
def test_a_wrong_grpc_port_is_named(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    """With what to set it to."""
    monkeypatch.setenv("PHOENIX_GRPC_PORT", port)
    with pytest.raises(ValueError, match=r"PHOENIX_GRPC_PORT is .* 1 to 65535"):
        register_own(endpoint="host:1")


@pytest.mark.parametrize(
    "settings",
    [
        {"api_key": "hidden\nsecret"},
        {"headers": {"x-key": "secret\r\nx: y"}},
        {"headers": {"secret\nx": "v"}},
        {"headers": {"secret name": "v"}},
        {"api_key": "secret ☃"},
        {"headers": {"secret": "☃"}},
        {"headers": "secret"},
        {"headers": {"secret": 1}},
        {"headers": "a=1,secret"},
        {"endpoint": "http://user:secret@"},
        {"endpoint": "ftp://host/?key=secret"},
        {"endpoint": "grpc://user:secret@host", "protocol": "http/protobuf"},
    ],
)
def test_no_message_quotes_a_secret(settings: dict[str, Any]) -> None:
    """Neither header names nor values, nor a key, nor a password."""
    with pytest.raises((TypeError, ValueError)) as caught:
        register_own(**{"endpoint": "http://host:1", **settings})
    chain: BaseException | None = caught.value
    assert "secret" not in str(chain)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_no_secret_is_shown_or_logged(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """Not in the banner, not in warnings about a dead server, not in a representation."""
    caplog.set_level(logging.DEBUG)
    endpoint = f"http://user:secret1@127.0.0.1:{unused_port()}/p?token=secret2"
    settings: dict[str, Any] = {"endpoint": endpoint, "api_key": "secret3", "headers": {"x-secret4": "secret5"}}
    provider = register_own(verbose=True, **settings)
    end_span(provider)
    assert flush().on_disk == 1
    [destination] = choose_destinations((), endpoint, {"x-secret4": "secret5"}, None, "secret3")
    shown = "".join(capsys.readouterr()) + repr(destination) + str(destination) + repr(provider)
    # urllib3 logs what it connects to at DEBUG, to its own logger: a program that asks for that gets it.
    ours = "".join(record.getMessage() for record in caplog.records if record.name == "agenttrace")
    assert "no server answers" in ours
    assert "secret" not in shown + ours


# Called again, off, over


def test_the_same_settings_give_the_same_provider(caplog: pytest.LogCaptureFixture) -> None:
    """And no second export; the sampler may be another object that says the same."""
    with CollectorServer() as server:
        settings: dict[str, Any] = {"endpoint": server.endpoint, "project_name": "p", "headers": {"a": "b"}}
        first = register_own(**settings, sampler=TraceIdRatioBased(1.0))
        second = register_own(**settings, sampler=TraceIdRatioBased(1.0), verbose=True)
        assert first is second
        end_span(second)
        assert flush()
        assert len(server.spans) == 1
    assert warnings_in(caplog) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"project_name": "q"}, "project_name 'p' -> 'q'"),
        ({"headers": {"a": "secret"}}, "headers or api_key"),
        ({"api_key": "secret"}, "headers or api_key"),
        ({"batch": False}, "batch True -> False"),
        ({"sample_rate": 1.0}, "sample_rate None -> 1.0"),
        ({"sampler": TraceIdRatioBased(1.0)}, "sampler"),
        ({"resource": Resource({"service.name": "x"})}, "resource"),
        ({"span_processors": [SpanProcessor()]}, "span_processors"),
        ({"span_limits": SpanLimits(max_span_attributes=5)}, "span_limits"),
        ({"tracer_provider": "own"}, "tracer_provider"),
    ],
)
def test_other_settings_replace_the_ones_before(
    caplog: pytest.LogCaptureFixture, change: dict[str, Any], words: str
) -> None:
    """What ended before is delivered, nothing is delivered twice, and a warning says what is other than before."""
    with CollectorServer() as server:
        settings: dict[str, Any] = {"endpoint": server.endpoint, "project_name": "p"}
        first = register_own(**settings)
        end_span(first, "before")
        second = register_own(**{**settings, **change})
        assert second is not first
        assert registered_provider() is second
        end_span(second, "after")
        assert flush()
        assert [span.name for span in server.spans] == ["before", "after"]
    [warning] = warnings_in(caplog)
    assert warning.startswith("agenttrace: register() was called again")
    assert warning.endswith(f"before: {words}.")


def test_a_change_of_the_destination_is_named_without_secrets() -> None:
    """Both addresses, or what of them isn't shown."""

    def changes(old: dict[str, Any], new: dict[str, Any]) -> str:
        nothing = dict.fromkeys(inspect.signature(make_settings).parameters)
        fixed = {"destinations": (), "batch": True, "set_global_tracer_provider": True, "options": {}}
        before, after = (make_settings(**{**nothing, **fixed, **given}) for given in (old, new))
        return after.changes_from(before)

    assert changes({"endpoint": "a:1"}, {"endpoint": "b:2"}) == "http://a:1/v1/traces -> http://b:2/v1/traces"
    both = {"endpoint": "a:1", "project_name": "p"}
    assert changes(both, {"endpoint": "grpc://a", "batch": False}) == (
        "http://a:1/v1/traces -> grpc://a:4317, project_name 'p' -> None, batch True -> False"
    )
    assert changes({"endpoint": "http://u:secret1@a"}, {"endpoint": "http://u:secret2@a"}) == "endpoint"


def test_a_provider_shows_its_project_and_destination(isolated: Path) -> None:
    """As a notebook does with the value of its last line; and what has become of it."""
    first = register_own(endpoint="localhost", project_name="x")
    shown = '<agenttrace provider: project "x", sending to http://localhost:6006/v1/traces>'
    assert repr(first) == shown
    second = register_own()
    here = f'<agenttrace provider: project "default", recording to {isolated / "traces.db"}>'
    assert repr(second) == here
    assert repr(first) == f"<agenttrace provider: replaced by {here}>"
    second.shutdown()
    assert repr(second) == '<agenttrace provider: project "default", stopped>'


def test_after_a_replacement_everything_goes_to_the_new_destination() -> None:
    """Marks, tracers from before and after, and a span that was open."""
    with CollectorServer() as old_server, CollectorServer() as new_server:

        @trace_tool
        def tool() -> None: ...

        first = register_own(endpoint=old_server.endpoint)
        tracer = first.get_tracer("module")
        open_span = tracer.start_span("open")
        tool()
        second = register_own(endpoint=new_server.endpoint)
        open_span.end()
        tracer.start_span("old tracer").end()
        end_span(first, "old provider")
        end_span(second, "new provider")
        tool()
        assert flush()
        assert [span.name for span in old_server.spans] == ["tool"]
        names = [span.name for span in new_server.spans]
        assert names == ["open", "old tracer", "old provider", "new provider", "tool"]


def test_after_shutdown_marks_record_nothing_until_register() -> None:
    """And register works again, with the same settings too."""
    with CollectorServer() as server:
        first = register_own(endpoint=server.endpoint)
        end_span(first, "a")
        assert shutdown()
        assert [span.name for span in server.spans] == ["a"]
        assert find_source_now() is None
        assert flush()
        assert shutdown()
        second = register_own(endpoint=server.endpoint)
        assert second is not first
        end_span(second, "b")
        assert flush()
        assert [span.name for span in server.spans] == ["a", "b"]


def test_a_provider_that_the_user_shut_down_is_made_anew() -> None:
    """It takes no more spans, so the same settings need another one."""
    with CollectorServer() as server:
        first = register_own(endpoint=server.endpoint)
        first.shutdown()
        second = register_own(endpoint=server.endpoint)
        assert second is not first
        end_span(second)
        assert second.force_flush()
        assert len(server.spans) == 1


def find_source_now() -> Any:
    from opentelemetry.context import get_current

    return find_source(get_current())


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AGENTTRACE_DISABLED", "1"),
        ("AGENTTRACE_DISABLED", "True"),
        ("AGENTTRACE_DISABLED", "YES"),
        ("AGENTTRACE_DISABLED", "on"),
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_SDK_DISABLED", " TRUE "),
    ],
)
def test_disabled_is_a_no_op(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], isolated: Path, variable: str, value: str
) -> None:
    """Nothing is printed, recorded or refused, and the provider makes no spans."""
    monkeypatch.setenv(variable, value)
    provider = register(endpoint="ftp://wrong", auto_instrument=True)
    assert isinstance(provider, TracerProvider)
    assert repr(provider) == "<agenttrace provider: switched off>"
    assert not provider.get_tracer("test").start_span("s").is_recording()
    provider.add_span_processor(SpanProcessor())
    assert find_source_now() is None
    assert flush()
    assert shutdown()
    assert capsys.readouterr() == ("", "")
    assert not isolated.exists()


@pytest.mark.parametrize(("variable", "value"), [("AGENTTRACE_DISABLED", "0"), ("OTEL_SDK_DISABLED", "1")])
def test_only_the_words_for_yes_disable(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """OpenTelemetry's variable knows "true" only, as its specification says."""
    monkeypatch.setenv(variable, value)
    assert register_own().get_tracer("test").start_span("s").is_recording()


def test_a_disabled_that_is_no_word_for_yes_or_no_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, and spans are recorded."""
    monkeypatch.setenv("AGENTTRACE_DISABLED", "maybe")
    for _ in range(2):
        assert register_own().get_tracer("test").start_span("s").is_recording()
    [warning] = warnings_in(caplog)
    assert "AGENTTRACE_DISABLED is 'maybe'" in warning
    assert "tracing stays on" in warning


@pytest.mark.parametrize("word", ["", "0", "False", "NO", "off"])
def test_the_words_for_no_are_no_reason_to_warn(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, word: str
) -> None:
    """And leave tracing on."""
    monkeypatch.setenv("AGENTTRACE_DISABLED", word)
    assert register_own().get_tracer("test").start_span("s").is_recording()
    assert warnings_in(caplog) == []


def test_switching_off_stops_what_was_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ended before is still delivered."""
    with CollectorServer() as server:
        end_span(register_own(endpoint=server.endpoint), "before")
        monkeypatch.setenv("AGENTTRACE_DISABLED", "1")
        register()
        assert [span.name for span in server.spans] == ["before"]
        assert find_source_now() is None


def test_a_dead_endpoint_is_said_once_and_spans_wait_on_disk(caplog: pytest.LogCaptureFixture) -> None:
    """However often it is asked; they are safe there, which `flush` and `shutdown` say."""
    provider = register_own(endpoint=f"127.0.0.1:{unused_port()}")
    for count in (1, 2, 3):
        end_span(provider)
        report = flush()
        assert report
        assert (report.on_disk, report.sent) == (count, 0)
    assert shutdown()
    assert len(warnings_in(caplog)) == 1
    assert "is it running" in warnings_in(caplog)[0]


@pytest.mark.parametrize("end", [flush, shutdown])
@pytest.mark.parametrize("timeout", ["x", True, [5]])
def test_a_timeout_that_is_no_number_is_refused(end: Callable[[Any], object], timeout: Any) -> None:
    """With what to write, whether anything is registered or not; what is registered stays so."""
    with pytest.raises(TypeError, match="write a number of seconds"):
        end(timeout)
    provider = register_own(endpoint=f"127.0.0.1:{unused_port()}")
    with pytest.raises(TypeError, match="write a number of seconds"):
        end(timeout)
    assert registered_provider() is provider


@pytest.mark.parametrize("timeout", [-1, -0.5, float("nan")])
def test_a_timeout_below_nothing_is_nothing(timeout: float) -> None:
    """What ended is delivered all the same, by the thread that nobody waits for."""
    with CollectorServer() as server:
        end_span(register_own(endpoint=server.endpoint))
        flush(timeout)
        assert flush(60)
        assert len(server.spans) == 1
        shutdown(timeout)


def test_in_memory_alone_spans_for_a_dead_endpoint_are_not_safe(caplog: pytest.LogCaptureFixture) -> None:
    """Which `flush` and `shutdown` say, and one warning."""
    provider = register_own(endpoint=f"127.0.0.1:{unused_port()}", durability="memory")
    end_span(provider)
    report = flush()
    assert not report
    assert (report.on_disk, report.waiting) == (0, 1)
    assert not shutdown()
    assert "is it running" in warnings_in(caplog)[0]


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_server_that_starts_late_gets_what_waited(protocol: str) -> None:
    """By itself, while the program runs."""
    port = unused_port()
    provider = register_own(endpoint=f"http://127.0.0.1:{port}", protocol=protocol)
    end_span(provider, "early")
    assert flush().on_disk == 1
    with CollectorServer(protocol, port) as server:
        assert [span.name for span in server.wait_for_spans(1)] == ["early"]


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_burst_arrives_whole(protocol: str) -> None:
    """Once, though the server is busy in between."""
    with CollectorServer(protocol) as server:
        busy = Fault("status", 503 if protocol == "http/protobuf" else "UNAVAILABLE")
        server.script(busy, busy)
        tracer = register_own(endpoint=server.endpoint).get_tracer("test")
        for number in range(5_000):
            tracer.start_span(str(number)).end()
        assert flush(60)
        assert [span.name for span in server.spans] == [str(number) for number in range(5_000)]


def test_many_threads_register_at_once() -> None:
    """All get one provider."""
    providers: list[TracerProvider] = []
    start = threading.Barrier(20)

    def work() -> None:
        start.wait()
        providers.append(register_own(project_name="p"))

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(providers) == 20
    assert len(set(map(id, providers))) == 1
