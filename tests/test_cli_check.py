"""``agenttrace check``: what it checks, what it says, and how it ends."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agenttrace.cli.commands import agenttrace
from agenttrace.local.store import LocalSpanExporter

pytestmark = pytest.mark.agenttrace(check=False)  # the stores of these tests have wrong spans in them on purpose

Ask = Callable[..., "Answer"]
Record = Callable[..., str]

RIGHT: dict[str, Any] = {"openinference.span.kind": "TOOL", "tool.name": "search"}
WRONG: dict[str, Any] = {**RIGHT, "tool.name": 3}
DOUBTFUL: dict[str, Any] = {**RIGHT, "tool.nmae": "search"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for the test, and no colour."""
    monkeypatch.setenv("AGENTTRACE_HOME", str(tmp_path / "home"))
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture
def record() -> Record:
    """Records a trace in the local store, a span for each set of attributes; gives its id."""

    def run(*spans: dict[str, Any], project: str = "weather", name: str = "step") -> str:
        memory = InMemorySpanExporter()
        provider = TracerProvider(resource=Resource({"openinference.project.name": project}), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(memory))
        tracer = provider.get_tracer("tests")
        with tracer.start_as_current_span("root", attributes={"openinference.span.kind": "AGENT"}) as root:
            for attributes in spans:
                tracer.start_span(name, attributes=attributes).end()
        LocalSpanExporter().export(memory.get_finished_spans())
        return f"{root.get_span_context().trace_id:032x}"

    return run


@dataclass(frozen=True)
class Answer:
    """What the command printed, and how it ended."""

    exit_code: int | str | None
    stdout: str
    stderr: str


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs the command in this process."""

    def run(*arguments: str) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            agenttrace(["check", *arguments], prog_name="agenttrace")
        return Answer(end.value.code or 0, *capsys.readouterr())

    return run


def spans_json(*spans: dict[str, Any]) -> str:
    """OTLP/JSON, a span for each set of attributes with texts and integers as values."""
    written = [
        {
            "traceId": "ab" * 16,
            "spanId": f"{number:016x}",
            "name": "step",
            "attributes": [
                {"key": key, "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}}
                for key, value in attributes.items()
            ],
        }
        for number, attributes in enumerate(spans, 1)
    ]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": written}]}]})


def test_a_trace_that_is_all_right_is_one_line(ask: Ask, record: Record) -> None:
    """How many spans were checked, how many were not OpenInference's, and exit code 0."""
    record(RIGHT, {"http.method": "GET"})
    assert ask() == Answer(0, "2 spans checked, 1 of other libraries passed over: all right\n", "")


def test_what_is_wrong_is_said_by_trace_and_span(ask: Ask, record: Record) -> None:
    """The attribute, the rule, what is so and what to do, errors first; exit code 1."""
    trace_id = record({**WRONG, **DOUBTFUL, "tool.name": 3}, name="se\x1barch")
    own = "what is your own goes into metadata or under a first word of your own"
    answer = ask()
    lines = answer.stdout.splitlines()
    assert answer.exit_code == 1
    assert lines[0] == f"trace {trace_id}"
    assert lines[1].startswith("  TOOL  se\\x1barch  ")
    assert lines[2:] == [
        "    error    tool.name  wrong-type",
        "             it is 3, not a string",
        "             → record str(value)",
        "    warning  tool.nmae  unknown-attribute",
        "             OpenInference has no attribute of this name",
        f"             → tool.name may be what is meant; {own}",
        "",
        "2 spans checked: 1 error, 1 warning",
    ]


def test_warnings_alone_are_no_failure_unless_asked_for(ask: Ask, record: Record) -> None:
    """Exit code 0 with warnings, 1 with --strict; both print them."""
    record(DOUBTFUL)
    lenient, strict = ask(), ask("--strict")
    assert (lenient.exit_code, strict.exit_code) == (0, 1)
    assert lenient.stdout == strict.stdout
    assert lenient.stdout.endswith("2 spans checked: 1 warning\n")


def test_traces_are_chosen_as_elsewhere(ask: Ask, record: Record) -> None:
    """The newest, those whose ids begin so, a project's newest, all, all of a project."""
    wrong = record(WRONG, project="news")
    right = record(RIGHT)
    record(RIGHT, RIGHT, project="news")
    assert ask().stdout.startswith("3 spans checked: all right")
    assert ask(right).stdout.startswith("2 spans checked: all right")
    assert ask(right[:12], wrong).stdout.endswith("4 spans checked: 1 error\n")
    assert ask("--project", "weather").stdout.startswith("2 spans checked: all right")
    assert ask("--all").stdout.endswith("7 spans checked: 1 error\n")
    assert ask("--all", "--project", "news").stdout.endswith("5 spans checked: 1 error\n")
    assert ask("--all", "--project", "weather").exit_code == 0


