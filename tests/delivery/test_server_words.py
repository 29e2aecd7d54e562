"""What a server says for itself: found in every form of answer, short, printable, and without our secrets."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as services

from agenttrace.delivery.endpoint import parse_endpoint
from agenttrace.delivery.otlp_grpc import GrpcConnection
from agenttrace.delivery.otlp_http import HttpConnection
from agenttrace.delivery.server_words import ServerWords, without_words
from agenttrace.delivery.sink import Answer, Verdict
from agenttrace.delivery.transport import TransportOptions
from tests.servers import CollectorServer, Fault

JSON = "application/json"
SECRET = "sk-lf-0123456789abcdef"


def http_answer(server: CollectorServer, fault: Fault, query: str = "", **headers: str) -> Answer:
    """What becomes of an empty batch that meets ``fault``."""
    server.script(fault)
    connection = HttpConnection(parse_endpoint(f"{server.endpoint}/v1/traces{query}"), headers, TransportOptions())
    answer = connection.send(b"", 10.0)
    connection.close()
    return answer


@contextmanager
def grpc_server(answer: Callable[[grpc.ServicerContext], None]) -> Iterator[str]:
    """A trace service that ends each call as ``answer`` does; its endpoint."""

    class Service(services.TraceServiceServicer):
        def Export(self, request: object, context: grpc.ServicerContext) -> None:
            answer(context)

    server = grpc.server(futures.ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 0)])
    services.add_TraceServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"grpc://127.0.0.1:{port}"
    server.stop(None).wait()


def grpc_answer(endpoint: str, **headers: str) -> Answer:
    """What becomes of an empty batch over gRPC."""
    connection = GrpcConnection(parse_endpoint(endpoint), headers, TransportOptions())
    answer = connection.send(b"", 10.0)
    connection.close()
    return answer


@pytest.mark.parametrize(
    ("content_type", "body", "words"),
    [
        (JSON, b'{"message": "no such project"}', "no such project"),
        (JSON, b'{"error": {"code": 3, "message": "no such project"}}', "no such project"),
        (JSON, b'{"detail": [{"loc": ["body"], "msg": "field required"}]}', "field required"),
        (JSON, b'{"error": "quota", "status": 400}', "quota"),
        ("application/x-protobuf", Status(code=3, message="no such project").SerializeToString(), "no such project"),
        ("text/plain; charset=utf-8", b"Unsupported content type.\n", "Unsupported content type"),
        ("", b"plain", "plain"),
        ("text/html", b"<html><p>no</p></html>", ""),
        ("text/plain", b"<html><p>no</p></html>", ""),
        (JSON, b"{broken", ""),
        (JSON, b"[" * 50_000, ""),
        (JSON, b'{"status": 400}', ""),
        ("application/x-protobuf", b"\xff\xff", ""),
        ("application/octet-stream", b"\xff\xfe", ""),
        ("text/plain", b"", ""),
    ],
)
def test_a_refusal_quotes_the_server(content_type: str, body: bytes, words: str) -> None:
    """In whatever form it says something; what is no sentence isn't quoted."""
    with CollectorServer() as server:
        answer = http_answer(server, Fault("status", 422, {"content-type": content_type}, body))
    problem = f"http://127.0.0.1:{server.port}/v1/traces refuses the spans (HTTP 422)"
    assert answer == Answer(Verdict.REFUSED, f"{problem}; it says: {words}" if words else problem)
    assert without_words(answer.problem) == problem


def test_the_name_of_a_status_is_not_quoted() -> None:
    """Frameworks send it when they have nothing to say, and the number says it already."""
    with CollectorServer() as server:
        answer = http_answer(server, Fault("status", 409, {"content-type": JSON}, b'{"detail": "Conflict"}'))
    assert answer.problem.endswith("refuses the spans (HTTP 409)")


def test_a_grpc_refusal_quotes_the_server() -> None:
    """What gRPC calls the details of a status."""
    with CollectorServer("grpc") as server:
        server.script(Fault("status", "INVALID_ARGUMENT", details="no such\nproject"))
        answer = grpc_answer(server.endpoint)
    assert answer.verdict is Verdict.REFUSED
    assert answer.problem.endswith("refuses the spans (INVALID_ARGUMENT); it says: no such project")


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_spans_rejected_out_of_a_batch_are_explained(protocol: str) -> None:
    """By OTLP's ``partial_success``."""
    fault = Fault("reject", 2, details="too old")
    with CollectorServer(protocol) as server:
        if protocol == "grpc":
            server.script(fault)
            answer = grpc_answer(server.endpoint)
        else:
            answer = http_answer(server, fault)
    assert (answer.verdict, answer.rejected) == (Verdict.ACCEPTED, 2)
    assert answer.problem.endswith("rejected spans in it; it says: too old")


