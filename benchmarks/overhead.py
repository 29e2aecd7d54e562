"""What tracing a call costs, beside hand-written OpenTelemetry and beside other libraries: ``make bench``.

Each figure is the median of several processes, which take turns so that a machine that slows down slows all of them.
Ratios are to the hand-written span. Libraries that aren't installed are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.contenders import CONTENDERS  # noqa: E402  the path has to be there first
from benchmarks.workloads import FUNCTIONS, WORKLOADS  # noqa: E402

HAND = "by hand"
TARGETS = {
    ("call", "sync", "short"): "0.85 x by hand",
    ("call", "sync", "conversation"): "0.50 x by hand",
    ("unregistered", "sync", "short"): "1.5 µs",
    ("suppressed", "sync", "short"): "1.5 µs",
    ("sampled out", "sync", "short"): "15 µs",
    ("large argument", "sync", "short"): "5 ms",
    ("item", "async generator", "short"): "3 µs",
}
IMPORTS = {
    "agenttrace": "import agenttrace",
    "openinference": "import openinference.instrumentation",
    "langfuse": "import langfuse",
    "traceloop": "import traceloop.sdk",
}

Figures = dict[str, float]


def measured(contender: str, what: str, form: str, workload: str) -> float | None:
    """One process's figure, or None where the library fails."""
    command = [sys.executable, "-m", "benchmarks.measure", contender, what, form, workload]
    environment = {**os.environ, "AGENTTRACE_HOME": str(ROOT / ".bench"), "OTEL_SDK_DISABLED": "false"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"result"')]
    if not lines:
        print(f"  ({contender}, {what}, {form}: {(done.stderr.strip().splitlines() or ['no answer'])[-1][:100]})")
        return None
    return float(json.loads(lines[-1])["result"])


def compared(names: Sequence[str], what: str, form: str, workload: str, repeats: int) -> Figures:
    """The median figure of each contender over ``repeats`` rounds in turn."""
    rounds: dict[str, list[float]] = {name: [] for name in names}
    failed: set[str] = set()
    for _ in range(repeats):
        for name in names:
            figure = None if name in failed else measured(name, what, form, workload)
            if figure is None:
                failed.add(name)
            else:
                rounds[name].append(figure)
    return {name: statistics.median(figures) for name, figures in rounds.items() if figures}


def print_table(title: str, unit: str, figures: Figures, target: str | None) -> None:
    """A line a contender, with the ratio to the hand-written span where that was measured."""
    print(f"\n{title}" + (f"   (target: {target})" if target else ""))
    hand = figures.get(HAND)
    for name, figure in figures.items():
        ratio = f"{figure / hand:7.2f} x" if hand else ""
        print(f"  {name:24}{figure:10.2f} {unit}{ratio}")


def import_milliseconds(statement: str, repeats: int) -> float | None:
    """What ``statement`` takes after ``import opentelemetry.trace``, in ms: the median of fresh processes."""
    program = (
        "import opentelemetry.trace, time; started = time.perf_counter()\n"
        f"{statement}\nprint(1e3 * (time.perf_counter() - started))"
    )
    figures = []
    # An installed package is compiled once; one that is imported from a work tree must be allowed to keep that.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, "-c", program]
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    for _ in range(repeats):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            return None
        figures.append(float(done.stdout.split()[-1]))
    return statistics.median(figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="processes for each figure (default: 5)")
    kinds = [*dict.fromkeys(key[0] for key in TARGETS), "import"]
    parser.add_argument("--only", choices=kinds, help="one kind of figure")
    options = parser.parse_args()
    names = [name for name, contender in CONTENDERS.items() if contender.installed]
    marks = [name for name in names if name != HAND]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; median of {options.repeats} processes each")

    def wanted(what: str) -> bool:
        return options.only in (None, what)

    if wanted("call"):
        for workload in WORKLOADS:
            for form in FUNCTIONS:
                figures = compared(names, "call", form, workload, options.repeats)
                target = TARGETS.get(("call", form, workload))
                print_table(f"{form}, {workload}: added to a call", "µs", figures, target)
    for what, unit in (("unregistered", "µs"), ("suppressed", "µs"), ("sampled out", "µs"), ("large argument", "ms")):
        if wanted(what):
            figures = compared(marks, what, "sync", "short", options.repeats)
            print_table(f"{what}: added to a call", unit, figures, TARGETS.get((what, "sync", "short")))
    if wanted("item"):
        figures = compared(marks, "item", "async generator", "short", options.repeats)
        target = TARGETS["item", "async generator", "short"]
        print_table("async generator: added to an item, the span included", "µs", figures, target)
    if wanted("import"):
        print("\nimport, over `import opentelemetry.trace`   (target: 15 ms)")
        for name, statement in IMPORTS.items():
            figure = import_milliseconds(statement, 2 * options.repeats)
            if figure is not None:
                print(f"  {name:24}{figure:10.1f} ms")


if __name__ == "__main__":
    main()
