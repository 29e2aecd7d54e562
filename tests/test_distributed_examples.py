"""The examples of several processes, run as a person runs them: one trace, its tree, session and user on every span.

Each is run where what it needs is installed: `pip install fastapi uvicorn httpx`, `pip install ray`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agenttrace.local.reader import Store
from agenttrace.local.records import SpanRecord

from .isolation import ROOT, Program, clean_environment, program

__all__ = ["program"]

EXAMPLES = ROOT / "examples" / "distributed"


def run(example: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run an example with nothing configured but a local store and a home in ``folder``."""
    environment = {**clean_environment(folder), "HOME": str(folder), "RAY_AUTH_MODE": "disabled"}
    command = [sys.executable, str(EXAMPLES / f"{example}.py")]
    return subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", timeout=150, check=False, cwd=folder
    )


def only_trace(folder: Path) -> list[SpanRecord]:
    """The spans of the one trace that there is."""
    store = Store(folder / "traces.db")
    [trace] = store.traces()
    return store.spans(trace.trace_id)


def outline(spans: list[SpanRecord]) -> list[str]:
    """The tree as indented lines of kind and name; the spans that have no parent here, or come from nowhere, too."""
    ids = {span.span_id for span in spans}
    lines: list[str] = []

    def add(children: list[SpanRecord], depth: int) -> None:
        for span in children:
            lines.append(f"{'  ' * depth}{span.kind} {span.name}")
            add([child for child in spans if child.parent_id == span.span_id], depth + 1)

    add([span for span in spans if span.parent_id is None], 0)
    add([span for span in spans if span.parent_id is not None and span.parent_id not in ids], 0)
    return lines


def owners(spans: list[SpanRecord]) -> set[tuple[object, object]]:
    """Every pair of session and user that a span has."""
    return {(span.attributes.get("session.id"), span.attributes.get("user.id")) for span in spans}


def test_the_http_service_goes_on_in_the_callers_trace(tmp_path: Path) -> None:
    """Client and service are two processes; the service's agent is a child of the tool that called it."""
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    finished = run("http_service", tmp_path)

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == "Oslo: 4 °C, take a coat\nLima: 19 °C, no coat needed\n"
    assert "Traceback" not in finished.stderr
    spans = only_trace(tmp_path)
    asked = ["  TOOL ask_forecaster", "    AGENT forecaster", "      TOOL read_sensor"]
    assert outline(spans) == ["AGENT travel_agent", *asked, *asked]
    assert owners(spans) == {("journey-1", "ada")}


def test_the_process_pools_workers_go_on_in_the_callers_trace(tmp_path: Path) -> None:
    """What spawned workers do stands below the agent that handed it out."""
    finished = run("process_pool", tmp_path)

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == "The moon is moving away from the earth.\n"
    spans = only_trace(tmp_path)
    assert outline(spans) == ["AGENT find_best", *["  CHAIN score", "    TOOL count_words"] * 3]
    assert owners(spans) == {("reading-1", "ada")}


def test_ray_tasks_go_on_in_the_callers_trace(tmp_path: Path) -> None:
    """What Ray's workers do stands below the agent that started the tasks, and is there though Ray kills them."""
    pytest.importorskip("ray")
    finished = run("ray_tasks", tmp_path)

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.endswith("Lagos\n")
    spans = only_trace(tmp_path)
    assert outline(spans) == ["AGENT find_largest", *["  TOOL estimate"] * 3]
    assert owners(spans) == {("atlas-1", "ada")}


@pytest.mark.parametrize(("example", "needed"), [("http_service", "fastapi"), ("ray_tasks", "ray")])
def test_an_example_says_what_it_needs(example: str, needed: str, tmp_path: Path) -> None:
    """Where a library isn't installed, a line says how to install it, and nothing is recorded."""
    (tmp_path / "without.py").write_text(
        f"import runpy, sys\nsys.modules[{needed!r}] = None\nrunpy.run_path(sys.argv[1], run_name='__main__')\n",
        encoding="utf-8",
    )
    command = [sys.executable, str(tmp_path / "without.py"), str(EXAMPLES / f"{example}.py")]
    finished = subprocess.run(
        command, env=clean_environment(tmp_path), capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 1
    assert "pip install" in finished.stderr
    assert needed in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "traces.db").exists()


NATIVE = """
    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from agenttrace import register, trace_agent
    from agenttrace.destinations import local

    register(local(spans="all"), verbose=False)
    service = FastAPI()

    @service.get("/")
    def answer() -> int:
        return agent()

    @trace_agent
    def agent() -> int:
        return 42

    headers = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01", "baggage": "session.id=s-1,user.id=ada"}
    with TestClient(service) as client:
        assert client.get("/", headers=headers).json() == 42
"""


def test_fastapis_own_tracing_brings_session_and_user(program: Program) -> None:
    """Where FastAPI reads the headers itself, every span of the request is stamped, its own included."""
    pytest.importorskip("fastapi.telemetry")
    program.run(NATIVE)
    spans = only_trace(program.folder / "home")
    agent = next(span for span in spans if span.name == "agent")
    assert agent.trace_id == "ab" * 16
    assert agent.parent_id in {span.span_id for span in spans}
    assert owners(spans) == {("s-1", "ada")}
