"""What arrives of the spans that ended, and what that costs, beside ``phoenix.otel``: ``make bench``.

Each program runs in a fresh process against the same loopback server, which runs in another one, fails as it is told
to, and counts spans by their ids. After it the next program registers the same server and ends no span: what that one
delivers counts, too. Libraries that aren't installed are left out.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import threading
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.delivery_contenders import CONTENDERS  # noqa: E402  the path has to be there first
from benchmarks.delivery_run import Outcome, Plan, run  # noqa: E402
from tests.faults.remote import ServerProcess  # noqa: E402
from tests.faults.script import Fault  # noqa: E402

BUSY_SECONDS = 12.0
COST_SPANS = 5_000
SYNC_SPANS = 500
DURABILITIES = ("memory", "batch", "write", "sync")


def slow(server: ServerProcess) -> None:
    server.fail_always(Fault("slow", seconds=0.2))


def busy_for_a_while(server: ServerProcess) -> Callable[[], None]:
    """503 until `BUSY_SECONDS` after the program was started."""
    server.fail_always(Fault("status", 503))
    return threading.Timer(BUSY_SECONDS, server.fail_always, [None]).start


def forgetful(server: ServerProcess) -> None:
    """Every tenth answer is lost on the way, after the spans were taken."""
    for _ in range(20):
        server.script(*[Fault("slow")] * 9, Fault("cut"))


DELIVERED = (
    (Plan("burst: 20,000 spans as fast as the loop runs", ["20000"]), "100 %"),
    (Plan("the same, the backend answers after 0.2 s", ["20000"], trouble=slow), "100 %"),
    (Plan("the same, every tenth answer is lost on the way", ["20000"], trouble=forgetful), "100 %"),
    (
        Plan(
            "500 spans/s for 16 s; backend answers 503 for 12 s, then recovers",
            ["8000"],
            options=["--rate", "500"],
            trouble=busy_for_a_while,
        ),
        "100 %",
    ),
    (Plan("backend down until after exit; the next process finds it up", ["2000"], is_up=False), "100 %"),
    (
        Plan(
            "SIGKILL while 500 spans/s end",
            ["100000"],
            options=["--rate", "500", "--acknowledge"],
            killed_after=2_000,
        ),
        "≥ 97 %",
    ),
    (Plan("gRPC, 4 MB messages: 1,000 spans of 20 kB", ["1000x20000"], "grpc"), "all"),
    (Plan("gRPC, 4 MB messages: 50 spans of 300 kB", ["50x300000"], "grpc"), "all"),
    (Plan("gRPC, 4 MB messages: 512 spans of 8.5 kB", ["512x8500"], "grpc"), "all"),
    (Plan("gRPC, 4 MB messages: one span of 4.5 MB among 100 small ones", ["50", "1x4500000", "50"], "grpc"), "101"),
)


def print_delivered(names: list[str]) -> None:
    """A table for each fault: what arrived, what came twice, how fast, and what memory that took."""
    for plan, target in DELIVERED:
        print(f"\n{plan.title}   (target: {target})")
        for name in names:
            outcome = run(plan, name)
            print(f"  {name:22}{_delivered(outcome)}", flush=True)


def _delivered(outcome: Outcome) -> str:
    # One that was killed didn't live to say when it had begun.
    rate = f"{outcome.by_itself / outcome.seconds:7,.0f}" if outcome.seconds > 0 else "      -"
    return (
        f"{100 * outcome.delivered / outcome.ended:6.1f} % of {outcome.ended:6,}"
        f"   {outcome.tally.duplicated:5,} twice   {rate} spans/s   peak {outcome.peak_megabytes:4.0f} MB"
    )


def print_bytes(names: list[str]) -> None:
    """Bytes a span on the wire."""
    print("\nbytes a span on the wire, HTTP; a model call with 600 characters of text")
    for name in names:
        for compression in ("none", "gzip"):
            variables = {"OTEL_EXPORTER_OTLP_COMPRESSION": compression}
            tally = run(Plan("bytes", ["1500"], variables=variables), name).tally
            sizes = f"{tally.wire_bytes / max(1, tally.delivered):8,.0f} bytes a span"
            print(f"  {name:22}{compression:8}{sizes}   in {tally.accepted} requests", flush=True)


def print_costs(names: list[str], repeats: int) -> None:
    """What the end of a span costs the program, and all of its threads, by durability."""
    print(f"\ncost of a span that is made and ended, by OpenTelemetry's API; median of {repeats} processes")
    for name in names:
        for durability in DURABILITIES if name == "agenttrace" else ("",):
            count = SYNC_SPANS if durability == "sync" else COST_SPANS
            variables = {"AGENTTRACE_DURABILITY": durability} if durability else {}
            idle = [run(Plan("idle", ["1"], variables=variables), name) for _ in range(repeats)]
            loaded = [run(Plan("cost", [str(count)], variables=variables), name) for _ in range(repeats)]
            call = 1e6 * statistics.median(outcome.loop_seconds for outcome in loaded) / count
            cpu = _median_cpu(loaded) - _median_cpu(idle)
            print(f"  {name:22}{durability:8}{call:8.1f} µs a call{1e6 * cpu / count:8.1f} µs CPU a span", flush=True)


def _median_cpu(outcomes: list[Outcome]) -> float:
    return statistics.median(outcome.cpu_seconds for outcome in outcomes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, help="processes for each cost (default: 3)")
    parser.add_argument("--only", choices=["delivered", "bytes", "costs"], help="one kind of figure")
    options = parser.parse_args()
    names = [name for name, contender in CONTENDERS.items() if contender.installed]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    if options.only in (None, "delivered"):
        print_delivered(names)
    if options.only in (None, "bytes"):
        print_bytes(names)
    if options.only in (None, "costs"):
        print_costs(names, options.repeats)


if __name__ == "__main__":
    main()
