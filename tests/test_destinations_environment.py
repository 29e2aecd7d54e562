"""What the environment configures: every backend's own variables, several at once, and what is said of half of them."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest

from agenttrace import faults
from agenttrace.destinations import Destination, arize, langfuse, otlp, phoenix
from agenttrace.settings import choose_destinations
from tests.isolation import isolated, warnings_in

__all__ = ["isolated"]

pytestmark = pytest.mark.usefixtures("isolated")

PHOENIX = {"PHOENIX_COLLECTOR_ENDPOINT": "http://p:6006"}
LANGFUSE = {"LANGFUSE_PUBLIC_KEY": "pk-lf-1", "LANGFUSE_SECRET_KEY": "sk-lf-2"}
ARIZE = {"ARIZE_SPACE_ID": "U3BhY2U6MQ==", "ARIZE_API_KEY": "ak-3"}
OTLP = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o:4318"}
OWN = {"AGENTTRACE_ENDPOINT": "http://a:4318"}

AT_PHOENIX = "http://p:6006/v1/traces"
AT_LANGFUSE = "https://cloud.langfuse.com/api/public/otel/v1/traces"
AT_ARIZE = "https://otlp.arize.com/v1/traces"
AT_OTLP = "http://o:4318/v1/traces"


def configured(monkeypatch: pytest.MonkeyPatch, *variables: dict[str, str]) -> tuple[Destination, ...]:
    for some in variables:
        for name, value in some.items():
            monkeypatch.setenv(name, value)
    return choose_destinations()


def shown(destinations: tuple[Destination, ...]) -> list[str]:
    return [str(destination) for destination in destinations]


def by_kind(destinations: tuple[Destination, ...]) -> dict[str, Destination]:
    return {destination.kind: destination for destination in destinations}


# Which


def test_nothing_configured_is_the_local_store(isolated: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without a word."""
    [destination] = choose_destinations()
    assert (destination.kind, destination.path) == ("local", isolated / "traces.db")
    assert warnings_in(caplog) == []


