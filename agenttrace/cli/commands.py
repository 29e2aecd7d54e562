"""The commands of ``agenttrace``: ``show``, ``list``, ``check``, ``doctor`` and ``send``."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from agenttrace.local.database import StoreError
from agenttrace.local.documents import summary_document, trace_document
from agenttrace.local.paths import store_option
from agenttrace.local.picture import LEFT_OPEN, LEFT_OPEN_MEANS, QUIET_MEANS, TracePicture
from agenttrace.local.reader import Store
from agenttrace.local.records import summarise
from agenttrace.local.text import safe_json
from agenttrace.version import __version__

from .listing import QUIET_SIGN, trace_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from agenttrace.local.records import TraceSummary

_WIDTH_WITHOUT_TERMINAL = 120
_STORE = click.Path(dir_okay=False, path_type=Path)

_of_store = click.option(
    "--store",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PATH",
    help="A local store's file, instead of the usual one.",
)


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
    """Look at the traces of agents' runs that were recorded on this machine, and see to it that others arrive."""


@agenttrace.command(short_help="Draw the newest trace, or another one.")
@click.argument("trace", required=False)
@click.option("--full", is_flag=True, help="Everything that was recorded, at its whole length.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--project", help="The newest trace of this project.")
@_of_store
def show(trace: str | None, full: bool, as_json: bool, project: str | None, path: Path | None) -> None:
    """Draw one trace: the newest, or the one whose id is, or begins with, TRACE."""
    if trace is not None and project is not None:
        raise click.UsageError("--project picks the newest trace of a project: give it or a TRACE, not both.")
    store = Store(path)
    spans = store.spans(_newest(store, project) if trace is None else trace)
    if as_json:
        click.echo(safe_json(trace_document(summarise(spans), spans), indent=2))
    else:
        summary = summarise(spans)
        left_open = summary.trace_id in _left_open(store, [summary])
        console = _console()
        console.print(
            TracePicture(spans, full=full, carriers=store.carriers(spans), left_open=left_open), soft_wrap=True
        )
        if left_open:
            _say_how_to_close(store, console)


