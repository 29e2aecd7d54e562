"""The example of threads, tasks and processes, as a person runs it: which work stays in the tree, and which doesn't."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys

import anyio
import pytest

from agenttrace import trace_step, trace_tool
from agenttrace.local.reader import Store
from agenttrace.local.records import SpanRecord
from agenttrace.testing import capture_spans

from .isolation import ROOT, Program, clean_environment, program

__all__ = ["program"]

EXAMPLE = ROOT / "examples" / "threads_and_processes.py"

KEPT = {
    "read_in_threads": ["thread", "agenttrace.submit", "agenttrace.map", "standard.submit", "standard.map"],
    "read_in_tasks": ["gather", "create_task", "to_thread", "run_in_executor", "run_in_executor.agenttrace"],
    "read_in_processes": ["agenttrace.map", "standard.submit", "Pool", "Process"],
    "leave_behind": [],
}
LEFT_BEHIND = ["plain thread", "plain pool", "plain run_in_executor"]


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> list[list[SpanRecord]]:
    """The spans of every trace that the example leaves."""
    home = tmp_path_factory.mktemp("home")
    environment = {**clean_environment(home), "AGENTTRACE_DESTINATIONS": "local"}
    finished = subprocess.run(
        [sys.executable, str(EXAMPLE)], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert "Traceback" not in finished.stderr
    store = Store(home / "traces.db")
    return [store.spans(trace.trace_id) for trace in store.traces()]


def pages(spans: list[SpanRecord]) -> list[str]:
    """What the calls of the tool were about."""
    return sorted(json.loads(span.attributes["input.value"])["page"] for span in spans if span.kind == "TOOL")


@pytest.mark.parametrize("agent", KEPT)
def test_what_an_agent_hands_on_stands_below_it(agent: str, traces: list[list[SpanRecord]]) -> None:
    """Every thread, task and process that was given the context has its span right below the agent that started it."""
    [spans] = [spans for spans in traces if spans[0].name == agent]
    root, *others = spans
    assert root.kind == "AGENT"
    assert root.parent_id is None
    assert {span.parent_id for span in others} <= {root.span_id}
    assert pages(spans) == sorted(KEPT[agent])


def test_what_no_context_was_given_to_is_a_trace_of_its_own(traces: list[list[SpanRecord]]) -> None:
    """A plain thread, pool and executor know neither the agent nor its session."""
    alone = [spans for spans in traces if spans[0].name == "fetch"]
    assert len(traces) == len(KEPT) + len(LEFT_BEHIND)
    assert sorted(page for spans in alone for page in pages(spans)) == sorted(LEFT_BEHIND)
    assert not any("session.id" in span.attributes for spans in alone for span in spans)


def test_the_session_goes_along(traces: list[list[SpanRecord]]) -> None:
    """In threads and tasks as it is, in processes in the baggage or with agenttrace's pool."""
    kept = [span for spans in traces if spans[0].name in KEPT for span in spans]
    assert {span.attributes["session.id"] for span in kept} == {"reading-1"}


def test_anyios_threads_take_the_context_along() -> None:
    """`anyio.to_thread` copies it by itself, as `asyncio.to_thread` does."""
    fetch = trace_tool(name="fetch")(lambda page: page)

    async def read() -> str:
        with trace_step("read"):
            return str(await anyio.to_thread.run_sync(fetch, "a page"))

    with capture_spans() as spans:
        assert asyncio.run(read()) == "a page"
    spans.assert_tree("CHAIN read\n  TOOL fetch\n")


FORKED = """
    import concurrent.futures, multiprocessing
    from agenttrace import ProcessPoolExecutor, register, trace_step, trace_tool

    @trace_tool
    def fetch(page: str) -> str:
        return page

    register(verbose=False)
    fork = multiprocessing.get_context("fork")
    for pool in (concurrent.futures.ProcessPoolExecutor(1, mp_context=fork), ProcessPoolExecutor(1, mp_context=fork)):
        with pool:
            for page in ("first", "second"):
                with trace_step(f"{page} in {type(pool).__module__.split('.')[0]}"):
                    pool.submit(fetch, page).result()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_pool_goes_on_in_the_span_that_it_was_forked_in(program: Program) -> None:
    """The standard library's pool takes all tasks for the first one's; agenttrace's asks each whom it works for."""
    program.run(FORKED, AGENTTRACE_DESTINATIONS="local")
    store = Store(program.folder / "home" / "traces.db")
    found = {spans[0].name: pages(spans) for spans in (store.spans(trace.trace_id) for trace in store.traces())}
    assert found == {
        "first in concurrent": ["first", "second"],
        "second in concurrent": [],
        "first in agenttrace": ["first"],
        "second in agenttrace": ["second"],
    }
