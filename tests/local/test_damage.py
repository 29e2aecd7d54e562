"""Stores that can't be written to or read: said once, nothing destroyed, nothing raised into the program."""

from __future__ import annotations

import errno
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Tracer

from agenttrace.local import schema, writing
from agenttrace.local.database import DamagedStoreError, StoreError, file_identity, move_aside
from agenttrace.local.reader import Store
from agenttrace.local.store import LocalSpanExporter

Recorded = Callable[..., list[ReadableSpan]]


@pytest.fixture
def spans(recorded: Recorded) -> list[ReadableSpan]:
    """One span."""

    def run(tracer: Tracer) -> None:
        tracer.start_span("plan").end()

    return recorded(run)


def test_a_folder_that_cannot_be_made_is_said_once(
    spans: list[ReadableSpan], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The batch is refused, so that it may be tried again, and the log names the file and what to do."""
    (tmp_path / "file").write_text("in the way")
    exporter = LocalSpanExporter(tmp_path / "file" / "home" / "traces.db")
    assert [exporter.export(spans), exporter.export(spans)] == [SpanExportResult.FAILURE] * 2
    [message] = caplog.messages
    assert str(exporter.path) in message
    assert f"{tmp_path / 'file'} is a file, not a folder; set AGENTTRACE_HOME to a folder that can be" in message


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "this user may not write there; set AGENTTRACE_HOME"),
        (OSError(errno.EROFS, "Read-only file system"), "Read-only file system; set AGENTTRACE_HOME"),
        (OSError(errno.ENOSPC, "No space left on device"), "Make room, or set AGENTTRACE_HOME"),
        (sqlite3.OperationalError("database or disk is full"), "Make room, or set AGENTTRACE_HOME"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "readonly database; set AGENTTRACE_HOME"),
    ],
)
def test_the_advice_fits_the_trouble(
    spans: list[ReadableSpan],
    store_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    words: str,
) -> None:
    """To make room helps where there is none, and nowhere else."""

    def refuse(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(writing, "open_to_write", refuse)
    assert LocalSpanExporter(store_path).export(spans) is SpanExportResult.FAILURE
    assert words in caplog.text
    assert ("ake room" in caplog.text) == ("Make room" in words)


def test_a_full_disk_loses_nothing_that_was_there(store_path: Path) -> None:
    """The batch that doesn't fit is refused whole, the store stays sound, and what fits later is taken."""
    pytest.importorskip("resource")
    code = """
import resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from agenttrace.local.store import LocalSpanExporter
memory = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
tracer = provider.get_tracer("tests")
for name, size in (("small", 10), ("large", 1_000_000), ("late", 10)):
    tracer.start_span(name, attributes={"input.value": "x" * size}).end()
small, large, late = memory.get_finished_spans()
exporter = LocalSpanExporter()
print(exporter.export([small]).name)
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
print(exporter.export([large, late]).name)
resource.setrlimit(resource.RLIMIT_FSIZE, limits)
print(exporter.export([late]).name)
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == ["SUCCESS", "FAILURE", "SUCCESS"]
    assert "traces can't be kept in" in finished.stderr
    assert {trace.name for trace in Store().traces()} == {"small", "late"}
    assert check_integrity(store_path) == "ok"


def test_a_newer_store_is_left_alone(
    spans: list[ReadableSpan], store_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither read nor written, and the message says to upgrade."""
    LocalSpanExporter().export(spans)
    execute(store_path, f"PRAGMA user_version = {schema.VERSION + 1}")
    before = store_path.read_bytes()
    assert LocalSpanExporter().export(spans) is SpanExportResult.FAILURE
    assert "newer agenttrace" in caplog.text
    with pytest.raises(StoreError, match="pip install -U agenttrace-otel"):
        Store().traces()
    assert store_path.read_bytes() == before


def test_another_programs_database_is_left_alone(
    spans: list[ReadableSpan], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A path that names somebody else's database gets no tables of ours."""
    path = tmp_path / "contacts.db"
    execute(path, "CREATE TABLE contacts (name TEXT)")
    assert LocalSpanExporter(path).export(spans) is SpanExportResult.FAILURE
    assert "database of another program" in caplog.text
    with pytest.raises(StoreError, match="database of another program"):
        Store(path).traces()
    assert execute(path, "SELECT name FROM sqlite_master") == [("contacts",)]


def test_a_users_file_is_never_moved(
    spans: list[ReadableSpan], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A path that names some other file is a mistake: that is said, and the file stays."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but mine; " * 100)
    assert LocalSpanExporter(path).export(spans) is SpanExportResult.FAILURE
    assert "not a readable store" in caplog.text
    with pytest.raises(DamagedStoreError, match="not a readable store"):
        Store(path).traces()
    assert path.read_text() == "not a database, but mine; " * 100
    assert list(tmp_path.glob("notes*")) == [path]


def test_a_broken_store_is_moved_aside(
    spans: list[ReadableSpan], store_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where agenttrace keeps its own store, recording goes on in a new file; the old one is kept and named."""
    store_path.parent.mkdir()
    store_path.write_text("the head of this file was lost; " * 100)
    assert LocalSpanExporter().export(spans) is SpanExportResult.SUCCESS
    assert len(Store().traces()) == 1
    [aside] = store_path.parent.glob("traces.db.damaged-*")
    assert aside.read_text() == "the head of this file was lost; " * 100
    assert str(aside) in caplog.text


def test_a_store_with_our_mark_is_moved_aside_wherever_it_is(spans: list[ReadableSpan], tmp_path: Path) -> None:
    """A store at a path of the user's choice is ours when its head says so, however broken the rest is."""
    path = tmp_path / "run.db"
    LocalSpanExporter(path).export(spans)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * (size - 100))
    with pytest.raises(DamagedStoreError):
        Store(path).traces()
    assert LocalSpanExporter(path).export(spans) is SpanExportResult.SUCCESS
    assert len(Store(path).traces()) == 1
    assert len(list(tmp_path.glob("run.db.damaged-*"))) == 1


def test_what_another_process_put_right_is_not_moved(spans: list[ReadableSpan], store_path: Path) -> None:
    """Of two processes that find the damage, the later one leaves the earlier one's new file where it is."""
    store_path.parent.mkdir()
    store_path.write_text("broken " * 100)
    found = file_identity(store_path)
    LocalSpanExporter().export(spans)
    assert move_aside(store_path, found) == store_path
    assert len(Store().traces()) == 1


def test_a_writer_waits_for_another(spans: list[ReadableSpan], store_path: Path) -> None:
    """While another process holds the file, the exporter's thread waits, and writes when it may."""
    LocalSpanExporter().export(spans)
    results: list[SpanExportResult] = []
    other = sqlite3.connect(store_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    thread = threading.Thread(target=lambda: results.append(LocalSpanExporter().export(spans)))
    thread.start()
    other.execute("COMMIT")
    other.close()
    thread.join()
    assert results == [SpanExportResult.SUCCESS]


def test_a_writer_gives_up_on_a_lock_that_stays(
    spans: list[ReadableSpan], store_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that never lets go of the file costs the batch and one line in the log, not the program."""
    LocalSpanExporter().export(spans)
    monkeypatch.setattr(writing, "BUSY_SECONDS", 0.0)
    other = sqlite3.connect(store_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert LocalSpanExporter().export(spans) is SpanExportResult.FAILURE
    finally:
        other.close()
    assert "database is locked" in caplog.text


def execute(path: Path, statement: str) -> list[tuple[object, ...]]:
    """Run one statement on the file by hand."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.commit()
        connection.close()


def check_integrity(path: Path) -> object:
    """SQLite's own word on the file: ``ok``."""
    return execute(path, "PRAGMA integrity_check")[0][0]