@pytest.mark.parametrize(
    "said",
    [
        "invalid key {0}",
        "invalid key {0!r} of Bearer {0}",
        "invalid key sk-lf-0123****cdef, tail 9abcdef",
        "INVALID KEY SK-LF-0123456789ABCDEF",
        "invalid key sk-lf-01\n23456789abcdef",
        "invalid key " + "x" * 170 + "{0}",
    ],
)
@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_key_that_the_server_quotes_is_not_shown(protocol: str, said: str) -> None:
    """Neither the whole of it, nor a piece that is long enough to be of use."""
    said = said.format(SECRET)
    with CollectorServer(protocol) as server:
        if protocol == "grpc":
            server.script(Fault("status", "UNAUTHENTICATED", details=said))
            answer = grpc_answer(server.endpoint, authorization=f"Bearer {SECRET}")
        else:
            answer = http_answer(server, Fault("status", 401, {}, said.encode()), authorization=f"Bearer {SECRET}")
    shown = answer.problem.lower().replace(" ", "")
    assert "it says: invalid key" in answer.problem.lower()
    assert "refuses the credentials" in answer.problem
    assert not [start for start in range(len(SECRET) - 6) if SECRET[start : start + 6] in shown]


def test_user_name_password_query_and_short_values_are_not_shown() -> None:
    """Each header's value in every form in which it is sent; what tells nobody anything may be read."""
    pair = base64.b64encode(b"pk-public-1:sk-secret-1").decode()
    headers = {"authorization": f"Basic {pair}", "x-pin": "4711", "content-type": "application/x-protobuf"}
    words = ServerWords(headers, "http://host/v1/traces?token=top%2Fsecret")
    said = f"{pair} pk-public-1 sk-secret-1 top/secret top%2Fsecret 4711 47112 Basic application/x-protobuf"
    assert words.shown(said) == "*** *** *** *** *** *** 47112 Basic application/x-protobuf"


def test_what_is_shown_is_one_short_printable_line() -> None:
    """Nothing that moves a terminal's cursor, and no page of text."""
    shown = ServerWords({}).shown("a\x1b[31m\r\nb\u202ec " + "word " * 100)
    assert shown.startswith("a [31m b c word")
    assert len(shown) <= 200
    assert shown.endswith("…")


def test_without_credentials_a_refusal_asks_for_some() -> None:
    """It would send people looking for a mistake in a key that they never set."""
    with CollectorServer() as server:
        without = http_answer(server, Fault("status", 401))
        with_some = http_answer(server, Fault("status", 401), authorization="Bearer x")
    assert "wants credentials, and none are sent (HTTP 401): give api_key" in without.problem
    assert "refuses the credentials (HTTP 401): check api_key" in with_some.problem


def test_a_path_that_is_taken_as_it_is_is_explained() -> None:
    """The traces endpoint of OpenTelemetry's variables gets no ``/v1/traces`` added."""
    with CollectorServer() as server:
        server.script(Fault("status", 404))
        connection = HttpConnection(parse_endpoint(server.endpoint, is_exact=True), {}, TransportOptions())
        answer = connection.send(b"", 10.0)
        connection.close()
    assert "taken as it is here and usually ends with /v1/traces" in answer.problem


@pytest.mark.parametrize(
    ("code", "details", "verdict"),
    [
        ("RESOURCE_EXHAUSTED", "grpc: received message larger than max (5 vs. 4)", Verdict.SPLIT),
        ("RESOURCE_EXHAUSTED", "Sent message larger than max (5 vs. 4)", Verdict.SPLIT),
        ("RESOURCE_EXHAUSTED", "gRPC message exceeds maximum size 4: 5", Verdict.SPLIT),
        ("OUT_OF_RANGE", "Error, message length too large: found 5 bytes, the limit is: 4 bytes", Verdict.SPLIT),
        ("UNKNOWN", "Received http2 header with status: 413", Verdict.SPLIT),
        ("RESOURCE_EXHAUSTED", "quota used up", Verdict.LATER),
        ("OUT_OF_RANGE", "", Verdict.LATER),
        ("UNKNOWN", "Received http2 header with status: 414", Verdict.FAULTY),
        ("UNAVAILABLE", "the database is away", Verdict.LATER),
    ],
)
def test_a_message_over_a_limit_is_told_from_a_quota(code: str, details: str, verdict: Verdict) -> None:
    """GRPC has one status for both, and its libraries have words of their own."""
    with CollectorServer("grpc") as server:
        server.script(Fault("status", code, details=details))
        assert grpc_answer(server.endpoint).verdict is verdict


def test_a_grpc_server_may_ask_to_be_left_alone() -> None:
    """By ``google.rpc.RetryInfo`` in the details of its status."""
    packed = AnyMessage()
    packed.Pack(RetryInfo(retry_delay=Duration(seconds=7, nanos=500_000_000)))
    status = Status(code=8, message="quota", details=[packed]).SerializeToString()

    def refuse(context: grpc.ServicerContext) -> None:
        context.set_trailing_metadata((("grpc-status-details-bin", status),))
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "quota")

    with grpc_server(refuse) as endpoint:
        answer = grpc_answer(endpoint)
    assert (answer.verdict, answer.retry_after) == (Verdict.LATER, 7.5)


def test_status_details_that_are_no_message_are_passed_over() -> None:
    """A server's fault isn't ours."""

    def refuse(context: grpc.ServicerContext) -> None:
        context.set_trailing_metadata((("grpc-status-details-bin", b"\xff\xff"),))
        context.abort(grpc.StatusCode.UNAVAILABLE, "later")

    with grpc_server(refuse) as endpoint:
        answer = grpc_answer(endpoint)
    assert (answer.verdict, answer.retry_after) == (Verdict.LATER, None)
