"""What each maker makes of its arguments: the exact address, the headers, the project; and what it refuses."""

from __future__ import annotations

import base64
import dataclasses
import inspect
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenttrace import register
from agenttrace.destinations import Destination, arize, console, langfuse, local, otlp, phoenix
from agenttrace.outbox.key import folder_name
from tests.isolation import isolated, warnings_in

__all__ = ["isolated"]

pytestmark = pytest.mark.usefixtures("isolated")

Maker = Callable[..., Destination]
PUBLIC, SECRET = "pk-lf-1", "sk-lf-2"
SPACE, KEY = "U3BhY2U6MQ==", "ak-3"


def langfuse_at(host: str | None = None, **settings: Any) -> Destination:
    return langfuse(PUBLIC, SECRET, host, **settings)


def arize_at(**settings: Any) -> Destination:
    return arize(SPACE, KEY, **settings)


SERVERS: list[Any] = [
    pytest.param(phoenix, id="phoenix"),
    pytest.param(langfuse_at, id="langfuse"),
    pytest.param(arize_at, id="arize"),
    pytest.param(otlp, id="otlp"),
]
ALL: list[Any] = [*SERVERS, pytest.param(local, id="local"), pytest.param(console, id="console")]


# Addresses


@pytest.mark.parametrize(
    ("maker", "settings", "shown"),
    [
        (phoenix, {}, "http://localhost:6006/v1/traces"),
        (phoenix, {"protocol": "grpc"}, "grpc://localhost:4317"),
        (phoenix, {"endpoint": "https://app.phoenix.arize.com/s/me"}, "https://app.phoenix.arize.com/s/me/v1/traces"),
        (phoenix, {"endpoint": "http://p:6006", "protocol": "grpc"}, "grpc://p:6006"),
        (otlp, {}, "http://localhost:4318/v1/traces"),
        (otlp, {"protocol": "grpc"}, "grpc://localhost:4317"),
        (otlp, {"endpoint": "collector:4317"}, "grpc://collector:4317"),
        (otlp, {"endpoint": "https://collector/otlp"}, "https://collector/otlp/v1/traces"),
        (langfuse_at, {}, "https://cloud.langfuse.com/api/public/otel/v1/traces"),
        (arize_at, {}, "https://otlp.arize.com/v1/traces"),
        (arize_at, {"region": "us"}, "https://otlp.arize.com/v1/traces"),
        (arize_at, {"region": "EU"}, "https://otlp.eu-west-1a.arize.com/v1/traces"),
        (arize_at, {"region": "ca"}, "https://otlp.ca-central-1a.arize.com/v1/traces"),
        (arize_at, {"region": "us-central-1a"}, "https://otlp.us-central-1a.arize.com/v1/traces"),
        (arize_at, {"protocol": "grpc"}, "grpcs://otlp.arize.com:443"),
        (arize_at, {"endpoint": "otlp.arize.com:443", "protocol": "grpc"}, "grpc://otlp.arize.com:443"),
        (arize_at, {"endpoint": "https://otlp.arize.com/v1"}, "https://otlp.arize.com/v1/traces"),
        (arize_at, {"endpoint": "https://otlp.arize.com/v1/traces"}, "https://otlp.arize.com/v1/traces"),
        (arize_at, {"endpoint": "otlp.arize.com"}, "https://otlp.arize.com/v1/traces"),
        (local, {"path": "/srv/run.db"}, "/srv/run.db"),
        (console, {}, "the console"),
    ],
)
def test_each_kind_has_its_own_address(maker: Maker, settings: dict[str, Any], shown: str) -> None:
    """With the path that its backend takes traces at."""
    assert str(maker(**settings)) == shown


