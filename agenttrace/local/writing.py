"""Writing into the local store from a process that shares it with others, and saying once why it didn't work."""

from __future__ import annotations

import errno
import sqlite3
import time
from typing import TYPE_CHECKING

from agenttrace import faults
from agenttrace.blame import is_meant_for_program

from .batch import Batch
from .database import BUSY_SECONDS, DamagedStoreError, StoreError, file_identity, is_busy, move_aside, open_to_write
from .forking import fork_gate
from .paths import HOME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

# One try at the lock of the file. Between two of them nothing is open, so that a fork need not wait for longer.
_PATIENCE_SECONDS = 0.25
_PAUSE_SECONDS = 0.02


def write_spans(
    path: Path, spans: Sequence[ReadableSpan], patience: float | None = None, *, says_busy: bool = True
) -> bool:
    """Write ``spans`` into the store at ``path``, all of them or none.

    Args:
        path: The store's file, which is made when it is missing.
        spans: Spans that ended, or that are running: those have no end time.
        patience: How long to wait for other processes' transactions, in seconds; None for 10.
        says_busy: Whether it is worth a line in the log that others were at the file all the time.

    Returns:
        Whether they are in the store. When they aren't (a full disk, a folder that is read-only, another program's
        file), why is logged once.
    """
    try:
        batch = Batch(spans)
        if batch.spans:
            _write(path, batch, BUSY_SECONDS if patience is None else patience)
    except BaseException as error:
        # A time limit's TimeoutError is an OSError too, but one that is meant for the program.
        if isinstance(error, (StoreError, OSError, sqlite3.Error)) and not is_meant_for_program(error):
            if not says_busy and isinstance(error, sqlite3.Error) and is_busy(error):
                return False
            faults.warn_once(f"agenttrace: traces can't be kept in {path}: {_reason(error, path)}")
        else:
            faults.contain("writing to the local store", error)
        return False
    return True


def _write(path: Path, batch: Batch, patience: float) -> None:
    deadline = time.monotonic() + patience
    may_move = True
    while True:
        identity = file_identity(path)
        remaining = deadline - time.monotonic()
        try:
            with fork_gate.writing(), open_to_write(path, max(0.0, min(_PATIENCE_SECONDS, remaining))) as connection:
                batch.insert(connection)
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        except DamagedStoreError as error:
            aside = move_aside(path, identity) if may_move else None
            if aside is None:
                raise
            may_move = False
            faults.warn_once(f"agenttrace: {error}. It was moved to {aside}; recording goes on in a new file.")


def _reason(error: BaseException, path: Path) -> str:
    # None of these quotes what was being written: SQLite names the trouble, the system the path.
    text = str(error).strip() or type(error).__name__
    if isinstance(error, StoreError):
        return text
    advice = f"set {HOME_VARIABLE} to a folder that can be written to"
    in_the_way = _file_in_the_way(path)
    if in_the_way is not None:
        return f"{in_the_way} is a file, not a folder; {advice}"
    if _is_full(error):
        return f"{text}. Make room, or {advice}"
    if isinstance(error, PermissionError):
        return f"this user may not write there; {advice}"
    return f"{text}; {advice}"


def _file_in_the_way(path: Path) -> Path | None:
    try:
        nearest = next((folder for folder in path.parents if folder.exists()), None)
        return nearest if nearest is not None and not nearest.is_dir() else None
    except OSError:  # a folder that may not even be looked into
        return None


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "full" in str(error)  # SQLite's code has a name from Python 3.11 on only
