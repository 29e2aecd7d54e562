"""Several processes: forked, spawned, or sharing an outbox. Each span arrives once, whoever sends it."""

from __future__ import annotations

import pytest

from tests.faults.programs.forking import CHILDREN, EACH, WAYS
from tests.faults.running import Scenario
from tests.servers import CollectorServer

FORKED = [way for way in WAYS if "spawn" not in way]
CHILD_NAMES = sorted(f"child {child}: {number}" for child in range(CHILDREN) for number in range(EACH))


def names(server: CollectorServer, prefix: str) -> list[str]:
    """The names of what has arrived, those that came twice twice."""
    return sorted(span.name for span in server.spans if span.name.startswith(prefix))


@pytest.mark.parametrize(
    ("way", "protocol"),
    [*((way, "http/protobuf") for way in WAYS), *((way, "grpc") for way in ("os.fork", "preload", "Pool, fork"))],
)
def test_children_deliver_their_spans(scenario: Scenario, way: str, protocol: str) -> None:
    """With no flush call, over whatever connection the parent has; and the parent's spans come from the parent."""
    with CollectorServer(protocol) as server:
        scenario.run("forking", way, "--parent-first", to=server)
        assert names(server, "child") == CHILD_NAMES
        assert names(server, "before") == sorted(f"before: {number}" for number in range(EACH))
        assert names(server, "after") == sorted(f"after: {number}" for number in range(EACH))


@pytest.mark.parametrize("way", FORKED)
def test_children_that_are_forked_before_any_span_deliver(scenario: Scenario, way: str) -> None:
    """As where a server loads its application and forks its workers then."""
    with CollectorServer() as server:
        scenario.run("forking", way, to=server)
        assert names(server, "child") == CHILD_NAMES


@pytest.mark.parametrize("way", ["os.fork", "preload", "Process, fork"])
def test_children_leave_their_spans_on_disk(scenario: Scenario, way: str) -> None:
    """Where nobody takes them, parent's and children's alike are the next program's to deliver, once."""
    with CollectorServer(is_up=False) as server:
        scenario.run("forking", way, "--parent-first", to=server, AGENTTRACE_SHUTDOWN_TIMEOUT="0.5")
        server.accept()
        count = EACH * (CHILDREN + 2)
        with scenario.later(server):
            server.wait_for_delivered(count)
        assert (server.tally.delivered, server.tally.duplicated) == (count, 0)
        assert names(server, "child") == CHILD_NAMES


def test_several_processes_deliver_what_others_left_once(scenario: Scenario) -> None:
    """Three programs left their spans; four register at the same time when the backend is back."""
    with CollectorServer(is_up=False) as server:
        for _ in range(3):
            scenario.run("burst", 1_000, to=server)
        heirs = [scenario.start("later", to=server) for _ in range(4)]
        for heir in heirs:
            heir.hear("registered")
        server.accept()
        server.wait_for_delivered(3_000)
        for heir in heirs:
            heir.tell()
            heir.finish()
        assert (server.tally.delivered, server.tally.duplicated) == (3_000, 0)


def test_a_process_that_lives_keeps_what_it_has_on_disk(scenario: Scenario) -> None:
    """Another that registers the same destination leaves it alone, and each sends its own."""
    with CollectorServer(is_up=False) as server:
        first = scenario.start("burst", 1_000, "--then", "flush", "wait", to=server)
        assert first.hear("report")["on_disk"] == 1_000
        second = scenario.start("burst", 500, "--then", "flush", "wait", to=server)
        assert second.hear("report")["on_disk"] == 500
        server.accept()
        server.wait_for_delivered(1_500)
        for running in (first, second):
            running.tell()
            running.finish()
        assert (server.tally.delivered, server.tally.duplicated) == (1_500, 0)
