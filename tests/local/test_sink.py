"""The local store as a sink of encoded spans."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode, Tracer

from agenttrace.delivery.local import LocalSink
from agenttrace.delivery.sink import Verdict
from agenttrace.local.reader import Store
from agenttrace.local.records import record_of
from agenttrace.local.store import LocalSpanExporter

Recorded = Callable[..., list[ReadableSpan]]


def run(tracer: Tracer) -> None:
    """An agent, and a tool of its that failed."""
    with tracer.start_as_current_span("plan", attributes={"openinference.span.kind": "AGENT"}):
        tool = tracer.start_span("search", attributes={"openinference.span.kind": "TOOL", "scores": [1.0, 2.0]})
        tool.add_event("first_item", {"index": 0})
        tool.set_status(StatusCode.ERROR, "ValueError: no luck")
        tool.end()


def encoded(*spans: ReadableSpan) -> bytes:
    """``spans`` as they are handed to a sink."""
    data: bytes = encode_spans(spans).SerializeToString()
    return data


def running(span: ReadableSpan) -> ReadableSpan:
    """``span`` before it ended, as it is handed to `LocalSink.show_running`."""
    return ReadableSpan(
        span.name,
        span.context,
        span.parent,
        span.resource,
        span.attributes,
        start_time=span.start_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def test_the_store_holds_what_the_exporter_would_have_written(recorded: Recorded, tmp_path: Path) -> None:
    """A payload leaves the same records as the spans that it was made of."""
    spans = recorded(run)
    sink = LocalSink(tmp_path / "sink.db")
    assert sink.send(encoded(*spans), 10.0).verdict is Verdict.ACCEPTED
    LocalSpanExporter(tmp_path / "exporter.db").export(spans)
    trace_id = record_of(spans[0]).trace_id
    assert Store(tmp_path / "sink.db").spans(trace_id) == Store(tmp_path / "exporter.db").spans(trace_id)
    assert sink.name == str(tmp_path / "sink.db")


def test_nothing_is_made_before_the_first_span(store_path: Path) -> None:
    """A sink of a program that traces nothing leaves no file behind, whatever else is asked of it."""
    sink = LocalSink()
    sink.forget()
    assert sink.send(b"", 10.0).verdict is Verdict.ACCEPTED
    sink.show_running(b"")
    sink.close()
    assert sink.name == str(store_path)
    assert not store_path.parent.exists()


def test_a_payload_may_come_twice_and_after_closing(recorded: Recorded) -> None:
    """An answer that was lost, and a last span at exit."""
    payload = encoded(*recorded(run))
    sink = LocalSink()
    sink.send(payload, 10.0)
    sink.close()
    assert sink.send(payload + payload, 10.0).verdict is Verdict.ACCEPTED
    [summary] = Store().traces()
    assert summary.span_count == 2


def test_what_is_no_payload_is_refused(store_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Sending it again would not help. Of running spans it is reported."""
    sink = LocalSink()
    answer = sink.send(b"no payload", 10.0)
    assert answer.verdict is Verdict.REFUSED
    assert answer.problem == f"{store_path} was handed bytes that are no OTLP spans"
    assert caplog.messages == []
    sink.show_running(b"no payload")
    [message] = caplog.messages
    assert "showing running spans" in message


def test_a_store_that_cannot_be_written_to_is_said_once(
    recorded: Recorded, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In the exporter's words, and by the sink itself: the answer has nothing to add."""
    (tmp_path / "file").write_text("in the way")
    spans = recorded(run)
    path = tmp_path / "file" / "traces.db"
    LocalSpanExporter(path).export(spans)
    answers = [LocalSink(path).send(encoded(*spans), 10.0) for _ in range(2)]
    assert [(answer.verdict, answer.problem) for answer in answers] == [(Verdict.UNREACHABLE, "")] * 2
    [message] = caplog.messages
    assert f"traces can't be kept in {path}" in message


def test_it_waits_for_another_writer_no_longer_than_it_may(
    recorded: Recorded, store_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The timeout bounds it; what is only shown as running is left out without a word."""
    sink, spans = LocalSink(), recorded(run)
    sink.send(encoded(spans[1]), 10.0)
    other = sqlite3.connect(store_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        sink.show_running(encoded(running(spans[0])))
        assert caplog.messages == []
        assert sink.send(encoded(*spans), 0.0).verdict is Verdict.UNREACHABLE
    finally:
        other.close()
    assert "database is locked" in caplog.text
    assert [trace.span_count for trace in Store().traces()] == [1]


def test_it_writes_when_the_other_writer_is_done(recorded: Recorded, store_path: Path) -> None:
    """Within the timeout it asks again and again."""
    sink, spans = LocalSink(), recorded(run)
    sink.send(encoded(spans[1]), 10.0)
    verdicts: list[Verdict] = []
    other = sqlite3.connect(store_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    thread = threading.Thread(target=lambda: verdicts.append(sink.send(encoded(*spans), 60.0).verdict))
    thread.start()
    other.execute("COMMIT")
    other.close()
    thread.join()
    assert verdicts == [Verdict.ACCEPTED]


def test_a_running_span_is_there_until_it_ends(recorded: Recorded) -> None:
    """First without an end, the latest word on it winning; then as it ended, whatever comes late."""
    sink = LocalSink()
    tool, plan = recorded(run)
    trace_id = record_of(plan).trace_id
    sink.show_running(encoded(running(plan)))
    [shown] = Store().spans(trace_id)
    assert (shown.name, shown.kind, shown.end_time, shown.parent_id) == ("plan", "AGENT", None, None)
    sink.show_running(encoded(running(plan), running(tool)))
    assert [span.end_time for span in Store().spans(trace_id)] == [None, None]
    [summary] = Store().traces()
    assert (summary.end_time, summary.is_complete, summary.span_count) == (None, False, 2)
    sink.send(encoded(tool), 10.0)
    assert Store().spans(trace_id)[1] == record_of(tool)
    sink.send(encoded(plan), 10.0)
    sink.show_running(encoded(running(plan), running(tool)))
    assert Store().spans(trace_id) == [record_of(plan), record_of(tool)]
    assert Store().traces()[0].is_complete


def test_a_dead_process_spans_are_ended_by_the_next(recorded: Recorded) -> None:
    """Its running spans take the error that recovery gives them, and stay so."""
    sink = LocalSink()
    _, plan = recorded(run)
    sink.show_running(encoded(running(plan)))

    def recover(tracer: Tracer) -> None:
        span = tracer.start_span("plan", start_time=plan.start_time)
        span.set_status(StatusCode.ERROR, "process ended before the span did")
        span.end()

    [recovered] = recorded(recover)
    recovered._context = plan.context
    sink.send(encoded(recovered), 10.0)
    sink.show_running(encoded(running(plan)))
    [span] = Store().spans(record_of(plan).trace_id)
    assert (span.status, span.status_description) == ("ERROR", "process ended before the span did")
    assert span.end_time == recovered.end_time


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_writes_with_the_sink_that_it_inherited(recorded: Recorded) -> None:
    """Nothing is open between two payloads, so there is nothing that a child must not touch."""
    sink = LocalSink()
    first, second, third = (recorded(run) for _ in range(3))
    sink.send(encoded(*first), 10.0)
    child = os.fork()
    if not child:
        sink.forget()
        os._exit(0 if sink.send(encoded(*second), 10.0).verdict is Verdict.ACCEPTED else 1)
    assert sink.send(encoded(*third), 10.0).verdict is Verdict.ACCEPTED
    assert os.waitpid(child, 0)[1] == 0
    assert [trace.span_count for trace in Store().traces()] == [2, 2, 2]
