"""What a sender holds of the spans that wait: in memory, on disk or both, and how much that is."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agenttrace import faults
from agenttrace.outbox.files import DamagedFileError
from agenttrace.outbox.payloads import Payload, SizeLimit, join

from .batch import Batch, Tally
from .reports import Reporter

if TYPE_CHECKING:
    from agenttrace.outbox.outbox import Outbox

__all__ = ["Holding"]


class Holding:
    """Keeps, loads and forgets batches. Any thread may `keep` and `count`; the rest is the sender's.

    Args:
        name: Where the spans go, without secrets.
        batch_size: Spans in one request at most.
        outbox: Where they are kept on disk; None where nothing is.
        limit: How large a request may be.
        tally: Counts what is lost.
        reporter: Says what is wrong.
    """

    def __init__(
        self, name: str, batch_size: int, outbox: Outbox | None, limit: SizeLimit, tally: Tally, reporter: Reporter
    ) -> None:
        self._name = name
        self._batch_size = batch_size
        self._outbox = outbox
        self._limit = limit
        self._tally = tally
        self._reporter = reporter
        self.is_divided: bool = False
        """Whether a request is to carry one batch, to find out which one the destination fails over."""
        self.may_drop: bool = False
        """Whether the oldest may be dropped where the outbox is full, as nothing gets through."""
        self.settled: int = 0
        """How many batches have been done with."""
        self.memory: int = 0
        """Bytes of encoded spans in memory."""
        # Reentrant, since a span may end in a signal handler or a finalizer.
        self._memory_lock = threading.RLock()

    def gather(self, line: deque[Batch]) -> tuple[list[Batch], Payload | None]:
        """The first batches of ``line`` that fit into one request, and what they say together.

        Raises:
            OSError: If the first can't be read now.
        """
        batches: list[Batch] = []
        payloads: list[Payload] = []
        size = count = 0
        while len(batches) < len(line):
            batch = line[len(batches)]
            is_full = size + batch.size > self._limit.size or count + batch.count > self._batch_size
            if batches and (is_full or self.is_divided):
                break
            try:
                payload = self._load(batch)
            except OSError:
                if batches:
                    break
                raise
            if payload is None:
                line.remove(batch)
                self.settled += 1
                continue
            batches.append(batch)
            payloads.append(payload)
            size += batch.size
            count += batch.count
        return batches, join(payloads) if payloads else None

    def _load(self, batch: Batch) -> Payload | None:
        try:
            if self._outbox is not None and self._outbox.has_dropped(batch.file):
                self.free(batch)
                return None
            return batch.load()
        except FileNotFoundError:  # dropped by another process, which counts it, to make room
            return None
        except DamagedFileError:
            # A process or a machine that ended in the middle of writing it.
            faults.warn_once(f"agenttrace: a file in the outbox of {self._name} isn't whole and was left out.")
            self._tally.lost += batch.count
            self.remove(batch)
            return None

    def replace(self, line: deque[Batch], batches: list[Batch], payloads: Sequence[Payload]) -> None:
        """Put ``payloads``, which say the same, in the place of ``batches`` at the head of ``line``."""
        replacements = [self.keep(payload) for payload in payloads]
        self.settle(line, batches)
        self.settled -= len(replacements)
        for replacement in reversed(replacements):
            self.count(replacement.memory)
            line.appendleft(replacement)

    def keep(self, payload: Payload, *, through: bool = False) -> Batch:
        """``payload`` as a batch, on disk where there is an outbox that can be written to."""
        if self._outbox is not None:
            try:
                file = self._outbox.keep(payload, through=through, may_drop=self.may_drop)
                self._reporter.dropped_from_outbox(self._outbox.dropped)
                return Batch(payload, file)
            except OSError as error:
                self._reporter.disk_fails(error)
        return Batch(payload, None)

    def bury(self, batches: list[Batch], reason: str) -> bool:
        """Keep ``batches`` among the dead letters; whether that could be done.

        Args:
            batches: What the destination refuses.
            reason: Why, as it said; no secrets.
        """
        if self._outbox is None:
            return False
        try:
            for batch in batches:
                if batch.file is None:
                    self._outbox.refuse(batch.load(), reason)
                else:
                    self._outbox.refuse_file(batch.file, reason)
                    batch.file = None
        except (OSError, DamagedFileError) as error:
            self._reporter.disk_fails(error)
            return False
        return True

    def settle(self, line: deque[Batch], batches: list[Batch]) -> None:
        """Forget ``batches``, which stand at the head of ``line``: they are delivered, or kept elsewhere."""
        for batch in batches:
            line.popleft()
            self.settled += 1
            self.remove(batch)

    def count(self, size: int) -> None:
        """Add ``size`` to `memory`."""
        with self._memory_lock:
            self.memory += size

    def remove(self, batch: Batch) -> None:
        """Forget ``batch`` and its file."""
        self.count(-batch.memory)
        if self._outbox is not None and batch.file is not None:
            try:
                self._outbox.remove(batch.file)
            except OSError as error:
                self._reporter.disk_fails(error)

    def free(self, batch: Batch) -> None:
        """Leave ``batch`` to the disk, where it has it."""
        size = batch.memory
        batch.leave_to_disk()
        self.count(batch.memory - size)
