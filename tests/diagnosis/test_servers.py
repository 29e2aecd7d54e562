"""Looking at a server step by step: what each fault is called, and which steps it stops."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from agenttrace.delivery.endpoint import parse_endpoint
from agenttrace.destinations import Destination, langfuse, otlp, phoenix
from agenttrace.diagnosis import routes
from agenttrace.diagnosis.langfuse import LangfuseApi
from agenttrace.diagnosis.phoenix import PhoenixApi, phoenix_address
from tests.backends import CERTIFICATES, Backend, Reply
from tests.diagnosis.playing import (
    KEY,
    PUBLIC,
    SECRET,
    findings,
    langfuse_server,
    phoenix_server,
    states,
    trace_ids,
)
from tests.servers import CollectorServer, Fault, unused_port

TRUSTED = str(CERTIFICATES / "localhost.pem")
STEPS = ["DNS", "connection", "TLS", "OTLP request", "credentials", "outbox"]


def langfuse_at(backend: Backend, secret: str = SECRET) -> Destination:
    return langfuse(PUBLIC, secret, backend.address)


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_every_step_of_the_way_is_looked_at(protocol: str) -> None:
    """And nothing but an empty batch is sent."""
    with CollectorServer(protocol) as server:
        found = findings(otlp(server.endpoint.replace("127.0.0.1", "localhost")))
        assert list(found) == STEPS
        assert states(found) == {
            "DNS": "ok",
            "connection": "ok",
            "TLS": "skipped",
            "OTLP request": "ok",
            "credentials": "ok",
            "outbox": "skipped",
        }
        assert found["OTLP request"].text == f"it takes OTLP ({'gRPC OK' if protocol == 'grpc' else 'HTTP 200'})"
        assert "none are sent, and the server asks for none" in found["credentials"].text
        assert [request.spans for request in server.requests] == [[]]


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_a_server_that_is_not_running_is_said_to_be(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after the connection isn't tried; where something else listens on this machine, it is named."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        other_port = other.getsockname()[1]
        monkeypatch.setattr(routes, "USUAL_PORTS", {other_port: "Phoenix"})
        port = unused_port()
        found = findings(otlp(f"{scheme}://127.0.0.1:{port}"), sends=True)
    assert states(found) == {
        "DNS": "skipped",
        "connection": "failed",
        "TLS": "skipped",
        "OTLP request": "skipped",
        "credentials": "skipped",
        "test span": "skipped",
        "outbox": "skipped",
    }
    text = found["connection"].text
    assert text.startswith(f"nobody listens at 127.0.0.1:{port}: is the server running, and is the port right?")
    assert f"port {other_port}, usually Phoenix, listens" in text


def test_a_host_that_does_not_exist_is_said_not_to() -> None:
    """In a domain that never has any."""
    found = findings(otlp("https://no-such-host.invalid"))
    assert states(found)["DNS"] == "failed"
    assert "the host no-such-host.invalid isn't known here: is it spelled right" in found["DNS"].text
    assert states(found)["connection"] == "skipped"


@pytest.mark.parametrize(
    ("served", "endpoint", "words"),
    [
        ("grpc", "http://127.0.0.1:{port}", 'use register(protocol="grpc")'),
        ("http/protobuf", "grpc://127.0.0.1:{port}", 'register(protocol="http/protobuf")'),
    ],
)
def test_the_wrong_protocol_is_explained(served: str, endpoint: str, words: str) -> None:
    """HTTP to a gRPC port, and the other way round."""
    with CollectorServer(served) as server:
        found = findings(otlp(endpoint.format(port=server.port)))
    assert states(found)["connection"] == "ok"
    assert states(found)["OTLP request"] == "failed"
    assert words in found["OTLP request"].text
    assert states(found)["credentials"] == "skipped"


def test_a_path_that_is_missing_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that OpenTelemetry's traces variable leaves out."""
    with Backend({"POST /v1/traces": Reply()}) as backend:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", backend.address)
        found = findings(otlp())
    assert states(found)["OTLP request"] == "failed"
    assert "usually ends with /v1/traces" in found["OTLP request"].text


