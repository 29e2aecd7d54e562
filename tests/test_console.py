"""The console as a destination: what is printed of a run, when, and what is kept until then."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from agenttrace import faults
from agenttrace.delivery import console
from agenttrace.delivery.console import ConsoleSink
from agenttrace.delivery.gathering import Gathering, Why
from agenttrace.delivery.sink import ACCEPTED, Verdict

ROOT = Path(__file__).resolve().parent.parent
RESOURCE = Resource({"openinference.project.name": "weather"})
SECOND = 1_000_000_000
START = 1_735_689_600 * SECOND


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of a known width and without colours, and faults that haven't been told yet."""
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    faults.forget()


@pytest.fixture
def without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that rich isn't installed on."""
    monkeypatch.setattr(console, "find_spec", lambda name: None)


def span(
    span_id: int,
    parent_id: int | None = None,
    name: str = "",
    *,
    kind: str = "CHAIN",
    trace_id: int = 0xABC << 112,
    is_remote: bool = False,
    status: Status | None = None,
    **attributes: str,
) -> ReadableSpan:
    """A span that started ``span_id`` seconds after the first and took a second."""
    flags = TraceFlags(TraceFlags.SAMPLED)
    return ReadableSpan(
        name or f"span {span_id}",
        SpanContext(trace_id, span_id, False, flags),
        None if parent_id is None else SpanContext(trace_id, parent_id, is_remote, flags),
        RESOURCE,
        {"openinference.span.kind": kind, **{key.replace("_", "."): value for key, value in attributes.items()}},
        status=status or Status(),
        start_time=START + span_id * SECOND,
        end_time=START + (span_id + 1) * SECOND,
    )


PLAN = span(1, None, "plan", kind="AGENT", input_value="What is new?")
SEARCH = span(2, 1, "search", kind="TOOL", status=Status(StatusCode.ERROR, "ValueError: no luck"))
MODEL = span(3, 1, "model", kind="LLM", output_value="Nothing.")


def payload(*spans: ReadableSpan) -> bytes:
    """``spans`` as they are handed to a sink."""
    data: bytes = encode_spans(spans).SerializeToString()
    return data


def names(spans: Sequence[object]) -> list[str]:
    """The names of spans."""
    return [span.name for span in spans]


def test_a_run_is_drawn_when_its_root_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """Once and whole, on stderr, however its spans came; what ended before its root has nothing printed."""
    sink = ConsoleSink()
    assert sink.send(payload(SEARCH), 10.0) is ACCEPTED
    assert sink.send(payload(MODEL), 10.0) is ACCEPTED
    assert capsys.readouterr() == ("", "")
    sink.send(payload(PLAN), 10.0)
    sink.close()
    out, err = capsys.readouterr()
    assert out == ""
    lines = [line.rstrip() for line in err.splitlines()]
    assert lines[0].startswith("trace 0abc")
    assert "3 spans  1 error" in lines[0]
    assert lines[1:] == [
        "",
        "AGENT  plan                                                     1.00 s",
        "│  input  What is new?",
        "├─ TOOL  search ✗                                               1.00 s",
        "│     error  ValueError: no luck",
        "└─ LLM  model                                                   1.00 s",
        "      output Nothing.",
        "",
    ]


@pytest.mark.usefixtures("without_rich")
def test_without_rich_it_is_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for the run and one for each span: what it is, how long it took, and what went wrong."""
    sink = ConsoleSink()
    sink.send(payload(MODEL, SEARCH, PLAN), 10.0)
    assert capsys.readouterr().err == (
        "trace 0abc0000000000000000000000000000  weather  3 spans  1 error\n"
        "AGENT plan  1.00 s\n"
        "  TOOL search  1.00 s  error: ValueError: no luck\n"
        "  LLM model  1.00 s\n"
        "\n"
    )


@pytest.mark.usefixtures("without_rich")
def test_a_part_of_a_run_that_another_process_began_is_drawn_too(capsys: pytest.CaptureFixture[str]) -> None:
    """A root is also what has its parent in another process. Two such parts of a trace are drawn one by one."""
    sink = ConsoleSink()
    handlers = [span(1, 90, "first", is_remote=True), span(2, 90, "second", is_remote=True)]
    sink.send(payload(span(3, 1, "below first"), span(4, 2, "below second")), 10.0)
    sink.send(payload(handlers[0]), 10.0)
    assert capsys.readouterr().err.splitlines()[1:] == [
        "(parent in another process)",
        "CHAIN first  1.00 s",
        "  CHAIN below first  1.00 s",
        "",
    ]
    sink.send(payload(handlers[1]), 10.0)
    assert "CHAIN second  1.00 s\n  CHAIN below second  1.00 s\n\n" in capsys.readouterr().err


@pytest.mark.usefixtures("without_rich")
def test_what_ends_after_its_parent_is_drawn_when_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """Work that went on in the background isn't kept until the program ends."""
    sink = ConsoleSink()
    sink.send(payload(PLAN), 10.0)
    capsys.readouterr()
    sink.send(payload(span(5, 4, "inner")), 10.0)
    assert capsys.readouterr().err == ""
    sink.send(payload(span(4, 1, "background")), 10.0)
    assert capsys.readouterr().err.splitlines()[1:] == [
        "(ended after its parent, which is further up)",
        "CHAIN background  1.00 s",
        "  CHAIN inner  1.00 s",
        "",
    ]


