"""What ``agenttrace doctor`` looks at, and how it says what it found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from agenttrace import environment
from agenttrace.diagnosis.examination import Examination, examine
from agenttrace.diagnosis.findings import Finding, State
from agenttrace.diagnosis.report import document, heading, settings
from agenttrace.local.text import one_line
from agenttrace.settings import DEFAULT_PROJECT
from agenttrace.switch import is_disabled

from .chosen import chosen_settings

if TYPE_CHECKING:
    from typing import Any

    from rich.console import Console


__all__ = ["examinations_document", "examine_in_turn", "is_switched_off", "print_examination", "print_verdict"]

_STYLES = {State.OK: "green", State.FAILED: "bold red", State.SKIPPED: "dim"}
_STATE_WIDTH = max(len(state.value) for state in State)


def examine_in_turn(endpoint: str | None, protocol: str | None, *, sends: bool) -> Iterator[Examination]:
    """Look at each destination that `register` would choose, one after the other.

    Args:
        endpoint: The server to look at instead of what the environment names.
        protocol: How to speak to it.
        sends: Whether to send a span and look for it there.

    Raises:
        ValueError: If a setting can't be right; the text says what to write instead.
    """
    chosen = chosen_settings(endpoint, protocol)
    for destination in chosen.destinations:
        yield examine(destination, chosen.project_of(destination) or DEFAULT_PROJECT, sends=sends)


def is_switched_off() -> str | None:
    """The variable that makes `register` do nothing; None where there is none."""
    if is_disabled():
        return "AGENTTRACE_DISABLED"
    return "OTEL_SDK_DISABLED" if environment.is_otel_disabled() else None


def print_examination(examination: Examination, console: Console) -> None:
    """The settings, then a line for each step: its state, what was looked at, what was found."""
    console.print(Text(one_line(heading(examination)), "bold"), soft_wrap=True)
    pairs = list(settings(examination))
    width = max(len(name) for name, _ in pairs)
    for name, shown in pairs:
        console.print(
            Text.assemble("  ", (f"{one_line(name):<{width}}", "dim"), f"  {one_line(shown)}"), soft_wrap=True
        )
    width = max(len(finding.step) for finding in examination.findings)
    for finding in examination.findings:
        console.print(_line(finding, width), soft_wrap=True)
    console.print()


def print_verdict(examinations: Sequence[Examination], switch: str | None, console: Console) -> None:
    """What it all comes to, in a line."""
    if switch is not None:
        console.print(Text(f"{switch} switches tracing off: register() does nothing until it is unset", "bold red"))
    wrong = sum(not examination.is_fine for examination in examinations)
    if wrong:
        of = "" if len(examinations) == 1 else f" with {wrong} of {len(examinations)} destinations"
        console.print(Text(f"something is wrong{of}", "bold red"))
    elif switch is None:
        console.print(Text("all right", "green"))


def examinations_document(examinations: Sequence[Examination], switch: str | None) -> dict[str, Any]:
    """All of it as JSON can say it."""
    return {
        "is_fine": switch is None and all(examination.is_fine for examination in examinations),
        "switched_off_by": switch,
        "destinations": [document(examination) for examination in examinations],
    }


def _line(finding: Finding, width: int) -> Text:
    state = finding.state
    return Text.assemble(
        "  ",
        (f"{state.value:<{_STATE_WIDTH}}", _STYLES[state]),
        f"  {finding.step:<{width}}  ",
        (one_line(finding.text), "" if state is not State.SKIPPED else "dim"),
    )
