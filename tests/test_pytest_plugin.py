"""The pytest plugin: the fixture agenttrace_spans, the marker agenttrace, and the check of what tests capture."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

TESTS_WITH_THE_FIXTURE = """
import asyncio
import pytest
from agenttrace import trace_tool


@trace_tool
def search(query):
    return query


@pytest.mark.parametrize("number", range(4))
def test_sync(agenttrace_spans, number):
    search(str(number))
    agenttrace_spans.assert_tools_called(["search"])
    assert agenttrace_spans.input("search") == {"query": str(number)}


@pytest.mark.asyncio
@pytest.mark.parametrize("number", range(4))
async def test_async(agenttrace_spans, number):
    await asyncio.gather(asyncio.to_thread(search, "a"), asyncio.to_thread(search, "b"))
    agenttrace_spans.assert_tools_called(["search", "search"])


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_anyio(agenttrace_spans, anyio_backend):
    search("a")
    agenttrace_spans.assert_tools_called(["search"])


@pytest.mark.agenttrace(deterministic=True)
def test_deterministic(agenttrace_spans):
    search("a")
    assert agenttrace_spans[0].get_span_context().span_id == 1
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_the_fixture_works_in_every_kind_of_test(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """Plain tests, asyncio's and anyio's, in one process and spread over pytest-xdist's workers."""
    (tmp_path / "test_agent.py").write_text(TESTS_WITH_THE_FIXTURE)
    finished = run_pytest(tmp_path, *workers)
    assert "10 passed" in finished.stdout, finished.stdout + finished.stderr
    assert finished.returncode == 0


def test_a_failed_assertion_points_at_the_test(tmp_path: Path) -> None:
    """The traceback ends at the test's own line; the assertions' code is hidden."""
    (tmp_path / "test_agent.py").write_text(
        "def test_it(agenttrace_spans):\n    agenttrace_spans.assert_tools_called(['search'])\n"
    )
    finished = run_pytest(tmp_path)
    assert "test_agent.py:2: AssertionError" in finished.stdout
    assert "captured.py" not in finished.stdout


@pytest.mark.parametrize(
    ("marker", "unknown"), [("determinstic=True", "determinstic="), ("True", "True"), ("1, ids=2", "1, ids=")]
)
def test_a_marker_with_another_option_says_which_there_are(tmp_path: Path, marker: str, unknown: str) -> None:
    """A slip of the pen in the marker is named, with no traceback through the plugin."""
    (tmp_path / "test_agent.py").write_text(
        f"import pytest\n@pytest.mark.agenttrace({marker})\ndef test_it(agenttrace_spans):\n    pass\n"
    )
    finished = run_pytest(tmp_path)
    message = f"@pytest.mark.agenttrace takes no {unknown}: its options are deterministic=True (or False) and check="
    assert message in finished.stdout
    assert "1 error" in finished.stdout
    assert "pytest_plugin.py" not in finished.stdout


TESTS_WITH_WRONG_SPANS = """
import pytest
from agenttrace import current_span, trace_tool
from agenttrace.testing import capture_spans


@trace_tool
def search(name):
    current_span().set_attribute("tool.name", name)


@pytest.fixture
def searches_at_the_end():
    with capture_spans():
        yield
        search(3)


def test_right(agenttrace_spans):
    search("search")


def test_wrong(agenttrace_spans):
    search(3)


def test_wrong_in_a_block():
    with capture_spans():
        search(3)


def test_wrong_when_a_fixture_is_closed(searches_at_the_end):
    pass


def test_wrong_and_failing():
    with capture_spans():
        search(3)
    assert False, "the test's own failure"


@pytest.mark.xfail(strict=True)
def test_wrong_and_expected_to_fail():
    with capture_spans():
        search(3)
    assert False


@pytest.mark.agenttrace(deterministic=True)
def test_wrong_and_deterministic(agenttrace_spans):
    search(3)
    assert agenttrace_spans[0].get_span_context().span_id == 1


@pytest.mark.agenttrace(check=False)
def test_wrong_on_purpose(agenttrace_spans):
    search(3)


@pytest.mark.agenttrace(check=False)
class TestWrongOnPurpose:
    @pytest.mark.agenttrace(deterministic=True)
    def test_it(self, agenttrace_spans):
        search(3)

    @pytest.mark.agenttrace(check=True)
    def test_but_checked(self, agenttrace_spans):
        search(3)


@pytest.mark.asyncio
async def test_wrong_in_a_coroutine(agenttrace_spans):
    search(3)
"""


def test_captures_are_checked_where_that_is_set(tmp_path: Path) -> None:
    """With the setting, a test that captures a wrong span fails, by its own failure if it has one, unless marked."""
    (tmp_path / "test_agent.py").write_text(TESTS_WITH_WRONG_SPANS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nagenttrace_check = true\n")
    finished = run_pytest(tmp_path, "-rfE")
    summary = [
        line.partition(" - ")[0] for line in finished.stdout.splitlines() if line.startswith(("FAILED", "ERROR "))
    ]
    assert sorted(line.rpartition("::test_")[2] for line in summary) == [
        "but_checked",
        "wrong",
        "wrong_and_deterministic",
        "wrong_and_failing",
        "wrong_in_a_block",
        "wrong_in_a_coroutine",
        "wrong_when_a_fixture_is_closed",
    ], finished.stdout + finished.stderr
    assert "6 failed, 4 passed, 1 xfailed, 1 error" in finished.stdout
    # pytest's summary says each message a second time where CI is set.
    failures = finished.stdout.partition("short test summary info")[0]
    assert failures.count("one span is not as OpenInference has it") == 6
    assert "error    tool.name  wrong-type" in finished.stdout
    assert "pytest_plugin.py" not in finished.stdout


def test_captures_are_not_checked_unless_that_is_set(tmp_path: Path) -> None:
    """Without the setting only the marked test is, and nothing is imported for the others."""
    (tmp_path / "test_agent.py").write_text(TESTS_WITH_WRONG_SPANS)
    finished = run_pytest(tmp_path, "-rf", "-k", "not failing")
    assert "::TestWrongOnPurpose::test_but_checked" in finished.stdout
    assert "1 failed, 8 passed, 1 deselected, 1 xfailed" in finished.stdout
    (tmp_path / "test_agent.py").write_text(
        "import sys\ndef test_it():\n    assert 'agenttrace.testing' not in sys.modules\n"
    )
    assert "1 passed" in run_pytest(tmp_path).stdout


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the tests in ``folder`` with the plugin, strict about markers and warnings."""
    is_installed = any(point.value == "agenttrace.pytest_plugin" for point in entry_points(group="pytest11"))
    plugin = () if is_installed else ("-p", "agenttrace.pytest_plugin")
    strict = ("--strict-markers", "-W", "error", "-o", "asyncio_default_fixture_loop_scope=function")
    return subprocess.run(
        [sys.executable, "-m", "pytest", str(folder), "--rootdir", str(folder), *strict, *plugin, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
