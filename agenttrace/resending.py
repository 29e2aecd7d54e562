"""Sending what waits on disk for a destination, dead letters included, without a program that makes spans."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from .delivery.batch import Batch, Tally
from .delivery.queue import Request
from .delivery.reports import Reporter
from .delivery.sender import Sender
from .delivery_setup import make_outbox
from .outbox.outbox import Outbox
from .outbox.payloads import SizeLimit
from .outbox.survey import Leftovers, look_into

if TYPE_CHECKING:
    from pathlib import Path

    from .delivery.options import DeliveryOptions
    from .delivery.sink import Answer
    from .destinations import Destination

__all__ = ["Resent", "resend", "resend_elsewhere"]


@dataclass(frozen=True)
class Resent:
    """What became of the spans that waited for one project of a destination.

    Args:
        destination: Where they were to go.
        project: The project that they are filed under.
        folder: The folder of the outbox that they lay in; None where there is no place for one.
        source: Where they were meant to go, where that was elsewhere.
        sent: Spans that it has taken.
        refused: Spans that it has refused, which are dead letters again.
        waiting: Spans that still wait, as it didn't answer.
        held: Spans on disk that living programs send themselves.
        problem: What kept them from being sent; empty where nothing did.
    """

    destination: Destination
    project: str
    folder: Path | None
    source: str = ""
    sent: int = 0
    refused: int = 0
    waiting: int = 0
    held: int = 0
    problem: str = ""

    @property
    def has_met_spans(self) -> bool:
        """Whether there was anything."""
        return bool(self.sent or self.refused or self.waiting or self.held)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left that could have been sent."""
        return not self.refused and not self.waiting


def resend(destination: Destination, project: str, options: DeliveryOptions, timeout: float) -> Resent:
    """Send everything that waits for ``destination`` and isn't a living program's.

    Args:
        destination: Where it goes.
        project: The project that it is filed under.
        options: How it is sent.
        timeout: Seconds that this may take.

    Raises:
        OSError: If what is on disk can't be moved.
    """
    outbox = make_outbox(destination, project, replace(options, durability="batch"))
    nothing = Resent(destination, project, None if outbox is None else outbox.path)
    return nothing if outbox is None else _send(nothing, outbox, options, timeout)


def resend_elsewhere(left: Leftovers, destination: Destination, options: DeliveryOptions, timeout: float) -> Resent:
    """Send to ``destination`` what waits for another one, whose address was wrong, and isn't a living program's.

    What isn't taken stays where it was, so that nothing is lost when this address is wrong, too.

    Args:
        left: What waits, and where.
        destination: Where it goes instead.
        options: How it is sent.
        timeout: Seconds that this may take.

    Raises:
        OSError: If what is on disk can't be moved.
    """
    about = left.about
    outbox = Outbox(left.folder, asdict(about), options.outbox_bytes, options.outbox_seconds)
    return _send(Resent(destination, about.project, left.folder, about.address), outbox, options, timeout)


def _send(nothing: Resent, outbox: Outbox, options: DeliveryOptions, timeout: float) -> Resent:
    """Send what is in ``outbox``; what became of it, on the ground of ``nothing``, which says what it is about."""
    if not outbox.path.is_dir():
        return nothing
    destination = nothing.destination
    tally, reporter = Tally(), _Listener(str(destination))
    sender = Sender(destination.make_sink(), options, outbox, SizeLimit(options.batch_bytes), tally, reporter)
    for file in outbox.revive():
        sender.add(Batch(None, file))
    sender.serve(Request(timeout, stop=True))
    outbox.leave()
    left = look_into(outbox.path)
    return replace(
        nothing,
        sent=tally.sent,
        refused=tally.refused,
        waiting=0 if left is None else left.waiting + left.unfinished,
        held=0 if left is None else left.held,
        problem=reporter.problem,
    )


class _Listener(Reporter):
    """Keeps what is wrong, for whoever asked, instead of logging it."""

    def __init__(self, name: str) -> None:
        super().__init__(name, has_outbox=True)
        self.problem: str = ""

    def failing(self, answer: Answer) -> None:
        """A request has to be sent again."""
        self.problem = answer.problem

    def refused(self, answer: Answer, count: int, *, is_kept: bool) -> None:
        """Some spans won't be taken."""
        self.problem = answer.problem

    def recovered(self) -> None:
        """A request was accepted."""
