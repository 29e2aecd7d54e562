"""Servers that want to know their client: its certificate is shown, and what is said where it is missing or another."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as services

from agenttrace.delivery.sink import Answer, Verdict
from agenttrace.delivery.tls import tls_advice
from agenttrace.delivery.transport import TransportOptions
from agenttrace.destinations import Destination, otlp
from agenttrace.settings import choose_destinations
from tests.backends import CERTIFICATES, Asked, Backend, Reply, Route, tls_context
from tests.isolation import isolated

__all__ = ["isolated"]

pytestmark = pytest.mark.usefixtures("isolated")

TRUST = CERTIFICATES / "localhost.pem"
CLIENT = CERTIFICATES / "client.pem"
KEY = CERTIFICATES / "client-key.pem"
NAMED = "give client_certificate and client_key, or set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and"


def wanting(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """How a server speaks TLS that takes the one client only."""
    context = tls_context("localhost")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(CLIENT)
    context.maximum_version = version
    return context


@contextmanager
def https() -> Iterator[int]:
    """An OTLP server for HTTP that takes the one client only; its port."""
    with Backend({"POST /v1/traces": Reply()}, wanting()) as backend:
        yield backend.port


@contextmanager
def grpcs() -> Iterator[int]:
    """An OTLP server for gRPC that takes the one client only; its port."""

    class Service(services.TraceServiceServicer):
        def Export(self, request: object, context: object) -> messages.ExportTraceServiceResponse:
            return messages.ExportTraceServiceResponse()

    pem = TRUST.read_bytes()
    credentials = grpc.ssl_server_credentials([(pem, pem)], CLIENT.read_bytes(), require_client_auth=True)
    server = grpc.server(futures.ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 0)])
    services.add_TraceServiceServicer_to_server(Service(), server)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    yield port
    server.stop(None).wait()


SERVERS = {"https": https, "grpcs": grpcs}


def send(destination: Destination) -> Answer:
    """What becomes of an empty batch."""
    sink = destination.make_sink()
    answer = sink.send(b"", 10.0)
    sink.close()
    return answer


@pytest.mark.parametrize("scheme", SERVERS)
def test_a_client_certificate_given_in_code_is_shown(scheme: str) -> None:
    """With its key, over either protocol."""
    with SERVERS[scheme]() as port:
        answer = send(
            otlp(f"{scheme}://localhost:{port}", certificate=TRUST, client_certificate=CLIENT, client_key=str(KEY))
        )
    assert (answer.verdict, answer.problem) == (Verdict.ACCEPTED, "")


@pytest.mark.parametrize("scheme", SERVERS)
@pytest.mark.parametrize("prefix", ["OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_TRACES_", "AGENTTRACE_"])
def test_a_client_certificate_that_variables_name_is_shown(
    monkeypatch: pytest.MonkeyPatch, scheme: str, prefix: str
) -> None:
    """OpenTelemetry's and ours alike."""
    files = {"CERTIFICATE": TRUST, "CLIENT_CERTIFICATE": CLIENT, "CLIENT_KEY": KEY}
    for name, file in files.items():
        monkeypatch.setenv(prefix + name, str(file))
    monkeypatch.setenv(prefix + "PROTOCOL", "grpc" if scheme == "grpcs" else "http/protobuf")
    with SERVERS[scheme]() as port:
        path = "/v1/traces" if (scheme, prefix) == ("https", "OTEL_EXPORTER_OTLP_TRACES_") else ""
        monkeypatch.setenv(prefix + "ENDPOINT", f"https://localhost:{port}{path}")
        [destination] = choose_destinations()
        answer = send(destination)
    assert (answer.verdict, answer.problem) == (Verdict.ACCEPTED, "")


@pytest.mark.parametrize("scheme", SERVERS)
def test_a_client_certificate_and_its_key_may_be_one_file(scheme: str, tmp_path: Path) -> None:
    """As Python's own libraries read it; gRPC's would end the process over a missing key."""
    both = tmp_path / "both.pem"
    both.write_bytes(CLIENT.read_bytes() + KEY.read_bytes())
    with SERVERS[scheme]() as port:
        answer = send(otlp(f"{scheme}://localhost:{port}", certificate=TRUST, client_certificate=both))
    assert (answer.verdict, answer.problem) == (Verdict.ACCEPTED, "")


@pytest.mark.parametrize("scheme", SERVERS)
def test_a_client_certificate_whose_key_is_nowhere_is_said(scheme: str) -> None:
    """The program goes on, and is told which variables to look at."""
    with SERVERS[scheme]() as port:
        answer = send(otlp(f"{scheme}://localhost:{port}", certificate=TRUST, client_certificate=CLIENT))
    assert answer.verdict is Verdict.UNREACHABLE
    assert f"{CLIENT} and its key can't be read as a certificate: check" in answer.problem