@pytest.mark.parametrize(
    ("variables", "places"),
    [
        ([PHOENIX], [AT_PHOENIX]),
        ([LANGFUSE], [AT_LANGFUSE]),
        ([ARIZE], [AT_ARIZE]),
        ([OTLP], [AT_OTLP]),
        ([OWN], ["http://a:4318/v1/traces"]),
        ([OTLP, ARIZE, LANGFUSE, PHOENIX], [AT_PHOENIX, AT_LANGFUSE, AT_ARIZE, AT_OTLP]),
        ([LANGFUSE, {"LANGFUSE_HOST": "localhost:3000"}], ["http://localhost:3000/api/public/otel/v1/traces"]),
        ([LANGFUSE, {"LANGFUSE_HOST": "a", "LANGFUSE_BASE_URL": "b"}], ["https://b/api/public/otel/v1/traces"]),
        ([LANGFUSE, {"LANGFUSE_TRACING_ENABLED": "False"}, OTLP], [AT_OTLP]),
        ([ARIZE, {"ARIZE_COLLECTOR_ENDPOINT": "https://otlp.eu-west-1a.arize.com/v1"}],
         ["https://otlp.eu-west-1a.arize.com/v1/traces"]),
        ([OTLP, {"OTEL_TRACES_EXPORTER": "none"}, PHOENIX], [AT_PHOENIX]),
        ([OTLP, {"OTEL_TRACES_EXPORTER": "console, OTLP"}], [AT_OTLP]),
        ([OTLP, {"OTEL_TRACES_EXPORTER": "otlp_proto_http"}], [AT_OTLP]),
        ([OTLP, {"OTEL_TRACES_EXPORTER": "Otlp_Proto_Grpc"}], ["grpc://o:4318"]),
        ([OTLP, {"OTEL_TRACES_EXPORTER": "console,otlp_proto_grpc"}], ["grpc://o:4318"]),
        ([OTLP, {"OTEL_TRACES_EXPORTER": "otlp_proto_grpc", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}],
         [AT_OTLP]),
        ([OTLP, {"OTEL_TRACES_EXPORTER": "otlp_proto_http", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}],
         ["grpc://o:4318"]),
        ([{"OTEL_EXPORTER_OTLP_ENDPOINT": "o:4317", "OTEL_TRACES_EXPORTER": "otlp_proto_http"}],
         ["http://o:4317/v1/traces"]),
        ([OWN, {"OTEL_TRACES_EXPORTER": "otlp_proto_grpc"}], ["http://a:4318/v1/traces"]),
        ([OWN, {"OTEL_TRACES_EXPORTER": "none"}], ["http://a:4318/v1/traces"]),
        ([OWN, OTLP], ["http://a:4318/v1/traces"]),
    ],
)  # fmt: skip
def test_all_that_is_configured_is_sent_to(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variables: list[dict[str, str]],
    places: list[str],
) -> None:
    """Each backend by its own variables, in one order whatever theirs."""
    assert shown(configured(monkeypatch, *variables)) == places
    assert warnings_in(caplog) == []


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://p:6006/"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://p:6006/v1/traces"},
        {"AGENTTRACE_ENDPOINT": "http://p:6006"},
    ],
)
def test_one_address_under_two_names_is_sent_to_once(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """As Phoenix, whose variable says most about it."""
    [destination] = configured(monkeypatch, PHOENIX, variables, {"PHOENIX_API_KEY": "k"})
    assert destination.kind == "phoenix"
    assert dict(destination.headers) == {"authorization": "Bearer k"}


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"LANGFUSE_PUBLIC_KEY": "hidden"}, "LANGFUSE_PUBLIC_KEY is set but LANGFUSE_SECRET_KEY isn't"),
        ({"LANGFUSE_SECRET_KEY": "hidden"}, "LANGFUSE_SECRET_KEY is set but LANGFUSE_PUBLIC_KEY isn't"),
        ({"LANGFUSE_HOST": "hidden"}, "LANGFUSE_HOST is set but LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY aren't"),
        ({"ARIZE_API_KEY": "hidden"}, "ARIZE_API_KEY is set but ARIZE_SPACE_ID isn't"),
        ({"ARIZE_SPACE_ID": "hidden"}, "ARIZE_SPACE_ID is set but ARIZE_API_KEY isn't"),
        ({"PHOENIX_API_KEY": "hidden"}, "PHOENIX_API_KEY is set but PHOENIX_COLLECTOR_ENDPOINT isn't"),
        ({"PHOENIX_CLIENT_HEADERS": "a=hidden"}, "PHOENIX_CLIENT_HEADERS is set but PHOENIX_COLLECTOR_ENDPOINT isn't"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "a=hidden"}, "OTEL_EXPORTER_OTLP_HEADERS is set but no endpoint is"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "a=hidden"}, ": set one, such as OTEL_EXPORTER_OTLP_ENDPOINT, or unset OTEL_"),
        ({"ARIZE_SPACE_ID": "hidden"}, ": set ARIZE_API_KEY too, or unset ARIZE_SPACE_ID."),
        (
            {"LANGFUSE_PUBLIC_KEY": "hidden", "LANGFUSE_HOST": "hidden"},
            "Langfuse: set LANGFUSE_SECRET_KEY too, or unset LANGFUSE_PUBLIC_KEY and LANGFUSE_HOST.",
        ),
        (
            {"LANGFUSE_PUBLIC_KEY": "hidden", "LANGFUSE_HOST": "hidden", "LANGFUSE_BASE_URL": "hidden"},
            "LANGFUSE_PUBLIC_KEY, LANGFUSE_BASE_URL and LANGFUSE_HOST are set but LANGFUSE_SECRET_KEY isn't",
        ),
    ],
)
def test_half_a_configuration_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variables: dict[str, str], words: str
) -> None:
    """And spans go where they would go without it: the variables may be there for something else."""
    assert [destination.kind for destination in configured(monkeypatch, variables)] == ["local"]
    choose_destinations()
    [warning] = warnings_in(caplog)
    assert words in warning
    assert "nothing is sent" in warning
    assert "hidden" not in warning


