"""Programs that are killed: at most the last interval is lost, nothing where each span is written, and roots stay."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable

import pytest

from tests.faults.running import Running, Scenario
from tests.servers import CollectorServer

# Of so many, 3 % are what ends in 0.18 s: the interval of 0.1 s, and what a busy machine takes to write.
ACKNOWLEDGED = 3_000
SHARE = 0.97
BATCH = 512
CAUSE = "process ended before the span did"


def killed(running: Running, number: int) -> list[str]:
    """Kill a program, and return the ids of the spans whose end it had acknowledged."""
    os.kill(running.process.pid, number)
    return [line["ended"] for line in running.finish(-number).said if "ended" in line]


def hear_ends(running: Running, count: int) -> None:
    """Wait until a program has acknowledged so many ends."""
    for _ in range(count):
        running.hear("ended")


def arrive(server: CollectorServer, span_ids: list[str]) -> Callable[[], bool]:
    """Whether so many of these have arrived that only the last interval can be missing."""
    enough, wanted = math.ceil(SHARE * len(span_ids)), set(span_ids)
    return lambda: len(wanted & server.ledger.span_ids.keys()) >= enough


@pytest.mark.parametrize(
    ("number", "is_up"),
    [(signal.SIGKILL, True), (signal.SIGKILL, False), (signal.SIGTERM, False)],
    ids=["SIGKILL, backend up", "SIGKILL, backend down", "SIGTERM, backend down"],
)
def test_what_ended_before_the_last_interval_survives(scenario: Scenario, number: signal.Signals, is_up: bool) -> None:
    """500 spans a second end; the program is killed after 3,000, or ends by a SIGTERM that nobody handles."""
    with CollectorServer(is_up=is_up) as server:
        running = scenario.start("steady", to=server)
        hear_ends(running, ACKNOWLEDGED)
        span_ids = killed(running, number)
        assert len(span_ids) >= ACKNOWLEDGED
        server.accept()
        with scenario.later(server):
            server.wait_until(arrive(server, span_ids), f"{SHARE:.0%} of {len(span_ids)} spans")
        # A batch that was taken while the program died may still have been on its disk.
        assert server.tally.duplicated <= BATCH


@pytest.mark.parametrize("is_up", [True, False], ids=["backend up", "backend down"])
@pytest.mark.parametrize("durability", ["write", "sync"])
def test_a_span_that_is_written_before_its_call_returns_survives(
    scenario: Scenario, durability: str, is_up: bool
) -> None:
    """The program kills itself right after the last of 300: every one arrives."""
    with CollectorServer(is_up=is_up) as server:
        scenario.run(
            "burst", 300, "--then", "kill", to=server, AGENTTRACE_DURABILITY=durability, exit_code=-signal.SIGKILL
        )
        server.accept()
        with scenario.later(server):
            server.wait_for_delivered(300)
        assert server.tally.delivered == 300


@pytest.mark.parametrize("is_up", [True, False], ids=["backend up", "backend down"])
def test_the_open_root_of_a_killed_program_arrives_with_an_error(scenario: Scenario, is_up: bool) -> None:
    """The next program ends what was open, so that no tree lacks its root: once, with the ids that children name."""
    with CollectorServer() as clock, CollectorServer(is_up=is_up) as server:
        running = scenario.start("steady", to=(server, clock))
        opened = running.hear("root"), running.process.pid
        # As many intervals as it takes to keep what is open: one request each.
        clock.wait_for_attempts(8)
        said = killed(running, signal.SIGKILL)
        server.accept()
        with scenario.later((server, clock)):
            server.wait_until(lambda: opened[0] in server.ledger.span_ids, "the root")
        by_id = {span.span_id: span for span in server.spans}
        root = by_id[opened[0]]
        assert (root.name, root.status, root.status_message, root.parent_id) == ("the run", "ERROR", CAUSE, None)
        assert root.attributes["openinference.span.kind"] == "AGENT"
        [step] = [span for span in by_id.values() if span.name == "the step"]
        assert (step.status, step.status_message, step.parent_id) == ("ERROR", CAUSE, root.span_id)
        children = [span for span in by_id.values() if span.span_id in set(said)]
        assert {child.parent_id for child in children} == {step.span_id}
        assert {child.trace_id for child in children} == {root.trace_id}
        assert [span.span_id for span in server.spans].count(root.span_id) == 1


def test_spans_that_are_open_when_a_program_ends_by_itself_are_told_of_too(scenario: Scenario) -> None:
    """Its exit closes the block, so the root has its own error and no other program makes one up."""
    with CollectorServer() as server:
        running = scenario.start("steady", to=server)
        root = running.hear("root")
        server.wait_for_attempts(8)
        os.kill(running.process.pid, signal.SIGINT)
        running.finish(-signal.SIGINT)
        with scenario.later(server):
            [span] = [span for span in server.spans if span.span_id == root]
        assert span.status_message != CAUSE
        assert server.tally.duplicated == 0


def test_several_programs_end_an_open_root_once(scenario: Scenario) -> None:
    """All of them register at once after the kill."""
    with CollectorServer(is_up=False) as server, CollectorServer() as clock:
        running = scenario.start("steady", to=(server, clock))
        root = running.hear("root")
        clock.wait_for_attempts(8)
        killed(running, signal.SIGKILL)
        server.accept()
        heirs = [scenario.start("later", to=(server, clock)) for _ in range(4)]
        for heir in heirs:
            heir.hear("registered")
        server.wait_until(lambda: root in server.ledger.span_ids, "the root")
        for heir in heirs:
            heir.tell()
            heir.finish()
        assert [span.span_id for span in server.spans].count(root) == 1
        assert server.tally.duplicated == 0
