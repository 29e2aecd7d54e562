"""Writing spans to the local store and reading them back."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, Tracer

from agenttrace.local import database
from agenttrace.local.database import open_to_write
from agenttrace.local.insertion import MOST_PARAMETERS
from agenttrace.local.reader import AmbiguousTraceError, Store, UnknownTraceError
from agenttrace.local.records import record_of
from agenttrace.local.rows import INSERT_SPANS, INSERT_TRACES, span_row
from agenttrace.local.store import LocalSpanExporter

Recorded = Callable[..., list[ReadableSpan]]


def one_of_everything(tracer: Tracer) -> None:
    """A parent, a child with every kind of attribute, an event, a link and an error."""
    link = Link(SpanContext(7, 8, is_remote=True), {"why": "retry"})
    with tracer.start_as_current_span("plan", attributes={"openinference.span.kind": "AGENT"}):
        span = tracer.start_span("ask \ud800 \0 \x1b", kind=SpanKind.CLIENT, links=[link])
        span.set_attributes(
            {
                "openinference.span.kind": "llm",
                "llm.token_count.prompt": 12,
                "llm.token_count.completion": 3,
                "text": "a\ud800b\0c\x1b[31m",
                "flags": [True, False],
                "score": 1.0,
                "scores": [0.5, math.inf, -0.0],
                "large": 2**70,
            }
        )
        span.add_event("first_item", {"index": 0}, timestamp=1_700_000_000_000_000_001)
        span.set_status(StatusCode.ERROR, "ValueError: \udcff")
        span.end()


def test_a_span_comes_back_as_it_was(recorded: Recorded, store_path: Path) -> None:
    """Names, times, status, attributes, events, links, resource and scope are the same after the round trip."""
    spans = recorded(one_of_everything)
    assert LocalSpanExporter().export(spans) is SpanExportResult.SUCCESS
    read = Store(store_path).spans(record_of(spans[0]).trace_id)
    assert read == sorted(map(record_of, spans), key=lambda record: record.start_time)
    assert read[1].tokens == (12, 3, 15)
    assert [record.project for record in read] == ["weather", "weather"]
    assert [record.kind for record in read] == ["AGENT", "LLM"]
    assert all(type(read[1].attributes[key]) is float for key in ("score",))


def test_nothing_is_made_before_the_first_span(store_path: Path) -> None:
    """Registering alone leaves no file and no folder behind, and neither does reading."""
    exporter = LocalSpanExporter()
    assert exporter.export([]) is SpanExportResult.SUCCESS
    assert exporter.force_flush()
    assert Store().traces() == []
    exporter.shutdown()
    assert not store_path.parent.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a user's folders private by other means")
def test_only_the_user_can_read_it(recorded: Recorded, store_path: Path) -> None:
    """Folder 0700, file 0600, and the files that SQLite puts beside it too, whatever the umask."""
    before = os.umask(0)
    try:
        exporter = LocalSpanExporter()
        exporter.export(recorded(one_of_everything))
        with open_to_write(store_path):
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store_path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"traces.db": 0o600, "traces.db-wal": 0o600, "traces.db-shm": 0o600}
    assert stat.S_IMODE(store_path.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_folder_that_is_there_keeps_its_mode(recorded: Recorded, tmp_path: Path) -> None:
    """A folder that the user made and opened to others isn't closed."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o755)
    LocalSpanExporter(folder / "traces.db").export(recorded(one_of_everything))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert stat.S_IMODE((folder / "traces.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["a b?mode=ro#c", "100%25", "ü:\u2028&", "'\";"])
def test_a_store_may_have_any_name(recorded: Recorded, tmp_path: Path, name: str) -> None:
    """Also one with what means something else in the address that SQLite is given."""
    if os.name == "nt" and set(name) & set('?:"'):
        pytest.skip("Windows takes no such names")
    path = tmp_path / name / f"{name}.db"
    assert LocalSpanExporter(path).export(recorded(one_of_everything)) is SpanExportResult.SUCCESS
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert len(Store(path).traces()) == 1


def test_nothing_stays_open_between_batches(recorded: Recorded, store_path: Path) -> None:
    """The write-ahead log is folded in and gone after each batch, so the one file is the whole store."""
    LocalSpanExporter().export(recorded(one_of_everything))
    assert [path.name for path in store_path.parent.iterdir()] == ["traces.db"]


def test_delivering_twice_keeps_one(recorded: Recorded) -> None:
    """A batch whose answer was lost may be delivered again, alone or with others."""
    spans = recorded(one_of_everything)
    exporter = LocalSpanExporter()
    exporter.export(spans)
    exporter.export([*spans, *spans])
    [summary] = Store().traces()
    assert summary.span_count == 2


def test_a_batch_takes_few_statements(recorded: Recorded, store_path: Path) -> None:
    """Beside a busy thread each one waits for the interpreter; and none has more parameters than SQLite takes."""
    spans = recorded(lambda tracer: [tracer.start_span(f"span {number}").end() for number in range(1_000)])
    rows = [span_row(record_of(span), "") for span in spans]
    traces = [(record_of(span).trace_id, record_of(span).start_time) for span in spans]
    statements: list[str] = []
    with open_to_write(store_path) as connection:
        connection.set_trace_callback(statements.append)
        INSERT_SPANS.add(connection, iter(rows))
        INSERT_TRACES.add(connection, traces)
    inserts = [statement for statement in statements if "INSERT INTO" in statement]
    assert len(inserts) == math.ceil(1_000 / (MOST_PARAMETERS // len(rows[0]))) + 3
    assert INSERT_SPANS.statement(MOST_PARAMETERS // len(rows[0])).count("?") <= MOST_PARAMETERS
    summaries = Store(store_path).traces(limit=2_000)
    assert sorted(summary.name for summary in summaries) == sorted(span.name for span in spans)


def test_an_ended_span_and_its_running_self_may_come_together(recorded: Recorded, store_path: Path) -> None:
    """Rows of one statement are added one after the other, as by several."""
    ended = record_of(recorded(one_of_everything)[1])
    running, final, later = (
        span_row(record, "")
        for record in (replace(ended, end_time=None), ended, replace(ended, name="delivered again"))
    )
    with open_to_write(store_path) as connection:
        INSERT_SPANS.add(connection, [running, final, later])
        INSERT_TRACES.add(connection, [(ended.trace_id, ended.start_time)] * 2)
    [span] = Store(store_path).spans(ended.trace_id)
    assert (span.name, span.end_time) == (ended.name, ended.end_time)


def test_a_batch_is_written_whole_or_not_at_all(recorded: Recorded, store_path: Path) -> None:
    """Though it takes several statements."""
    spans = recorded(lambda tracer: [tracer.start_span("a").end() for _ in range(100)])
    rows = [span_row(record_of(span), "") for span in spans]
    rows[-1] = (None, *rows[-1][1:])

    def write() -> None:
        with open_to_write(store_path) as connection:
            INSERT_TRACES.add(connection, [(record_of(span).trace_id, 0) for span in spans])
            INSERT_SPANS.add(connection, rows)

    with pytest.raises(sqlite3.IntegrityError):
        write()
    assert Store(store_path).traces() == []


def test_a_time_limit_that_ends_during_an_export_reaches_the_program(
    recorded: Recorded, store_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the program's own thread exports. A TimeoutError is an OSError, but no fault of the disk's."""

    def handle(number: int, frame: object) -> None:
        raise TimeoutError

    def interrupted(path: Path) -> None:
        signal.raise_signal(signal.SIGINT)

    spans = recorded(one_of_everything)
    monkeypatch.setattr(database, "make_private_file", interrupted)
    before = signal.signal(signal.SIGINT, handle)
    try:
        with pytest.raises(TimeoutError):
            LocalSpanExporter().export(spans)
    finally:
        signal.signal(signal.SIGINT, before)
    assert caplog.records == []


def test_an_ended_span_replaces_the_running_one(recorded: Recorded, store_path: Path) -> None:
    """A row without an end is a running span; the ended one takes its place, and never the other way round."""
    spans = recorded(one_of_everything)
    ended = record_of(spans[1])
    running = span_row(replace(ended, end_time=None), "")

    def write_running() -> None:
        with open_to_write(store_path) as connection:
            INSERT_SPANS.add(connection, [running])
            INSERT_TRACES.add(connection, [(ended.trace_id, ended.start_time)])

    write_running()
    [summary] = Store().traces()
    assert (summary.end_time, summary.duration) == (None, None)
    LocalSpanExporter().export(spans)
    write_running()
    assert Store().spans(ended.trace_id)[0] == ended


def test_one_odd_span_does_not_keep_its_neighbours_out(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    """A span that can't be read is reported once; those around it are kept."""
    spans = recorded(one_of_everything)
    odd = ReadableSpan(name="no context")
    assert LocalSpanExporter().export([odd, *spans, odd]) is SpanExportResult.SUCCESS
    assert Store().traces()[0].span_count == 2
    assert len(caplog.records) == 1


def test_times_that_no_clock_shows_are_kept_near(recorded: Recorded) -> None:
    """A span may be started at any time the program says, even one that 64 bits can't hold."""
    spans = recorded(lambda tracer: tracer.start_span("odd", start_time=-(10**30)).end(10**30))
    assert LocalSpanExporter().export(spans) is SpanExportResult.SUCCESS
    [summary] = Store().traces()
    assert (summary.start_time, summary.end_time) == (-(2**63), 2**63 - 1)


def test_instrumented_sqlite_is_not_used(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instrumentors replace sqlite3.connect; writing spans must not make spans."""

    def instrumented(*args: object, **kwargs: object) -> None:
        raise AssertionError

    monkeypatch.setattr(sqlite3, "connect", instrumented)
    assert LocalSpanExporter().export(recorded(one_of_everything)) is SpanExportResult.SUCCESS
    assert len(Store().traces()) == 1


def test_after_shutdown_nothing_is_taken(recorded: Recorded, store_path: Path) -> None:
    """As OpenTelemetry asks of an exporter."""
    exporter = LocalSpanExporter()
    exporter.shutdown()
    assert exporter.export(recorded(one_of_everything)) is SpanExportResult.FAILURE
    assert not store_path.exists()


def test_the_newest_trace_is_the_one_that_started_last(recorded: Recorded) -> None:
    """Whatever ended or was delivered last, and however late a trace's root arrives."""

    def run(tracer: Tracer) -> None:
        for name, start in (("second", 2_000), ("third", 3_000), ("first", 1_000)):
            tracer.start_span(name, start_time=start).end(start + 10_000 // start)

    LocalSpanExporter().export(recorded(run))
    assert [trace.name for trace in Store().traces()] == ["third", "second", "first"]
    assert [trace.name for trace in Store().traces(limit=1)] == ["third"]
    with pytest.raises(ValueError, match="ask for one trace or more"):
        Store().traces(limit=0)


def test_a_late_root_gives_the_trace_its_start_and_name(recorded: Recorded) -> None:
    """Children end before their root: until it arrives the first of them stands for the trace."""
    spans = recorded(one_of_everything)
    exporter = LocalSpanExporter()
    exporter.export(spans[:1])
    assert [trace.name for trace in Store().traces()] == [spans[0].name]
    exporter.export(spans[1:])
    [summary] = Store().traces()
    assert (summary.name, summary.kind, summary.start_time) == ("plan", "AGENT", spans[1].start_time)
    assert (summary.span_count, summary.error_count, summary.tokens) == (2, 1, (12, 3, 15))


def test_projects_are_told_apart(recorded: Recorded) -> None:
    """A project's traces are those with a span in it; a project without any has none."""
    exporter = LocalSpanExporter()
    exporter.export(recorded(one_of_everything, "weather"))
    exporter.export(recorded(one_of_everything, "news"))
    assert [trace.project for trace in Store().traces()] == ["news", "weather"]
    assert [trace.project for trace in Store().traces(project="weather")] == ["weather"]
    assert Store().traces(project="sport") == []


def test_a_trace_is_found_by_the_beginning_of_its_id(recorded: Recorded) -> None:
    """As little of the id as no other trace shares, in the spellings that other tools print."""
    spans = recorded(one_of_everything)
    LocalSpanExporter().export(spans)
    trace_id = record_of(spans[0]).trace_id
    for spelling in (trace_id, trace_id[:8], trace_id.upper(), f"0x{trace_id}", f" {trace_id[:4]}-{trace_id[4:9]} "):
        assert len(Store().spans(spelling)) == 2


def test_a_trace_that_is_not_there_is_an_error_that_helps(recorded: Recorded) -> None:
    """An empty store, an id that no trace has, something that is no id, and the beginning of several."""
    with pytest.raises(UnknownTraceError, match="nothing is recorded in"):
        Store().spans("4bf92f35")
    exporter = LocalSpanExporter()
    while len({trace.trace_id[0] for trace in Store().traces(1_000)}) == len(Store().traces(1_000)):
        exporter.export(recorded(one_of_everything))
    ids = [trace.trace_id for trace in Store().traces(1_000)]
    [shared] = {trace_id[0] for trace_id in ids if sum(other[0] == trace_id[0] for other in ids) == 2}
    with pytest.raises(AmbiguousTraceError, match="beginning of several traces") as caught:
        Store().spans(shared)
    assert all(trace_id in str(caught.value) for trace_id in ids if trace_id[0] == shared)
    with pytest.raises(UnknownTraceError, match="no trace begins with"):
        Store().spans("f" * 33)
    for nonsense in ("", "plan", "%"):
        with pytest.raises(UnknownTraceError, match="not a trace id"):
            Store().spans(nonsense)
