"""Every usual spelling of an endpoint, and what is said about the unusual ones."""

from __future__ import annotations

import pytest

from agenttrace.delivery.endpoint import Protocol, check_protocol, mask, parse_endpoint


@pytest.mark.parametrize(
    ("text", "protocol", "address"),
    [
        ("http://host:6006", "http/protobuf", "http://host:6006/v1/traces"),
        ("http://host:6006/", "http/protobuf", "http://host:6006/v1/traces"),
        ("https://host", "http/protobuf", "https://host/v1/traces"),
        ("host:6006", "http/protobuf", "http://host:6006/v1/traces"),
        ("localhost", "http/protobuf", "http://localhost:6006/v1/traces"),
        ("127.0.0.1/prefix", "http/protobuf", "http://127.0.0.1:6006/prefix/v1/traces"),
        ("[::1]", "http/protobuf", "http://[::1]:6006/v1/traces"),
        ("http://localhost", "http/protobuf", "http://localhost/v1/traces"),
        ("//host:6006", "http/protobuf", "http://host:6006/v1/traces"),
        ("  http://host:6006 \n", "http/protobuf", "http://host:6006/v1/traces"),
        ("http://host:6006/v1/traces", "http/protobuf", "http://host:6006/v1/traces"),
        ("http://host:6006/v1/traces/", "http/protobuf", "http://host:6006/v1/traces"),
        ("host:4317/v1/traces", "http/protobuf", "http://host:4317/v1/traces"),
        ("http://host:6006/v1", "http/protobuf", "http://host:6006/v1/traces"),
        ("http://host:6006/v1/", "http/protobuf", "http://host:6006/v1/traces"),
        ("http://host:6006/v1/trace", "http/protobuf", "http://host:6006/v1/traces"),
        ("https://host/prefix/v1?tenant=blue", "http/protobuf", "https://host/prefix/v1/traces?tenant=blue"),
        ("http://host/v1//traces", "http/protobuf", "http://host/v1/traces"),
        ("http://host/v1/v1/traces", "http/protobuf", "http://host/v1/v1/traces"),
        ("http://host/v1/other", "http/protobuf", "http://host/v1/other/v1/traces"),
        ("https://v1", "http/protobuf", "https://v1/v1/traces"),
        ("http:6006", "http/protobuf", "http://http:6006/v1/traces"),
        ("https.example.com:1", "http/protobuf", "http://https.example.com:1/v1/traces"),
        ("https://app.example.com/s/space", "http/protobuf", "https://app.example.com/s/space/v1/traces"),
        ("http://host/otlp?tenant=blue", "http/protobuf", "http://host/otlp/v1/traces?tenant=blue"),
        ("http://[::1]:6006", "http/protobuf", "http://[::1]:6006/v1/traces"),
        ("HTTP://Host:6006", "http/protobuf", "http://host:6006/v1/traces"),
        ("host:4317", "grpc", "host:4317"),
        ("http://host:4317", "grpc", "host:4317"),
        ("http://host:4317/", "grpc", "host:4317"),
        ("https://host:4317", "grpc", "host:4317"),
        ("grpc://host:5000", "grpc", "host:5000"),
        ("grpc://host", "grpc", "host:4317"),
        ("grpcs://host", "grpc", "host:4317"),
        ("[::1]:4317", "grpc", "[::1]:4317"),
    ],
)
def test_an_endpoint_is_understood_as_people_write_it(text: str, protocol: str, address: str) -> None:
    """The path is added where it is missing, and gRPC is inferred from the scheme or the port."""
    endpoint = parse_endpoint(text)
    assert (endpoint.protocol, endpoint.address) == (protocol, address)


@pytest.mark.parametrize(
    ("text", "is_secure"),
    [
        ("host:4317", False),
        ("grpc://host", False),
        ("http://host", False),
        ("https://host", True),
        ("https://host:4317", True),
        ("grpcs://host", True),
    ],
)
def test_the_scheme_says_whether_the_connection_is_encrypted(text: str, is_secure: bool) -> None:
    """Https and grpcs are, everything else isn't."""
    assert parse_endpoint(text).is_secure is is_secure


