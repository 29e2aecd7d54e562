"""Many processes on one store: writing at once, killed in the middle, forked."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from agenttrace.local.reader import Store

PROCESSES = 4
BATCHES = 10

WRITER = """
import sys
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from agenttrace.local.store import LocalSpanExporter

memory = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
tracer = provider.get_tracer("tests")


def spans(count=1):
    memory.clear()
    for _ in range(count):
        tracer.start_span("step", attributes={"input.value": "x" * 200}).end()
    return memory.get_finished_spans()


exporter = LocalSpanExporter()
"""


def python(code: str) -> subprocess.Popen[str]:
    """A Python process that runs ``code`` after what every writer needs; -W since forking with threads warns."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WRITER + code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def integrity(path: Path) -> object:
    """SQLite's own word on the file: ``ok``."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        connection.close()


def test_processes_that_start_at_once_lose_nothing(store_path: Path) -> None:
    """Several processes find no store, make it together and write at the same time: every span is there."""
    code = f"""
sys.stdin.readline()
print({{exporter.export(spans(5)).name for _ in range({BATCHES})}})
"""
    writers = [python(code) for _ in range(PROCESSES)]
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        output, errors = writer.communicate()
        assert (output.strip(), errors) == ("{'SUCCESS'}", "")
    assert len(Store().traces(10_000)) == PROCESSES * BATCHES * 5
    assert integrity(store_path) == "ok"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_killed_process_leaves_a_sound_store(store_path: Path) -> None:
    """SIGKILL in the middle of writing: what export() called written is there, and others go on writing."""
    writer = python("while True: exporter.export(spans(50)); print(50, flush=True)")
    assert writer.stdout
    written = sum(int(writer.stdout.readline()) for _ in range(5))
    writer.send_signal(signal.SIGKILL)
    rest, _ = writer.communicate()
    written += sum(int(line) for line in rest.split())
    assert written <= len(Store().traces(1_000_000)) <= written + 50
    assert integrity(store_path) == "ok"
    after = python("print(exporter.export(spans()).name)")
    assert after.communicate() == ("SUCCESS\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_and_its_parent_both_write(store_path: Path) -> None:
    """The exporter that a child inherits works there; parent and child write at once, and the parent may end first."""
    code = f"""
import os
print(exporter.export(spans()).name, flush=True)
children = []
for _ in range({PROCESSES}):
    child = os.fork()
    if not child:
        results = {{exporter.export(spans()).name for _ in range({BATCHES})}}
        os._exit(0 if results == {{"SUCCESS"}} else 1)
    children.append(child)
print({{exporter.export(spans()).name for _ in range({BATCHES})}}, flush=True)
print({{os.waitpid(child, 0)[1] for child in children}})
"""
    output, errors = python(code).communicate()
    assert (output.split("\n"), errors) == (["SUCCESS", "{'SUCCESS'}", "{0}", ""], "")
    assert len(Store().traces(10_000)) == 1 + BATCHES * (PROCESSES + 1)
    assert integrity(store_path) == "ok"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_waits_for_a_batch_that_is_being_written(store_path: Path) -> None:
    """A thread writes without pause while the program forks: no child comes into the world with an open connection."""
    code = f"""
import os, threading
stop = threading.Event()
written = []


def write():
    while not stop.is_set():
        written.append(exporter.export(spans(20)).name)


thread = threading.Thread(target=write)
thread.start()
statuses = set()
for _ in range({BATCHES}):
    child = os.fork()
    if not child:
        child_memory = InMemorySpanExporter()
        child_provider = TracerProvider()
        child_provider.add_span_processor(SimpleSpanProcessor(child_memory))
        child_provider.get_tracer("tests").start_span("child").end()
        inherited = any("traces.db" in os.path.realpath(f"/dev/fd/{{name}}") for name in os.listdir("/dev/fd"))
        result = exporter.export(child_memory.get_finished_spans()).name
        os._exit(0 if result == "SUCCESS" and not inherited else 1)
    statuses.add(os.waitpid(child, 0)[1])
stop.set()
thread.join()
print(statuses, set(written))
"""
    output, errors = python(code).communicate()
    assert (output, errors) == ("{0} {'SUCCESS'}\n", "")
    names = [trace.name for trace in Store().traces(1_000_000)]
    assert names.count("child") == BATCHES
    assert integrity(store_path) == "ok"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_born_while_its_parent_was_writing_refuses(store_path: Path) -> None:
    """Where the fork could not wait (a disk that hangs), the child says so and leaves the store alone."""
    code = """
import os
from agenttrace.local import forking
forking.FORK_PATIENCE_SECONDS = 0.0
exporter.export(spans())
with forking.fork_gate.writing():
    child = os.fork()
    if not child:
        results = [exporter.export(spans()).name for _ in range(2)]
        os._exit(0 if results == ["FAILURE", "FAILURE"] else 1)
    print(os.waitpid(child, 0)[1], flush=True)
print(exporter.export(spans()).name)
"""
    output, errors = python(code).communicate()
    assert output == "0\nSUCCESS\n"
    assert errors.count("forked while its parent was writing") == 1
    assert len(Store().traces()) == 2
