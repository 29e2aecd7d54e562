"""`register` with several destinations at once: what each receives over the wire, and that none touches another."""

from __future__ import annotations

import base64
import contextlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from agenttrace import trace_step, trace_tool
from agenttrace.destinations import Destination, arize, langfuse, local, otlp, phoenix
from agenttrace.local.reader import Store
from agenttrace.provider import registered_provider
from agenttrace.registration import flush, register, shutdown
from agenttrace.settings import Settings, make_settings
from tests.isolation import Program, isolated, program, warnings_in
from tests.servers import CollectorServer, unused_port

__all__ = ["isolated", "program"]

pytestmark = pytest.mark.usefixtures("isolated")


def register_own(*destinations: Destination, **settings: Any) -> TracerProvider:
    settings.setdefault("verbose", False)
    return register(*destinations, set_global_tracer_provider=False, **settings)


def settings_of(*destinations: Destination, **given: Any) -> Settings:
    nothing = dict.fromkeys(inspect.signature(make_settings).parameters)
    fixed = {"batch": True, "set_global_tracer_provider": True, "options": {}}
    return make_settings(**{**nothing, **fixed, **given, "destinations": destinations})


@trace_tool
def tool() -> None:
    """A call that ends with a span."""


@contextlib.contextmanager
def servers(*protocols: str) -> Iterator[list[CollectorServer]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(CollectorServer(protocol)) for protocol in protocols]


def names_in(path: Path) -> list[str]:
    store = Store(path)
    return [span.name for trace in store.traces(limit=100) for span in store.spans(trace.trace_id)]


# Over the wire


def test_every_destination_receives_every_span_in_its_own_way(tmp_path: Path) -> None:
    """Path, credentials, project: each as its backend wants them."""
    http, grpc = "http/protobuf", "grpc"
    with servers(http, http, http, grpc, grpc) as (to_phoenix, to_langfuse, to_arize, to_arize_grpc, to_otlp):
        register_own(
            phoenix(to_phoenix.endpoint, api_key="key-p"),
            langfuse("pk-lf-1", "sk-lf-2", to_langfuse.endpoint),
            arize("space", "key-a", endpoint=to_arize.endpoint),
            arize("space", "key-a", endpoint=to_arize_grpc.endpoint),
            otlp(to_otlp.endpoint, headers={"x-tenant": "blue"}),
            local(tmp_path / "run.db"),
            project_name="weather",
        )
        tool()
        assert flush()
        received = [server.requests[0] for server in (to_phoenix, to_langfuse, to_arize, to_arize_grpc, to_otlp)]
        assert [[span.name for span in request.spans] for request in received] == [["tool"]] * 5
        assert [request.path for request in received[:3]] == [
            "/v1/traces",
            "/api/public/otel/v1/traces",
            "/v1/traces",
        ]
        assert received[0].headers["authorization"] == "Bearer key-p"
        token = base64.b64encode(b"pk-lf-1:sk-lf-2").decode()
        assert received[1].headers["authorization"] == f"Basic {token}"
        assert received[1].headers["x-langfuse-ingestion-version"] == "4"
        for request in received[2:4]:
            assert request.headers["arize-space-id"] == request.headers["space_id"] == "space"
            assert request.headers["arize-api-key"] == request.headers["api_key"] == "key-a"
            assert request.spans[0].resource["model_id"] == "weather"
        assert received[4].headers["x-tenant"] == "blue"
        assert {request.spans[0].resource["openinference.project.name"] for request in received} == {"weather"}
        assert ["model_id" in request.spans[0].resource for request in received] == [False, False, True, True, False]
    assert names_in(tmp_path / "run.db") == ["tool"]


def test_no_credential_goes_to_another_destination() -> None:
    """Nor any header."""
    with servers("http/protobuf", "http/protobuf") as (first, second):
        register_own(otlp(first.endpoint, headers={"x-first": "1"}), phoenix(second.endpoint, api_key="k"))
        tool()
        assert flush()
        assert "authorization" not in first.requests[0].headers
        assert "x-first" not in second.requests[0].headers