@pytest.mark.parametrize("variable", ["PHOENIX_COLLECTOR_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_langfuse_in_a_variable_for_another_server_is_told_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variable: str
) -> None:
    """With the variables that are meant: the program may have set it for something else."""
    [destination] = configured(monkeypatch, {variable: "https://user:hidden@cloud.langfuse.com"})
    assert str(destination) == "https://cloud.langfuse.com/v1/traces"
    [warning] = warnings_in(caplog)
    assert warning.startswith(f"agenttrace: {variable} names https://cloud.langfuse.com/v1/traces, which is Langfuse")
    assert "set LANGFUSE_BASE_URL=https://cloud.langfuse.com, LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY" in warning
    assert "hidden" not in warning


def test_half_a_configuration_keeps_nothing_from_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is looked at by itself."""
    assert shown(configured(monkeypatch, PHOENIX, {"LANGFUSE_PUBLIC_KEY": "x"})) == [AT_PHOENIX]
    assert len(warnings_in(caplog)) == 1


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {"AGENTTRACE_HEADERS": "authorization=hidden"},
            "AGENTTRACE_HEADERS is set but AGENTTRACE_ENDPOINT isn't, so it",
        ),
        (
            {"AGENTTRACE_CLIENT_KEY": "/hidden", "AGENTTRACE_PROTOCOL": "grpc"},
            "AGENTTRACE_PROTOCOL and AGENTTRACE_CLIENT_KEY are set but AGENTTRACE_ENDPOINT isn't, so they aren't used",
        ),
    ],
)
@pytest.mark.parametrize("endpoint", [None, "http://localhost:4318"])
def test_settings_of_ours_without_our_endpoint_are_said_once(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    endpoint: str | None,
    variables: dict[str, str],
    words: str,
) -> None:
    """They go to no other endpoint, and nobody should have to find that out from a server that refuses."""
    configured(monkeypatch, OTLP, variables)
    caplog.clear()
    faults.forget()
    [destination] = choose_destinations((), endpoint)
    choose_destinations((), endpoint)
    assert (dict(destination.headers), destination.endpoint and destination.endpoint.protocol) == ({}, "http/protobuf")
    [warning] = warnings_in(caplog)
    assert words in warning
    assert "hidden" not in warning


def test_our_endpoint_with_its_settings_is_nothing_to_speak_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Every one of them is used then."""
    configured(monkeypatch, OWN, {"AGENTTRACE_HEADERS": "x-a=1", "AGENTTRACE_COMPRESSION": "gzip"})
    assert warnings_in(caplog) == []


@pytest.mark.parametrize(
    ("choice", "variables", "places"),
    [
        ("local", [PHOENIX], ["local"]),
        ("phoenix", [], ["http://localhost:6006/v1/traces"]),
        ("otlp", [], ["http://localhost:4318/v1/traces"]),
        ("phoenix,local", [PHOENIX, OTLP], [AT_PHOENIX, "local"]),
        (" Local , LANGFUSE ,", [LANGFUSE], ["local", AT_LANGFUSE]),
        ("arize,arize", [ARIZE], [AT_ARIZE]),
        ("console,local", [], ["the console", "local"]),
        ("otlp,phoenix", [OTLP], [AT_OTLP, "http://localhost:6006/v1/traces"]),
    ],
)
def test_a_variable_chooses_among_them(
    monkeypatch: pytest.MonkeyPatch, isolated: Path, choice: str, variables: list[dict[str, str]], places: list[str]
) -> None:
    """Exactly those that it names, in its order, each once."""
    expected = [str(isolated / "traces.db") if place == "local" else place for place in places]
    assert shown(configured(monkeypatch, {"AGENTTRACE_DESTINATIONS": choice}, *variables)) == expected


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"AGENTTRACE_DESTINATIONS": "http://user:hidden@host"}, "AGENTTRACE_DESTINATIONS names an unknown"),
        ({"AGENTTRACE_DESTINATIONS": "hidden4711"}, "an unknown destination: write some of phoenix, "),
        ({"AGENTTRACE_DESTINATIONS": "local,phonix"}, "destination 'phonix': did you mean phoenix? Write some of"),
        ({"AGENTTRACE_DESTINATIONS": "otel"}, "'otel': did you mean otlp?"),
        ({"AGENTTRACE_DESTINATIONS": "somewhere"}, "destination 'somewhere': write some of phoenix, langfuse, arize,"),
        ({"AGENTTRACE_DESTINATIONS": " , ,"}, "AGENTTRACE_DESTINATIONS names no destination: write some of phoenix, "),
        ({"AGENTTRACE_DESTINATIONS": "langfuse"}, "set LANGFUSE_PUBLIC_KEY"),
        ({"AGENTTRACE_DESTINATIONS": "arize", "ARIZE_SPACE_ID": "x"}, "set ARIZE_API_KEY"),
        ({"PHOENIX_COLLECTOR_ENDPOINT": "ftp://hidden@p"}, "PHOENIX_COLLECTOR_ENDPOINT: endpoint"),
        ({**LANGFUSE, "LANGFUSE_HOST": "ftp://l"}, "LANGFUSE_HOST: endpoint"),
        ({**LANGFUSE, "LANGFUSE_BASE_URL": "grpc://l"}, "LANGFUSE_BASE_URL: "),
        ({"LANGFUSE_PUBLIC_KEY": "sk-lf-hidden", "LANGFUSE_SECRET_KEY": "pk-lf-hidden"}, "the wrong way round"),
        ({**ARIZE, "ARIZE_COLLECTOR_ENDPOINT": "http://"}, "ARIZE_COLLECTOR_ENDPOINT: endpoint"),
        ({**ARIZE, "ARIZE_API_KEY": "hidden☃"}, "ARIZE_API_KEY has"),
        ({"AGENTTRACE_ENDPOINT": "ftp://a"}, "AGENTTRACE_ENDPOINT: endpoint"),
        ({**OTLP, "OTEL_EXPORTER_OTLP_PROTOCOL": "smoke"}, "OTEL_EXPORTER_OTLP_PROTOCOL: unknown protocol 'smoke'"),
        ({**OWN, "AGENTTRACE_HEADERS": "a=hidden%0Ahidden"}, "AGENTTRACE_HEADERS: a header's value"),
        ({**OWN, "AGENTTRACE_HEADERS": "hidden"}, "AGENTTRACE_HEADERS: headers can't be read"),
        ({**PHOENIX, "PHOENIX_API_KEY": "hidden\nhidden"}, "PHOENIX_API_KEY has a line break"),
        ({**PHOENIX, "AGENTTRACE_SPANS": "some"}, "AGENTTRACE_SPANS is 'some'"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://o", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/no/such.pem"},
         "OTEL_EXPORTER_OTLP_CERTIFICATE names '/no/such.pem', which can't be read"),
        ({"AGENTTRACE_ENDPOINT": "https://a", "AGENTTRACE_CERTIFICATE": "/none"}, "AGENTTRACE_CERTIFICATE names"),
        ({**OWN, "AGENTTRACE_TIMEOUT": "soon"}, "AGENTTRACE_TIMEOUT is 'soon': write a number of seconds above 0"),
        ({**OWN, "AGENTTRACE_TIMEOUT": "0"}, "AGENTTRACE_TIMEOUT is '0'"),
        ({**OWN, "AGENTTRACE_COMPRESSION": "zip"}, "AGENTTRACE_COMPRESSION is 'zip': write \"gzip\" or \"none\""),
    ],
)  # fmt: skip
def test_a_variable_that_cannot_be_right_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: str
) -> None:
    """At once, and its value isn't quoted where it may be secret."""
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        configured(monkeypatch, variables)
    assert "hidden" not in str(caught.value)


