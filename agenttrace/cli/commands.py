"""The commands of ``agenttrace``: ``show`` and ``list``."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agenttrace.local.database import StoreError
from agenttrace.local.documents import summary_document, trace_document
from agenttrace.local.figures import ago_text, duration_text
from agenttrace.local.picture import KIND_STYLES, SHORT_ID, TracePicture
from agenttrace.local.reader import Store
from agenttrace.local.records import summarise
from agenttrace.local.text import one_line, safe_json
from agenttrace.local.tree import NO_KIND
from agenttrace.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from agenttrace.local.records import TraceSummary

_WIDTH_WITHOUT_TERMINAL = 120
_WIDTH_FOR_GAPS = 100


class _Commands(click.Group):
    """Turns what can go wrong with a store into one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        for stream in (sys.stdout, sys.stderr):
            # A terminal whose character set lacks a character of a trace's must not stop the command.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except StoreError as error:
            raise click.ClickException(str(error)) from error
        except ValueError as error:  # no home folder to look in
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="agenttrace")
def agenttrace() -> None:
    """Look at the traces of agents' runs that were recorded on this machine."""


@agenttrace.command()
@click.argument("trace", required=False)
@click.option("--full", is_flag=True, help="Everything that was recorded, at its whole length.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--project", help="The newest trace of this project.")
def show(trace: str | None, full: bool, as_json: bool, project: str | None) -> None:
    """Draw one trace: the newest, or the one whose id is, or begins with, TRACE."""
    if trace is not None and project is not None:
        raise click.UsageError("--project picks the newest trace of a project: give it or a TRACE, not both.")
    store = Store()
    if trace is None:
        newest = store.traces(limit=1, project=project)
        if not newest:
            raise click.ClickException(_nothing_recorded(store, project))
        trace = newest[0].trace_id
    spans = store.spans(trace)
    if as_json:
        click.echo(safe_json(trace_document(summarise(spans), spans), indent=2))
    else:
        _console().print(TracePicture(spans, full=full), soft_wrap=True)


@agenttrace.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1), help="How many traces.")
@click.option("--project", help="Only traces of this project.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_traces(limit: int, project: str | None, as_json: bool) -> None:
    """List the latest traces, the newest first."""
    store = Store()
    traces = store.traces(limit=limit, project=project)
    if as_json:
        click.echo(safe_json([summary_document(trace) for trace in traces], indent=2))
    elif traces:
        console = _console()
        console.print(_table(traces, console.width))
    else:
        click.echo(_nothing_recorded(store, project), err=True)


def _nothing_recorded(store: Store, project: str | None) -> str:
    if project is not None and store.traces(limit=1):
        return f"no trace of the project {project} in {store.path}; `agenttrace list` shows those of all projects"
    return f"nothing recorded yet at {store.path}; call agenttrace.register() in your program and run it"


def _console() -> Console:
    # Into a file or a pipe there is no width to keep to, unless COLUMNS gives one.
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_WITHOUT_TERMINAL
    return console


def _table(traces: Sequence[TraceSummary], width: int) -> Table:
    gap = 2 if width >= _WIDTH_FOR_GAPS else 1
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, gap, 0, 0))
    for name in ("started", "trace", "kind"):
        table.add_column(name, no_wrap=True)
    table.add_column("name", no_wrap=True, overflow="ellipsis", min_width=10)
    for name in ("duration", "spans", "errors", "tokens"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("project", no_wrap=True, overflow="ellipsis", min_width=7)
    rows = _rows(traces)
    for column, cells in zip(table.columns, zip(*rows, strict=True), strict=True):
        if column.min_width is None:  # these are never cut
            column.min_width = max(cell_len(str(column.header)), *(cell.cell_len for cell in cells))
    for row in rows:
        table.add_row(*row)
    return table


def _rows(traces: Sequence[TraceSummary]) -> list[tuple[Text, ...]]:
    id_length = _telling_length([trace.trace_id for trace in traces])
    now = time.time_ns()
    rows: list[tuple[Text, ...]] = []
    for trace in traces:
        kind = one_line(trace.kind or NO_KIND)
        cells = (
            Text(ago_text(trace.start_time, now)),
            Text(trace.trace_id[:id_length], "bold"),
            Text(kind, KIND_STYLES.get(kind, "bold")),
            Text(one_line(trace.name)),
            Text(duration_text(trace.duration), "yellow" if trace.duration is None else ""),
            Text(f"{trace.span_count:,}"),
            Text(f"{trace.error_count:,}" if trace.error_count else "", "bold red"),
            Text("" if trace.tokens.total is None else f"{trace.tokens.total:,}", "cyan"),
            Text(one_line(trace.project)),
        )
        rows.append(cells)
    return rows


def _telling_length(trace_ids: Sequence[str]) -> int:
    """How much of each id tells them all apart, at least 8 digits."""
    length = SHORT_ID
    while length < len(trace_ids[0]) and len({trace_id[:length] for trace_id in trace_ids}) < len(trace_ids):
        length += 1
    return length
