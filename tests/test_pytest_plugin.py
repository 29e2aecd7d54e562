"""The pytest plugin: the fixture agenttrace_spans and the marker agenttrace."""

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
    message = f"@pytest.mark.agenttrace takes no {unknown}: its only option is deterministic=True (or False)"
    assert message in finished.stdout
    assert "1 error" in finished.stdout
    assert "pytest_plugin.py" not in finished.stdout


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
