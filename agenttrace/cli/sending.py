"""What ``agenttrace send`` sends, and how it says what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from agenttrace.local.text import one_line
from agenttrace.outbox.about import projects_at
from agenttrace.resending import Resent, resend
from agenttrace.settings import DEFAULT_PROJECT

from .chosen import chosen_settings

if TYPE_CHECKING:
    from typing import Any

__all__ = ["resent_document", "resent_lines", "send_in_turn"]


def send_in_turn(endpoint: str | None, protocol: str | None, project: str | None, timeout: float) -> Iterator[Resent]:
    """Send what waits for each destination that `register` would choose, one project after the other.

    Args:
        endpoint: The server instead of what the environment names.
        protocol: How to speak to it.
        project: The project; None for every one that something waits for.
        timeout: Seconds that each may take.

    Raises:
        ValueError: If a setting can't be right; the text says what to write instead.
        OSError: If what is on disk can't be moved.
    """
    chosen = chosen_settings(endpoint, protocol)
    for destination in chosen.destinations:
        if destination.kind != "console":
            waiting = [project] if project else projects_at(str(destination), destination.account)
            for name in waiting or [chosen.project_of(destination) or DEFAULT_PROJECT]:
                yield resend(destination, name, chosen.delivery, timeout)


def resent_lines(resent: Resent) -> Iterator[str]:
    """What became of one destination's spans, for people."""
    counts = ((resent.sent, "sent"), (resent.refused, "refused"), (resent.waiting, "still waiting"))
    shown = ", ".join(f"{count:,} {name}" for count, name in counts if count) or "nothing waits"
    yield f'{one_line(str(resent.destination))} (project "{one_line(resent.project)}"): {shown}'
    if resent.problem and (resent.refused or resent.waiting):
        yield f"  {one_line(resent.problem)}"


def resent_document(all_resent: Sequence[Resent]) -> list[dict[str, Any]]:
    """All of it as JSON can say it."""
    return [
        {
            "destination": str(resent.destination),
            "project": resent.project,
            "sent": resent.sent,
            "refused": resent.refused,
            "waiting": resent.waiting,
            "problem": resent.problem,
        }
        for resent in all_resent
    ]
