"""What ``agenttrace send`` sends, and how it says what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agenttrace.local.text import one_line
from agenttrace.outbox.about import projects_at
from agenttrace.resending import Resent, resend, resend_elsewhere
from agenttrace.settings import DEFAULT_PROJECT

from .chosen import chosen_settings
from .unsent import leftovers_from

if TYPE_CHECKING:
    from typing import Any

    from agenttrace.destinations import Destination
    from agenttrace.settings import Settings

__all__ = ["SendOrder", "resent_document", "resent_lines", "send_in_turn"]


@dataclass(frozen=True)
class SendOrder:
    """What the command was asked for.

    Args:
        endpoint: The server instead of what the environment names.
        protocol: How to speak to it.
        store: The local store's file instead of any server.
        source: The address that was wrong, or the name of its folder, whose leftovers are to go elsewhere.
        project: The project; None for every one that something waits for.
        timeout: Seconds that each may take.
    """

    endpoint: str | None
    protocol: str | None
    store: Path | None
    source: str | None
    project: str | None
    timeout: float

    @property
    def names_destination(self) -> bool:
        """Whether it says where to; else the environment does."""
        return any(value is not None for value in (self.endpoint, self.protocol, self.store))


def send_in_turn(order: SendOrder) -> Iterator[Resent]:
    """Send what waits for each destination that `register` would choose, one project after the other.

    Raises:
        ValueError: If a setting can't be right; the text says what to write instead.
        OSError: If what is on disk can't be moved.
    """
    chosen = chosen_settings(order.endpoint, order.protocol, order.store)
    if order.source is not None:
        destination = _only(chosen, order)
        for left in leftovers_from(order.source, order.project):
            yield resend_elsewhere(left, destination, chosen.delivery, order.timeout)
        return
    for destination in chosen.destinations:
        if destination.kind != "console":
            waiting = [order.project] if order.project else projects_at(str(destination), destination.account)
            for name in waiting or [chosen.project_of(destination) or DEFAULT_PROJECT]:
                yield resend(destination, name, chosen.delivery, order.timeout)


def _only(chosen: Settings, order: SendOrder) -> Destination:
    """The one destination that leftovers of another are to go to."""
    named = [destination for destination in chosen.destinations if destination.kind != "console"]
    is_named = order.names_destination or any(destination.endpoint is not None for destination in named)
    if len(named) != 1 or not is_named:
        raise ValueError("--from needs one place to send to: add --endpoint with the right address, or --store")
    return named[0]


def resent_lines(resent: Resent) -> Iterator[str]:
    """What became of one destination's spans, for people."""
    counts = (
        (resent.sent, "sent"),
        (resent.refused, "refused"),
        (resent.waiting, "still waiting"),
        (resent.held, "left to a program that runs"),
    )
    shown = ", ".join(f"{count:,} {name}" for count, name in counts if count) or "nothing waits"
    instead = f", instead of {one_line(resent.source)}" if resent.source else ""
    yield f'{one_line(str(resent.destination))} (project "{one_line(resent.project)}"){instead}: {shown}'
    if resent.problem and not resent.is_done:
        yield f"  {one_line(resent.problem)}"


def resent_document(all_resent: Sequence[Resent]) -> list[dict[str, Any]]:
    """All of it as JSON can say it."""
    return [
        {
            "destination": str(resent.destination),
            "project": resent.project,
            "from": resent.source or None,
            "sent": resent.sent,
            "refused": resent.refused,
            "waiting": resent.waiting,
            "held": resent.held,
            "problem": resent.problem,
            "command": None,
        }
        for resent in all_resent
    ]
