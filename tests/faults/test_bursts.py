"""Spans that end faster than they can be sent: all of them arrive, and what is dropped by choice is counted."""

from __future__ import annotations

import pytest

from tests.faults.remote import ServerProcess
from tests.faults.running import Scenario
from tests.faults.script import Fault

SPANS = 20_000
# More than may wait in memory while nothing can be sent: 64 MB of payloads, and then 65,536 spans.
FLOOD = ("1700x40000", "--bare", "70000")
FLOODED = 71_700
PATIENCE = 60.0
"""Seconds. Only a failing test waits that long."""


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_burst_arrives(scenario: Scenario, protocol: str) -> None:
    """20,000 spans as fast as the loop runs, and nothing but the program's end to wait for them."""
    with ServerProcess(protocol) as server:
        scenario.run("burst", SPANS, to=server)
        with scenario.later(server):
            tally = server.wait_for_delivered(SPANS)
        assert (tally.delivered, server.tally.duplicated) == (SPANS, 0)


def test_a_burst_arrives_at_a_backend_that_is_slow(scenario: Scenario) -> None:
    """It answers each request after 0.2 s: what isn't sent when the program ends waits on disk for the next one."""
    with ServerProcess() as server:
        server.fail_always(Fault("slow", seconds=0.2))
        scenario.run("burst", SPANS, to=server)
        with scenario.later(server):
            server.wait_for_delivered(SPANS)
        assert server.tally.delivered == SPANS


def test_a_flood_spills_to_disk(scenario: Scenario) -> None:
    """With a backend that hangs, more ends than memory may hold (64 MB), and nothing is lost."""
    with ServerProcess() as server:
        server.fail_always(Fault("hang"))
        count = 22_000
        running = scenario.start("burst", "2000x40000", "--bare", 20_000, "--then", "wait", to=server)
        assert running.hear("ended") == count
        server.fail_always(None)
        server.let_go()
        server.wait_for_delivered(count, PATIENCE)
        running.tell()
        finished = running.finish()
        assert not [line for line in finished.warnings if "dropped" in line]


def test_a_flood_waits_where_it_was_told_to_block(scenario: Scenario) -> None:
    """With nothing written to disk, a slow backend slows the program and gets everything."""
    with ServerProcess() as server:
        server.fail_always(Fault("slow", seconds=0.02))
        variables = {"AGENTTRACE_OVERFLOW": "block", "AGENTTRACE_DURABILITY": "memory"}
        running = scenario.start("burst", *FLOOD, "--then", "flush", "wait", to=server, **variables)
        server.wait_for_delivered(FLOODED, PATIENCE)
        report = running.hear("report")
        running.tell()
        running.finish()
        assert (report["lost"], report["waiting"]) == (0, 0)
        assert server.tally.duplicated == 0


def test_a_flood_that_was_told_to_drop_is_counted_and_told_of_once(scenario: Scenario) -> None:
    """What arrives and what is reported as lost add up, and one line says how many they were."""
    with ServerProcess() as server:
        server.fail_always(Fault("hang"))
        variables = {"AGENTTRACE_OVERFLOW": "drop", "AGENTTRACE_DURABILITY": "memory"}
        running = scenario.start("burst", *FLOOD, "--then", "wait", "flush", "wait", to=server, **variables)
        assert running.hear("ended") == FLOODED
        server.fail_always(None)
        server.let_go()
        running.tell()
        report = running.hear("report")
        server.wait_for_delivered(FLOODED - report["lost"], PATIENCE)
        running.tell()
        finished = running.finish()
        assert report["lost"] > 0
        assert not report["is_safe"]
        assert server.tally.delivered == FLOODED - report["lost"]
        assert len([line for line in finished.warnings if f"{report['lost']:,}" in line]) == 1
