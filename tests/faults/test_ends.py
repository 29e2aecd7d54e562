"""How a program ends, and what becomes of what had ended before: all is delivered, or on disk for the next one."""

from __future__ import annotations

import signal

import pytest

from tests.faults.programs.ending import COUNT, WAYS
from tests.faults.running import Scenario
from tests.faults.script import Fault
from tests.servers import CollectorServer

EXIT_CODES = {"an uncaught exception": 1, "KeyboardInterrupt": -signal.SIGINT}


@pytest.mark.parametrize("way", WAYS)
def test_spans_arrive_however_a_program_ends(scenario: Scenario, way: str) -> None:
    """Without a flush: all of them are there when it is gone, and nothing is left for another."""
    with CollectorServer() as server:
        finished = scenario.run("ending", way, to=server, exit_code=EXIT_CODES.get(way, 0))
        assert (server.tally.delivered, server.tally.duplicated) == (COUNT, 0)
        assert not finished.warnings
        assert not [path for path in scenario.files() if path.suffix == ".spans"]


@pytest.mark.parametrize("way", WAYS)
def test_spans_are_on_disk_however_a_program_ends(scenario: Scenario, way: str) -> None:
    """Where nobody takes them: the next program delivers all."""
    with CollectorServer(is_up=False) as server:
        scenario.run("ending", way, to=server, exit_code=EXIT_CODES.get(way, 0))
        server.accept()
        with scenario.later(server):
            server.wait_for_delivered(COUNT)
        assert (server.tally.delivered, server.tally.duplicated) == (COUNT, 0)


@pytest.mark.parametrize("way", ["the last line", "SIGTERM with a handler"])
def test_an_exit_waits_no_longer_than_it_was_told(scenario: Scenario, way: str) -> None:
    """A backend that never answers doesn't keep the program; what it didn't take is the next one's to deliver."""
    with CollectorServer() as server:
        server.fail_always(Fault("hang"))
        scenario.run("ending", way, to=server, AGENTTRACE_SHUTDOWN_TIMEOUT="0.2")
        assert server.tally.delivered == 0
        server.fail_always(None)
        server.let_go()
        with scenario.later(server):
            server.wait_for_delivered(COUNT)
        assert server.tally.duplicated == 0


def test_what_cannot_be_sent_in_time_is_on_disk(scenario: Scenario) -> None:
    """A burst right before the end, and no time to send it: however long it takes to write, none is lost."""
    with CollectorServer() as server:
        finished = scenario.run("burst", 0, "--bare", 30_000, to=server, AGENTTRACE_SHUTDOWN_TIMEOUT="0.01")
        assert "lost" not in finished.log
        with scenario.later(server):
            server.wait_for_delivered(30_000)
        assert server.tally.delivered == 30_000


def test_flush_on_root_leaves_nothing_for_later(scenario: Scenario) -> None:
    """Each root's spans are safe when its mark returns: killed at once afterwards, the program has lost none."""
    with CollectorServer() as server:
        scenario.run(
            "burst", 20, "--then", "kill", to=server, AGENTTRACE_FLUSH_ON_ROOT="true", exit_code=-signal.SIGKILL
        )
        with scenario.later(server):
            server.wait_for_delivered(20)
        assert server.tally.delivered == 20