@pytest.mark.parametrize(
    ("protocol", "fault"), [("http/protobuf", Fault("status", 401)), ("grpc", Fault("status", "UNAUTHENTICATED"))]
)
def test_a_wrong_key_is_told_from_a_wrong_server(protocol: str, fault: Fault) -> None:
    """It isn't said to be wrong; it is the credentials that are, and they hide the rest."""
    with CollectorServer(protocol) as server:
        server.fail_always(fault)
        found = findings(otlp(server.endpoint, headers={"authorization": "Bearer wrong"}))
    assert states(found)["OTLP request"] == "skipped"
    assert states(found)["credentials"] == "failed"
    assert "refuses the credentials" in found["credentials"].text
    assert "check api_key" in found["credentials"].text


def test_a_server_that_hangs_holds_nothing_up() -> None:
    """Longer than the time that is configured."""
    with CollectorServer() as server:
        server.fail_always(Fault("hang"))
        found = findings(otlp(server.endpoint, timeout=0.2))
    assert "doesn't answer within 0.2 s" in found["OTLP request"].text


def test_a_refused_empty_batch_is_no_verdict_on_spans() -> None:
    """With a span to go by it is passed over, without one it counts, and says how to know more."""
    with CollectorServer() as server:
        server.script(Fault("status", 400), Fault("status", 400))
        without = findings(otlp(server.endpoint))
        with_span = findings(otlp(server.endpoint), sends=True)
        assert [span.name for span in server.spans] == ["agenttrace doctor"]
    assert states(without)["OTLP request"] == "failed"
    assert "--send tells" in without["OTLP request"].text
    assert states(with_span)["OTLP request"] == "skipped"
    assert states(with_span)["test span"] == "ok"


def test_several_ports_that_listen_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        first, second = one.getsockname()[1], other.getsockname()[1]
        monkeypatch.setattr(routes, "USUAL_PORTS", {first: "Phoenix", second: "Langfuse"})
        text = findings(otlp(f"http://127.0.0.1:{unused_port()}"))["connection"].text
    assert text.endswith(f"port {first}, usually Phoenix, and port {second}, usually Langfuse, listen on this machine")


def test_a_trusted_certificate_is_dated() -> None:
    """So that nobody is surprised when it ends."""
    with Backend({"POST /v1/traces": Reply()}, "localhost") as backend:
        found = findings(otlp(backend.address, certificate=TRUSTED))
    assert states(found)["TLS"] == "ok"
    assert "the certificate is trusted and valid until 2120-01-01" in found["TLS"].text
    assert states(found)["OTLP request"] == "ok"


def test_each_address_of_a_host_is_tried() -> None:
    """Where localhost is ::1 first, and the server listens at 127.0.0.1 only."""
    with Backend({"POST /v1/traces": Reply()}, "localhost") as backend:
        destination = otlp(backend.address, certificate=TRUSTED)
        endpoint, addresses = destination.endpoint, ["127.0.0.2", "127.0.0.1"]
        assert endpoint is not None
        route = routes.route_to(endpoint)
        found = [
            routes.connect(route, addresses, is_loopback=True),
            routes.secure(endpoint, destination.options, route, addresses),
        ]
    assert [finding.state.value for finding in found] == ["ok", "ok"]


def test_a_certificate_that_ends_soon_is_said_to() -> None:
    """While there is time to renew it."""
    day, until = 86_400, "Jan  1 00:00:00 2030 GMT"
    now = 1_893_456_000 - 3 * day
    assert "(3 days): have it renewed" in routes.judge_certificate(until, "TLSv1.3", now).text
    assert "renewed" not in routes.judge_certificate(until, "TLSv1.3", now - 60 * day).text


