"""What processes that are gone have left in a destination's outbox: taken over by one that lives, folder by folder."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from agenttrace import faults

from .batch import Batch
from .reports import Reporter
from .unconfirmed import Unconfirmed

if TYPE_CHECKING:
    from agenttrace.outbox.folder import ProcessFolder
    from agenttrace.outbox.outbox import Outbox

__all__ = ["LOOK_AROUND_SECONDS", "LeftBehind"]

LOOK_AROUND_SECONDS = 30.0
"""How long it may take until something that was left is found."""


class LeftBehind:
    """Finds what was left. Used by one thread.

    Args:
        outbox: Where to look; None where nothing is on disk.
        unconfirmed: Keeps folders from which something may have to be sent again.
        reporter: Told of what had to be dropped.
    """

    def __init__(self, outbox: Outbox | None, unconfirmed: Unconfirmed, reporter: Reporter) -> None:
        self._outbox = outbox
        self._unconfirmed = unconfirmed
        self._reporter = reporter
        self._folder: ProcessFolder | None = None
        self._look_at = 0.0
        self._survey_at = time.monotonic() + LOOK_AROUND_SECONDS
        self.batches: deque[Batch] = deque()
        """What is to be sent of it, the oldest first."""

    def look(self) -> bool:
        """Take over the next folder where the one before is done with; whether there is something to send."""
        if self._outbox is None or self.batches:
            return bool(self.batches)
        if self._folder is None and time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + LOOK_AROUND_SECONDS
        try:
            self._take_over(self._outbox)
        except BaseException as error:
            faults.contain("looking through the outbox", error)
        return bool(self.batches)

    def survey(self) -> None:
        """See now and then how much there is and how old, also while nothing of it can be sent."""
        if self._outbox is None or not self._outbox.has_folder or time.monotonic() < self._survey_at:
            return
        self._survey_at = time.monotonic() + LOOK_AROUND_SECONDS
        try:
            self._outbox.look_around()
            self._reporter.dropped_from_outbox(self._outbox.dropped)
        except BaseException as error:
            faults.contain("looking through the outbox", error)

    def forget(self) -> None:
        """In a forked child: the folder is the parent's."""
        if self._folder is not None:
            self._folder.forget()

    def let_go(self) -> None:
        """Leave the folder that was taken over last."""
        folder, self._folder = self._folder, None
        if folder is not None:
            self._unconfirmed.hold(folder)

    def _take_over(self, outbox: Outbox) -> None:
        self.let_go()
        outbox.look_around()
        self._reporter.dropped_from_outbox(outbox.dropped)
        found = outbox.take_over()
        if found is not None:
            self._folder, files = found
            self.batches.extend(Batch(None, file) for file in files)
        else:
            outbox.tidy()
