"""A lock that lasts as long as the process that holds it, whatever ends that: the operating system lets go of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["ProcessLock", "is_held"]

if sys.platform == "win32":
    import msvcrt

    def _try_to_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _try_to_share(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBRLCK, 1)

else:
    import fcntl

    def _try_to_lock(descriptor: int) -> None:
        # Not lockf: closing any descriptor of the file would let go of that one.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _try_to_share(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)


class ProcessLock:
    """An exclusive lock on one file.

    Args:
        descriptor: The open, locked file.
        path: Where it is.
    """

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor: int | None = descriptor
        self.path: Path = path

    @classmethod
    def take(cls, path: Path) -> ProcessLock | None:
        """Lock the file at ``path``, which is made where it is missing; None while another process has it.

        Raises:
            OSError: If the file can't be made or opened.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            _try_to_lock(descriptor)
            # Whoever had it may have removed the file before letting go: then this is a lock on nothing.
            if os.fstat(descriptor).st_nlink and _is_same(descriptor, path):
                return cls(descriptor, path)
        except OSError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    def release(self) -> None:
        """Let go of it. In a forked child: of the child's share, which leaves the parent's lock as it is."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a process has locked the file at ``path``. It is neither made nor written to.

    Where nobody can tell, such as for somebody else's file, it counts as locked.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        _try_to_share(descriptor)  # several may look at once
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _is_same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
