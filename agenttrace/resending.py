"""Sending what waits on disk for a destination, dead letters included, without a program that makes spans."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .delivery.batch import Batch, Tally
from .delivery.queue import Request
from .delivery.reports import Reporter
from .delivery.sender import Sender
from .delivery_setup import make_outbox
from .outbox.payloads import SizeLimit

if TYPE_CHECKING:
    from .delivery.options import DeliveryOptions
    from .delivery.sink import Answer
    from .destinations import Destination

__all__ = ["Resent", "resend"]


@dataclass(frozen=True)
class Resent:
    """What became of the spans that waited for one project of a destination.

    Args:
        destination: Where they were to go.
        project: The project that they are filed under.
        sent: Spans that it has taken.
        refused: Spans that it has refused, which are dead letters again.
        waiting: Spans that still wait: it didn't answer, or living programs send them themselves.
        problem: What kept them from being sent; empty where nothing did.
    """

    destination: Destination
    project: str
    sent: int
    refused: int
    waiting: int
    problem: str = ""


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
    if outbox is None or not outbox.path.is_dir():
        return Resent(destination, project, 0, 0, 0)
    tally, reporter = Tally(), _Listener(str(destination))
    sender = Sender(destination.make_sink(), options, outbox, SizeLimit(options.batch_bytes), tally, reporter)
    for file in outbox.revive():
        sender.add(Batch(None, file))
    sender.serve(Request(timeout, stop=True))
    outbox.leave()
    return Resent(destination, project, tally.sent, tally.refused, outbox.state().waiting, reporter.problem)


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
