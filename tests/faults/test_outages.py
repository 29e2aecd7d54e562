"""Backends that are slow, busy, broken or gone: what ended waits, and arrives when they are back."""

from __future__ import annotations

import pytest

from tests.faults.running import Scenario
from tests.faults.script import Fault
from tests.servers import CollectorServer

PROTOCOLS = ["http/protobuf", "grpc"]
SPANS = 2_000

FAULTS = {
    "503": (Fault("status", 503), "http/protobuf"),
    "429": (Fault("status", 429), "http/protobuf"),
    "500": (Fault("status", 500), "http/protobuf"),
    "UNAVAILABLE": (Fault("status", "UNAVAILABLE"), "grpc"),
    "INTERNAL": (Fault("status", "INTERNAL"), "grpc"),
    "reset": (Fault("reset"), "http/protobuf"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_backend_that_fails_and_recovers_has_everything_once(scenario: Scenario, name: str) -> None:
    """It takes nothing for seven requests; then the program that still runs delivers all, without a flush."""
    fault, protocol = FAULTS[name]
    with CollectorServer(protocol) as server:
        server.fail_always(fault)
        running = scenario.start("burst", SPANS, "--then", "wait", to=server)
        server.wait_for_attempts(7)
        server.fail_always(None)
        server.wait_for_delivered(SPANS)
        running.tell()
        running.finish()
        assert (server.tally.delivered, server.tally.duplicated) == (SPANS, 0)


@pytest.mark.parametrize("kind", ["half", "cut"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_answer_that_is_lost_is_the_only_reason_to_send_twice(scenario: Scenario, protocol: str, kind: str) -> None:
    """The backend took the first batch and its answer was cut: all arrive, and that batch alone came twice at most."""
    with CollectorServer(protocol) as server:
        server.script(Fault("half" if kind == "half" else "cut"))
        running = scenario.start("burst", SPANS, "--then", "wait", to=server)
        server.wait_for_delivered(SPANS)
        running.tell()
        running.finish()
        assert server.tally.delivered == SPANS
        assert server.tally.duplicated <= len(server.requests[0].spans)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_backend_that_hangs_loses_nothing(scenario: Scenario, protocol: str) -> None:
    """It never answers while the program runs; the next program finds it well."""
    with CollectorServer(protocol) as server:
        server.fail_always(Fault("hang"))
        scenario.run("burst", SPANS, to=server, AGENTTRACE_SHUTDOWN_TIMEOUT="0.5")
        server.fail_always(None)
        server.let_go()
        with scenario.later(server):
            server.wait_for_delivered(SPANS)
        assert (server.tally.delivered, server.tally.duplicated) == (SPANS, 0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_backend_that_comes_up_late_has_everything_once(scenario: Scenario, protocol: str) -> None:
    """Nobody listens when the spans end; the program that still runs delivers them when somebody does."""
    with CollectorServer(protocol, is_up=False) as server:
        running = scenario.start("burst", SPANS, "--then", "flush", "wait", to=server)
        assert running.hear("report")["sent"] == 0
        server.accept()
        server.wait_for_delivered(SPANS)
        running.tell()
        running.finish()
        assert (server.tally.delivered, server.tally.duplicated) == (SPANS, 0)


def test_a_backend_that_is_killed_and_restarted_has_everything_once(scenario: Scenario) -> None:
    """Between two bursts of one program."""
    with CollectorServer() as server:
        running = scenario.start("burst", SPANS, "--then", "flush", "wait", to=server)
        running.hear("report")
        server.refuse()
        other = scenario.start("burst", SPANS, "--then", "flush", "wait", to=server)
        assert other.hear("report")["on_disk"] == SPANS
        server.accept()
        server.wait_for_delivered(2 * SPANS)
        for each in (running, other):
            each.tell()
            each.finish()
        assert (server.tally.delivered, server.tally.duplicated) == (2 * SPANS, 0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_backend_that_is_down_until_after_exit_has_everything_once(scenario: Scenario, protocol: str) -> None:
    """The next process that registers the same destination delivers what the first one left."""
    with CollectorServer(protocol, is_up=False) as server:
        finished = scenario.run("burst", SPANS, to=server)
        server.accept()
        with scenario.later(server):
            server.wait_for_delivered(SPANS)
        assert (server.tally.delivered, server.tally.duplicated) == (SPANS, 0)
        assert len(finished.warnings) == 1
        assert "lost" not in finished.log


def test_another_destination_does_not_get_what_was_left(scenario: Scenario) -> None:
    """An outbox belongs to its endpoint and project, whoever else registers."""
    with CollectorServer(is_up=False) as server, CollectorServer() as other:
        scenario.run("burst", 100, to=server)
        scenario.run("burst", 7, to=other)
        scenario.run("burst", 5, to=server, PHOENIX_PROJECT_NAME="another")
        assert other.tally.delivered == 7
        server.accept()
        with scenario.later(server):
            server.wait_for_delivered(100)
        assert (server.tally.delivered, other.tally.delivered) == (100, 7)


BUSY = {
    "http/protobuf": Fault("status", 429, {"retry-after": "600"}),
    "grpc": Fault("status", "RESOURCE_EXHAUSTED", {"retry-after": "600"}, details="slow down"),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_wish_to_be_left_alone_is_heeded(scenario: Scenario, protocol: str) -> None:
    """After "try again in ten minutes" nothing comes, while another destination gets one batch after the other."""
    with CollectorServer(protocol) as busy, CollectorServer() as other:
        busy.fail_always(BUSY[protocol])
        running = scenario.start("steady", to=(busy, other))
        other.wait_for_attempts(15)
        assert busy.attempts == 1
        running.abandon()


@pytest.mark.parametrize("fault", [Fault("hang"), Fault("status", 503), None], ids=["hangs", "is busy", "is down"])
def test_one_destination_does_not_wait_for_another(scenario: Scenario, fault: Fault | None) -> None:
    """While one takes nothing the other gets all; then the first does, too."""
    with CollectorServer(is_up=fault is not None) as ill, CollectorServer() as well:
        ill.fail_always(fault)
        running = scenario.start("burst", SPANS, "--then", "wait", to=(ill, well))
        well.wait_for_delivered(SPANS)
        assert ill.tally.delivered == 0
        ill.fail_always(None)
        ill.let_go()
        ill.accept()
        ill.wait_for_delivered(SPANS)
        running.tell()
        running.finish()
        assert (well.tally.duplicated, ill.tally.duplicated) == (0, 0)
