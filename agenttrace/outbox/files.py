"""Files of spans: a header that tells whether the rest is whole, then the encoded spans.

A process that is killed, or a machine that loses power, leaves its last file cut short. Its reader sees that by the
header, so nothing has to be written twice or renamed.
"""

from __future__ import annotations

import os
import struct
import sys
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["DamagedFileError", "frame", "frames_in", "read_file", "write_file", "write_through"]

if sys.platform == "win32":

    def _sync(descriptor: int) -> None:
        os.fsync(descriptor)

else:
    import fcntl

    # On macOS fsync() leaves what was written in the drive's own memory, which a power cut empties.
    _FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)

    def _sync(descriptor: int) -> None:
        if _FULL_SYNC is not None:
            with suppress(OSError):  # not every drive knows it, one on the network least of all
                fcntl.fcntl(descriptor, _FULL_SYNC)
                return
        os.fsync(descriptor)


_HEADER = struct.Struct(">4sIII")  # mark, number of spans, bytes, checksum of the number and the bytes
_MARK = b"ATS1"


class DamagedFileError(Exception):
    """A file of the outbox isn't whole, or isn't one."""


def frame(data: bytes, count: int) -> bytes:
    """``data`` with its header in front.

    Args:
        data: Encoded spans.
        count: How many.
    """
    return _HEADER.pack(_MARK, count, len(data), zlib.crc32(data, count)) + data


def frames_in(content: bytes) -> tuple[list[tuple[bytes, int]], bool]:
    """The whole frames at the start of ``content``, as data and count, and whether there is nothing else in it."""
    frames: list[tuple[bytes, int]] = []
    position = 0
    while position < len(content):
        if position + _HEADER.size > len(content):
            return frames, False
        mark, count, length, checksum = _HEADER.unpack_from(content, position)
        start = position + _HEADER.size
        data = content[start : start + length]
        if mark != _MARK or len(data) != length or zlib.crc32(data, count) != checksum:
            return frames, False
        frames.append((data, count))
        position = start + length
    return frames, True


def write_file(path: Path, data: bytes, count: int, *, through: bool = False) -> int:
    """Write a new file of spans, readable by this user alone.

    Args:
        path: Where; nothing may be there.
        data: Encoded spans.
        count: How many.
        through: Whether to wait until the disk has it.

    Returns:
        The file's size in bytes.

    Raises:
        OSError: If it can't be written. Nothing is left of it then.
    """
    content = frame(data, count)
    # Not `open`, which instrumentation and audit tools replace, and which takes twice as long.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    try:
        _write_all(descriptor, content)
        if through:
            _sync(descriptor)
            _write_folder_through(path.parent)
    except BaseException:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise
    os.close(descriptor)
    return len(content)


def write_through(paths: Sequence[Path]) -> None:
    """Wait until the disk has the files at ``paths``. One that is gone meanwhile has been delivered.

    Raises:
        OSError: If the disk fails.
    """
    folders = set()
    for path in paths:
        try:
            descriptor = os.open(path, os.O_RDWR | _BINARY)
        except FileNotFoundError:
            continue
        try:
            _sync(descriptor)
        finally:
            os.close(descriptor)
        folders.add(path.parent)
    for folder in folders:
        _write_folder_through(folder)


def read_file(path: Path) -> tuple[bytes, int]:
    """The encoded spans in a file, and how many they are.

    Raises:
        DamagedFileError: If it isn't whole.
        OSError: If it can't be read.
    """
    frames, is_whole = frames_in(path.read_bytes())
    if not is_whole or len(frames) != 1:
        raise DamagedFileError(f"{path.name} isn't whole")
    return frames[0]


_BINARY: int = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def _write_folder_through(folder: Path) -> None:
    """Have the disk know the new file by its name, too. On Windows a folder can't be opened for that."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _sync(descriptor)
        finally:
            os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
