"""What is said about a destination that gives trouble: one warning that helps, not one for each batch."""

from __future__ import annotations

import time

from agenttrace import faults

from .sink import Answer

__all__ = ["Reporter"]

_QUIET_SECONDS = 60.0


class Reporter:
    """Says once what is wrong with a destination, until it has recovered for good.

    Args:
        name: Where the spans go, without secrets.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._failing_since: float | None = None
        self._last_warning: float | None = None
        self._told: set[str] = set()
        self.has_explained: bool = False
        """Whether the trouble that is going on was logged, by this object or by the sink itself."""

    def failing(self, answer: Answer) -> None:
        """A batch has to be sent again."""
        if self._failing_since is not None:
            return
        now = self._failing_since = time.monotonic()
        recently = self._last_warning is not None and now - self._last_warning < _QUIET_SECONDS
        self.has_explained = True
        if answer.problem and not recently:
            self._last_warning = now
            faults.warn(
                f"agenttrace: {_sentence(answer.problem)} Spans wait in memory and are sent when it answers; "
                "the program goes on as usual."
            )

    def recovered(self) -> None:
        """A batch was accepted."""
        self._failing_since = None
        self.has_explained = False

    def lost(self, answer: Answer, count: int) -> None:
        """``count`` spans of a batch were given up. Logged once for each reason."""
        if answer.problem and answer.problem not in self._told:
            self._told.add(answer.problem)
            faults.warn(
                f"agenttrace: {_sentence(answer.problem)} {_spans(count)} could not be delivered; "
                "further ones that meet the same answer are dropped without a word."
            )

    def dropped(self, capacity: int) -> None:
        """The queue is full and the newest spans are dropped. Logged once."""
        faults.warn_once(
            f"agenttrace: {capacity:,} spans wait for {self._name}, which is too slow or doesn't answer. "
            "Spans that end now are dropped until there is room."
        )

    def gave_up(self, count: int, seconds: float) -> None:
        """``count`` spans weren't delivered when delivery ended. Nothing is added to trouble that was logged before."""
        if not self.has_explained:
            faults.warn(
                f"agenttrace: {_spans(count)} could not be delivered to {self._name} within {seconds:.2g} s of "
                "shutting down. Is it running, and reachable from here?"
            )


def _sentence(problem: str) -> str:
    return problem if problem.endswith("?") else f"{problem}."


def _spans(count: int) -> str:
    return "1 span" if count == 1 else f"{count:,} spans"