def test_what_is_alike_is_said_once(ask: Ask, record: Record) -> None:
    """Of a list's objects with the same fault the first is shown, and how many there are more."""
    record({**RIGHT, **{f"retrieval.documents.{number}.document.score": 1 for number in range(100)}})
    lines = ask().stdout.splitlines()
    assert "    error    retrieval.documents.0.document.score  wrong-type  (and 99 more like it)" in lines
    assert lines[-1] == "2 spans checked: 100 errors"


def test_files_are_checked_without_a_store(
    ask: Ask, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OTLP/JSON from files and from standard input; no store is looked for or made."""
    monkeypatch.delenv("AGENTTRACE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    right, wrong = tmp_path / "right.json", tmp_path / "wrong.json"
    right.write_text(spans_json(RIGHT), encoding="utf-8")
    wrong.write_text(spans_json(RIGHT, WRONG), encoding="utf-8")
    assert ask("--file", str(right)).stdout == "1 span checked: all right\n"
    assert ask("--file", str(right), "--file", str(wrong)).stdout.endswith("3 spans checked: 1 error\n")
    piped = io.TextIOWrapper(io.BytesIO(spans_json(WRONG).encode()))
    monkeypatch.setattr(sys, "stdin", piped)
    answer = ask("--file", "-")
    assert answer.exit_code == 1
    assert answer.stdout.splitlines()[0] == f"trace {'ab' * 16}"
    assert not home.exists()


def test_json_is_one_document(ask: Ask, record: Record) -> None:
    """For other programs: the counts, and every violation by itself; the exit code is the same."""
    trace_id = record(WRONG, DOUBTFUL)
    answer = ask("--json")
    document = json.loads(answer.stdout)
    assert answer.exit_code == 1
    assert (document["spans"], document["passed_over"], document["errors"], document["warnings"]) == (3, 0, 1, 1)
    violation = document["violations"][0]
    assert violation.pop("span_id")
    assert violation == {
        "trace_id": trace_id,
        "name": "step",
        "kind": "TOOL",
        "attribute": "tool.name",
        "rule": "wrong-type",
        "severity": "error",
        "problem": "it is 3, not a string",
        "advice": "record str(value)",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("abcd", "--file", "-"),
        ("abcd", "--project", "weather"),
        ("abcd", "--all"),
        ("--file", "-", "--all"),
        ("--file", "-", "--project", "weather"),
    ],
)
def test_two_ways_of_choosing_are_wrong_usage(ask: Ask, record: Record, arguments: tuple[str, ...]) -> None:
    """Exit code 2, and the two are named."""
    record(RIGHT)
    answer = ask(*arguments)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "pick different spans: give one of them" in answer.stderr


def test_what_is_not_there_is_one_line(ask: Ask, tmp_path: Path, home: Path, record: Record) -> None:
    """No store, no such trace or project, no file, a file that is something else, a file without a span."""
    for option in ([], ["--all"]):
        nothing = ask(*option)
        assert (nothing.exit_code, nothing.stdout) == (1, "")
        assert f"nothing recorded yet at {home / 'traces.db'}" in nothing.stderr
    record(RIGHT)
    other, empty, binary = (tmp_path / name for name in ("other.json", "empty.json", "binary"))
    other.write_text('{"spans_of_mine": []}')
    empty.write_text('{"resourceSpans": []}')
    binary.write_bytes(b"\x1f\x8b\xff")
    for arguments, message, code in (
        (("ffff",), "no trace begins with ffff", 1),
        (("--project", "sport"), "no trace of the project sport", 1),
        (("--all", "--project", "sport"), "no trace of the project sport", 1),
        (("--file", str(tmp_path / "none.json")), "does not exist", 2),
        (("--file", str(other)), f"{other} is not OTLP/JSON: OTLP/JSON is", 1),
        (("--file", str(binary)), f"{binary} is not OTLP/JSON", 1),
        (("--file", str(empty)), "there is no span in what was given", 1),
    ):
        answer = ask(*arguments)
        assert (answer.exit_code, answer.stdout) == (code, ""), arguments
        assert message in answer.stderr


def test_a_character_set_without_arrows_is_no_error(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own, with an ASCII terminal: the arrow is drawn with two characters, the rest as escapes."""
    record(WRONG, name="日本")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    command = [sys.executable, "-m", "agenttrace.cli", "check"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 1, finished.stderr
    assert "-> record str(value)" in finished.stdout
    assert "\\u65e5\\u672c" in finished.stdout
