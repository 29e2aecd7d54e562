"""Sending to real loopback servers over HTTP and gRPC: what arrives, and what each fault is understood as."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from agenttrace import faults
from agenttrace.delivery.encoding import SpanEncoder, SpanView
from agenttrace.delivery.endpoint import Endpoint, parse_endpoint
from agenttrace.delivery.options import DeliveryOptions
from agenttrace.delivery.otlp import OtlpSink
from agenttrace.delivery.sink import Verdict
from agenttrace.delivery.transport import TransportOptions
from tests.delivery.sinks import make_spans
from tests.servers import CollectorServer, Fault, unused_port

PROTOCOLS = ["http/protobuf", "grpc"]
HTML = {"content-type": "text/html; charset=utf-8"}


@pytest.fixture(autouse=True)
def _forget_reports() -> Iterator[None]:
    faults.forget()
    yield
    faults.forget()


def encoded(*names: str, attributes: dict[str, Any] | None = None) -> bytes:
    """Ended spans of these names, in one trace of two levels."""
    [payload] = SpanEncoder(SpanView(), DeliveryOptions()).encode(make_spans(*names, attributes=attributes))
    return payload.data


def make_sink(endpoint: str, **headers: str) -> OtlpSink:
    """A sink for a server."""
    return OtlpSink(parse_endpoint(endpoint), headers)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_spans_arrive_whole(protocol: str) -> None:
    """Names, parents, attributes, resource, scope and headers."""
    with CollectorServer(protocol) as server:
        sink = make_sink(server.endpoint, authorization="Bearer key", **{"x-tenant": "blue"})
        answer = sink.send(encoded("root", "child", attributes={"text": "ü", "n": 1, "many": ["a", "b"]}), 10.0)
        sink.close()
        assert answer.verdict is Verdict.ACCEPTED
        [request] = server.requests
        child, root = request.spans
        assert (root.name, child.name) == ("root", "child")
        assert root.parent_id is None
        assert child.parent_id == root.span_id
        assert child.attributes == {"text": "ü", "n": 1, "many": ["a", "b"]}
        assert child.resource == {"service.name": "tests"}
        assert child.scope == "scope"
        assert request.headers["authorization"] == "Bearer key"
        assert request.headers["x-tenant"] == "blue"
        assert "agenttrace/" in request.headers["user-agent"]
        assert request.path == ("/v1/traces" if protocol == "http/protobuf" else "grpc")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_compressed_batches_are_understood(protocol: str) -> None:
    """With the header that says so."""
    with CollectorServer(protocol) as server:
        sink = OtlpSink(parse_endpoint(server.endpoint), {}, TransportOptions(compression="gzip"))
        assert sink.send(encoded("a", attributes={"text": "x" * 10_000}), 10.0).verdict is Verdict.ACCEPTED
        sink.close()
        assert [span.name for span in server.spans] == ["a"]
        if protocol == "http/protobuf":
            assert server.requests[0].headers["content-encoding"] == "gzip"
            assert int(server.requests[0].headers["content-length"]) < 1_000


@pytest.mark.parametrize(
    ("protocol", "fault", "verdict", "words"),
    [
        ("http/protobuf", Fault("status", 503, {"retry-after": "7"}), Verdict.LATER, "busy"),
        ("http/protobuf", Fault("status", 429, {"retry-after": "junk"}), Verdict.LATER, "busy"),
        ("http/protobuf", Fault("status", 408), Verdict.LATER, "busy"),
        ("http/protobuf", Fault("status", 413), Verdict.SPLIT, "413"),
        ("http/protobuf", Fault("status", 500), Verdict.FAULTY, "server's log"),
        ("http/protobuf", Fault("status", 400), Verdict.REFUSED, "refuses the spans"),
        ("http/protobuf", Fault("status", 401), Verdict.REFUSED, "give api_key"),
        ("http/protobuf", Fault("status", 403), Verdict.REFUSED, "give api_key"),
        ("http/protobuf", Fault("status", 404), Verdict.REFUSED, "check the endpoint's host, port and path"),
        ("http/protobuf", Fault("status", 405), Verdict.REFUSED, "check the endpoint's host, port and path"),
        ("http/protobuf", Fault("status", 307, {"location": "https://u:p@x/?key=1"}), Verdict.REFUSED, "https://***@x"),
        ("http/protobuf", Fault("status", 200, HTML, b"<html>"), Verdict.REFUSED, "web page"),
        ("http/protobuf", Fault("status", 200, {}, b"not protobuf"), Verdict.ACCEPTED, ""),
        ("http/protobuf", Fault("status", 202), Verdict.ACCEPTED, ""),
        ("http/protobuf", Fault("reject", 2), Verdict.ACCEPTED, "rejected"),
        ("grpc", Fault("reject", 2), Verdict.ACCEPTED, "rejected"),
        ("grpc", Fault("status", "UNAVAILABLE"), Verdict.LATER, "busy"),
        ("grpc", Fault("status", "RESOURCE_EXHAUSTED"), Verdict.LATER, "busy"),
        ("grpc", Fault("status", "UNAUTHENTICATED"), Verdict.REFUSED, "give api_key"),
        ("grpc", Fault("status", "PERMISSION_DENIED"), Verdict.REFUSED, "give api_key"),
        ("grpc", Fault("status", "UNIMPLEMENTED"), Verdict.REFUSED, 'register(protocol="http/protobuf")'),
        ("grpc", Fault("status", "INTERNAL"), Verdict.FAULTY, "server's log"),
        ("grpc", Fault("status", "INVALID_ARGUMENT"), Verdict.REFUSED, "refuses the spans"),
    ],
)
def test_an_answer_says_what_became_of_the_batch(protocol: str, fault: Fault, verdict: Verdict, words: str) -> None:
    """And what to do about it, without secrets."""
    with CollectorServer(protocol) as server:
        server.script(fault)
        sink = make_sink(server.endpoint)
        answer = sink.send(encoded("a"), 10.0)
        sink.close()
        assert answer.verdict is verdict
        assert words in answer.problem
        assert answer.rejected == (2 if fault.kind == "reject" else 0)
        assert answer.retry_after == (7.0 if fault.headers.get("retry-after") == "7" else None)
        assert "u:p" not in answer.problem


def test_retry_after_may_be_a_date() -> None:
    """As HTTP allows; one that has passed asks for no wait."""
    with CollectorServer() as server:
        server.script(Fault("status", 503, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}))
        sink = make_sink(server.endpoint)
        assert sink.send(encoded("a"), 10.0).retry_after == 0.0
        sink.close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_that_does_not_answer_is_left_after_the_timeout(protocol: str) -> None:
    """And asked again later."""
    with CollectorServer(protocol) as server:
        server.script(Fault("hang"))
        sink = make_sink(server.endpoint)
        answer = sink.send(encoded("a"), 0.2)
        sink.close()
        assert answer.verdict is Verdict.LATER
        assert "answer within 0.2 s" in answer.problem


def test_a_connection_that_was_cut_is_opened_again_at_once() -> None:
    """A server may close what was idle; that is no fault."""
    with CollectorServer() as server:
        server.script(Fault("reset"))
        sink = make_sink(server.endpoint)
        assert sink.send(encoded("a"), 10.0).verdict is Verdict.ACCEPTED
        server.script(Fault("reset"), Fault("reset"))
        answer = sink.send(encoded("b"), 10.0)
        sink.close()
        assert answer.verdict is Verdict.LATER
        assert "breaks connections off" in answer.problem
        assert [span.name for span in server.spans] == ["a"]


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_where_nobody_listens_the_answer_says_so(scheme: str) -> None:
    """With what to check."""
    sink = make_sink(f"{scheme}://127.0.0.1:{unused_port()}")
    answer = sink.send(encoded("a"), 10.0)
    sink.close()
    assert answer.verdict is Verdict.UNREACHABLE
    assert "no server answers at" in answer.problem
    assert "is it running" in answer.problem


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_a_host_that_does_not_exist_is_named(scheme: str) -> None:
    """In a domain that never has any; the answer says to look at the spelling."""
    sink = make_sink(f"{scheme}://no-such-host.invalid:4318")
    answer = sink.send(encoded("a"), 10.0)
    sink.close()
    assert answer.verdict is Verdict.UNREACHABLE
    assert "the host no-such-host.invalid of" in answer.problem


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_that_comes_back_is_found(protocol: str) -> None:
    """At the next attempt, by the same sink."""
    port = unused_port()
    sink = make_sink(f"{'grpc' if protocol == 'grpc' else 'http'}://127.0.0.1:{port}")
    assert sink.send(encoded("a"), 10.0).verdict is Verdict.UNREACHABLE
    with CollectorServer(protocol, port) as server:
        assert sink.send(encoded("a"), 10.0).verdict is Verdict.ACCEPTED
        assert len(server.spans) == 1
    sink.close()


def test_http_sent_to_a_grpc_port_is_explained() -> None:
    """The likeliest mistake with two ports."""
    with CollectorServer("grpc") as server:
        sink = make_sink(f"http://127.0.0.1:{server.port}")
        answer = sink.send(encoded("a"), 10.0)
        sink.close()
        assert 'register(protocol="grpc")' in answer.problem


def test_grpc_sent_to_an_http_port_is_explained() -> None:
    """The other way round."""
    with CollectorServer() as server:
        sink = make_sink(f"grpc://127.0.0.1:{server.port}")
        answer = sink.send(encoded("a"), 10.0)
        sink.close()
        assert 'register(protocol="http/protobuf")' in answer.problem


@pytest.mark.parametrize("scheme", ["https", "grpcs"])
def test_tls_sent_to_a_plain_port_is_explained(scheme: str) -> None:
    """As a connection that can't be secured."""
    with CollectorServer("grpc" if scheme == "grpcs" else "http/protobuf") as server:
        sink = make_sink(f"{scheme}://127.0.0.1:{server.port}")
        answer = sink.send(encoded("a"), 10.0)
        sink.close()
        assert answer.verdict is Verdict.UNREACHABLE
        assert "no secure connection" in answer.problem


