"""Certificates, right and wrong: which are trusted, and what is said about the others over HTTP and over gRPC."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as services

from agenttrace.delivery.endpoint import parse_endpoint
from agenttrace.delivery.otlp_grpc import GrpcConnection
from agenttrace.delivery.otlp_http import HttpConnection
from agenttrace.delivery.sink import Answer, Verdict
from agenttrace.delivery.transport import TransportOptions
from tests.backends import CERTIFICATES, Backend, Reply

TRACES = "POST /v1/traces"
TRUST = TransportOptions(certificate=str(CERTIFICATES / "localhost.pem"))
TRUST_EXPIRED = TransportOptions(certificate=str(CERTIFICATES / "expired.pem"))


def send(endpoint: str, options: TransportOptions = TRUST) -> Answer:
    """What becomes of an empty batch."""
    where = parse_endpoint(endpoint)
    connection = (GrpcConnection if where.protocol == "grpc" else HttpConnection)(where, {}, options)
    answer = connection.send(b"", 10.0)
    connection.close()
    return answer


@contextmanager
def https(certificate: str) -> Iterator[int]:
    """An OTLP server for HTTP over TLS; its port."""
    with Backend({TRACES: Reply()}, certificate) as backend:
        yield backend.port


@contextmanager
def grpcs(certificate: str) -> Iterator[int]:
    """An OTLP server for gRPC over TLS; its port."""

    class Service(services.TraceServiceServicer):
        def Export(self, request: object, context: object) -> messages.ExportTraceServiceResponse:
            return messages.ExportTraceServiceResponse()

    pem = (CERTIFICATES / f"{certificate}.pem").read_bytes()
    server = grpc.server(futures.ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 0)])
    services.add_TraceServiceServicer_to_server(Service(), server)
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(pem, pem)]))
    server.start()
    yield port
    server.stop(None).wait()


SERVERS = {"https": https, "grpcs": grpcs}


@pytest.mark.parametrize("scheme", SERVERS)
def test_a_certificate_that_is_named_is_trusted(scheme: str) -> None:
    """As the authority's file in ``OTEL_EXPORTER_OTLP_CERTIFICATE`` says."""
    with SERVERS[scheme]("localhost") as port:
        assert send(f"{scheme}://localhost:{port}").verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("scheme", SERVERS)
@pytest.mark.parametrize(
    ("certificate", "host", "options", "words"),
    [
        ("localhost", "localhost", TransportOptions(), "isn't trusted here; name the authority's file"),
        ("localhost", "127.0.0.1", TRUST, "is for another host"),
        ("expired", "localhost", TRUST_EXPIRED, "has expired"),
    ],
)
def test_a_certificate_that_is_wrong_is_explained(
    scheme: str, certificate: str, host: str, options: TransportOptions, words: str
) -> None:
    """With what is wrong with it, as each has a remedy of its own."""
    with SERVERS[scheme](certificate) as port:
        answer = send(f"{scheme}://{host}:{port}", options)
    assert answer.verdict is Verdict.UNREACHABLE
    assert f"no secure connection to {scheme}://{host}:{port}" in answer.problem
    assert f"its certificate {words}" in answer.problem


@pytest.mark.parametrize("scheme", SERVERS)
def test_a_plain_connection_to_a_port_that_wants_tls_is_explained(scheme: str) -> None:
    """Neither protocol says so by itself: the server just hangs up."""
    plain = scheme.removesuffix("s")
    with SERVERS[scheme]("localhost") as port:
        answer = send(f"{plain}://localhost:{port}")
    assert answer.verdict in (Verdict.LATER, Verdict.UNREACHABLE)
    assert f"if it wants TLS, write {scheme}:// instead of {plain}://" in answer.problem


def test_grpc_to_a_web_server_over_tls_is_explained() -> None:
    """The handshake succeeds there, but the two don't agree on a protocol."""
    with https("localhost") as port:
        answer = send(f"grpcs://localhost:{port}")
    assert answer.verdict is Verdict.UNREACHABLE
    assert 'speaks HTTP, not gRPC: register(protocol="http/protobuf")' in answer.problem


@pytest.mark.parametrize("scheme", SERVERS)
def test_a_file_that_cannot_be_read_is_named(scheme: str, tmp_path: Path) -> None:
    """With the variable that names it; the file of a key isn't shown."""
    missing = TransportOptions(certificate=str(tmp_path / "missing.pem"))
    no_key = TransportOptions(client_certificate=TRUST.certificate, client_key=str(tmp_path / "secret.pem"))
    with SERVERS[scheme]("localhost") as port:
        answers = [send(f"{scheme}://localhost:{port}", options) for options in (missing, no_key)]
    assert [answer.verdict for answer in answers] == [Verdict.UNREACHABLE] * 2
    assert f"{tmp_path / 'missing.pem'} can't be read" in answers[0].problem
    assert "check OTEL_EXPORTER_OTLP_CERTIFICATE" in answers[0].problem
    assert "OTEL_EXPORTER_OTLP_CLIENT_KEY" in answers[1].problem
    assert "secret" not in answers[1].problem


def test_a_file_without_a_certificate_in_it_is_named(tmp_path: Path) -> None:
    """As an empty file, or a key in place of the certificate."""
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    with https("localhost") as port:
        answer = send(f"https://localhost:{port}", TransportOptions(certificate=str(empty)))
    assert answer.problem.startswith(f"{empty} can't be read")
