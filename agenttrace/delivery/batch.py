"""Encoded spans on their way, in memory, on disk or both; and how many of them went where."""

from __future__ import annotations

from dataclasses import replace

from agenttrace.outbox.files import read_file
from agenttrace.outbox.folder import StoredFile
from agenttrace.outbox.payloads import Payload

__all__ = ["Batch", "Tally"]

_MOST_FAULTS = 5


class Batch:
    """Encoded spans that wait for their destination.

    Args:
        payload: The spans; None where they're only on disk.
        file: Where they are on disk; None where they're only in memory.
    """

    __slots__ = ("_accepted_before", "_faults", "_payload", "count", "file", "size")

    def __init__(self, payload: Payload | None, file: StoredFile | None) -> None:
        self._payload = payload
        self.file: StoredFile | None = file
        assert payload is not None or file is not None, "a batch is in memory or on disk"
        self.count: int = payload.count if payload is not None else file.count if file is not None else 0
        self.size: int = len(payload.data) if payload is not None else file.size if file is not None else 0
        self._faults = 0
        self._accepted_before = 0

    @property
    def memory(self) -> int:
        """Bytes in memory."""
        return 0 if self._payload is None else len(self._payload.data)

    def load(self) -> Payload:
        """The spans, from the disk where they aren't in memory.

        Raises:
            OSError: If the file can't be read, or is gone.
            DamagedFileError: If it isn't whole.
        """
        if self._payload is not None:
            return self._payload
        assert self.file is not None, "a batch is in memory or on disk"
        data, count = read_file(self.file.path)
        return Payload(data, count)

    def is_poison(self, accepted: int) -> bool:
        """Count that the destination failed over this batch alone; whether that seems to be the batch's fault.

        It is where that has happened several times, and the destination took others meanwhile.

        Args:
            accepted: How many requests it has taken so far.
        """
        if not self._faults:
            self._accepted_before = accepted
        self._faults += 1
        return self._faults >= _MOST_FAULTS and accepted > self._accepted_before

    def move(self, ending: str) -> None:
        """Give the file another ending; without effect where there is none.

        Raises:
            OSError: If that can't be done.
        """
        if self.file is not None:
            path = self.file.path.with_suffix(ending)
            self.file.path.rename(path)
            self.file = replace(self.file, path=path)

    def leave_to_disk(self) -> None:
        """Free the memory; without effect where the disk hasn't got it."""
        if self.file is not None:
            self._payload = None


class Tally:
    """How many spans went where, since the start."""

    __slots__ = ("lost", "refused", "sent")

    def __init__(self) -> None:
        self.sent: int = 0
        """The destination has them."""
        self.refused: int = 0
        """The destination doesn't want them."""
        self.lost: int = 0
        """Nobody has them."""