@pytest.mark.parametrize("has_rich", [True, False])
def test_what_waits_is_drawn_when_the_sink_closes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, has_rich: bool
) -> None:
    """A run whose root never ended is not kept to itself; and it works on after closing, as for a last span."""
    if not has_rich:
        monkeypatch.setattr(console, "find_spec", lambda name: None)
    sink = ConsoleSink()
    sink.send(payload(MODEL, SEARCH), 10.0)
    sink.close()
    printed = capsys.readouterr().err
    assert "(parent not recorded: still running, killed, or elsewhere)" in printed
    assert printed.index("search") < printed.index("model")
    sink.close()
    assert capsys.readouterr().err == ""
    sink.send(payload(span(7, None, "last")), 10.0)
    assert "last" in capsys.readouterr().err


def test_a_forked_child_draws_nothing_of_its_parents(capsys: pytest.CaptureFixture[str]) -> None:
    """What waited at the fork is the parent's to draw."""
    sink = ConsoleSink()
    sink.send(payload(SEARCH), 10.0)
    sink.forget()
    sink.close()
    assert capsys.readouterr().err == ""


def test_a_span_that_comes_twice_is_there_once() -> None:
    """And counts once against what may wait."""
    gathering = Gathering(most_spans=2)
    assert gathering.add([SEARCH, SEARCH], 200) == []
    assert gathering.add([SEARCH, MODEL], 200) == []
    [tree] = gathering.add([PLAN], 100)
    assert (names(tree.spans), tree.why) == (["plan", "search", "model"], Why.ROOT)


def test_what_waits_is_bounded_in_number() -> None:
    """The trace that nothing came to for longest is given up waiting for, and no other."""
    gathering = Gathering(most_spans=4)
    gathering.add([span(11, 10, trace_id=1), span(12, 10, trace_id=1)], 200)
    gathering.add([span(21, 20, trace_id=2)], 100)
    gathering.add([span(13, 10, trace_id=1)], 100)
    [tree] = gathering.add([span(14, 10, trace_id=1)], 100)
    assert (names(tree.spans), tree.why) == (["span 21"], Why.UNFINISHED)
    [tree] = gathering.rest()
    assert names(tree.spans) == ["span 11", "span 12", "span 13", "span 14"]
    assert gathering.rest() == []


def test_what_waits_is_bounded_in_bytes() -> None:
    """Few spans may be large; what was handed out counts no more."""
    gathering = Gathering(most_bytes=1_000)
    for trace_id in range(1, 50):
        root = span(1, None, trace_id=trace_id)
        assert gathering.add([span(2, 1, trace_id=trace_id)], 900) == []
        assert [tree.why for tree in gathering.add([root], 90)] == [Why.ROOT]
    gathering.add([SEARCH], 600)
    [tree] = gathering.add([span(9, 8, trace_id=77)], 600)
    assert names(tree.spans) == ["search"]


def test_spans_that_are_each_others_ancestors_wait_until_the_end() -> None:
    """Damaged data has no root, and is handed out all the same."""
    gathering = Gathering()
    assert gathering.add([span(1, 2), span(2, 1)], 200) == []
    [tree] = gathering.rest()
    assert names(tree.spans) == ["span 1", "span 2"]


@pytest.mark.parametrize("has_rich", [True, False])
def test_a_large_run_is_cut_short(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, has_rich: bool
) -> None:
    """A console isn't the place for ten thousand lines: the top of the tree is shown, and how many more there are."""
    if not has_rich:
        monkeypatch.setattr(console, "find_spec", lambda name: None)
    deep = [span(number, number - 1 or None) for number in range(1, 1_001)]
    ConsoleSink().send(payload(*reversed(deep)), 10.0)
    printed = capsys.readouterr().err
    assert printed.count("CHAIN") == 200
    assert printed.endswith("(and 800 more spans)\n\n")