@pytest.mark.parametrize(
    ("certificate", "host", "trusted", "words"),
    [
        ("localhost", "localhost", None, "isn't trusted here"),
        ("localhost", "127.0.0.1", TRUSTED, "is for another host"),
        ("expired", "localhost", str(CERTIFICATES / "expired.pem"), "has expired"),
    ],
)
def test_a_wrong_certificate_is_explained(certificate: str, host: str, trusted: str | None, words: str) -> None:
    """And nothing is sent over it."""
    with Backend({"POST /v1/traces": Reply()}, certificate) as backend:
        found = findings(otlp(f"https://{host}:{backend.port}", certificate=trusted))
        assert backend.asked == []
    assert states(found)["TLS"] == "failed"
    assert f"its certificate {words}" in found["TLS"].text
    assert states(found)["OTLP request"] == "skipped"


def test_a_certificate_file_without_one_in_it_is_named(tmp_path: Path) -> None:
    """With its variable."""
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    with Backend({}, "localhost") as backend:
        found = findings(otlp(backend.address, certificate=empty))
    assert found["TLS"].text == f"{empty} can't be read as certificates: check OTEL_EXPORTER_OTLP_CERTIFICATE"


def test_a_proxy_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """As what sends the spans does, and what is secret in its address isn't shown."""
    monkeypatch.setenv("https_proxy", f"http://user:hush@127.0.0.1:{unused_port()}")
    found = findings(otlp("https://collector.example.com"))
    assert "nobody listens at the proxy http://***@127.0.0.1:" in found["connection"].text


def test_the_way_to_a_grpc_server_may_lead_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of gRPC's own variable first, and not to hosts that are excepted."""
    monkeypatch.setenv("grpc_proxy", "proxy:3128")
    monkeypatch.setenv("no_grpc_proxy", "near.example.com")
    assert routes.route_to(parse_endpoint("grpc://far.example.com")) == routes.Route("proxy", 3128, "proxy:3128")
    assert routes.route_to(parse_endpoint("grpc://near.example.com")).proxy is None
    assert routes.route_to(parse_endpoint("grpc://localhost")).proxy is None


def test_phoenix_is_asked_over_its_own_api() -> None:
    """It is known by what it answers, also where only an OTLP endpoint is configured."""
    with phoenix_server() as server:
        found = findings(otlp(server.address, headers={"authorization": f"Bearer {KEY}"}))
    assert found["credentials"].text == "Phoenix 20.0.0 accepts them"


def test_phoenix_without_authentication_is_said_to_ask_for_none() -> None:
    """Else a key that isn't looked at would count as right."""
    with phoenix_server(key=None) as server:
        found = findings(phoenix(server.address, api_key="whatever"))
    assert found["credentials"].text == "Phoenix 20.0.0 asks for none"


def test_a_key_that_phoenix_refuses_is_refused() -> None:
    """With its own words."""
    with phoenix_server() as server:
        found = findings(phoenix(server.address, api_key="wrong-key"))
    assert states(found)["credentials"] == "failed"
    assert "refuses the credentials (HTTP 401)" in found["credentials"].text
    assert found["credentials"].text.endswith("it says: Invalid token")


def test_who_asks_for_credentials_is_not_said_to_speak_otlp() -> None:
    """So does a gateway, or a website that knows nothing of traces."""
    with Backend({"POST /v1/traces": Reply(401, b"<html>", {"content-type": "text/html"})}) as backend:
        found = findings(otlp(backend.address), sends=True)
    assert states(found)["OTLP request"] == "skipped"
    assert (
        found["OTLP request"].text
        == "it refuses the credentials before anything else (HTTP 401): is it an OTLP server?"
    )
    assert states(found)["credentials"] == "failed"
    assert states(found)["test span"] == "skipped"


def test_a_span_is_read_back_from_phoenix() -> None:
    """Once it shows up there, in the project that it was sent to."""
    with phoenix_server(project="news%20today") as server:
        found = findings(phoenix(server.address, api_key=KEY), sends=True, project="news today")
        [empty, sent] = server.asked_for("POST /v1/traces")
        looks = server.asked_for("GET /v1/projects/news%20today/spans")
    assert empty.body == b""
    assert states(found)["test span"] == "ok"
    assert found["test span"].text.startswith("sent, and read back after")
    assert [look.query["trace_id"] for look in looks] == [trace_ids(sent)] * 2