# What goes along


def test_each_destination_is_given_its_own_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """And none of another's."""
    found = by_kind(
        configured(
            monkeypatch,
            *(PHOENIX, LANGFUSE, ARIZE, OTLP),
            {"PHOENIX_API_KEY": "key-p", "PHOENIX_CLIENT_HEADERS": "x-p=header-p"},
            {"OTEL_EXPORTER_OTLP_HEADERS": "x-o=header-o"},
        )
    )
    headers = {kind: dict(destination.headers) for kind, destination in found.items()}
    assert headers["phoenix"] == {"authorization": "Bearer key-p", "x-p": "header-p"}
    assert headers["otlp"] == {"x-o": "header-o"}
    assert set(headers["langfuse"]) == {"authorization", "x-langfuse-ingestion-version"}
    assert set(headers["arize"].values()) == set(ARIZE.values())
    assert found["langfuse"].account == "pk-lf-1"
    assert found["arize"].account == "U3BhY2U6MQ=="


def test_headers_without_an_endpoint_of_their_own_are_meant_for_phoenix(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Phoenix Cloud's instructions set them; with an endpoint they are that server's."""
    [destination] = configured(monkeypatch, PHOENIX, {"OTEL_EXPORTER_OTLP_HEADERS": "api_key=k"})
    assert dict(destination.headers) == {"api_key": "k"}
    assert dict(by_kind(configured(monkeypatch, OTLP))["phoenix"].headers) == {}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("a=%C3%A9hidden,B=ok", "header 1 of 2 is left out: a header's value has"),
        ("b=ok,a=hidden%0Ahidden", "header 2 of 2 is left out: a header's value has"),
        ("hidden b=1,b=ok", "header 1 of 2 is left out: a header's name has"),
        ("b=ok,,hidden", 'header 2 of 2 is left out: headers can\'t be read: write "name=value,name=value"'),
    ],
)
@pytest.mark.parametrize(
    ("endpoint", "variable"),
    [
        (OTLP, "OTEL_EXPORTER_OTLP_HEADERS"),
        (OTLP, "OTEL_EXPORTER_OTLP_TRACES_HEADERS"),
        (PHOENIX, "PHOENIX_CLIENT_HEADERS"),
        (PHOENIX, "OTEL_EXPORTER_OTLP_HEADERS"),
    ],
)
def test_a_header_of_others_that_cannot_be_sent_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    endpoint: dict[str, str],
    variable: str,
    value: str,
    reason: str,
) -> None:
    """That one only, and one warning says which it is; the program goes on, and nothing is quoted."""
    [destination] = configured(monkeypatch, endpoint, {variable: value})
    choose_destinations()
    assert dict(destination.headers) == {"b": "ok"}
    [warning] = warnings_in(caplog)
    assert f"{variable}: {reason}" in warning
    assert "hidden" not in warning


def test_our_own_endpoint_is_given_nothing_of_opentelemetrys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose headers belong to another server; ours have variables of the same names."""
    [destination] = configured(
        monkeypatch,
        OWN,
        {
            "OTEL_EXPORTER_OTLP_HEADERS": "x-o=1",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "AGENTTRACE_HEADERS": "x-a=1",
            "AGENTTRACE_TIMEOUT": "3",
        },
    )
    assert dict(destination.headers) == {"x-a": "1"}
    assert (destination.options.compression, destination.options.timeout) == (None, 3.0)


@pytest.mark.parametrize("made", ["otlp", "register"])
def test_headers_for_one_server_go_to_no_other(monkeypatch: pytest.MonkeyPatch, made: str) -> None:
    """An endpoint in code isn't given what the environment has for the endpoint that it names."""
    configured(monkeypatch, OTLP, {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=o"})
    destination = otlp("http://other:1") if made == "otlp" else choose_destinations((), "http://other:1")[0]
    assert dict(destination.headers) == {}
    assert dict(otlp().headers) == {"authorization": "o"}


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "o:4317"}, "grpcs://o:4317"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "o:4317", "OTEL_EXPORTER_OTLP_INSECURE": "true"}, "grpc://o:4317"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "o:4317", "OTEL_EXPORTER_OTLP_TRACES_INSECURE": "TRUE"}, "grpc://o:4317"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4317"}, "grpc://localhost:4317"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4317", "OTEL_EXPORTER_OTLP_INSECURE": "false"},
         "grpcs://localhost:4317"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o:4317", "OTEL_EXPORTER_OTLP_INSECURE": "false"}, "grpc://o:4317"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://o:4317", "OTEL_EXPORTER_OTLP_INSECURE": "true"}, "grpcs://o:4317"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "o:1", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, "grpcs://o:1"),
        ({"AGENTTRACE_ENDPOINT": "a:4317"}, "grpc://a:4317"),
        ({"AGENTTRACE_ENDPOINT": "a:1", "AGENTTRACE_PROTOCOL": "grpc"}, "grpc://a:1"),
    ],
)  # fmt: skip
def test_opentelemetrys_endpoint_is_read_as_its_specification_says(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], address: str
) -> None:
    """Over gRPC, one without a scheme is encrypted unless its variable says otherwise, or it is on this machine."""
    assert shown(configured(monkeypatch, variables)) == [address]


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0.5", 0.5), ("10", 10.0), ("99.9", 99.9), ("100", 0.1), ("500", 0.5), ("10000", 10.0)],
)
def test_a_timeout_is_in_seconds_or_in_milliseconds(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, seconds: float
) -> None:
    """The specification means the one, OpenTelemetry's SDK for Python the other; their sizes tell them apart."""
    [destination] = configured(monkeypatch, OTLP, {variable: value})
    assert destination.options.timeout == seconds