@agenttrace.command("list", short_help="List the latest traces.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1), help="How many traces.")
@click.option("--project", help="Only traces of this project.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@_of_store
def list_traces(limit: int, project: str | None, as_json: bool, path: Path | None) -> None:
    """List the latest traces, the newest first; those that only carry annotations of others are left out."""
    store = Store(path)
    traces = store.traces(limit=limit, project=project, with_carriers=False)
    if as_json:
        click.echo(safe_json([summary_document(trace) for trace in traces], indent=2))
    elif traces:
        console = _console()
        sign, now = ">=" if console.options.ascii_only else "≥", time.time_ns()
        left_open = _left_open(store, traces)
        console.print(trace_table(traces, console.width, now=now, at_least=sign, left_open=left_open))
        if any(not trace.is_complete and trace.end_time is not None for trace in traces):
            note = "a parent is not recorded: still running, killed, or elsewhere"
            console.print(f"{sign} incomplete ({note})", style="yellow")
        if any(trace.trace_id in left_open and trace.end_time is None for trace in traces):
            _say_how_to_close(store, console)
        if any(trace.is_quiet(now) and trace.trace_id not in left_open for trace in traces):
            console.print(f"{QUIET_SIGN} nothing new for some time ({QUIET_MEANS})", style="yellow")
    else:
        click.echo(_nothing_recorded(store, project), err=True)


@agenttrace.command(short_help="Hold traces to the OpenInference specification.")
@click.argument("traces", nargs=-1, metavar="[TRACE]...")
@click.option(
    "--file",
    "files",
    multiple=True,
    metavar="PATH",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="An OTLP/JSON file instead of the store; - is standard input. May be given several times.",
)
@click.option("--all", "every", is_flag=True, help="Every trace that is recorded.")
@click.option("--project", help="The newest trace of this project; with --all, every one of it.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@_of_store
def check(
    traces: tuple[str, ...],
    files: tuple[str, ...],
    every: bool,
    project: str | None,
    strict: bool,
    as_json: bool,
    path: Path | None,
) -> None:
    """Hold traces to the OpenInference specification: the newest, or those whose ids are, or begin with, TRACE.

    The exit code is 1 when a span breaks it.
    """
    from .checking import check_in_turn, outcome_document, print_outcome, spans_in_files, spans_in_store

    ways = [("TRACE", bool(traces)), ("--file", bool(files)), ("--all or --project", every or project is not None)]
    given = [name for name, is_given in ways if is_given]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} pick different spans: give one of them.")
    if files and path is not None:
        raise click.UsageError("--file and --store pick different spans: give one of them.")
    if files:
        outcome = check_in_turn(spans_in_files(files))
    else:
        store = Store(path)
        chosen = traces or (_newest(store, project),)
        outcome = check_in_turn(spans_in_store(store, project) if every else map(store.spans, chosen))
    if not outcome.checked and not outcome.passed_over:
        raise click.ClickException("there is no span in what was given")
    if as_json:
        click.echo(safe_json(outcome_document(outcome), indent=2))
    else:
        print_outcome(outcome, _console())
    if outcome.errors or (strict and outcome.warnings):
        click.get_current_context().exit(1)


@agenttrace.command(short_help="Say where spans would go, and what stands in the way.")
@click.option("--send", is_flag=True, help="Send a test span, and look for it there.")
@click.option("--endpoint", help="A server to look at instead of what the environment names.")
@click.option("--protocol", help="How to speak to it: http/protobuf or grpc.")
@click.option("--project", help="The project instead of what the environment names.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def doctor(send: bool, endpoint: str | None, protocol: str | None, project: str | None, as_json: bool) -> None:
    """Say where spans would go, and what stands in their way. The exit code is 1 when something does."""
    from .doctor import choose, examinations_document, examine_in_turn, print_examination, print_verdict

    console, chosen = _console(), choose(endpoint, protocol)
    examinations = []
    for examination in examine_in_turn(chosen, project, sends=send):
        examinations.append(examination)
        if not as_json:
            print_examination(examination, console)
    outcome = examinations_document(examinations, chosen)
    if as_json:
        click.echo(safe_json(outcome, indent=2))
    else:
        print_verdict(examinations, chosen, console)
    if not outcome["is_fine"]:
        click.get_current_context().exit(1)


@agenttrace.command(short_help="Send what waits on disk, and what was refused.")
@click.option("--endpoint", help="The server, instead of what the environment names.")
@click.option("--protocol", help="How to speak to it: http/protobuf or grpc.")
@click.option("--store", type=_STORE, metavar="PATH", help="A local store's file, instead of any server.")
@click.option("--from", "source", metavar="ADDRESS", help="What waits for this address instead, which was wrong.")
@click.option("--project", help="Only what is filed under this project; without it, whatever waits.")
@click.option("--timeout", default=60.0, show_default=True, type=click.FloatRange(min=0), help="Seconds for each.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def send(
    endpoint: str | None,
    protocol: str | None,
    store: Path | None,
    source: str | None,
    project: str | None,
    timeout: float,
    as_json: bool,
) -> None:
    """Send what programs that are gone have left on disk, and what was refused. Exit code 1 when some of it is left.

    What a living program has on disk is left to it. What waits for servers that neither the options nor the
    environment name is listed, with the command that sends it.
    """
    from .sending import SendOrder, resent_document, resent_lines, send_in_turn
    from .unsent import unsent, unsent_document, unsent_lines

    if store is not None and (endpoint or protocol):
        raise click.UsageError("--store is a file, --endpoint and --protocol a server's: give one of them.")
    order = SendOrder(endpoint, protocol, store, source, project, timeout)
    all_resent = []
    try:
        for resent in send_in_turn(order):
            all_resent.append(resent)
            if not as_json:
                click.echo("\n".join(resent_lines(resent)))
    except OSError as error:
        raise click.ClickException(f"the outbox can't be used: {error.strerror or type(error).__name__}") from error
    is_all = not order.names_destination and source is None
    # Where nothing waits for the one that was named, its address may be wrong.
    is_worth_listing = is_all or not any(resent.has_met_spans for resent in all_resent)
    others = unsent([resent.folder for resent in all_resent], project) if is_worth_listing else []
    if as_json:
        click.echo(safe_json([*resent_document(all_resent), *unsent_document(others)], indent=2))
    else:
        click.echo("\n".join(unsent_lines(others)), nl=bool(others))
    if not all(resent.is_done for resent in all_resent) or (is_all and any(left.is_stuck for left in others)):
        click.get_current_context().exit(1)


def _newest(store: Store, project: str | None) -> str:
    """The id of the newest trace that is more than an annotation of another."""
    newest = store.traces(limit=1, project=project, with_carriers=False)
    if not newest:
        raise click.ClickException(_nothing_recorded(store, project))
    return newest[0].trace_id


def _left_open(store: Store, traces: Sequence[TraceSummary]) -> frozenset[str]:
    """The traces in the store whose process is gone though spans are open, as far as the outbox tells."""
    if all(trace.end_time is not None for trace in traces):
        return frozenset()
    from agenttrace.outbox.survey import traces_left_open

    try:
        return traces_left_open(str(store.path))
    except ValueError:  # no home folder; the store was named
        return frozenset()


def _say_how_to_close(store: Store, console: Console) -> None:
    command = f"agenttrace send{store_option(store.path)}"
    text = f"{LEFT_OPEN}: {LEFT_OPEN_MEANS}; the next register() with that project, or `{command}`, closes it"
    console.print(Text(text, "yellow"), soft_wrap=True)


def _nothing_recorded(store: Store, project: str | None) -> str:
    if project is not None and store.traces(limit=1, with_carriers=False):
        command = f"agenttrace list{store_option(store.path)}"
        return f"no trace of the project {project} in {store.path}; `{command}` shows those of all projects"
    if store.traces(limit=1):
        return f"nothing but annotations in {store.path}: the runs that they judge were recorded elsewhere"
    return f"nothing recorded yet at {store.path}; call agenttrace.register() in your program and run it"


def _console() -> Console:
    # Into a file or a pipe there is no width to keep to, unless COLUMNS gives one.
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_WITHOUT_TERMINAL
    return console