def test_a_message_beyond_the_servers_limit_is_to_be_split() -> None:
    """GRPC's default limit is 4 MB; here it is small."""
    with CollectorServer("grpc", max_message_bytes=2_000) as server:
        sink = make_sink(server.endpoint)
        assert sink.send(encoded("a", attributes={"text": "x" * 5_000}), 10.0).verdict is Verdict.SPLIT
        assert sink.send(encoded("a"), 10.0).verdict is Verdict.ACCEPTED
        sink.close()


def test_an_answer_without_end_is_not_read_to_the_end() -> None:
    """A server can't fill the program's memory."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def pour() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
                try:
                    while True:
                        connection.sendall(b"x" * 65_536)
                except OSError:
                    return

        thread = threading.Thread(target=pour, daemon=True)
        thread.start()
        sink = make_sink(f"http://127.0.0.1:{listener.getsockname()[1]}")
        assert sink.send(encoded("a"), 10.0).verdict is Verdict.ACCEPTED
        sink.close()
        thread.join(30)
        assert not thread.is_alive()


def test_a_proxy_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the environment names one, as in many companies."""
    proxy = f"http://127.0.0.1:{unused_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "grpc_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy)
    for protocol in PROTOCOLS:
        with CollectorServer(protocol) as server:
            sink = make_sink(server.endpoint)
            assert sink.send(encoded("a"), 10.0).verdict is Verdict.ACCEPTED
            sink.close()