@pytest.mark.parametrize(("value", "seconds"), [("0.5", 0.5), ("99.9", 99.9), ("100", 100.0), ("500", 500.0)])
def test_a_timeout_of_ours_is_in_seconds(monkeypatch: pytest.MonkeyPatch, value: str, seconds: float) -> None:
    """As the keyword is: nothing has to be guessed."""
    [destination] = configured(monkeypatch, OWN, {"AGENTTRACE_TIMEOUT": value})
    assert destination.options.timeout == seconds


@pytest.mark.parametrize("prefix", ["OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_TRACES_", "AGENTTRACE_"])
def test_a_key_without_its_certificate_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prefix: str
) -> None:
    """And the one that is missing, as nobody gave an argument."""
    key = tmp_path / "hidden.pem"
    key.touch()
    variables = {f"{prefix}ENDPOINT": "https://o", f"{prefix}CLIENT_KEY": str(key)}
    words = f"{prefix}CLIENT_KEY is set without {prefix}CLIENT_CERTIFICATE: name"
    with pytest.raises(ValueError, match=f"^{words}") as caught:
        configured(monkeypatch, variables)
    assert "hidden" not in str(caught.value)


def test_certificates_are_for_the_server_that_they_are_named_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A private authority's would make every other server look untrusted."""
    file = tmp_path / "ca.pem"
    file.touch()
    secure = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://o", "OTEL_EXPORTER_OTLP_CERTIFICATE": str(file)}
    found = by_kind(configured(monkeypatch, secure, LANGFUSE, {"PHOENIX_COLLECTOR_ENDPOINT": "https://p"}))
    certificates = {kind: destination.options.certificate for kind, destination in found.items()}
    assert certificates == {"phoenix": None, "langfuse": None, "otlp": str(file)}
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT")
    assert by_kind(choose_destinations())["phoenix"].options.certificate == str(file)