@pytest.mark.parametrize(
    ("text", "protocol", "address"),
    [
        ("http://host:6006", "grpc", "host:6006"),
        ("http://host:4317", "http/protobuf", "http://host:4317/v1/traces"),
        ("http://host:6006/v1/traces", "grpc", "host:6006"),
        ("https://host", "grpc", "host:443"),
        ("localhost", "grpc", "localhost:4317"),
        ("host", "grpc", "host:4317"),
    ],
)
def test_a_given_protocol_wins_over_what_could_be_inferred(text: str, protocol: Protocol, address: str) -> None:
    """The port means gRPC only where nobody says otherwise."""
    endpoint = parse_endpoint(text, protocol)
    assert (endpoint.protocol, endpoint.address) == (protocol, address)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("http://", "no host"),
        ("http://:6006", "no host"),
        ("/v1/traces", "no host"),
        ("ftp://host", "unknown scheme 'ftp'"),
        ("unix:///run/collector.sock", "unknown scheme 'unix'"),
        ("http://host:port", "bad port"),
        ("http://host:0", "bad port"),
        ("http://host:65536", "bad port"),
        ("http://host:", "bad port"),
        ("host", "neither a scheme nor a port"),
        ("example.com/otlp", "write http:// or https:// in front"),
        ("::1", "in brackets"),
        ("http:/localhost:6006", "misspelt behind its scheme: did you mean 'http://localhost:6006'?"),
        ("http//localhost:6006", "did you mean 'http://localhost:6006'?"),
        ("http:localhost:6006", "did you mean 'http://localhost:6006'?"),
        ("HTTPS:///example.com/v1", "did you mean 'https://example.com/v1'?"),
        ("grpc:/localhost", "did you mean 'grpc://localhost'?"),
        ("6006", 'a port alone: for one of this machine, write "localhost:6006"'),
        (":4317", 'write "localhost:4317"'),
        ("http://[::1", "can't be read"),
        ("http://ho st", "a space"),
        ("http://host\nhost", "a space or line break"),
    ],
)
def test_what_is_no_endpoint_is_refused_with_the_reason(text: str, words: str) -> None:
    """The message names what is wrong and shows how to write it."""
    with pytest.raises(ValueError, match="endpoint") as caught:
        parse_endpoint(text)
    assert words in str(caught.value)


def test_an_endpoint_of_another_type_is_a_type_error() -> None:
    """The message names the type and shows how to write it."""
    with pytest.raises(TypeError, match=r"endpoint is int.*http://localhost:6006"):
        parse_endpoint(6006)  # type: ignore[arg-type]


def test_a_grpc_address_with_the_http_protocol_is_refused() -> None:
    """One of the two must be a mistake."""
    with pytest.raises(ValueError, match="is a gRPC address"):
        parse_endpoint("grpc://host:4317", "http/protobuf")


def test_a_password_becomes_a_header_and_is_shown_nowhere() -> None:
    """User name and password work as basic authorization; the address, the text and the repr don't have them."""
    endpoint = parse_endpoint("https://user:p%40ss@host/otlp?key=hidden")
    assert endpoint.authorization == "Basic dXNlcjpwQHNz"
    assert "p%40ss" not in endpoint.address
    for shown in (str(endpoint), mask("https://user:p@ss/w@host/x?key=hidden#hidden")):
        assert "p@ss" not in shown
        assert "hidden" not in shown
    assert "dXNlcjpwQHNz" not in repr(endpoint)


@pytest.mark.parametrize(
    "text",
    [
        "https://user:secret@",
        "ftp://user:secret@host?key=secret",
        "user:secret@host:x",
        "http:/user:secret@host:1",
        "http//user:secret@host:1",
        "http:user:secret@host:1",
        "http:///user:secret@host?key=secret",
        "ftp:/user:secret@host:1",
    ],
)
def test_a_message_about_an_endpoint_leaves_the_password_out(text: str) -> None:
    """Whatever is wrong with it."""
    with pytest.raises(ValueError, match="endpoint") as caught:
        parse_endpoint(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["http://localhost:1", "http://127.0.0.9:1", "http://[::1]:1", "app.localhost:1"])
def test_this_machine_is_known_as_such(text: str) -> None:
    """So that no proxy is asked for it."""
    assert parse_endpoint(text).is_loopback
    assert not parse_endpoint("http://example.com").is_loopback


def test_an_exact_address_is_left_as_it_is() -> None:
    """As the specification wants for the variable that names the address for traces."""
    assert parse_endpoint("http://host:4318/custom/", is_exact=True).address == "http://host:4318/custom/"
    assert parse_endpoint("http://host:4318", is_exact=True).address == "http://host:4318/"
    assert parse_endpoint("http://host:4318/v1", is_exact=True).address == "http://host:4318/v1"


def test_protocols_are_the_words_that_phoenix_takes() -> None:
    """Others are refused, the likely mistake with a hint."""
    assert check_protocol(None) is None
    assert check_protocol("infer") is None
    assert check_protocol("grpc") == "grpc"
    assert check_protocol("http/protobuf") == "http/protobuf"
    with pytest.raises(ValueError, match="unknown protocol 'http': did you mean \"http/protobuf\""):
        check_protocol("http")
    with pytest.raises(ValueError, match=r"unknown protocol 'carrier pigeon'.*\"grpc\""):
        check_protocol("carrier pigeon")
    with pytest.raises(TypeError, match="protocol is int"):
        check_protocol(2)