def test_the_environment_sends_to_all_that_it_configures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an argument."""
    with servers("http/protobuf", "http/protobuf", "grpc") as (to_phoenix, to_langfuse, to_otlp):
        for name, value in {
            "PHOENIX_COLLECTOR_ENDPOINT": to_phoenix.endpoint,
            "PHOENIX_PROJECT_NAME": "weather",
            "LANGFUSE_PUBLIC_KEY": "pk-lf-1",
            "LANGFUSE_SECRET_KEY": "sk-lf-2",
            "LANGFUSE_HOST": to_langfuse.endpoint,
            "OTEL_EXPORTER_OTLP_ENDPOINT": to_otlp.endpoint.replace("grpc:", "http:"),
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        }.items():
            monkeypatch.setenv(name, value)
        register_own()
        tool()
        assert flush()
        assert [[span.name for span in server.spans] for server in (to_phoenix, to_langfuse, to_otlp)] == [["tool"]] * 3


@pytest.mark.parametrize("order", [1, -1])
def test_a_destination_that_is_down_keeps_nothing_from_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, order: int
) -> None:
    """Whichever is named first."""
    with CollectorServer() as server:
        dead = phoenix(f"http://127.0.0.1:{unused_port()}")
        destinations = [dead, otlp(server.endpoint), local(tmp_path / "run.db")][::order]
        register_own(*destinations)
        tool()
        report = flush()
        assert (report.sent, report.on_disk) == (2, 1)
        assert [span.name for span in server.spans] == ["tool"]
        assert names_in(tmp_path / "run.db") == ["tool"]
        assert shutdown()
    [warning] = warnings_in(caplog)
    assert str(dead) in warning


def test_one_destination_given_twice_is_sent_to_once() -> None:
    """And one that is given in another spelling."""
    with CollectorServer() as server:
        register_own(otlp(server.endpoint), otlp(f"{server.endpoint}/"), otlp(f"{server.endpoint}/v1/traces"))
        tool()
        assert flush()
        assert [span.name for span in server.spans] == ["tool"]


def test_each_destination_may_have_a_project_of_its_own() -> None:
    """The others have the one that `register` was told."""
    with servers("http/protobuf", "http/protobuf", "http/protobuf") as (first, second, third):
        provider = register_own(
            phoenix(first.endpoint, project_name="one"),
            arize("s", "k", endpoint=second.endpoint, project_name="two"),
            phoenix(third.endpoint),
            project_name="three",
        )
        tool()
        assert flush()
        resources = [server.spans[0].resource for server in (first, second, third)]
        assert [resource["openinference.project.name"] for resource in resources] == ["one", "two", "three"]
        assert [resource.get("model_id") for resource in resources] == [None, "two", None]
        assert provider.resource.attributes["openinference.project.name"] == "three"


def test_each_destination_joined_to_a_foreign_provider_has_its_project() -> None:
    """Whose own exporters see the resource as it was."""
    foreign = TracerProvider()
    with servers("http/protobuf", "http/protobuf") as (first, second):
        register(
            phoenix(first.endpoint, project_name="one", spans="all"),
            phoenix(second.endpoint, spans="all"),
            project_name="two",
            tracer_provider=foreign,
            verbose=False,
        )
        foreign.get_tracer("web").start_span("request").end()
        assert flush()
        projects = [server.spans[0].resource["openinference.project.name"] for server in (first, second)]
        assert projects == ["one", "two"]
    assert "openinference.project.name" not in foreign.resource.attributes


def test_two_projects_at_one_address_are_two_destinations() -> None:
    """Each gets its copy."""
    with CollectorServer() as server:
        register_own(phoenix(server.endpoint, project_name="one"), phoenix(server.endpoint, project_name="two"))
        tool()
        assert flush()
        assert sorted(span.resource["openinference.project.name"] for span in server.spans) == ["one", "two"]


def test_which_spans_go_where_is_each_destinations_own() -> None:
    """One has the agents' only, the other what the web framework made as well."""
    with servers("http/protobuf", "http/protobuf") as (agents, everything):
        provider = register_own(otlp(agents.endpoint), otlp(everything.endpoint, spans="all"))
        with provider.get_tracer("web").start_as_current_span("GET /"), trace_step("step"):
            pass
        assert flush()
        assert [span.name for span in agents.spans] == ["step"]
        assert sorted(span.name for span in everything.spans) == ["GET /", "step"]