def test_a_certificate_of_an_unencrypted_server_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was set for others."""
    [destination] = configured(monkeypatch, OTLP, {"OTEL_EXPORTER_OTLP_CERTIFICATE": "/no/such.pem"})
    assert destination.options.certificate is None


def test_which_spans_are_sent_is_a_variable_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """For every destination that isn't told in code."""
    assert {destination.spans for destination in configured(monkeypatch, PHOENIX, OTLP)} == {"agent"}
    monkeypatch.setenv("AGENTTRACE_SPANS", "All")
    assert {destination.spans for destination in choose_destinations()} == {"all"}
    assert phoenix(spans="agent").spans == "agent"


@pytest.mark.parametrize(
    ("variables", "noted"),
    [
        (PHOENIX, [("endpoint", "PHOENIX_COLLECTOR_ENDPOINT")]),
        (OTLP, [("endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT")]),
        ({**OTLP, "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "a=1"}, [("headers", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")]),
        ({**PHOENIX, "PHOENIX_API_KEY": "k"}, [("api_key", "PHOENIX_API_KEY")]),
        (LANGFUSE, [("secret_key", "LANGFUSE_SECRET_KEY"), ("host", "default")]),
        ({**LANGFUSE, "LANGFUSE_HOST": "h"}, [("host", "LANGFUSE_HOST")]),
        (ARIZE, [("space_id", "ARIZE_SPACE_ID"), ("api_key", "ARIZE_API_KEY")]),
    ],
)
def test_each_setting_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], noted: list[tuple[str, str]]
) -> None:
    """For `agenttrace doctor` and the banner; names only."""
    [destination] = configured(monkeypatch, variables)
    assert set(noted) <= set(destination.origin)


@pytest.mark.parametrize(
    ("make", "variables"),
    [(phoenix, PHOENIX), (langfuse, LANGFUSE), (arize, ARIZE), (otlp, OTLP)],
)
def test_a_maker_without_arguments_is_what_the_environment_configures(
    monkeypatch: pytest.MonkeyPatch, make: Any, variables: dict[str, str]
) -> None:
    """So that code can add to it."""
    assert configured(monkeypatch, variables) == (make(),)


def test_no_secret_of_the_environment_is_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """In no representation, and in no log."""
    caplog.set_level(logging.DEBUG)
    found = configured(
        monkeypatch,
        {"PHOENIX_COLLECTOR_ENDPOINT": "http://user:hidden1@p:6006/?key=hidden2", "PHOENIX_API_KEY": "hidden3"},
        {"LANGFUSE_PUBLIC_KEY": "pk-lf-hidden4", "LANGFUSE_SECRET_KEY": "sk-lf-hidden5"},
        {"ARIZE_SPACE_ID": "hidden6", "ARIZE_API_KEY": "hidden7"},
        {**OTLP, "OTEL_EXPORTER_OTLP_HEADERS": "hidden8=hidden9,hidden10"},
    )
    assert len(found) == 4
    said = "".join(f"{item} {item!r} {item.activity} {item.origin} {item.changes_from(found[0])}" for item in found)
    assert "hidden" not in said + caplog.text