@pytest.mark.parametrize(
    "path", ["", "/", "/api/public/otel", "/api/public/otel/", "/api/public", "/api", "/v1/traces"]
)
@pytest.mark.parametrize("end", ["", "/", "/v1/traces", "/v1/traces/", "/v1"])
@pytest.mark.parametrize(
    ("start", "origin"),
    [
        ("https://us.cloud.langfuse.com", "https://us.cloud.langfuse.com"),
        ("us.cloud.langfuse.com", "https://us.cloud.langfuse.com"),
        ("HTTPS://US.cloud.langfuse.com", "https://us.cloud.langfuse.com"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("localhost:3000", "http://localhost:3000"),
        ("localhost", "http://localhost:3000"),
        ("127.0.0.1", "http://127.0.0.1:3000"),
        ("[::1]", "http://[::1]:3000"),
        ("//langfuse.internal", "https://langfuse.internal"),
        ("  https://langfuse.internal:8443", "https://langfuse.internal:8443"),
        ("https://api", "https://api"),
        ("https://v1", "https://v1"),
        ("https://tools.internal/langfuse", "https://tools.internal/langfuse"),
    ],
)
def test_langfuse_is_found_however_its_host_is_written(start: str, origin: str, path: str, end: str) -> None:
    """With or without scheme, port, slash at the end, and any part of the path that its documentation gives."""
    written = start + path + end
    assert langfuse_at(written).endpoint is not None
    assert str(langfuse_at(written)) == f"{origin}/api/public/otel/v1/traces"
    assert langfuse_at(written + " \n") == langfuse_at(written)


_HOSTS = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]([a-z0-9-]{0,8}[a-z0-9])?){0,3}", fullmatch=True)
_PREFIXES = st.lists(st.from_regex(r"[a-uw-z][a-z0-9]{0,6}", fullmatch=True).filter(lambda part: part != "api"))


@given(
    host=_HOSTS, port=st.none() | st.integers(1, 65_535), prefix=_PREFIXES, scheme=st.sampled_from(["http", "https"])
)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_an_address_leads_to_itself(host: str, port: int | None, prefix: list[str], scheme: str) -> None:
    """Given back what is shown, a maker finds the same server; host, port and prefix are never touched."""
    base = f"{scheme}://{host}" + ("" if port is None else f":{port}") + "".join(f"/{part}" for part in prefix)
    ends: list[tuple[Maker, str, str]] = [
        (langfuse_at, "host", "/api/public/otel/v1/traces"),
        (phoenix, "endpoint", "/v1/traces"),
        (arize_at, "endpoint", "/v1/traces"),
        (otlp, "endpoint", "/v1/traces"),
    ]
    for maker, keyword, end in ends:
        if port == 4317 and not prefix and keyword == "endpoint":
            continue  # gRPC, which has no path
        made = maker(**{keyword: base})
        assert str(made) == base + end
        assert maker(**{keyword: str(made)}).endpoint == made.endpoint
        assert made.endpoint is not None
        assert urlsplit(made.endpoint.address).hostname == host


def test_an_endpoint_with_a_query_keeps_it_and_shows_it_not() -> None:
    """Keys are put there."""
    made = langfuse_at("https://gateway/langfuse?key=hidden")
    assert made.endpoint is not None
    assert made.endpoint.address == "https://gateway/langfuse/api/public/otel/v1/traces?key=hidden"
    assert "hidden" not in str(made) + repr(made)


def test_a_path_of_the_local_store_is_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A program may change its folder after it registered."""
    monkeypatch.chdir(tmp_path)
    assert local("run.db").path == tmp_path / "run.db"
    assert local(Path("run.db")) == local(str(tmp_path / "run.db"))


# Credentials and headers


def headers_of(destination: Destination) -> dict[str, str]:
    return dict(destination.headers)


def test_phoenix_is_given_its_key_as_bearer_token() -> None:
    """Beside other headers, names in lower case."""
    assert headers_of(phoenix(api_key=" k ", headers={"X-Tenant": "blue"})) == {
        "authorization": "Bearer k",
        "x-tenant": "blue",
    }
    assert headers_of(phoenix()) == {}
    assert headers_of(phoenix(headers={"Authorization": "own"})) == {"authorization": "own"}


def test_langfuse_is_given_its_keys_as_basic_authorization() -> None:
    """And the header without which spans show up minutes late."""
    headers = headers_of(langfuse_at(headers={"x-gateway": "1"}))
    token = base64.b64encode(f"{PUBLIC}:{SECRET}".encode()).decode()
    assert headers == {
        "authorization": f"Basic {token}",
        "x-langfuse-ingestion-version": "4",
        "x-gateway": "1",
    }


def test_arize_is_given_space_and_key_under_all_their_names() -> None:
    """Those of today and those of before."""
    headers = headers_of(arize_at())
    assert {headers["arize-space-id"], headers["space_id"]} == {SPACE}
    assert {headers["arize-api-key"], headers["api_key"], headers["authorization"]} == {KEY}


def test_a_user_name_in_the_host_gives_way_to_the_keys() -> None:
    """Only one authorization can be sent, and the keys are Langfuse's."""
    made = langfuse_at("https://user:password@langfuse.internal")
    assert headers_of(made) == headers_of(langfuse_at("https://langfuse.internal"))
    assert "password" not in str(made) + repr(made)


