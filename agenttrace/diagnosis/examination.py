"""Looking at one destination from end to end: what every step on the way of a span there finds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agenttrace import faults

from .console import check_console
from .findings import Finding, State, contained, skipped
from .server import ServerExamination
from .store import check_store, send_to_store
from .waiting import check_outbox

if TYPE_CHECKING:
    from agenttrace.destinations import Destination

__all__ = ["Examination", "examine", "is_accepted"]


@dataclass(frozen=True)
class Examination:
    """What was found about one destination.

    Args:
        destination: The destination.
        project: The project that its spans are filed under.
        findings: What each step found, in order.
    """

    destination: Destination
    project: str
    findings: tuple[Finding, ...]

    @property
    def is_fine(self) -> bool:
        """Whether no step failed."""
        return all(finding.state is not State.FAILED for finding in self.findings)


def examine(
    destination: Destination,
    project: str,
    *,
    sends: bool = False,
    has_outbox: bool = True,
    pause: Callable[[float], None] = time.sleep,
) -> Examination:
    """Look at a destination, step by step. Each has a time limit, and a fault in one doesn't keep the others from it.

    Args:
        destination: What to look at.
        project: The project that spans are filed under.
        sends: Whether to send a span and look for it there.
        has_outbox: Whether spans are kept on disk on their way.
        pause: Waits the given seconds between two looks.
    """
    findings: list[Finding] = []
    if destination.endpoint is not None:
        with ServerExamination(destination, project, pause) as server:
            findings += server.findings(sends=sends)
    elif destination.kind == "console":
        findings.append(contained("console", check_console))
    else:
        findings.append(contained("store", lambda: check_store(destination.path)))
        if sends:
            findings.append(contained("test span", lambda: send_to_store(destination, project)))
    if not has_outbox:
        findings.append(skipped("outbox", "nothing is kept on disk on its way: durability is memory"))
    elif destination.kind != "console":
        findings.append(check_outbox(destination, project))
    return Examination(destination, project, tuple(findings))


def is_accepted(destination: Destination) -> bool:
    """Whether a destination takes its credentials, or can be written to; why not is logged. Never raises.

    Args:
        destination: What to ask.
    """
    try:
        if destination.endpoint is not None:
            with ServerExamination(destination, "", time.sleep) as server:
                findings = server.credentials()
        else:
            findings = list(examine(destination, "").findings[:1])
    except BaseException as error:
        faults.contain("checking the credentials", error)
        return False
    wrong = [finding for finding in findings if finding.state is State.FAILED]
    for finding in wrong[:1]:
        where = "" if str(destination) in finding.text else f"{destination}: "
        faults.warn(f"agenttrace: {where}{finding.text}")
    return not wrong