def test_a_project_that_no_path_can_name_is_read_by_its_id() -> None:
    """Phoenix takes no name with a slash there."""
    with phoenix_server(project="UHJvamVjdDox") as server:
        assert states(findings(phoenix(server.address, api_key=KEY), sends=True, project="a/b"))["test span"] == "ok"


def test_a_span_that_does_not_show_up_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the trace to look for, after the time that is stated."""
    monkeypatch.setattr(PhoenixApi, "patience", 0.0)
    with phoenix_server(looks=99) as server:
        found = findings(phoenix(server.address, api_key=KEY), sends=True)
        [_, sent] = server.asked_for("POST /v1/traces")
    assert states(found)["test span"] == "failed"
    assert f"isn't shown within 0 s: look for trace {trace_ids(sent)[0]} later" in found["test span"].text


def test_phoenix_over_grpc_is_only_looked_for_on_this_machine() -> None:
    """A key goes to no port that nobody named on somebody else's."""
    assert phoenix_address(parse_endpoint("grpc://localhost:4317")) == "http://localhost:6006"
    assert phoenix_address(parse_endpoint("grpcs://[::1]:4317")) == "https://[::1]:6006"
    assert phoenix_address(parse_endpoint("grpc://phoenix.example.com:4317")) is None


def test_langfuse_names_the_project_of_the_keys() -> None:
    """Over its own API."""
    with langfuse_server() as server:
        found = findings(langfuse_at(server))
    assert found["credentials"].text == 'Langfuse accepts the keys of the project "weather"'


def test_keys_that_langfuse_refuses_are_refused() -> None:
    """Whatever it is that refuses them."""
    with langfuse_server() as server:
        found = findings(langfuse_at(server, "sk-lf-wrong"))
    assert states(found)["credentials"] == "failed"
    assert "Confirm that you've configured the correct host" in found["credentials"].text


def test_keys_that_only_langfuses_api_refuses_are_explained() -> None:
    """As those of an organization."""
    refusal = Reply(403, {"message": "Are you using an organization key?"})
    routes_of_it = {"POST /api/public/otel/v1/traces": Reply(), "GET /api/public/projects": refusal}
    with Backend(routes_of_it) as backend:
        found = findings(langfuse_at(backend))
    assert states(found)["credentials"] == "failed"
    assert "must be a pair from one project's settings" in found["credentials"].text
    assert found["credentials"].text.endswith("it says: Are you using an organization key?")


@pytest.mark.parametrize("version", [3, 4])
def test_a_span_is_read_back_from_langfuse(version: int) -> None:
    """From both of its interfaces."""
    with langfuse_server(version=version) as server:
        found = findings(langfuse_at(server), sends=True)
    assert states(found)["test span"] == "ok"
    assert LangfuseApi.patience == 30


def test_a_server_without_an_api_is_believed() -> None:
    """The trace to look for is named."""
    with CollectorServer() as server:
        found = findings(otlp(server.endpoint, headers={"x-key": "1"}), sends=True, project="weather")
        [span] = server.spans
    assert "took the empty batch with them" in found["credentials"].text
    assert states(found)["test span"] == "ok"
    assert f"look for trace {span.trace_id}" in found["test span"].text
    assert span.resource["openinference.project.name"] == "weather"
    assert span.attributes["openinference.span.kind"] == "CHAIN"


def test_a_span_that_is_rejected_out_of_the_batch_has_not_arrived() -> None:
    """Though the batch was taken."""
    with CollectorServer() as server:
        server.script(Fault("status", 200), Fault("reject", 1, details="no such project"))
        found = findings(otlp(server.endpoint), sends=True)
    assert states(found)["test span"] == "failed"
    assert found["test span"].text.endswith("it says: no such project")


def test_a_key_is_never_sent_on_to_another_host() -> None:
    """A redirect of the API isn't followed."""
    with Backend({}) as elsewhere:
        moved = Reply(302, b"", {"location": f"{elsewhere.address}/api/public/projects"})
        with Backend({"POST /api/public/otel/v1/traces": Reply(), "GET /api/public/projects": moved}) as backend:
            found = findings(langfuse_at(backend))
        assert elsewhere.asked == []
    assert states(found)["credentials"] == "failed"
