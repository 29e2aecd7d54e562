"""What a backend won't have: asked once, told once in its own words, and kept for `agenttrace send`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.faults.running import Scenario
from tests.faults.script import Fault
from tests.servers import CollectorServer

WORDS = "the project is archived since Tuesday"
REFUSALS = {
    "HTTP 400 in plain text": ("http/protobuf", Fault("status", 400, {"content-type": "text/plain"}, WORDS.encode())),
    "HTTP 422 in JSON": (
        "http/protobuf",
        Fault("status", 422, {"content-type": "application/json"}, json.dumps({"detail": WORDS}).encode()),
    ),
    "gRPC INVALID_ARGUMENT": ("grpc", Fault("status", "INVALID_ARGUMENT", details=WORDS)),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_batch_is_sent_once_and_kept_as_a_dead_letter(scenario: Scenario, name: str) -> None:
    """One request, one line that quotes the server, and the spans on disk, which `agenttrace send` delivers."""
    protocol, fault = REFUSALS[name]
    with CollectorServer(protocol) as server:
        where: dict[str, Any] = {"PHOENIX_COLLECTOR_ENDPOINT": server.endpoint}
        server.fail_always(fault)
        finished = scenario.run("burst", 5, "--then", "flush", **where)
        report = finished.told("report")
        assert (report["refused"], report["sent"], report["waiting"]) == (5, 0, 0)
        assert server.attempts == 1
        assert finished.log.count(WORDS) == 1
        assert [path for path in scenario.files() if path.parent.name == "dead"]

        server.fail_always(None)
        scenario.run("burst", 3, **where)
        assert server.tally.delivered == 3
        scenario.command("send", **where)
        assert (server.tally.delivered, server.tally.duplicated) == (8, 0)
        scenario.command("send", **where)
        assert server.tally.duplicated == 0
        assert not [path for path in scenario.files() if path.parent.name == "dead"]


def test_many_refused_batches_are_told_of_once(scenario: Scenario) -> None:
    """Each is asked for once, and all are kept."""
    with CollectorServer() as server:
        server.fail_always(Fault("status", 400, body=WORDS.encode()))
        finished = scenario.run("burst", 2_000, "--then", "flush", to=server)
        assert server.attempts >= 4
        assert finished.log.count(WORDS) == 1
        assert finished.told("report")["refused"] == 2_000


def test_what_the_server_says_of_our_key_is_not_repeated(scenario: Scenario) -> None:
    """Servers quote what they refuse."""
    key = "sk-7f3b1c9d5e2a48608d4f"
    with CollectorServer() as server:
        server.fail_always(Fault("status", 401, body=f"the token {key} is unknown, Bearer {key}".encode()))
        finished = scenario.run("burst", 5, "--secret", key, "--then", "flush", to=server)
        assert len(finished.warnings) == 1
        assert key not in finished.log


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_partial_success_is_told_of(scenario: Scenario, protocol: str) -> None:
    """The server took the batch and threw two spans away: they are counted, told of with its words, and not resent."""
    with CollectorServer(protocol) as server:
        server.script(Fault("reject", 2, details=WORDS))
        finished = scenario.run("burst", 5, "--then", "flush", to=server)
        report = finished.told("report")
        assert report["refused"] + report["lost"] == 2
        assert report["sent"] == 3
        assert not report["is_safe"]
        assert finished.log.count(WORDS) == 1
        assert (server.attempts, server.tally.duplicated) == (1, 0)


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_warning_along_with_a_full_success_loses_nothing(scenario: Scenario, protocol: str) -> None:
    """OTLP lets a server say something though it rejected nothing."""
    with CollectorServer(protocol) as server:
        server.script(Fault("reject", 0, details=WORDS))
        report = scenario.run("burst", 5, "--then", "flush", to=server).told("report")
        assert (report["sent"], report["refused"], report["lost"], report["is_safe"]) == (5, 0, 0, True)
