"""A run in the local store while it goes on, as ``agenttrace show`` and ``agenttrace list`` print it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from agenttrace.cli.commands import agenttrace
from agenttrace.delivery.local import LocalSink

Ask = Callable[..., list[str]]

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
RESOURCE = Resource({"openinference.project.name": "weather"})
NAMES = {"plan": 1, "search": 2, "model": 3}


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Runs the command in this process; gives the lines that it prints."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> list[str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            agenttrace(arguments, prog_name="agenttrace")
        out, err = capsys.readouterr()
        assert (end.value.code, err) == (0, "")
        return [line.rstrip() for line in out.splitlines()]

    return run


def span(
    name: str, kind: str, parent: str | None, start: int, end: int | None, status: Status | None = None
) -> ReadableSpan:
    """A span of the one trace, with its times in nanoseconds since 1970."""
    flags = TraceFlags(TraceFlags.SAMPLED)
    return ReadableSpan(
        name,
        SpanContext(0xABC << 112, NAMES[name], False, flags),
        None if parent is None else SpanContext(0xABC << 112, NAMES[parent], False, flags),
        RESOURCE,
        {"openinference.span.kind": kind},
        status=status or Status(),
        start_time=start,
        end_time=end,
    )


def payload(*spans: ReadableSpan) -> bytes:
    """``spans`` as they are handed to a sink."""
    data: bytes = encode_spans(spans).SerializeToString()
    return data


def tree_of(lines: list[str]) -> list[str]:
    """Kinds and names as ``show`` draws them, without durations."""
    start = lines.index("") + 1
    return [line.split("  running")[0].split("   ")[0].rstrip() for line in lines[start:] if "  " in line]


def test_a_run_is_shown_while_it_goes_on_and_when_it_ended(ask: Ask) -> None:
    """Its root first, then what ended below it, then the whole; at no moment a child without its parent."""
    sink = LocalSink()
    start = time.time_ns() - 150 * SECOND
    search = span("search", "TOOL", "plan", start + SECOND, start + 3 * SECOND)
    sink.show_running(payload(span("plan", "AGENT", None, start, None)))
    assert tree_of(ask("show")) == ["AGENT  plan"]
    assert ask("show")[-1].endswith("running 2 min")

    sink.send(payload(search), 10.0)
    sink.show_running(payload(span("model", "LLM", "plan", start + 4 * SECOND, None)))
    assert tree_of(ask("show")) == ["AGENT  plan", "├─ TOOL  search", "└─ LLM  model"]
    [_, line] = ask("list")
    assert "running 2 min" in line
    assert "?" not in line
    [listed] = json.loads("\n".join(ask("list", "--json")))
    assert (listed["complete"], listed["end_time"], listed["span_count"]) == (False, None, 3)

    ended = [
        span("model", "LLM", "plan", start + 4 * SECOND, start + 149 * SECOND),
        span("plan", "AGENT", None, start, start + 150 * SECOND),
    ]
    sink.send(payload(*ended), 10.0)
    assert "running" not in "\n".join(ask("show") + ask("list"))
    assert ask("show")[2].split() == ["AGENT", "plan", "2", "min", "30", "s"]
    assert json.loads("\n".join(ask("show", "--json")))["complete"] is True


def test_a_run_whose_process_was_killed(ask: Ask) -> None:
    """It looks as if it ran until it is known better; that it may be dead is said, in the list and in the picture."""
    sink = LocalSink()
    start = time.time_ns() - 3 * HOUR
    sink.show_running(payload(span("plan", "AGENT", None, start, None)))
    sink.send(payload(span("search", "TOOL", "plan", start, start + SECOND)), 10.0)
    lines = ask("show")
    assert lines[2] == "(nothing new for 2 h: still running, or its process was killed)"
    assert tree_of(lines) == ["AGENT  plan", "└─ TOOL  search"]
    listed = ask("list")
    assert "running 3 h?" in listed[1]
    assert listed[2:] == ["? nothing new for some time (still running, or its process was killed)"]

    killed = Status(StatusCode.ERROR, "process ended before the span did")
    sink.send(payload(span("plan", "AGENT", None, start, start + 2 * SECOND, killed)), 10.0)
    lines = ask("show")
    assert [line.split()[:3] for line in lines[2:]] == [
        ["AGENT", "plan", "✗"],
        ["│", "error", "process"],
        ["└─", "TOOL", "search"],
    ]
    assert "process ended before the span did" in lines[3]
    assert "running" not in "\n".join(ask("list"))
