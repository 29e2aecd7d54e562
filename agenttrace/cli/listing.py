"""The table that ``agenttrace list`` prints: a line for each trace, in as many columns as the terminal takes whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from agenttrace.local.figures import clock_text, duration_text, running_text
from agenttrace.local.heading import SHORT_ID
from agenttrace.local.picture import KIND_STYLES, LEFT_OPEN
from agenttrace.local.text import one_line
from agenttrace.local.tree import NO_KIND

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from agenttrace.local.records import TraceSummary

QUIET_SIGN = "?"
"""Stands behind the duration of a trace that is running, or whose process was killed."""

_COLUMNS = ("started", "trace", "kind", "name", "duration", "spans", "errors", "tokens", "project")
_NUMBERS = frozenset({"duration", "spans", "errors", "tokens"})
_LEFT_OUT_FIRST = ("tokens", "spans", "errors", "kind", "started", "duration")
# These two alone may be shortened, and no further than this.
_NARROWEST = {"name": 10, "project": 12}
_WIDTH_FOR_GAPS = 100


def trace_table(
    traces: Sequence[TraceSummary], width: int, *, now: int, at_least: str, left_open: Collection[str] = ()
) -> Table:
    """``traces``, in this order, as a table.

    What is too wide for the terminal loses columns, one by one and each as a whole; names and projects are shortened.

    Args:
        traces: At least one.
        width: How many cells a line has.
        now: The present, in nanoseconds since 1970.
        at_least: The sign before the duration of a trace that isn't complete.
        left_open: The ids of those whose process has ended before their spans did.
    """
    gap = 2 if width >= _WIDTH_FOR_GAPS else 1
    rows = _rows(traces, now, at_least, left_open)
    natural = {name: max(cell_len(name), *(row[name].cell_len for row in rows)) for name in _COLUMNS}
    widths = _widths(natural, width, gap)
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, gap, 0, 0))
    for name, cells in widths.items():
        table.add_column(
            name, justify="right" if name in _NUMBERS else "left", no_wrap=True, overflow="ellipsis", width=cells
        )
    for row in rows:
        table.add_row(*(row[name] for name in widths))
    return table


def _widths(natural: Mapping[str, int], width: int, gap: int) -> dict[str, int]:
    """The columns there is room for, and how wide each is."""
    widths = {name: min(cells, _NARROWEST.get(name, cells)) for name, cells in natural.items()}
    for name in _LEFT_OUT_FIRST:
        if _total(widths, gap) > width:
            del widths[name]
    for name in ("project", "name"):
        widths[name] += max(0, min(natural[name] - widths[name], width - _total(widths, gap)))
    return widths


def _total(widths: Mapping[str, int], gap: int) -> int:
    return sum(widths.values()) + gap * (len(widths) - 1)


def _rows(traces: Sequence[TraceSummary], now: int, at_least: str, left_open: Collection[str]) -> list[dict[str, Text]]:
    id_length = _telling_length([trace.trace_id for trace in traces])
    return [_row(trace, id_length, _duration(trace, now, at_least, left_open), now) for trace in traces]


def _row(trace: TraceSummary, id_length: int, duration: str, now: int) -> dict[str, Text]:
    kind = one_line(trace.kind or NO_KIND)
    return {
        "started": Text(clock_text(trace.start_time, now)),
        "trace": Text(trace.trace_id[:id_length], "bold"),
        "kind": Text(kind, KIND_STYLES.get(kind, "bold")),
        "name": Text(one_line(trace.name)),
        "duration": Text(duration, "" if trace.is_complete else "yellow"),
        "spans": Text(f"{trace.span_count:,}"),
        "errors": Text(f"{trace.error_count:,}" if trace.error_count else "", "bold red"),
        "tokens": Text("" if trace.tokens.total is None else f"{trace.tokens.total:,}", "cyan"),
        "project": Text(one_line(trace.project)),
    }


def _duration(trace: TraceSummary, now: int, at_least: str, left_open: Collection[str]) -> str:
    if trace.end_time is None:
        if trace.trace_id in left_open:
            return LEFT_OPEN
        return running_text(trace.start_time, now) + (QUIET_SIGN if trace.is_quiet(now) else "")
    return duration_text(trace.duration) if trace.is_complete else f"{at_least} {duration_text(trace.duration)}"


def _telling_length(trace_ids: Sequence[str]) -> int:
    """How much of each id tells them all apart, at least 8 digits."""
    length = SHORT_ID
    while length < len(trace_ids[0]) and len({trace_id[:length] for trace_id in trace_ids}) < len(trace_ids):
        length += 1
    return length