# Projects and kinds


@pytest.mark.parametrize("maker", SERVERS)
def test_the_project_is_a_resource_attribute(maker: Maker) -> None:
    """OpenInference's, and at Arize its older one as well."""
    attributes = maker(project_name="weather").resource_attributes("weather")
    expected = {"openinference.project.name": "weather"}
    if maker is arize_at:
        expected["model_id"] = "weather"
    assert attributes == expected
    assert maker().resource_attributes(None) == {}
    assert maker(project_name="weather").project == "weather"


@pytest.mark.parametrize("maker", ALL)
def test_destinations_can_be_compared_and_kept_in_sets(maker: Maker) -> None:
    """So that one that is given twice is sent to once; where a setting came from makes no difference."""
    assert maker() == maker()
    assert len({maker(), maker(), maker(spans="all"), maker(project_name="p")}) == 3
    assert dataclasses.replace(maker(), origin=(("endpoint", "elsewhere"),)) == maker()


@pytest.mark.parametrize(
    ("maker", "settings", "noted"),
    [
        (phoenix, {"endpoint": "http://p:1", "api_key": "k"}, {"endpoint": "argument", "api_key": "argument"}),
        (phoenix, {}, {"endpoint": "default"}),
        (langfuse_at, {}, {"public_key": "argument", "secret_key": "argument", "host": "default"}),
        (arize_at, {"region": "eu"}, {"space_id": "argument", "api_key": "argument", "region": "argument"}),
        (otlp, {"timeout": 3, "compression": "gzip"}, {"endpoint": "default", "timeout": "argument"}),
        (local, {"path": "/x"}, {"path": "argument"}),
        (local, {}, {"path": "AGENTTRACE_HOME"}),
    ],
)
def test_each_setting_says_where_it_came_from(maker: Maker, settings: dict[str, Any], noted: dict[str, str]) -> None:
    """In words for people."""
    assert noted.items() <= dict(maker(**settings).origin).items()


def test_what_becomes_of_spans_is_said_in_words() -> None:
    """With the backend's name where it is known."""
    assert phoenix().activity == "sending to Phoenix at http://localhost:6006/v1/traces"
    assert langfuse_at("localhost").activity.startswith("sending to Langfuse at http://localhost:3000/")
    assert arize_at().activity == "sending to Arize AX at https://otlp.arize.com/v1/traces"
    assert otlp("c:4317").activity == "sending to grpc://c:4317"
    assert local("/x.db").activity == "recording to /x.db"
    assert console().activity == "printing to the console"


# How to send


@pytest.mark.parametrize("maker", SERVERS)
def test_each_server_has_its_own_transport(maker: Maker, tmp_path: Path) -> None:
    """Compression, timeout and certificates as given; nothing of it is another destination's."""
    file = tmp_path / "a.pem"
    file.touch()
    options = maker(
        compression="gzip", timeout=2, certificate=str(file), client_key=file, client_certificate=str(file)
    ).options
    assert (options.compression, options.timeout) == ("gzip", 2.0)
    assert {options.certificate, options.client_key, options.client_certificate} == {str(file)}
    assert maker(compression="none").options == maker().options