@pytest.mark.parametrize(
    ("variables", "arguments", "projects"),
    [
        ({}, {}, [None, None]),
        ({"ARIZE_PROJECT_NAME": "a"}, {}, [None, "a"]),
        ({"PHOENIX_PROJECT_NAME": "p", "ARIZE_PROJECT_NAME": "a"}, {}, ["p", "a"]),
        ({"PHOENIX_PROJECT_NAME": "p"}, {}, ["p", "p"]),
        ({"AGENTTRACE_PROJECT_NAME": "o", "PHOENIX_PROJECT_NAME": "p"}, {}, ["p", "o"]),
        ({"AGENTTRACE_PROJECT_NAME": "o"}, {}, ["o", "o"]),
        ({"PHOENIX_PROJECT_NAME": "p", "ARIZE_PROJECT_NAME": "a"}, {"project_name": "x"}, ["x", "x"]),
    ],
)
def test_a_project_is_what_code_says_then_the_backends_variable_then_the_general_one(
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    arguments: dict[str, Any],
    projects: list[str | None],
) -> None:
    """For each destination by itself."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = settings_of(phoenix(), arize("s", "k"), **arguments)
    assert [settings.project_of(destination) for destination in settings.destinations] == projects
    fixed = settings_of(phoenix(project_name="1"), arize("s", "k", project_name="2"), **arguments)
    assert [fixed.project_of(destination) for destination in fixed.destinations] == ["1", "2"]


def test_the_project_of_the_only_destination_is_the_providers() -> None:
    """As its representation shows it."""
    provider = register_own(phoenix(project_name="weather"))
    assert repr(provider) == (
        '<agenttrace provider: project "weather", sending to Phoenix at http://localhost:6006/v1/traces>'
    )


# What is refused


class Opaque:
    """Something with a secret in its representation."""

    def __repr__(self) -> str:
        return "hidden"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["hidden"], "write register(endpoint=...) or register(project_name=...)"),
        ([phoenix], "call it, as in register(phoenix())"),
        ([langfuse], "call it, as in register(langfuse())"),
        ([[phoenix()]], "write register(*destinations)"),
        ([phoenix(), "hidden"], "not str"),
        ([Opaque()], "not Opaque: write register(phoenix())"),
        ([None], "not NoneType"),
    ],
)
def test_what_is_no_destination_is_refused(given: list[Any], words: str) -> None:
    """With what to write, and without quoting it."""
    with pytest.raises(TypeError) as caught:
        register_own(*given)
    assert words in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert registered_provider() is None


@pytest.mark.parametrize(
    ("given", "keywords", "words"),
    [
        (phoenix(), {"endpoint": "http://h:1"}, "endpoint and destinations are both given"),
        (phoenix(), {"api_key": "hidden"}, "like register(phoenix(api_key=...))"),
        (otlp(), {"headers": {"a": "hidden"}}, "like register(otlp(headers=...))"),
        (local(), {"protocol": "grpc"}, "like register(otlp(protocol=...))"),
        (phoenix(), {"protocol": "grpc", "api_key": "hidden"}, "protocol and api_key and destinations"),
    ],
)
def test_a_servers_keywords_beside_destinations_are_refused(
    given: Destination, keywords: dict[str, Any], words: str
) -> None:
    """Nobody could say which of them they are meant for."""
    with pytest.raises(ValueError, match="both given") as caught:
        register_own(given, **keywords)
    assert words in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_set_up_mistake_registers_nothing(tmp_path: Path) -> None:
    """What was registered before stays in force."""
    before = register_own(local(tmp_path / "run.db"))
    with pytest.raises(ValueError, match="LANGFUSE_PUBLIC_KEY"):
        register_own(phoenix(), langfuse())
    assert registered_provider() is before


# The line on stderr, and registering again


def test_one_line_names_every_destination(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With what to look at, and without a secret."""
    register_own(
        phoenix("http://user:hidden@127.0.0.1:1"),
        langfuse("pk-lf-hidden", "sk-lf-hidden", "127.0.0.1:2"),
        local(tmp_path / "run.db"),
        verbose=True,
        project_name="weather",
    )
    _, err = capsys.readouterr()
    assert "hidden" not in err
    for place in ("http://127.0.0.1:1/v1/traces", "http://127.0.0.1:2/api/public/otel/v1/traces", "run.db", "weather"):
        assert place in err
    assert "agenttrace show" in err