@pytest.mark.parametrize("scheme", SERVERS)
def test_a_server_that_wants_a_client_certificate_is_understood(scheme: str) -> None:
    """Over HTTP by its alert, where the connection lives long enough for that; gRPC's library keeps it to itself."""
    with SERVERS[scheme]() as port:
        answer = send(otlp(f"{scheme}://localhost:{port}", certificate=TRUST))
    assert answer.verdict in (Verdict.UNREACHABLE, Verdict.LATER)
    assert "it wants a client certificate" in answer.problem
    assert NAMED in answer.problem


@pytest.mark.parametrize("scheme", SERVERS)
def test_a_server_that_wants_another_client_certificate_is_understood(scheme: str) -> None:
    """Nobody is told to name what is named already."""
    with SERVERS[scheme]() as port:
        answer = send(otlp(f"{scheme}://localhost:{port}", certificate=TRUST, client_certificate=TRUST))
    assert answer.verdict in (Verdict.UNREACHABLE, Verdict.LATER)
    assert NAMED not in answer.problem
    assert str(KEY) not in answer.problem


def fault_of_handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLError:
    """What the client of a server that refuses it gets to read, with no connection that could be gone before."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    there = server.wrap_bio(up, down, server_side=True)
    here = client.wrap_bio(down, up, server_hostname="localhost")
    for _ in range(5):
        fault = fault_of(lambda: here.read(1))  # which does the handshake first
        if fault is not None:
            return fault
        fault_of(there.do_handshake)
    raise AssertionError("the handshake succeeded")


def fault_of(step: Callable[[], object]) -> ssl.SSLError | None:
    """What a step ends with; None where it goes on, or waits for the other side."""
    try:
        step()
    except ssl.SSLWantReadError:
        return None
    except ssl.SSLError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("version", "shown", "words"),
    [
        (ssl.TLSVersion.TLSv1_3, None, f"it wants a client certificate: {NAMED}"),
        (ssl.TLSVersion.TLSv1_2, None, f"the server ends it; if it wants a client certificate, {NAMED}"),
        (ssl.TLSVersion.TLSv1_3, TRUST, "it refuses the client certificate"),
        (ssl.TLSVersion.TLSv1_2, TRUST, "it refuses the client certificate"),
    ],
)
def test_the_alert_says_what_is_wrong_with_the_client(version: ssl.TLSVersion, shown: Path | None, words: str) -> None:
    """The older version has one alert for many things, so its advice is a guess."""
    client = ssl.create_default_context(cafile=TRUST)
    if shown is not None:
        client.load_cert_chain(shown)
    error = fault_of_handshake(wanting(version), client)
    options = TransportOptions(client_certificate=None if shown is None else str(shown))
    assert tls_advice(error, options).startswith(words)


@pytest.mark.parametrize("shown", [None, TRUST])
def test_a_handshake_that_fails_for_another_reason_is_not_pinned_on_a_certificate_that_is_shown(
    shown: Path | None,
) -> None:
    """Two sides without a cipher in common raise the same alert."""
    server, client = tls_context("localhost"), ssl.create_default_context(cafile=TRUST)
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    server.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    client.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    options = TransportOptions(client_certificate=None if shown is None else str(shown))
    advice = tls_advice(fault_of_handshake(server, client), options)
    assert (NAMED in advice) is (shown is None)


def test_a_server_that_never_answers_over_tls_may_want_a_certificate() -> None:
    """One that has answered before doesn't: it was there, and went."""

    def hang_up(asked: Asked) -> Reply:
        raise ConnectionAbortedError

    routes: dict[str, Route] = {"POST /v1/traces": hang_up}
    with Backend(routes, "localhost") as backend:
        sink = otlp(f"https://localhost:{backend.port}", certificate=TRUST).make_sink()
        never = sink.send(b"", 10.0)
        routes["POST /v1/traces"] = Reply()
        between = sink.send(b"", 10.0)
        routes["POST /v1/traces"] = hang_up
        again = sink.send(b"", 10.0)
        sink.close()
    assert [answer.verdict for answer in (never, between, again)] == [Verdict.LATER, Verdict.ACCEPTED, Verdict.LATER]
    assert f"breaks connections off without an answer; if it wants a client certificate, {NAMED}" in never.problem
    assert again.problem.endswith("breaks connections off without an answer")
