"""The ``agenttrace`` command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode
from opentelemetry.util.types import AttributeValue
from rich.cells import cell_len

from agenttrace import trace_agent, using_attributes
from agenttrace.cli.commands import agenttrace
from agenttrace.local.store import LocalSpanExporter
from agenttrace.testing import capture_spans
from agenttrace.version import __version__

Run = Callable[..., str]
Ask = Callable[..., "Answer"]

TOOL: Mapping[str, AttributeValue] = {
    "openinference.span.kind": "TOOL",
    "input.value": '{"q": "日本\x9b"}',
    "llm.token_count.total": 3,
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for the test, and a terminal of a known width."""
    monkeypatch.setenv("AGENTTRACE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture
def record() -> Run:
    """Records a run of a small agent in the local store; gives its trace id."""

    def run(name: str = "plan", project: str = "weather", tools: int = 1, *, without_root: bool = False) -> str:
        memory = InMemorySpanExporter()
        provider = TracerProvider(resource=Resource({"openinference.project.name": project}), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(memory))
        tracer = provider.get_tracer("tests")
        with tracer.start_as_current_span(name, attributes={"openinference.span.kind": "AGENT"}) as root:
            for _ in range(tools):
                with tracer.start_as_current_span("search", attributes=TOOL) as tool:
                    tool.set_status(Status(StatusCode.ERROR, "ValueError: no luck"))
        spans = memory.get_finished_spans()
        LocalSpanExporter().export(spans[:-1] if without_root else spans)
        return f"{root.get_span_context().trace_id:032x}"

    return run


@dataclass(frozen=True)
class Answer:
    """What a command printed, and how it ended."""

    exit_code: int | str | None
    stdout: str
    stderr: str


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs the command in this process."""

    def run(*arguments: str) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            agenttrace(arguments, prog_name="agenttrace")
        return Answer(end.value.code, *capsys.readouterr())

    return run


def command(*arguments: str, code: str = "pass") -> list[str]:
    """The command line that runs ``agenttrace`` in a process of its own, after ``code``."""
    call = (
        f"import sys; {code}; sys.argv = ['agenttrace', *{list(arguments)!r}]; from agenttrace.cli import main; main()"
    )
    return [sys.executable, "-c", call]


def test_show_draws_the_newest_trace(ask: Ask, record: Run) -> None:
    """Without arguments, the run that started last, without colour where nobody sees it."""
    record("first")
    record("second")
    result = ask("show")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("trace ")
    assert "2 spans  1 error  3 tokens" in lines[0]
    assert lines[2].startswith("AGENT  second ")
    assert lines[3].startswith("└─ TOOL  search ✗")
    assert [line.strip() for line in lines[4:]] == ['input  {"q": "日本\\x9b"}', "error  ValueError: no luck"]
    assert "\x1b" not in result.stdout


def test_show_takes_a_trace_or_a_project(ask: Ask, record: Run) -> None:
    """A trace by its id or the beginning of it; a project's newest; both at once is a mistake."""
    first = record("first", "weather")
    record("second", "news")
    for arguments in (("show", first), ("show", first[:12]), ("show", "--project", "weather")):
        assert "AGENT  first" in ask(*arguments).stdout
    both = ask("show", first, "--project", "weather")
    assert both.exit_code == 2
    assert "not both" in both.stderr


def test_show_says_whose_run_it_is_and_that_it_was_stopped(ask: Ask) -> None:
    """Session, user and tags stand above the picture; what SystemExit stopped doesn't pass for a success."""

    @trace_agent
    def plan() -> None:
        raise SystemExit(1)

    labels = using_attributes(session_id="s-1", user_id="ada", tags=["beta"])
    with capture_spans() as spans, labels, pytest.raises(SystemExit):
        plan()
    LocalSpanExporter().export(list(spans))
    lines = ask("show").stdout.splitlines()
    assert "(just now)" in lines[0]
    assert lines[1] == "session s-1  user ada  tags beta"
    assert lines[-1].strip() == "stopped SystemExit: 1"


def test_show_full_has_everything(ask: Ask, record: Run) -> None:
    """What the short picture leaves out."""
    record()
    assert "llm.token_count.total = 3" in ask("show", "--full").stdout


def test_show_json_is_one_document(ask: Ask, record: Run) -> None:
    """Parents before their children, everything that was recorded, and safe to print to a terminal."""
    trace_id = record(tools=2)
    result = ask("show", "--json")
    document = json.loads(result.stdout)
    assert (document["trace_id"], document["project"], document["name"]) == (trace_id, "weather", "plan")
    assert (document["span_count"], document["error_count"], document["tokens"]["total"]) == (3, 2, 3)
    assert [span["name"] for span in document["spans"]] == ["plan", "search", "search"]
    tool = document["spans"][1]
    assert tool["parent_id"] == document["spans"][0]["span_id"]
    assert tool["attributes"]["input.value"] == '{"q": "日本\x9b"}'
    assert (tool["status"], tool["status_description"]) == ("ERROR", "ValueError: no luck")
    assert "\x9b" not in result.stdout
    assert "日本" in result.stdout


def test_list_shows_the_latest(ask: Ask, record: Run) -> None:
    """One line a trace, the newest first, with what tells them apart."""
    ids = [record("first"), record("second", "news", 12)]
    lines = ask("list").stdout.splitlines()
    assert lines[0].split() == ["started", "trace", "kind", "name", "duration", "spans", "errors", "tokens", "project"]
    for line, trace_id in zip(lines[1:], reversed(ids), strict=True):
        assert re.match(rf"(\d\d:\d\d:\d\d|\w{{3}} \d\d:\d\d) +{trace_id[:8]} +AGENT ", line)
    assert " AGENT  second " in lines[1]
    assert lines[1].split()[-4:] == ["13", "12", "3", "news"]
    assert len(ask("list", "--limit", "1").stdout.splitlines()) == 2
    assert "second" not in ask("list", "--project", "weather").stdout
    assert ask("list", "--limit", "0").exit_code == 2


def test_list_json_is_one_document(ask: Ask, record: Run) -> None:
    """A list, and an empty one where nothing is recorded."""
    assert json.loads(ask("list", "--json").stdout) == []
    record()
    [trace] = json.loads(ask("list", "--json").stdout)
    assert (trace["name"], trace["kind"], trace["span_count"], trace["complete"]) == ("plan", "AGENT", 2, True)


@pytest.mark.parametrize(
    ("width", "header"),
    [
        (80, "started trace kind name duration spans errors tokens project"),
        (72, "started trace kind name duration spans errors project"),
        (60, "started trace kind name duration project"),
        (50, "started trace name duration project"),
        (44, "trace name duration project"),
        (34, "trace name project"),
    ],
)
def test_a_narrow_terminal_loses_whole_columns(
    ask: Ask, record: Run, monkeypatch: pytest.MonkeyPatch, width: int, header: str
) -> None:
    """No word is cut but those of names, and the project is there however narrow it gets."""
    trace_id = record("the agent that plans the whole journey", "weather news")
    monkeypatch.setenv("COLUMNS", str(width))
    [names, line] = ask("list").stdout.splitlines()
    assert names.split() == header.split()
    assert trace_id[:8] in line
    assert re.search(r" the agent[\w ]*… ", line)
    assert line.rstrip().endswith(" weather news")
    assert max(map(cell_len, (names, line))) <= width


def test_a_run_without_its_root_is_told_from_a_finished_one(
    ask: Ask, record: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is running, or after it was killed: a sign in the list, a line in the picture, a field in JSON."""
    record("finished")
    record(tools=2, without_root=True)
    lines = ask("list").stdout.splitlines()
    assert [("≥" in line) for line in lines] == [False, True, False, True]
    assert lines[-1] == "≥ incomplete (a parent is not recorded: still running, killed, or elsewhere)"
    assert [trace["complete"] for trace in json.loads(ask("list", "--json").stdout)] == [False, True]
    shown = ask("show").stdout.splitlines()
    assert shown[2] == "(parent not recorded: still running, killed, or elsewhere)"
    assert [line.split()[0] for line in shown[3:]] == ["TOOL", "input", "error"] * 2
    assert json.loads(ask("show", "--json").stdout)["complete"] is False
    assert "≥" not in ask("list", "--project", "none").stdout
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    finished = subprocess.run(command("list"), capture_output=True, text=True, check=True)
    assert ">= incomplete" in finished.stdout


def test_nothing_recorded_says_what_to_do(ask: Ask, home: Path) -> None:
    """Where it looked and what to call; `show` could not do what it was asked, an empty `list` is an answer."""
    show, listed = ask("show"), ask("list")
    assert (show.exit_code, listed.exit_code) == (1, 0)
    for result in (show, listed):
        assert f"nothing recorded yet at {home / 'traces.db'}; call agenttrace.register()" in result.stderr
        assert result.stdout == ""


def test_what_is_not_there_is_one_line(ask: Ask, record: Run, home: Path) -> None:
    """An unknown id, an unknown project and a file that is no store: exit code 1, no traceback."""
    record()
    for arguments, message in (
        (("show", "plan"), "not a trace id"),
        (("show", "f" * 33), "no trace begins with"),
        (("show", "--project", "sport"), "no trace of the project sport"),
    ):
        result = ask(*arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert message in result.stderr
    (home / "traces.db").write_text("broken " * 100)
    result = ask("list")
    assert result.exit_code == 1
    assert "not a readable store" in result.stderr


def test_the_version(ask: Ask) -> None:
    """``agenttrace --version`` names the version and nothing else."""
    assert ask("--version").stdout == f"agenttrace, version {__version__}\n"


def test_colour_is_for_terminals(ask: Ask, record: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors are red where colour is wanted, and nothing is where NO_COLOR is set."""
    record()
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31m" in ask("show").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in ask("show").stdout


def test_without_the_extra_it_says_what_to_install() -> None:
    """Neither click nor rich: what to install, also where the distribution is on no index; exit code 1."""
    without = "sys.modules.update(click=None, rich=None)"
    finished = subprocess.run(command("show", code=without), capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == (
        "agenttrace: the command line needs click and rich: pip install click rich\n"
        "(the extra `cli` names them too: pip install 'agenttrace-otel[cli]')\n"
    )


@pytest.mark.parametrize("arguments", [("show", "--full"), ("show", "--json"), ("list", "--limit", "2000")])
@pytest.mark.skipif(sys.platform == "win32", reason="no pipes that break like this on Windows")
def test_a_reader_that_goes_away_is_no_error(record: Run, arguments: tuple[str, ...]) -> None:
    """``agenttrace show | head -1`` ends without a word."""
    record(tools=2_000)
    process = subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stderr
    process.stdout.read(1)
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait()


def test_a_character_set_without_lines_is_no_error(record: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the terminal's character set lacks is shown as an escape."""
    record()
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    finished = subprocess.run(command("show"), capture_output=True, text=True, check=True)
    assert '{"q": "\\u65e5\\u672c\\x9b"}' in finished.stdout
    assert "`- TOOL  search x" in finished.stdout


def test_the_command_starts_without_the_sdk(record: Run) -> None:
    """Looking needs neither the SDK nor an exporter, which would take longer to import than the picture to draw."""
    record()
    code = (
        "import atexit; atexit.register(lambda: print([name for name in sys.modules if 'opentelemetry.sdk' in name]))"
    )
    finished = subprocess.run(command("show", code=code), capture_output=True, text=True, check=True)
    assert finished.stdout.splitlines()[-1] == "[]"


def test_a_store_in_another_place_is_named(ask: Ask, record: Run, tmp_path: Path, home: Path) -> None:
    """By every command that reads one; its own hints name it, too."""
    trace_id = record("elsewhere")
    path = tmp_path / "run one.db"
    (home / "traces.db").rename(path)
    assert "nothing recorded yet" in ask("show").stderr
    assert "AGENT  elsewhere" in ask("show", "--store", str(path)).stdout
    assert "elsewhere" in ask("list", "--store", str(path)).stdout
    assert "2 spans checked" in ask("check", trace_id, "--store", str(path)).stdout
    option = f"--store '{path}'"
    assert f"`agenttrace list {option}`" in ask("show", "--project", "other", "--store", str(path)).stderr
    assert f"`agenttrace list {option}`" in ask("show", "ff" + trace_id, "--store", str(path)).stderr


def test_a_store_that_is_not_there_is_a_mistake(ask: Ask, tmp_path: Path) -> None:
    """A path that is mistyped isn't a store without traces; and two sources at once are one too many."""
    missing = str(tmp_path / "none.db")
    for name in ("show", "list", "check"):
        result = ask(name, "--store", missing)
        assert result.exit_code == 2
        assert missing in result.stderr
    (tmp_path / "there.db").touch()
    both = ask("check", "--store", str(tmp_path / "there.db"), "--file", str(tmp_path / "there.db"))
    assert both.exit_code == 2
    assert "give one of them" in both.stderr


def test_the_help_names_every_command_in_a_whole_line(ask: Ask) -> None:
    """Also in a terminal of 80 columns, which is what click's help is set for at most."""
    lines = ask("--help").stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == ["check", "doctor", "list", "send", "show"]
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)
    assert max(map(len, lines)) <= 80


def test_it_runs_as_a_module(home: Path) -> None:
    """Where the command isn't on the path."""
    finished = subprocess.run(
        [sys.executable, "-m", "agenttrace", "--version"], capture_output=True, text=True, timeout=60, check=True
    )
    assert finished.stdout == f"agenttrace, version {__version__}\n"
