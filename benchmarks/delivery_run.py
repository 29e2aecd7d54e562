"""Runs one program of the comparison against a loopback server, and says what became of its spans."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.received import Tally
from tests.faults.remote import ServerProcess

__all__ = ["Outcome", "Plan", "run"]

ROOT = Path(__file__).resolve().parent.parent
LONGEST_SECONDS = 90.0
"""How long a program may take, its end included, before it is killed and counted with what it had delivered."""
QUIET_SECONDS = 4.0
"""The next program has nothing left to deliver when no span has come for so long."""
_MEBIBYTE = 1024.0


@dataclass(frozen=True)
class Plan:
    """One thing that is measured.

    Args:
        title: What it is called.
        groups: The spans: COUNT, or COUNTxBYTES.
        protocol: "http/protobuf" or "grpc".
        is_up: Whether the server listens before the program has ended.
        options: More of the program's command line.
        trouble: Called with the server before the program starts, and says what to do once it has been started.
        killed_after: Acknowledged spans after which the program is killed.
        variables: The program's environment, in addition.
    """

    title: str
    groups: Sequence[str]
    protocol: str = "http/protobuf"
    is_up: bool = True
    options: Sequence[str] = ()
    trouble: Callable[[ServerProcess], Callable[[], None] | None] = lambda server: None
    killed_after: int | None = None
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The spans that end."""
        return sum(int(group.partition("x")[0]) for group in self.groups)


@dataclass(frozen=True)
class Outcome:
    """What was measured.

    Args:
        ended: Spans that ended; of a program that was killed, those that it had acknowledged.
        delivered: How many of them arrived, from it or from the next program.
        by_itself: How many arrived before the program was gone.
        tally: The server's counts at the end.
        seconds: From its first span to its end, in s.
        loop_seconds: What the loop that ends the spans took, in s.
        cpu_seconds: CPU time of the whole process, in s.
        peak_megabytes: The most memory that it had (RSS).
    """

    ended: int
    delivered: int
    by_itself: int
    tally: Tally
    seconds: float
    loop_seconds: float
    cpu_seconds: float
    peak_megabytes: float


def run(plan: Plan, contender: str) -> Outcome:
    """Run the program, then the next one, which registers the same server and ends no span."""
    with tempfile.TemporaryDirectory() as home, ServerProcess(plan.protocol, is_up=plan.is_up) as server:
        afterwards = plan.trouble(server)
        program = _start(contender, server, home, plan, *plan.groups, *plan.options)
        if afterwards is not None:
            afterwards()
        said = _listen(program, plan.killed_after)
        _, usage = _reap(program)
        ended_at = time.monotonic()
        by_itself = server.tally.delivered
        server.accept()
        server.fail_always(None)
        _deliver_rest(contender, server, home, plan)
        last = next((line for line in said if "began" in line), {"began": ended_at, "loop_seconds": 0.0})
        acknowledged = {line["ended"] for line in said if "ended" in line}
        delivered = len(acknowledged & server.delivered_ids) if acknowledged else server.tally.delivered
        return Outcome(
            ended=len(acknowledged) or plan.count,
            delivered=delivered,
            by_itself=by_itself,
            tally=server.tally,
            seconds=ended_at - last["began"],
            loop_seconds=last["loop_seconds"],
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_megabytes=usage.ru_maxrss / _MEBIBYTE,
        )


def _start(contender: str, server: ServerProcess, home: str, plan: Plan, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.delivery_program", contender, server.endpoint]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PHOENIX_"))}
    return subprocess.Popen(
        [*command, *arguments, "--protocol", plan.protocol],
        cwd=ROOT,
        env={**environment, "AGENTTRACE_HOME": home, "PYTHONPATH": str(ROOT), **plan.variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _listen(program: subprocess.Popen[str], killed_after: int | None) -> list[dict[str, Any]]:
    """What the program says until it is gone, or killed."""
    assert program.stdout is not None
    limit = threading.Timer(LONGEST_SECONDS, program.kill)
    limit.start()
    said = []
    for line in program.stdout:
        if not line.endswith("\n"):
            break  # cut by the kill
        said.append(json.loads(line))
        if len(said) == killed_after:
            os.kill(program.pid, signal.SIGKILL)
    # Its stdout ends with the process itself, as it has no children.
    limit.cancel()
    return said


def _reap(program: subprocess.Popen[str]) -> tuple[int, Any]:
    _, status, usage = os.wait4(program.pid, 0)
    program.returncode = os.waitstatus_to_exitcode(status)
    for stream in (program.stdin, program.stdout):
        if stream is not None:
            stream.close()
    return status, usage


def _deliver_rest(contender: str, server: ServerProcess, home: str, plan: Plan) -> None:
    if server.tally.delivered >= plan.count:
        return
    following = _start(contender, server, home, plan, "--wait")
    assert following.stdout is not None
    following.stdout.readline()
    before, quiet_since = -1, time.monotonic()
    while time.monotonic() - quiet_since < QUIET_SECONDS:
        delivered = server.tally.delivered
        if delivered >= plan.count:
            break
        if delivered != before:
            before, quiet_since = delivered, time.monotonic()
        time.sleep(0.1)
    following.communicate(timeout=LONGEST_SECONDS)
