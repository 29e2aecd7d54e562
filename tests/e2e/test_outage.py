"""The real Phoenix killed while programs send to it, and started again on the same data: every span is there, once.

Phoenix answers before it has written, so that what it took last goes with it. One outage is all that these tests look
at, with eight programs that live through it, or don't, each in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .commanding import Program, command, next_program
from .phoenix_api import Fields, PhoenixApi
from .phoenix_server import PhoenixServer

PROTOCOLS = ("http", "grpc")
CAUSE = "process ended before the span did"
LONG_RUN = 1_500


@dataclass(frozen=True)
class Fates:
    """What became of the programs that sent by one protocol.

    Args:
        running: It ended spans all the time, under a root that was open all the time.
        idle: It had flushed all it had when the server was killed, and ended nothing more.
        ended: It ended by itself while the server was down, and these were its ``last_words``.
        killed: It was killed while the server was down, with its root open.
    """

    running: Program
    idle: Program
    ended: Program
    killed: Program
    last_words: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def fates(phoenix_server: PhoenixServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fates]:
    """What became of each, by protocol, as soon as the server is there again."""
    api = phoenix_server.api
    homes = tmp_path_factory.mktemp("outage")
    all_fates = {protocol: begin(homes, protocol, api.endpoint(protocol)) for protocol in PROTOCOLS}
    for fate in all_fates.values():
        fate.running.order(f"spans {LONG_RUN} 5")
    for fate in all_fates.values():
        for program in (fate.killed, fate.ended, fate.idle):
            assert program.flush()["sent"]
        fate.killed.flush()  # what was open at the one before is written down by now
        fate.running.hear("ended")
    phoenix_server.kill()
    try:
        for fate in all_fates.values():
            fate.ended.order("spans 40 0.1")
            fate.killed.order("spans 40 0.1")
            fate.ended.hear("ended")
            fate.ended.hear("ended")
            fate.last_words.extend(fate.ended.end())
            fate.killed.hear("ended")
            fate.killed.hear("ended")
            assert fate.killed.flush()["on_disk"] >= 40
            fate.killed.kill()
            fate.running.hear("ended")
    finally:
        phoenix_server.start()
    return all_fates


def begin(homes: Path, protocol: str, endpoint: str) -> Fates:
    """The programs of one protocol, each told what to do before the outage."""

    def start(name: str) -> Program:
        project = f"outage-{name}-{protocol}"
        return Program(homes / project, project, endpoint)

    fates = Fates(start("running"), start("idle"), start("ended"), start("killed"))
    for program in (fates.running, fates.killed):
        program.order("root")
    for program, count in ((fates.idle, 200), (fates.ended, 60), (fates.killed, 60)):
        program.order(f"spans {count} 0.2")
    return fates


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_run_that_outlives_the_server_is_there_whole_and_once(
    phoenix: PhoenixApi, fates: dict[str, Fates], protocol: str
) -> None:
    """1,500 spans and the root that was open all the time: those that were in the server's memory, too."""
    program = fates[protocol].running
    report = program.flush()
    assert (report["lost"], report["refused"], report["waiting"]) == (0, 0, 0)
    [warning] = program.end()
    assert "spans wait on disk" in warning
    stored = phoenix.wait_for_stored(program.project, program.span_ids)
    assert len(program.span_ids) == LONG_RUN + 1
    assert sorted(stored) == sorted(program.span_ids)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_the_server_had_not_written_comes_again_without_another_span(
    phoenix: PhoenixApi, fates: dict[str, Fates], protocol: str
) -> None:
    """Nothing was in flight when the server was killed, and nothing is sent after that."""
    program = fates[protocol].idle
    stored = phoenix.wait_for_stored(program.project, program.span_ids)
    program.end()
    assert sorted(stored) == sorted(program.span_ids)


def test_a_program_that_ended_meanwhile_is_delivered_by_the_next_one(
    phoenix: PhoenixApi, fates: dict[str, Fates]
) -> None:
    """It need not make a span for that."""
    program = fates["http"].ended
    [warning] = fates["http"].last_words
    assert " on disk" in warning
    with next_program(program.home, program.project, phoenix.http_endpoint):
        stored = phoenix.wait_for_stored(program.project, program.span_ids)
    assert sorted(stored) == sorted(program.span_ids)


def test_a_program_that_ended_meanwhile_is_delivered_by_the_command(
    phoenix: PhoenixApi, fates: dict[str, Fates]
) -> None:
    """`agenttrace send`, with the same destination in its environment."""
    program = fates["grpc"].ended
    settings = {"PHOENIX_COLLECTOR_ENDPOINT": phoenix.grpc_endpoint, "PHOENIX_PROJECT_NAME": program.project}
    code, printed = command(program.home, "send", **settings)
    assert code == 0, printed
    assert f"{len(program.span_ids)} sent" in printed
    stored = phoenix.wait_for_stored(program.project, program.span_ids)
    assert sorted(stored) == sorted(program.span_ids)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_tree_of_a_killed_program_has_its_root(phoenix: PhoenixApi, fates: dict[str, Fates], protocol: str) -> None:
    """The next program ends it in its place, as an error that says why."""
    program = fates[protocol].killed
    with next_program(program.home, program.project, phoenix.endpoint(protocol)):
        stored = phoenix.wait_for_stored(program.project, program.span_ids)
    assert sorted(stored) == sorted(program.span_ids)
    spans = phoenix.spans(program.project, len(stored))
    [root] = [key for key, span in spans.items() if span["parent_id"] is None]
    assert (spans[root]["name"], spans[root]["kind"]) == ("the run", "AGENT")
    assert (spans[root]["status"], spans[root]["message"]) == ("ERROR", CAUSE)
    children: list[Fields] = [span for key, span in spans.items() if key != root]
    assert {child["parent_id"] for child in children} == {root}
    assert {child["status"] for child in children} == {"OK"}
    assert {span["trace_id"] for span in spans.values()} == {spans[root]["trace_id"]}
