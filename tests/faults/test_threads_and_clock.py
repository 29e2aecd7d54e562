"""Many threads at once, and a clock that jumps."""

from __future__ import annotations

import pytest

from tests.faults.programs.threads import EACH, THREADS
from tests.faults.running import Scenario
from tests.faults.script import Fault
from tests.servers import CollectorServer

PROTOCOLS = ["http/protobuf", "grpc"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_threads_end_spans_while_another_flushes(scenario: Scenario, protocol: str) -> None:
    """64 threads end 100 each, and one flushes all the time: all arrive, once."""
    with CollectorServer(protocol) as server:
        scenario.run("threads", "flush", to=server)
        assert (server.tally.delivered, server.tally.duplicated) == (THREADS * EACH, 0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_threads_end_spans_while_another_shuts_down(scenario: Scenario, protocol: str) -> None:
    """What had ended when shutdown() was called arrives, and nobody hangs."""
    with CollectorServer(protocol) as server:
        before = scenario.run("threads", "shutdown", to=server).told("before")
        assert len(before) >= THREADS * EACH // 4
        with scenario.later(server):
            server.wait_until(lambda: server.ledger.span_ids.keys() >= set(before), "what had ended before")
        assert server.tally.duplicated == 0


def test_a_clock_that_jumps_backwards_loses_nothing(scenario: Scenario) -> None:
    """By a day, in the middle, with a backend that fails at first."""
    with CollectorServer() as server:
        server.script(Fault("status", 503), Fault("status", 503))
        finished = scenario.run("clock", to=server)
        assert (server.tally.delivered, server.tally.duplicated) == (100, 0)
        assert not [line for line in finished.warnings if "failed with" in line]


def test_a_clock_that_jumps_backwards_leaves_everything_on_disk(scenario: Scenario) -> None:
    """Nothing there is taken for too old, or for another file."""
    with CollectorServer(is_up=False) as server:
        assert scenario.run("clock", to=server).told("report")["is_safe"]
        server.accept()
        with scenario.later(server):
            server.wait_for_delivered(100)
        assert (server.tally.delivered, server.tally.duplicated) == (100, 0)
