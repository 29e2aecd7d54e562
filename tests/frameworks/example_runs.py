"""The examples of the frameworks, run as a person runs them: offline, with a local store of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from agenttrace.local.reader import Store
from agenttrace.local.records import SpanRecord

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples" / "frameworks"
_UNSET = ("AGENTTRACE_", "ANTHROPIC_", "ARIZE_", "LANGFUSE_", "OPENAI_", "OPENINFERENCE_", "OTEL_", "PHOENIX_")


def run_example(name: str, home: Path, *arguments: str, **variables: str) -> str:
    """Run ``examples/frameworks/<name>.py`` to its end, see that it left a trace that breaks no rule, and only that.

    Args:
        name: The example's name.
        home: Where its local store goes.
        arguments: Its command line.
        variables: What its environment has beside the usual; no model is configured in it otherwise.

    Returns:
        What it printed.
    """
    environment = {**environment_of(home), **variables}
    finished = _run([str(EXAMPLES / f"{name}.py"), *arguments], environment)
    checked = _run(["-m", "agenttrace", "check", "--all", "--strict"], environment)
    assert checked.returncode == 0, checked.stdout
    assert finished.returncode == 0, finished.stderr
    assert "Traceback" not in finished.stderr
    return finished.stdout


def environment_of(home: Path) -> dict[str, str]:
    """The environment without what tells tracing and models' clients what to do, and with a store in ``home``."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith(_UNSET)}
    return {**usual, "AGENTTRACE_HOME": str(home), "AGENTTRACE_DESTINATIONS": "local", "PYTHONPATH": str(ROOT)}


def only_trace(home: Path) -> list[SpanRecord]:
    """The spans of the one trace in the store, in the order in which they started."""
    store = Store(home / "traces.db")
    [trace] = store.traces()
    return store.spans(trace.trace_id)


def outline(spans: list[SpanRecord]) -> list[str]:
    """The tree as indented lines of kind and name; spans whose parent isn't there stand at its end, as ``ORPHAN``."""
    lines: list[str] = []
    ids = {span.span_id for span in spans}

    def add(children: list[SpanRecord], depth: int) -> None:
        for span in children:
            lines.append(f"{'  ' * depth}{span.kind} {span.name}")
            add([child for child in spans if child.parent_id == span.span_id], depth + 1)

    add([span for span in spans if span.parent_id is None], 0)
    lines.extend(f"ORPHAN {span.name}" for span in spans if span.parent_id is not None and span.parent_id not in ids)
    return lines


def values(spans: list[SpanRecord], name: str, attribute: str) -> list[Any]:
    """``attribute`` of every span called ``name``, in the order in which they started."""
    return [span.attributes.get(attribute) for span in spans if span.name == name]


def _run(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