def test_nothing_secret_is_in_a_representation() -> None:
    """Of the sink, of the endpoint, of the options."""
    endpoint = parse_endpoint("http://user:secret@host/x?token=secret")
    options = TransportOptions(client_key="secret")
    sink = OtlpSink(endpoint, {"authorization": "secret"}, options)
    assert "secret" not in repr(sink) + repr(endpoint) + str(endpoint) + repr(options) + sink.name


def test_a_password_in_the_endpoint_is_sent_as_header() -> None:
    """Unless a header says otherwise."""
    with CollectorServer() as server:
        address = f"127.0.0.1:{server.port}"
        for headers, expected in (({}, "Basic dTpw"), ({"authorization": "Bearer x"}, "Bearer x")):
            sink = make_sink(f"http://u:p@{address}", **headers)
            sink.send(encoded("a"), 10.0)
            sink.close()
            assert server.requests[-1].headers["authorization"] == expected


@pytest.mark.parametrize(
    ("host", "path", "is_told"),
    [
        ("cloud.langfuse.com", "/v1/traces", True),
        ("us.cloud.langfuse.com", "/api/v1/traces", True),
        ("cloud.langfuse.com", "/api/public/otel/v1/traces", False),
        ("notlangfuse.com", "/v1/traces", False),
        ("langfuse.com.example.com", "/v1/traces", False),
    ],
)
@pytest.mark.parametrize("fault", [Fault("status", 404), Fault("status", 405), Fault("status", 200, headers=HTML)])
def test_a_host_whose_path_is_known_is_told_with_it(host: str, path: str, is_told: bool, fault: Fault) -> None:
    """Langfuse's cloud, given bare where a collector's address is meant."""
    with CollectorServer() as server:
        server.script(fault)
        # Sent to this machine under that host's name.
        endpoint = Endpoint("http/protobuf", f"{server.endpoint}{path}", host, is_secure=False)
        answer = OtlpSink(endpoint, {}).send(encoded("a"), 10.0)
    assert answer.verdict is Verdict.REFUSED
    assert (f"Langfuse takes spans at https://{host}/api/public/otel, which" in answer.problem) is is_told