@pytest.mark.parametrize("maker", SERVERS)
@pytest.mark.parametrize("name", ["certificate", "client_certificate", "client_key"])
def test_a_certificate_that_cannot_be_read_is_refused(maker: Maker, name: str, tmp_path: Path) -> None:
    """At once, by the argument's name: the program would find out when its first span is sent."""
    for path in (tmp_path / "missing.pem", tmp_path):
        with pytest.raises(ValueError, match=f"^{name} names .*, which can't be read"):
            maker(**{name: path})


@pytest.mark.parametrize("maker", SERVERS)
@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"compression": "brotli"}, ValueError, 'write "gzip" or "none"'),
        ({"compression": 1}, TypeError, "must be a string"),
        ({"timeout": 0}, ValueError, "above 0"),
        ({"timeout": float("inf")}, ValueError, "above 0"),
        ({"timeout": "10"}, TypeError, "number of seconds"),
        ({"timeout": True}, TypeError, "number of seconds"),
        ({"certificate": 5}, TypeError, "a file's path"),
        ({"colour": "blue"}, TypeError, "unexpected keyword argument 'colour'"),
        ({"spans": "some"}, ValueError, 'write "agent"'),
        ({"spans": 1}, TypeError, "must be a string"),
        ({"project_name": 1}, TypeError, "must be a string"),
        ({"headers": ["a"]}, TypeError, "write a dict"),
        ({"headers": {"a": 1}}, TypeError, "must be strings"),
    ],
)
def test_a_wrong_setting_is_refused(maker: Maker, settings: dict[str, Any], error: type[Exception], words: str) -> None:
    """With what to write instead."""
    with pytest.raises(error) as caught:
        maker(**settings)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("maker", "argument", "words"),
    [
        (phoenix, "apikey", "phoenix() got an unexpected keyword argument 'apikey': did you mean api_key? It takes"),
        (phoenix, "url", "did you mean endpoint? It takes endpoint, api_key, headers"),
        (phoenix, "host", "did you mean endpoint?"),
        (phoenix, "project", "did you mean project_name?"),
        (phoenix, "batch", "write register(phoenix(), batch=…). It takes"),
        (langfuse, "base_url", "langfuse() got an unexpected keyword argument 'base_url': did you mean host?"),
        (langfuse, "endpoint", "did you mean host? It takes public_key, secret_key, host, headers"),
        (langfuse, "url", "did you mean host?"),
        (langfuse, "api_key", "did you mean public_key and secret_key?"),
        (langfuse, "protocol", "it is reached over HTTP only, so leave that out. It takes public_key"),
        (langfuse, "region", 'write its host, like host="https://us.cloud.langfuse.com". It takes'),
        (arize, "space", "arize() got an unexpected keyword argument 'space': did you mean space_id?"),
        (arize, "space_name", "write space_id=…. It takes"),
        (otlp, "header", "otlp() got an unexpected keyword argument 'header': did you mean headers?"),
        (otlp, "api_key", 'write headers={"authorization": "Bearer …"}. It takes endpoint, headers'),
        (otlp, "token", 'write headers={"authorization": "Bearer …"}'),
        (local, "file", "did you mean path?"),
        (local, "headers", "it sends to no server, so leave that out. It takes path, project_name, spans"),
        (local, "url", "it sends to no server"),
        (
            console,
            "verbose",
            "console() got an unexpected keyword argument 'verbose': write register(console(),",
        ),
        (console, "colour", "'colour': it takes project_name, spans"),
    ],
)
def test_an_argument_that_nothing_takes_leads_to_the_one_that_was_meant(
    maker: Maker, argument: str, words: str
) -> None:
    """By the maker's name, with all that it takes; what it was given is quoted nowhere."""
    with pytest.raises(TypeError) as caught:
        maker(**{argument: "hidden"})
    assert words in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("maker", [phoenix, langfuse, arize, otlp, local, console])
def test_every_argument_is_known_to_the_advice(maker: Maker) -> None:
    """A near miss of each leads to it, and the signature can be read."""
    for argument, parameter in inspect.signature(maker).parameters.items():
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            with pytest.raises(TypeError, match=f"did you mean {argument}\\?"):
                maker(**{f"{argument}_": None})