def test_the_same_destinations_change_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Wherever their settings came from."""
    first = register_own(phoenix(), langfuse("pk-lf-1", "sk-lf-2"))
    assert register_own(phoenix("localhost:6006"), langfuse("pk-lf-1", "sk-lf-2", "cloud.langfuse.com")) is first
    assert warnings_in(caplog) == []


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ([phoenix()], [otlp("http://h")], "http://localhost:6006/v1/traces -> http://h/v1/traces"),
        ([phoenix()], [otlp("localhost:6006")], "destination 'phoenix' -> 'otlp'"),
        ([phoenix(spans="all")], [phoenix(spans="agent")], "spans 'all' -> 'agent'"),
        ([phoenix(project_name="a")], [phoenix(project_name="b")], "project_name 'a' -> 'b'"),
        ([phoenix(api_key="hidden1")], [phoenix(api_key="hidden2")], "headers or api_key"),
        ([phoenix(timeout=1)], [phoenix(timeout=2)], "compression, timeout or certificates"),
        ([local("/a"), local("/b")], [local("/a")], "/a, /b -> /a"),
        ([local("/a")], [local("/a"), phoenix()], "/a -> /a, http://localhost:6006/v1/traces"),
    ],
)
def test_what_is_other_than_before_is_named(before: list[Destination], after: list[Destination], words: str) -> None:
    """Without a secret, and once."""
    assert settings_of(*after).changes_from(settings_of(*before)) == words


# How spans are kept safe


@pytest.mark.parametrize(
    ("keyword", "value", "variable", "text", "field"),
    [
        ("overflow", "block", "AGENTTRACE_OVERFLOW", "Block", "overflow"),
        ("durability", "sync", "AGENTTRACE_DURABILITY", "sync", "durability"),
        ("export_interval", 0.25, "AGENTTRACE_EXPORT_INTERVAL", "0.25", "interval"),
        ("shutdown_timeout", 5, "AGENTTRACE_SHUTDOWN_TIMEOUT", "5", "shutdown_timeout"),
        ("flush_on_root", True, "AGENTTRACE_FLUSH_ON_ROOT", "Yes", "flush_on_root"),
    ],
)
def test_how_spans_are_kept_is_a_keyword_or_a_variable(
    monkeypatch: pytest.MonkeyPatch, keyword: str, value: Any, variable: str, text: str, field: str
) -> None:
    """The keyword wins."""
    usual = getattr(settings_of(local("/a")).delivery, field)
    assert getattr(settings_of(local("/a"), **{keyword: value}).delivery, field) == value != usual
    monkeypatch.setenv(variable, text)
    changed = settings_of(local("/a"))
    assert getattr(changed.delivery, field) == value
    assert getattr(settings_of(local("/a"), **{keyword: usual}).delivery, field) == usual
    assert changed.changes_from(settings_of(local("/a"), **{keyword: usual})).startswith(f"{keyword} ")


@pytest.mark.parametrize(
    ("variable", "text", "field", "usual", "value"),
    [
        ("AGENTTRACE_OVERFLOW_TIMEOUT", "0.5", "overflow_timeout", 2.0, 0.5),
        ("AGENTTRACE_OVERFLOW_TIMEOUT", "0", "overflow_timeout", 2.0, 0.0),
        ("AGENTTRACE_BATCH_MB", "1.5", "batch_bytes", 3_500_000, 1_500_000),
        ("AGENTTRACE_BATCH_MB", "64", "batch_bytes", 3_500_000, 64_000_000),
        ("AGENTTRACE_OUTBOX_MB", "1", "outbox_bytes", 512 * 2**20, 2**20),
        ("AGENTTRACE_OUTBOX_MB", "1.5", "outbox_bytes", 512 * 2**20, 1.5 * 2**20),
        ("AGENTTRACE_OUTBOX_DAYS", "0.5", "outbox_seconds", 7 * 86_400, 43_200),
    ],
)
def test_how_much_is_sent_and_kept_and_waited_for_is_a_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, field: str, usual: float, value: float
) -> None:
    """In megabytes, seconds and days; a change of it is named by its variable."""
    before = settings_of(local("/a"))
    assert getattr(before.delivery, field) == usual
    monkeypatch.setenv(variable, text)
    changed = settings_of(local("/a"))
    assert getattr(changed.delivery, field) == value
    assert changed.changes_from(before).startswith(f"{variable} ")


def test_a_batch_is_as_large_as_its_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request is larger, whatever the spans."""
    monkeypatch.setenv("AGENTTRACE_BATCH_MB", "0.02")
    with CollectorServer() as server:
        provider = register_own(otlp(server.endpoint, spans="all"), export_interval=60)
        tracer = provider.get_tracer("test")
        for number in range(20):
            tracer.start_span(str(number), attributes={"text": "x" * 4_000}).end()
        assert flush()
        sizes = [request.size for request in server.requests]
    assert sum(len(request.spans) for request in server.requests) == 20
    assert max(sizes) <= 20_000
    assert len(sizes) >= 4