@pytest.mark.parametrize("has_rich", [True, False])
def test_no_escape_sequence_gets_through(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, has_rich: bool
) -> None:
    """Names and messages are shown as what they are; they are the program's, or a model's."""
    if not has_rich:
        monkeypatch.setattr(console, "find_spec", lambda name: None)
    evil = "[bold]\x1b]0;owned\x07\r\n\u202e"
    ConsoleSink().send(payload(span(1, None, evil, status=Status(StatusCode.ERROR, evil), input_value=evil)), 10.0)
    printed = capsys.readouterr().err
    assert not set(printed) & {"\x1b", "\x07", "\r", "\u202e"}
    assert "[bold]\\x1b]0;owned\\x07 \\u202e" in printed


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where stderr is one and nobody said NO_COLOR; a file or a pipe gets none."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    for variable, has_colours in (("NO_COLOR", False), (None, True)):
        if variable is None:
            monkeypatch.delenv("NO_COLOR")
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        ConsoleSink().send(payload(SEARCH, PLAN), 10.0)
        assert ("\x1b[31m" in stream.getvalue()) is has_colours


def closed() -> io.StringIO:
    """A stream that was closed."""
    stream = io.StringIO()
    stream.close()
    return stream


class Broken(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("stream", [None, closed(), Broken()], ids=["none", "closed", "broken"])
@pytest.mark.parametrize("has_rich", [True, False])
def test_a_console_that_nobody_reads_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, stream: io.StringIO | None, has_rich: bool
) -> None:
    """A service without one, a closed stderr, a reader that has gone: nothing raised, nothing logged."""
    if not has_rich:
        monkeypatch.setattr(console, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "stderr", stream)
    sink = ConsoleSink()
    assert sink.send(payload(PLAN), 10.0) is ACCEPTED
    assert sink.send(payload(SEARCH), 10.0) is ACCEPTED
    sink.close()
    assert caplog.messages == []


@pytest.mark.parametrize("has_rich", [True, False])
def test_a_console_without_the_characters_gets_escapes(monkeypatch: pytest.MonkeyPatch, has_rich: bool) -> None:
    """Whatever the stream in stderr's place does with what it can't show."""
    if not has_rich:
        monkeypatch.setattr(console, "find_spec", lambda name: None)
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    monkeypatch.setattr(sys, "stderr", stream)
    ConsoleSink().send(payload(span(1, None, "日本"), span(2, 1, "below")), 10.0)
    stream.seek(0)
    printed = stream.read()
    assert "\\u65e5\\u672c" in printed
    assert "below" in printed


def test_a_stream_that_raises_is_reported_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A program's own stream in stderr's place may do anything, but not to the delivery."""

    class Odd(io.StringIO):
        def write(self, text: str) -> int:
            raise RuntimeError(text)

    monkeypatch.setattr(sys, "stderr", Odd())
    sink = ConsoleSink()
    assert sink.send(payload(PLAN), 10.0) is ACCEPTED
    sink.send(payload(MODEL), 10.0)
    sink.close()
    [message] = caplog.messages
    assert "drawing a trace on the console failed with RuntimeError" in message


def test_what_is_no_payload_is_refused() -> None:
    """Sending it again would not help."""
    answer = ConsoleSink().send(b"no payload", 10.0)
    assert (answer.verdict, answer.problem) == (Verdict.REFUSED, "the console was handed bytes that are no OTLP spans")


def run_to_the_end(beginning: str) -> subprocess.CompletedProcess[str]:
    """Run a program in which a last span arrives when all is let go of; it must end as if there were no tracing."""
    code = f"""
import os, sys
{beginning}
from agenttrace.delivery.console import ConsoleSink


class Last:
    def __del__(self, payload=bytes.fromhex(sys.argv[1]), sink=ConsoleSink(), write=os.write):
        write(1, b"now")
        sink.send(payload, 10.0)
        sink.close()


last = Last()
"""
    arguments = [sys.executable, "-X", "utf8", "-c", code, payload(span(1, None, "日本")).hex()]
    finished = subprocess.run(arguments, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert (finished.returncode, finished.stdout) == (0, "now")
    return finished


@pytest.mark.parametrize("beginning", ["", "sys.modules['rich'] = None"])
def test_a_last_run_is_drawn_while_the_interpreter_is_taken_apart(beginning: str) -> None:
    """With rich, which imports as it prints, and without: when nothing can be imported it is plain text."""
    finished = run_to_the_end(beginning)
    assert finished.stderr == "trace 0abc0000000000000000000000000000  weather  1 span\nCHAIN 日本  1.00 s\n\n"


def test_what_comes_when_all_is_gone_does_not_take_the_process_down() -> None:
    """A finalizer that runs after the builtins are gone, when touching protobuf would be a segmentation fault."""
    kept_by_another_module = """
from agenttrace import faults

def report(place, error): ...

faults.report = report
"""
    finished = run_to_the_end(kept_by_another_module)
    assert "日本" not in finished.stderr
