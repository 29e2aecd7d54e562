"""What encoded spans are handed to, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

__all__ = ["ACCEPTED", "LOCAL_EXIT_SECONDS", "Answer", "Sink", "Verdict", "keep_for_ever"]


class Verdict(Enum):
    """What became of a request."""

    ACCEPTED = auto()
    """The destination has it."""
    LATER = auto()
    """The destination lives but can't take it now, or didn't say: send it again."""
    UNREACHABLE = auto()
    """Nobody answers: send it again, but don't let anybody wait for that."""
    FAULTY = auto()
    """The destination failed over it: send it again a few times."""
    SPLIT = auto()
    """Too large: send it in parts."""
    REFUSED = auto()
    """It won't be taken however often it is sent."""


@dataclass(frozen=True)
class Answer:
    """A verdict and what there is to say about it.

    Args:
        verdict: What became of the request.
        problem: What is wrong and what to do about it, as a sentence without a full stop and without secrets. Empty
            where the sink has said it itself.
        retry_after: Seconds that the destination asks to be left alone for.
        rejected: How many spans of an accepted request the destination threw away.
        interrupted: Whether a connection broke on the way, so that what the destination took a moment ago may be gone
            with it, where it is one that answers before it has written.
        may_be_too_large: Whether LATER may mean that the request was too large, which the answer doesn't say.
    """

    verdict: Verdict
    problem: str = ""
    retry_after: float | None = None
    rejected: int = 0
    interrupted: bool = False
    may_be_too_large: bool = False

    @property
    def may_have_died(self) -> bool:
        """Whether the destination may have ended, and begun anew, since its answer before this one."""
        return self.interrupted or self.verdict is Verdict.UNREACHABLE


ACCEPTED = Answer(Verdict.ACCEPTED)

LOCAL_EXIT_SECONDS = 10.0
"""How long an exit may go on writing a backlog to the local store; a full queue takes about three."""


class Sink(Protocol):
    """Where payloads go. Used by one thread at a time.

    One that answers before it has written says so by a true ``answers_early``; it is sent empty payloads too, to see
    whether it is there. One that is on this machine may have
    ``exit_seconds``, which an exit waits for it instead of the usual time, and ``show_running(payload)``, which is
    given spans that haven't ended, from another thread.
    """

    @property
    def name(self) -> str:
        """Where the spans go, for messages; holds no secret."""

    def send(self, payload: bytes, timeout: float) -> Answer:
        """Send a serialised ``ExportTraceServiceRequest``, waiting at most ``timeout`` seconds for each answer."""

    def close(self) -> None:
        """Let go of connections. A later payload makes new ones."""

    def forget(self) -> None:
        """Drop connections that were inherited through a fork, untouched: the parent is using them."""


_kept: list[object] = []


def keep_for_ever(inherited: object) -> None:
    """Keep an inherited connection alive, since its finalizer could speak to the parent's peer."""
    _kept.append(inherited)
