"""The loopback server itself: it does what its script says, and counts what it took."""

from __future__ import annotations

import threading
from typing import Any

import grpc
import pytest
import requests
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as services

from tests.faults.remote import ServerProcess
from tests.faults.script import Fault
from tests.servers import CollectorServer, Tally

TAKEN = messages.ExportTraceServiceResponse()


def payload(*span_ids: int, characters: int = 0) -> messages.ExportTraceServiceRequest:
    """A request with spans of these ids."""
    request = messages.ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for span_id in span_ids:
        spans.add(span_id=span_id.to_bytes(8, "big"), name="n" * characters)
    return request


def post(server: Any, request: messages.ExportTraceServiceRequest, **headers: str) -> requests.Response:
    """Send ``request`` over HTTP, on a connection of its own."""
    return requests.post(f"{server.endpoint}/v1/traces", request.SerializeToString(), headers=headers, timeout=30)


def export(server: Any, request: messages.ExportTraceServiceRequest) -> messages.ExportTraceServiceResponse:
    """Send ``request`` over gRPC, on a channel of its own."""
    # Else a channel made after a refusal shares the back-off of the one before.
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"127.0.0.1:{server.port}", options) as channel:
        return services.TraceServiceStub(channel).Export(request, timeout=30)


def test_spans_are_counted_by_id() -> None:
    """One that comes twice is delivered once and duplicated once; bytes are those of what was taken."""
    with CollectorServer() as server:
        post(server, payload(1, 2))
        post(server, payload(2, 3))
        size = payload(1, 2).ByteSize()
        assert server.tally == Tally(3, 1, 2, 2, payload_bytes=2 * size, wire_bytes=2 * size, largest=size)
        assert server.delivered_ids == {"0000000000000001", "0000000000000002", "0000000000000003"}


@pytest.mark.parametrize("kind", ["reset", "half", "cut"])
def test_a_connection_is_cut_before_or_after_the_spans_are_taken(kind: Any) -> None:
    """The client learns nothing; "reset" has taken nothing, the others all."""
    with CollectorServer() as server:
        server.script(Fault(kind))
        with pytest.raises(requests.RequestException):
            post(server, payload(1, 2))
        assert server.tally.delivered == (0 if kind == "reset" else 2)
        assert post(server, payload(1, 2)).ok
        assert server.tally.duplicated == (0 if kind == "reset" else 2)


def test_the_port_is_closed_and_opened_again() -> None:
    """On the same port, and connections that were open are cut too."""
    with CollectorServer() as server, requests.Session() as session:
        url = f"{server.endpoint}/v1/traces"
        assert session.post(url, payload(1).SerializeToString(), timeout=30).ok
        server.refuse()
        for client in (session, requests):
            with pytest.raises(requests.ConnectionError):
                client.post(url, payload(2).SerializeToString(), timeout=30)
        server.accept()
        assert post(server, payload(3)).ok
        assert server.tally.delivered == 2


def test_the_grpc_port_is_closed_and_opened_again() -> None:
    """On the same port."""
    with CollectorServer("grpc", is_up=False) as server:
        for is_up in (False, True, False, True):
            if is_up:
                server.accept()
                assert export(server, payload(1)) == TAKEN
            else:
                server.refuse()
                with pytest.raises(grpc.RpcError):
                    export(server, payload(2))
        assert (server.tally.delivered, server.tally.duplicated) == (1, 1)


def test_a_request_that_hangs_is_cut_when_the_server_lets_go() -> None:
    """It was not taken, and the next one is."""
    with CollectorServer() as server:
        server.script(Fault("hang"))

        def let_go_of_the_first() -> None:
            server.wait_for_attempts(1)
            server.let_go()

        thread = threading.Thread(target=let_go_of_the_first)
        thread.start()
        with pytest.raises(requests.RequestException):
            post(server, payload(1))
        thread.join()
        assert post(server, payload(1)).ok
        assert server.tally.duplicated == 0


def test_a_status_comes_with_headers_and_words() -> None:
    """As the script gives them."""
    with CollectorServer() as server:
        server.script(Fault("status", 429, {"retry-after": "7"}, b"slow down"))
        answer = post(server, payload(1))
        assert (answer.status_code, answer.headers["retry-after"], answer.text) == (429, "7", "slow down")
        assert server.tally == Tally(attempts=1)


def test_a_grpc_status_comes_with_words_and_a_wish_to_wait() -> None:
    """``retry-after`` becomes RetryInfo."""
    with CollectorServer("grpc") as server:
        server.script(Fault("status", "RESOURCE_EXHAUSTED", {"retry-after": "7"}, details="slow down"))
        with pytest.raises(grpc.RpcError) as caught:
            export(server, payload(1))
        assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "slow down")
        status = Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
        wish = RetryInfo()
        assert status.details[0].Unpack(wish)
        assert wish.retry_delay.seconds == 7


def test_what_is_too_large_is_refused() -> None:
    """With 413 over HTTP, with RESOURCE_EXHAUSTED over gRPC."""
    with CollectorServer(max_message_bytes=1_000) as server:
        assert post(server, payload(1, characters=2_000)).status_code == 413
        assert post(server, payload(1, characters=500)).ok
        assert server.tally.delivered == 1
    with CollectorServer("grpc") as server:
        with pytest.raises(grpc.RpcError) as caught:
            export(server, payload(1, characters=5_000_000))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert export(server, payload(1, characters=3_000_000)) == TAKEN


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_partial_success_says_how_many_and_why(protocol: str) -> None:
    """Over both protocols."""
    with CollectorServer(protocol) as server:
        server.script(Fault("reject", 2, details="too old"))
        if protocol == "grpc":
            answer = export(server, payload(1, 2, 3))
        else:
            answer = messages.ExportTraceServiceResponse.FromString(post(server, payload(1, 2, 3)).content)
        assert (answer.partial_success.rejected_spans, answer.partial_success.error_message) == (2, "too old")


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_process_of_its_own_does_the_same(protocol: str) -> None:
    """Every order reaches it, and it counts as one in this process does."""
    send = export if protocol == "grpc" else post
    with ServerProcess(protocol, is_up=False) as server:
        with pytest.raises((requests.ConnectionError, grpc.RpcError)):
            send(server, payload(1))
        server.accept()
        server.fail_always(Fault("status", "UNAVAILABLE" if protocol == "grpc" else 503))
        server.script(Fault("slow", seconds=0.01))
        send(server, payload(1, 2))
        refused = server.tally.attempts
        if protocol == "grpc":
            with pytest.raises(grpc.RpcError):
                export(server, payload(3))
        else:
            assert post(server, payload(3)).status_code == 503
        server.wait_for_attempts(refused + 1)
        server.fail_always(None)
        send(server, payload(2, 3))
        assert server.wait_for_delivered(3).duplicated == 1
        assert server.delivered_ids == {f"{number:016x}" for number in (1, 2, 3)}
        with pytest.raises(AssertionError, match="waited for 4 different spans"):
            server.wait_for_delivered(4, seconds=0)
