"""What is said about a destination that gives trouble: one warning that helps, not one for each batch."""

from __future__ import annotations

import errno
import time
from dataclasses import dataclass

from agenttrace import faults

from .server_words import without_words
from .sink import Answer

__all__ = ["Reporter"]

_QUIET_SECONDS = 60.0


@dataclass(frozen=True)
class _Words:
    """How to speak of spans that wait."""

    prospect: str
    end: str


_ON_DISK = _Words(
    "spans wait on disk and are sent as soon as it takes them, by this program or by the next one that registers it",
    "on disk: the next program that registers this destination sends {them}, and so does `agenttrace send`",
)
_IN_MEMORY = _Words(
    "spans wait in memory until the server takes them, and are lost if the program ends before",
    "lost",
)


class Reporter:
    """Says once what is wrong with a destination, until it has recovered for good.

    Args:
        name: Where the spans go, without secrets.
        has_outbox: Whether what can't be delivered is kept on disk.
    """

    def __init__(self, name: str, *, has_outbox: bool = False) -> None:
        self._name = name
        self._has_outbox = has_outbox
        self._failing_since: float | None = None
        self._last_warning: float | None = None
        self._told: set[str] = set()
        self._unsaid = ""
        self._dropped_before = 0
        self._disk_has_failed = False
        self._has_told_of_drops = False
        self._lost_before = 0
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
                faults.warn(f"agenttrace: {_sentence(answer.problem)} The program goes on; {self._prospect()}.")

    def _leave_to_the_end(self, answer: Answer) -> None:
        self._unsaid = answer.problem
        self.has_explained |= not answer.problem

    def recovered(self) -> None:
        """A batch was accepted."""
        self._failing_since = None
        self._unsaid = ""
        self.has_explained = False

    def refused(self, answer: Answer, count: int, *, is_kept: bool) -> None:
        """``count`` spans won't be taken, however often they are sent. Logged once for each reason.

        Args:
            answer: What the destination said.
            count: How many spans.
            is_kept: Whether they are among the dead letters now.
        """
        # The server's own words may be others each time, such as the id of the request.
        reason = without_words(answer.problem)
        if not reason or reason in self._told:
            return
        self._told.add(reason)
        fate = (
            "kept on disk as dead letters, as further ones will be that meet the same answer; when the cause is "
            "mended, `agenttrace send` sends them"
            if is_kept
            else "not delivered and are lost; further ones that meet the same answer are dropped without a word"
        )
        faults.warn(f"agenttrace: {_sentence(answer.problem)} {_spans(count)} {_were(count)} {fate}.")

    def dropped(self, capacity: int) -> None:
        """The queue is full and the newest spans are dropped. Logged once; `gave_up` says how many it were."""
        if self._has_told_of_drops:
            return
        self._has_told_of_drops = True
        faults.warn(
            f"agenttrace: {capacity:,} spans wait for {self._name}, which is too slow or doesn't answer. "
            "Spans that end now are dropped until there is room."
        )

    def dropped_at_all(self, count: int) -> None:
        """``count`` spans were dropped because the queue was full, in this process. Logged at its end."""
        if count:
            faults.warn(
                f"agenttrace: {_spans(count)} {_were(count)} dropped on the way to {self._name}, as they ended faster "
                "than they could be kept."
            )

    def dropped_from_outbox(self, count: int) -> None:
        """``count`` spans were dropped from the outbox by now, to make room or because of their age. Logged once."""
        if count > self._dropped_before and not self._dropped_before:
            self._dropped_before = count
            faults.warn(
                f"agenttrace: the outbox of {self._name} is full, or what waits in it too old: its oldest spans are "
                f"dropped, {count:,} so far. AGENTTRACE_OUTBOX_MB and AGENTTRACE_OUTBOX_DAYS set its bounds."
            )

    def disk_fails(self, error: BaseException) -> None:
        """Spans can't be kept on disk. Logged once."""
        self._disk_has_failed = True
        number = getattr(error, "errno", None)
        name = errno.errorcode.get(number, "") if isinstance(number, int) else ""
        reason = f"{type(error).__name__}{f', {name}' if name else ''}"
        faults.warn_once(
            f"agenttrace: spans for {self._name} can't be kept on disk ({reason}): they wait in memory alone, and are "
            "lost if the program ends before they are delivered. Set AGENTTRACE_HOME to a folder that can be written "
            "to."
        )

    def gave_up(self, on_disk: int, lost: int) -> None:
        """Some spans weren't delivered when delivery ended. What is on disk isn't told of twice; a loss always is.

        Args:
            on_disk: How many of them are on disk.
            lost: How many are nowhere.
        """
        fates = []
        if on_disk and not self.has_explained:
            end = _ON_DISK.end.format(them="it" if on_disk == 1 else "them")
            fates.append(f"{_spans(on_disk)} {_are(on_disk)} {end}")
        if lost > self._lost_before:
            self._lost_before = lost
            for_whom = f" for {self._name}" if self.has_explained else ""
            fates.append(f"{_spans(lost)}{for_whom} could not be delivered and {_are(lost)} lost")
        if not fates:
            return
        if self.has_explained:
            problem = ""
        elif self._unsaid:
            problem = f"{_sentence(self._unsaid)} "
        else:
            problem = f"{self._name} had not answered when the program stopped waiting for it. "
        self.has_explained = True
        faults.warn(f"agenttrace: {problem}{'; '.join(fates)}.")

    def _prospect(self) -> str:
        # Often the last word on the matter, so it has to be true of a program that ends a moment later, too.
        return (_ON_DISK if self._has_outbox and not self._disk_has_failed else _IN_MEMORY).prospect


def _sentence(problem: str) -> str:
    return problem if problem.endswith(("?", ".", "!")) else f"{problem}."


def _spans(count: int) -> str:
    return "1 span" if count == 1 else f"{count:,} spans"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
