"""What is said about a destination that gives trouble: one warning that helps, not one for each batch."""

from __future__ import annotations

import time

from agenttrace import faults

from .sink import Answer, Verdict

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
        self._unsaid = ""
        self.is_closing: bool = False
        """Whether what can't be delivered now is lost. Then `gave_up` says what is wrong, as it knows what it costs."""
        self.has_explained: bool = False
        """Whether the trouble that is going on was logged, by this object or by the sink itself."""

    def failing(self, answer: Answer) -> None:
        """A batch has to be sent again."""
        if self.is_closing:
            self._leave_to_the_end(answer)
        elif self._failing_since is None:
            now = self._failing_since = time.monotonic()
            if self._last_warning is not None and now - self._last_warning < _QUIET_SECONDS:
                self._leave_to_the_end(answer)
                return
            self.has_explained = True
            if answer.problem:
                self._last_warning = now
                faults.warn(f"agenttrace: {_sentence(answer.problem)} The program goes on; {_prospect(answer)}.")

    def _leave_to_the_end(self, answer: Answer) -> None:
        self._unsaid = answer.problem
        self.has_explained |= not answer.problem

    def recovered(self) -> None:
        """A batch was accepted."""
        self._failing_since = None
        self._unsaid = ""
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
        if self.has_explained:
            return
        self.has_explained = True
        if self._unsaid:
            are = "is" if count == 1 else "are"
            faults.warn(f"agenttrace: {_sentence(self._unsaid)} {_spans(count)} could not be delivered and {are} lost.")
        else:
            faults.warn(
                f"agenttrace: {_spans(count)} could not be delivered to {self._name} within {seconds:.2g} s of "
                "shutting down. Is it running, and reachable from here?"
            )


def _sentence(problem: str) -> str:
    return problem if problem.endswith("?") else f"{problem}."


def _prospect(answer: Answer) -> str:
    # Often the last word on the matter, so it has to be true of a program that ends a moment later, too.
    if answer.verdict is Verdict.FAULTY:
        return "the spans are sent a few times more, and are lost if that fails or the program ends before"
    return "spans wait in memory until the server takes them, and are lost if the program ends before"


def _spans(count: int) -> str:
    return "1 span" if count == 1 else f"{count:,} spans"
