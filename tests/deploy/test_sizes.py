"""The figures of docs/deployment.md are those that benchmarks/sizes.py gives, and its formulas add up."""

from __future__ import annotations

import contextlib
import io
import re

import pytest

from benchmarks.sizes import (
    LOADS,
    Load,
    Size,
    fresh_conversations,
    fresh_tool_calls,
    needs_of,
    print_needs,
    print_sizes,
)
from benchmarks.sizes import size_of as measured_size
from tests.deploy.collector_keys import VERSION
from tests.deploy.files import DEPLOY, ROOT, example_environment

PAGE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"\d[\d,.]*")


def number(text: str) -> float:
    return float(text.replace(",", ""))


def rows_of(text: str) -> dict[str, list[float]]:
    """The rows of tables that hold figures alone, by what stands at their left."""
    lines = [
        [cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines() if line.count("|") > 2
    ]
    rows = {cells[0]: cells[1:] for cells in lines}
    return {
        name: [number(cell) for cell in cells]
        for name, cells in rows.items()
        if cells and all(NUMBER.fullmatch(cell) for cell in cells)
    }


def test_the_pages_figures_are_what_the_script_prints() -> None:
    """They may drift by a quarter, with the encoder and with the pages that the text is taken from; no further."""
    tool, llm = measured_size(fresh_tool_calls()), measured_size(fresh_conversations())
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        print_sizes({"a tool call, two short arguments": tool, "a model call, 20 messages of 500 characters": llm})
        print_needs({name: needs_of(load, tool, llm) for name, load in LOADS.items()})
    computed, written = rows_of(printed.getvalue()), rows_of(PAGE)
    assert len(computed) == 11
    assert computed.keys() <= written.keys()
    for name, figures in computed.items():
        # A figure like 0.07 has no more than one digit to compare.
        assert written[name] == pytest.approx(figures, rel=0.25, abs=0.011), name


def test_the_needs_follow_the_pages_formulas() -> None:
    """Checked with numbers that can be done in the head."""
    load = Load(runs_per_second=2, tool_spans=3, llm_spans=1, run_seconds=90, kept_share=0.5, outage_hours=1)
    needs = needs_of(load, Size(100, 10), Size(700, 70))
    assert (needs.spans_per_second, needs.bytes_per_run, needs.bytes_per_second) == (8, 1000, 2000)
    assert needs.wire_bytes_per_second == 200
    assert (needs.traces_in_memory, needs.sampler_bytes) == (200, 600_000)
    assert (needs.gateway_queue_bytes, needs.queue_bytes, needs.day_bytes) == (7_200_000, 3_600_000, 86_400_000)


def test_the_page_names_files_and_variables_that_there_are() -> None:
    """What a reader is to open or set exists; the release is the one that the files are for."""
    assert VERSION in PAGE
    named = set(re.findall(r"`deploy/([\w.-]+)`", PAGE))
    assert named == {path.name for path in DEPLOY.glob("*.yaml")}
    variables = set(re.findall(r"`([A-Z]+_[A-Z_]+)[`=]", PAGE))
    assert {name for name in variables if not name.startswith(("AGENTTRACE_", "OTEL_"))} <= set(example_environment())