def test_a_client_key_without_its_certificate_is_refused(tmp_path: Path) -> None:
    """Neither protocol can do anything with it."""
    key = tmp_path / "key.pem"
    key.touch()
    with pytest.raises(ValueError, match="client_key is given without client_certificate"):
        otlp("https://c", client_key=key)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: langfuse(), ValueError, "write langfuse(public_key=…), or set LANGFUSE_PUBLIC_KEY"),
        (lambda: langfuse(PUBLIC), ValueError, "write langfuse(secret_key=…), or set LANGFUSE_SECRET_KEY"),
        (lambda: langfuse(PUBLIC, "  "), ValueError, "or set LANGFUSE_SECRET_KEY"),
        (lambda: langfuse(SECRET, PUBLIC), ValueError, "the wrong way round"),
        (lambda: langfuse(SECRET, SECRET), ValueError, "the wrong way round"),
        (lambda: langfuse(f"{PUBLIC}:x", SECRET), ValueError, "has a colon"),
        (lambda: langfuse(1, SECRET), TypeError, "public_key is int"),  # type: ignore[arg-type]
        (lambda: langfuse_at("grpc://h"), ValueError, "Langfuse takes HTTP only"),
        (lambda: langfuse_at("ftp://h"), ValueError, "host: endpoint 'ftp://h' has the unknown scheme"),
        (lambda: langfuse_at("http://h:port"), ValueError, "bad port"),
        (lambda: langfuse_at("a b"), ValueError, "has a space"),
        (lambda: langfuse_at("::1"), ValueError, "in brackets"),
        (lambda: arize(), ValueError, "write arize(space_id=…), or set ARIZE_SPACE_ID"),
        (lambda: arize(SPACE), ValueError, "write arize(api_key=…), or set ARIZE_API_KEY"),
        (lambda: arize(KEY, SPACE), ValueError, "space_id looks like a key"),
        (lambda: arize_at(region="eu", endpoint="https://a"), ValueError, "leave one of them out"),
        (lambda: arize_at(region="eu/x"), ValueError, "no region's name"),
        (lambda: arize_at(region="germany"), ValueError, 'write "us", "eu", "ca", or a full name like'),
        (lambda: arize_at(region="eu-west"), ValueError, "no region's name"),
        (lambda: phoenix(protocol="http"), ValueError, 'write "http/protobuf" or "grpc"'),
        (lambda: otlp(5), TypeError, "write it like"),  # type: ignore[arg-type]
        (lambda: otlp(""), ValueError, "endpoint is empty"),
        (lambda: local(5), TypeError, "write a file's path"),  # type: ignore[arg-type]
        (lambda: local(" "), ValueError, "path is empty"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Callable[[], Destination], error: type[Exception], words: str) -> None:
    """At once, with what to write instead."""
    with pytest.raises(error) as caught:
        make()
    assert words in str(caught.value)


TAKERS: dict[str, Callable[[str], object]] = {
    "otlp": otlp,
    "phoenix": phoenix,
    "register": lambda endpoint: register(endpoint=endpoint),
}


@pytest.mark.parametrize(
    "server", ["https://cloud.langfuse.com", "us.cloud.langfuse.com:443", "https://jp.cloud.langfuse.com/otel/v1"]
)
@pytest.mark.parametrize("take", TAKERS.values(), ids=TAKERS)
def test_langfuse_as_a_plain_server_is_refused(take: Callable[[str], object], server: str) -> None:
    """Under each name of its cloud: it takes spans at one path alone, and with both keys."""
    with pytest.raises(ValueError, match=r"is Langfuse.*write register\(langfuse\(host=\"https://.*langfuse.com\"\)\)"):
        take(server)


