"""What ``agenttrace doctor`` looks at, and how it says what it found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
from .complaints import gathered_warnings

if TYPE_CHECKING:
    from typing import Any

    from rich.console import Console

    from agenttrace.settings import Settings

__all__ = [
    "Chosen",
    "choose",
    "examinations_document",
    "examine_in_turn",
    "is_switched_off",
    "print_examination",
    "print_verdict",
]

_STYLES = {State.OK: "green", State.FAILED: "bold red", State.SKIPPED: "dim"}
_STATE_WIDTH = max(len(state.value) for state in State)


@dataclass(frozen=True)
class Chosen:
    """What is looked at.

    Args:
        settings: What `register` would go by.
        switch: The variable that makes it do nothing; None where there is none.
        complaints: What is wrong with other settings, and keeps them from being used.
    """

    settings: Settings
    switch: str | None
    complaints: tuple[str, ...]


def choose(endpoint: str | None, protocol: str | None) -> Chosen:
    """Read the settings.

    Args:
        endpoint: The server to look at instead of what the environment names.
        protocol: How to speak to it.

    Raises:
        ValueError: If a setting can't be right; the text says what to write instead.
    """
    with gathered_warnings() as complaints:
        switch, settings = is_switched_off(), chosen_settings(endpoint, protocol)
    return Chosen(settings, switch, tuple(complaints))


def examine_in_turn(chosen: Chosen, project: str | None, *, sends: bool) -> Iterator[Examination]:
    """Look at each destination that `register` would choose, one after the other.

    Args:
        chosen: What `choose` has read.
        project: The project instead of what the environment names.
        sends: Whether to send a span and look for it there.
    """
    settings = chosen.settings
    for destination in settings.destinations:
        named = project or settings.project_of(destination) or DEFAULT_PROJECT
        yield examine(destination, named, sends=sends, has_outbox=settings.delivery.durability != "memory")


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


def print_verdict(examinations: Sequence[Examination], chosen: Chosen, console: Console) -> None:
    """What it all comes to: what is wrong with the settings, then one line."""
    for complaint in chosen.complaints:
        console.print(Text(one_line(complaint), "bold red"), soft_wrap=True)
    if chosen.switch is not None:
        text = f"{chosen.switch} switches tracing off: register() does nothing until it is unset"
        console.print(Text(text, "bold red"), soft_wrap=True)
    wrong = sum(not examination.is_fine for examination in examinations)
    if wrong:
        of = "" if len(examinations) == 1 else f" with {wrong} of {len(examinations)} destinations"
        console.print(Text(f"something is wrong{of}", "bold red"))
    elif chosen.complaints:
        console.print(Text("something is wrong with the settings", "bold red"))
    elif chosen.switch is None:
        console.print(Text("all right", "green"))


def examinations_document(examinations: Sequence[Examination], chosen: Chosen) -> dict[str, Any]:
    """All of it as JSON can say it."""
    is_set_right = chosen.switch is None and not chosen.complaints
    return {
        "is_fine": is_set_right and all(examination.is_fine for examination in examinations),
        "switched_off_by": chosen.switch,
        "complaints": list(chosen.complaints),
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
