"""Spans that haven't ended, as a log on disk: a line for each that stays open for a while, and one when it ends.

Whoever finds the log of a process that is gone knows by it which spans that process never ended.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .files import frame, frames_in

__all__ = ["RUNNING_NAME", "RunningLog", "open_spans_in"]

RUNNING_NAME = "running"
_WORTH_REWRITING = 1_048_576  # bytes
_ID_LENGTH = 24

SpanKey = bytes
"""A trace id and a span id behind each other, 24 bytes."""


class RunningLog:
    """The log of one process. Used by one thread.

    Args:
        path: Its file, which is made when the first span is in it and goes when the last one has ended.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = 0
        self.keys: set[SpanKey] = set()
        """The spans in it that haven't ended."""

    def note(self, opened: Mapping[SpanKey, bytes], closed: Sequence[SpanKey]) -> None:
        """Add spans, and take others out; one write.

        Args:
            opened: Encoded spans without an end, one in each payload.
            closed: Those that have ended.

        Raises:
            OSError: If the log can't be written. It then says what it said before.
        """
        after = (self.keys - set(closed)) | set(opened)
        if not after:
            self.clear()
            return
        frames = [frame(data, 1) for data in opened.values()]
        if closed:
            frames.append(frame(b"".join(closed), 0))
        content = b"".join(frames)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
        try:
            if os.write(descriptor, content) < len(content):  # as much as a full disk had room for
                os.ftruncate(descriptor, self._size)
                raise OSError(errno.ENOSPC, "the log of open spans can't be written")
        finally:
            os.close(descriptor)
        self.keys = after
        self._size += len(content)
        if self._size > _WORTH_REWRITING:
            self._rewrite()

    def clear(self) -> None:
        """Say that no span is open."""
        self.keys = set()
        self._size = 0
        self._path.unlink(missing_ok=True)

    def _rewrite(self) -> None:
        content = b"".join(frame(data, 1) for data in open_spans_in(self._path))
        if len(content) * 2 > self._size:
            return
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.chmod(0o600)
        fresh.replace(self._path)
        self._size = len(content)


def open_spans_in(path: Path) -> list[bytes]:
    """The payloads of the spans that a log says are open, in the order in which they came; none where there is no log.

    Raises:
        OSError: If the log can't be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    frames, _ = frames_in(content)  # what follows was being written when the process ended
    found: dict[SpanKey, bytes] = {}
    for data, count in frames:
        if count:
            found.update((key, data) for key in _keys_of_spans(data))
        else:
            for key in _keys(data):
                found.pop(key, None)
    return list(found.values())


def _keys_of_spans(data: bytes) -> list[SpanKey]:
    from google.protobuf.message import DecodeError

    from .payloads import span_ids

    try:
        return [trace_id + span_id for trace_id, span_id in span_ids(data)]
    except DecodeError:  # whoever wrote that, it is no reason to leave the other spans in the folder
        return []


def _keys(data: bytes) -> Iterable[SpanKey]:
    return (data[start : start + _ID_LENGTH] for start in range(0, len(data), _ID_LENGTH))