def test_langfuse_at_its_own_path_is_a_server_as_any_other(caplog: pytest.LogCaptureFixture) -> None:
    """For headers that somebody made; and so is a host that only looks like it."""
    server = "https://us.cloud.langfuse.com/api/public/otel"
    assert str(otlp(server, headers={"authorization": "Basic x"})) == f"{server}/v1/traces"
    assert str(otlp("https://notcloud.langfuse.com")) == "https://notcloud.langfuse.com/v1/traces"
    assert warnings_in(caplog) == []


@pytest.mark.parametrize(
    ("public", "secret", "words"),
    [
        ("hidden", "hidden", "public_key doesn't start with pk-lf- and secret_key doesn't start with sk-lf-"),
        ("hidden", SECRET, "Langfuse's public_key doesn't start with pk-lf-, as"),
        (PUBLIC, "hidden", "Langfuse's secret_key doesn't start with sk-lf-, as"),
    ],
)
def test_a_key_that_langfuse_would_not_make_is_told_of(
    caplog: pytest.LogCaptureFixture, public: str, secret: str, words: str
) -> None:
    """And taken, since a server of one's own can be set up with any."""
    assert langfuse(public, secret).account == public
    [warning] = warnings_in(caplog)
    assert words in warning
    assert "hidden" not in warning


_UNSENDABLE = st.text(min_size=1).filter(lambda text: not text.isascii() or "\n" in text.strip() or "\0" in text)


@given(middle=_UNSENDABLE)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_key_that_no_header_can_carry_is_refused_and_never_quoted(middle: str) -> None:
    """Whatever is wrong with it, and in the whole of what Python prints."""
    key = f"hidden{middle}hidden"
    makers: list[Callable[[], Destination]] = [
        lambda: phoenix(api_key=key),
        lambda: langfuse(key, SECRET),
        lambda: langfuse(PUBLIC, key),
        lambda: arize(key, KEY),
        lambda: arize(SPACE, key),
        lambda: otlp("http://h", headers={"x-key": key}),
        lambda: otlp("http://h", headers={key: "x"}),
    ]
    for make in makers:
        with pytest.raises(ValueError, match="header") as caught:
            make()
        printed = "".join(traceback.format_exception_only(caught.value))
        assert "hidden" not in printed
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


@given(key=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":"), min_size=8))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_key_arrives_as_it_is_and_is_shown_nowhere(key: str) -> None:
    """Of any visible character, white space around it left out."""
    key = f"#{key}#"  # no word that is in every representation
    made: Mapping[str, Destination] = {
        "phoenix": phoenix(api_key=f" {key}\n"),
        "langfuse": langfuse(f" {key}", f"{key} "),
        "arize": arize(f"{key}", f"\t{key}"),
    }
    assert headers_of(made["phoenix"])["authorization"] == f"Bearer {key}"
    token = headers_of(made["langfuse"])["authorization"].removeprefix("Basic ")
    assert base64.b64decode(token).decode() == f"{key}:{key}"
    assert headers_of(made["arize"])["arize-space-id"] == headers_of(made["arize"])["arize-api-key"] == key
    for destination in made.values():
        shown = f"{destination} {destination!r} {destination.activity} {destination.origin}"
        assert key not in shown
        assert token not in shown
        assert key not in "".join(destination.changes_from(phoenix("http://elsewhere")))


def test_that_another_account_is_meant_is_said_without_naming_it() -> None:
    """Somebody may have put a secret in its place."""
    blue, red = (otlp("http://localhost:4318", account=name) for name in ("blue", "red"))
    assert red.changes_from(blue) == ["account"]
    assert blue.changes_from(blue) == []


def test_what_waits_for_one_tenant_is_never_another_ones() -> None:
    """Headers are not written to disk, so two destinations that differ in them alone are told apart by a name."""
    tenants = [otlp("http://localhost:4318", headers={"x-tenant": name}) for name in ("blue", "red")]
    with pytest.raises(ValueError, match="account"):
        register(*tenants, verbose=False)
    named = [
        otlp("http://localhost:4318", headers={"x-tenant": name}, account=name, project_name="p")
        for name in ("blue", "red")
    ]
    register(*named, verbose=False)
    folders = [folder_name(str(one), "p", one.account) for one in named]
    assert len(set(folders)) == 2