def test_each_destination_is_waited_for_as_long_as_it_says() -> None:
    """Its own timeout, and what is common to all."""
    settings = settings_of(phoenix(timeout=3), local("/a"), export_interval=0.5)
    options = [settings.options_for(destination) for destination in settings.destinations]
    assert [(option.timeout, option.interval) for option in options] == [(3.0, 0.5), (10.0, 0.5)]


def test_without_batches_nothing_is_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the variable says; a keyword that says otherwise is refused."""
    monkeypatch.setenv("AGENTTRACE_EXPORT_INTERVAL", "3")
    assert settings_of(local("/a"), batch=False).delivery.interval == 0
    with pytest.raises(ValueError, match="batch=False and export_interval"):
        settings_of(local("/a"), batch=False, export_interval=1)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"overflow": "wait"}, ValueError, 'overflow is \'wait\': write one of "spill", "block", "drop"'),
        ({"overflow": True}, TypeError, "overflow is bool"),
        ({"durability": "disk"}, ValueError, '"memory", "batch", "write", "sync"'),
        ({"export_interval": -1}, ValueError, "export_interval is -1: write a number from 0 on, like 0.1"),
        ({"export_interval": float("nan")}, ValueError, "from 0 on"),
        ({"export_interval": "1"}, TypeError, "number of seconds, like 0.1"),
        ({"shutdown_timeout": float("inf")}, ValueError, "shutdown_timeout is inf"),
        ({"shutdown_timeout": True}, TypeError, "shutdown_timeout is bool"),
        ({"flush_on_root": "yes"}, TypeError, "write flush_on_root=True or flush_on_root=False"),
    ],
)
def test_what_no_delivery_can_do_is_refused(given: dict[str, Any], error: type[Exception], words: str) -> None:
    """At once."""
    with pytest.raises(error) as caught:
        register_own(local("/a"), **given)
    assert words in str(caught.value)
    assert registered_provider() is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AGENTTRACE_OVERFLOW", "wait"),
        ("AGENTTRACE_DURABILITY", "disk"),
        ("AGENTTRACE_EXPORT_INTERVAL", "soon"),
        ("AGENTTRACE_SHUTDOWN_TIMEOUT", "-1"),
        ("AGENTTRACE_FLUSH_ON_ROOT", "maybe"),
        ("AGENTTRACE_OUTBOX_MB", "much"),
        ("AGENTTRACE_BATCH_MB", "much"),
        ("AGENTTRACE_OVERFLOW_TIMEOUT", "inf"),
        ("AGENTTRACE_OUTBOX_DAYS", "nan"),
    ],
)
def test_a_variable_of_ours_that_cannot_be_right_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """It was set for nobody else, so the mistake is worth stopping for."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=f"^{variable} is '{value}'"):
        register_own(local("/a"))


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        (
            "AGENTTRACE_BATCH_MB",
            "0",
            "AGENTTRACE_BATCH_MB is 0: write a number of megabytes above 0, at most 64, like 3.5",
        ),
        ("AGENTTRACE_BATCH_MB", "64.5", "AGENTTRACE_BATCH_MB is 64.5: "),
        ("AGENTTRACE_OUTBOX_MB", "0.5", "AGENTTRACE_OUTBOX_MB is 0.5: write a number of megabytes from 1 on, like 512"),
        ("AGENTTRACE_OUTBOX_MB", "0", 'register(durability="memory"), or set AGENTTRACE_DURABILITY=memory'),
    ],
)
def test_a_size_that_holds_nothing_or_too_much_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    """With what to write instead."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=f"^{variable} is ") as caught:
        register_own(local("/a"))
    assert words in str(caught.value)


def test_importing_the_makers_brings_no_exporter(program: Program) -> None:
    """Nor what only one kind of destination needs."""
    code = (
        "import sys; from agenttrace.destinations import arize, console, langfuse, local, otlp, phoenix\n"
        "phoenix(); langfuse('p', 's'); arize('s', 'k'); otlp(); local(); console()\n"
        "heavy = ('opentelemetry.sdk', 'opentelemetry.exporter', 'grpc', 'requests', 'sqlite3', 'rich')\n"
        "print([name for name in sys.modules if name.startswith(heavy)])\n"
    )
    out, _ = program.run(code)
    assert out == "[]\n"
