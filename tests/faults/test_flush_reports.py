"""What flush() says became of the spans that had ended."""

from __future__ import annotations

import pytest

from tests.faults.running import Scenario
from tests.faults.script import Fault
from tests.servers import CollectorServer

PROTOCOLS = ["http/protobuf", "grpc"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_the_backend_has_was_sent(scenario: Scenario, protocol: str) -> None:
    """All of it, and that is safe."""
    with CollectorServer(protocol) as server:
        report = scenario.run("burst", 700, "--then", "flush", to=server).told("report")
        assert report == {"sent": 700, "on_disk": 0, "refused": 0, "lost": 0, "waiting": 0, "is_safe": True}
        assert server.tally.delivered == 700


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("durability", ["batch", "write", "sync"])
def test_what_nobody_takes_is_on_disk(scenario: Scenario, durability: str, protocol: str) -> None:
    """That is safe, too."""
    with CollectorServer(protocol, is_up=False) as server:
        variables = {"AGENTTRACE_DURABILITY": durability}
        report = scenario.run("burst", 700, "--then", "flush", to=server, **variables).told("report")
        assert report == {"sent": 0, "on_disk": 700, "refused": 0, "lost": 0, "waiting": 0, "is_safe": True}


def test_what_may_not_be_on_disk_waits(scenario: Scenario) -> None:
    """That isn't safe; and the program's end, which loses it, says so, and how much."""
    with CollectorServer(is_up=False) as server:
        finished = scenario.run("burst", 700, "--then", "flush", to=server, AGENTTRACE_DURABILITY="memory")
        report = finished.told("report")
        assert report == {"sent": 0, "on_disk": 0, "refused": 0, "lost": 0, "waiting": 700, "is_safe": False}
        assert "700 spans" in finished.warnings[-1]
        assert "lost" in finished.warnings[-1]
        assert not scenario.files()


def test_what_is_refused_is_neither_sent_nor_waiting(scenario: Scenario) -> None:
    """It isn't tried again; `agenttrace send` is what delivers it."""
    with CollectorServer() as server:
        server.fail_always(Fault("status", 400))
        report = scenario.run("burst", 70, "--then", "flush", to=server).told("report")
        assert (report["sent"], report["on_disk"], report["refused"], report["waiting"]) == (0, 0, 70, 0)


def test_two_destinations_are_counted_together(scenario: Scenario) -> None:
    """What one has and the other hasn't is both: sent to one, on disk for the other, and so safe."""
    with CollectorServer() as well, CollectorServer(is_up=False) as ill:
        report = scenario.run("burst", 70, "--then", "flush", to=(well, ill)).told("report")
        assert (report["sent"], report["on_disk"], report["lost"], report["is_safe"]) == (70, 70, 0, True)


def test_nothing_to_flush_is_safe(scenario: Scenario) -> None:
    """Whether anybody listens or not."""
    with CollectorServer(is_up=False) as server:
        report = scenario.run("burst", 0, "--then", "flush", to=server).told("report")
        assert report == {"sent": 0, "on_disk": 0, "refused": 0, "lost": 0, "waiting": 0, "is_safe": True}
