"""What ``show`` and ``list`` say of a run right after its process was killed, and while it lives."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from agenttrace.cli.commands import agenttrace
from tests.isolation import Program, isolated, program

__all__ = ["isolated", "program"]

pytestmark = [
    pytest.mark.usefixtures("isolated"),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here"),
]

RUN = """
import signal, sys
from agenttrace import flush, register, trace_agent, trace_tool
from agenttrace.destinations import local
from agenttrace.local.reader import Store

place = local(*sys.argv[1:])
store = Store(place.path)
register(place, project_name="weather", verbose=False)
with trace_agent("plan"):
    with trace_tool("search"):
        pass
    # A span is written down when it has been open for a moment.
    while not [trace for trace in store.traces() if trace.end_time is None]:
        flush(timeout=1)
    print("ready", flush=True)
    signal.pause()
"""


def shown(*arguments: str) -> str:
    """What the command prints."""
    result = CliRunner().invoke(agenttrace, arguments)
    assert result.exit_code == 0, result.output
    return result.output


@contextmanager
def running(program: Program, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A run that goes on; killed when the block ends, at the latest."""
    process = program.start(RUN, *arguments)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_run_whose_process_was_killed_is_known_at_once(program: Program) -> None:
    """No ten minutes have to pass: its place in the outbox is locked no longer. Looking changes nothing."""
    with running(program):
        for text in (shown("show"), shown("list")):
            assert "running" in text
            assert "left open" not in text
    note = "left open: its process has ended; the next register() with that project, or `agenttrace send`, closes it"
    for _ in range(2):
        lines = shown("show").splitlines()
        assert (lines[2], lines[-1]) == ("(its process has ended)", note)
        assert lines[3].startswith("AGENT  plan")
        assert "left open" in lines[3]
        _, row, *rest = shown("list").splitlines()
        assert "left open" in row
        assert rest == [note]
    assert "sent" in shown("send")
    assert "process ended before the span did" in shown("show")
    assert "left open" not in shown("show") + shown("list")


def test_a_store_in_another_place_is_named_in_what_closes_it(program: Program, tmp_path: Path) -> None:
    """Where ``agenttrace send`` alone wouldn't find it."""
    store = str(tmp_path / "run.db")
    with running(program, store):
        pass
    command = f"agenttrace send --store {store}"
    assert f"or `{command}`, closes it" in shown("show", "--store", store)
    assert "sent" in shown(*command.split()[1:])
    assert "process ended before the span did" in shown("show", "--store", store)
