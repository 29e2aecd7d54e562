"""Opening the store's file: private from its first byte, right for many processes, and never at the cost of data in it.

A connection lives as long as one batch or one question, no longer. SQLite forbids carrying one across a fork, and not
only its use: the library's own table of locks goes along too, so that a child would believe it holds locks that only
its parent has, and lose what it writes. Opening anew costs 1.4 ms where commits of a kept connection cost 0.1 ms, on
the exporter's thread, and leaves nothing behind: the write-ahead log is folded in and gone after each batch.

A crash can't tear the file. With a write-ahead log and ``synchronous=NORMAL`` a killed process loses at most the
transaction it was in, and a power cut at most the transactions since the last checkpoint; the file itself is always
whole (https://sqlite.org/wal.html#performance_considerations).
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

from . import schema
from .paths import HOME_VARIABLE, default_store_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_SECONDS = 10.0
"""How long a writer waits for other processes' transactions before it gives up."""

_SIDE_FILES = ("-wal", "-shm", "-journal")


class StoreError(Exception):
    """The store can't be read or written; the text says why and what to do."""


class DamagedStoreError(StoreError):
    """The store's file is broken, or no SQLite file at all."""


@contextmanager
def open_to_write(path: Path, patience: float = BUSY_SECONDS) -> Iterator[sqlite3.Connection]:
    """A connection to the store at ``path`` in a write transaction, which is committed when the block ends.

    The file, its folder and its tables are made when they are missing.

    Args:
        path: The store's file.
        patience: How long to wait for other processes' transactions, in seconds.

    Raises:
        StoreError: If the file isn't a store of ours, or a newer version's.
        DamagedStoreError: If it is broken.
        OSError: If the file or its folder can't be made.
        sqlite3.Error: If writing fails: the disk is full, another process holds the lock too long.
    """
    make_private_file(path)
    with _explained(path), closing(_connect(path, "rw", patience)) as connection:
        _use_write_ahead_log(connection, patience)
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = _checked_version(connection, path)
            if version < schema.VERSION:
                schema.migrate(connection, version)
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            # Some failures (a full disk) have rolled back already.
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise


@contextmanager
def open_to_read(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection to the store at ``path`` that sees one moment of it; None when nothing was recorded there yet.

    Raises:
        StoreError: If the file isn't a store of ours, a newer version's, or can't be read.
        DamagedStoreError: If it is broken.
    """
    if not path.exists():
        yield None
        return
    try:
        with _explained(path), closing(_connect(path, "ro", BUSY_SECONDS)) as connection:
            connection.execute("BEGIN")
            version = _checked_version(connection, path)
            yield connection if version == schema.VERSION else None
    except sqlite3.Error as error:
        raise StoreError(f"the traces in {path} can't be read: {error}") from error


def make_private_file(path: Path) -> None:
    """Make ``path`` and its folder unless they are there: readable by this user alone from the start.

    SQLite gives the files it puts beside a database (``-wal``, ``-shm``) the database's own mode. Folders and files
    that exist keep theirs: whoever opened them to a group meant it.
    """
    if path.exists():
        return
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileExistsError):  # another process was faster
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def file_identity(path: Path) -> tuple[int, int] | None:
    """What tells the file at ``path`` from any other that may take its place; None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def move_aside(path: Path, damaged: tuple[int, int] | None) -> Path | None:
    """Give a damaged store and the files beside it another name, so that recording goes on and nothing is destroyed.

    Args:
        path: The store's file.
        damaged: The `file_identity` of the file that was found damaged. When another process has moved that one
            already, the file that stands there now is left alone.

    Returns:
        Where the damaged file is now, or ``path`` when another process moved it. None when it isn't ours to move:
        neither at the place that agenttrace keeps its store by itself, nor marked as one of its files.
    """
    if file_identity(path) != damaged:
        return path
    if not _is_default(path) and not _has_our_mark(path):
        return None
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S%f")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    path.rename(aside)
    for ending in _SIDE_FILES:
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
    return aside


def is_busy(error: sqlite3.Error) -> bool:
    """Whether ``error`` only says that another process was at it."""
    # The code's name came with Python 3.11; on 3.10 the text has to tell.
    name = getattr(error, "sqlite_errorname", None)
    if name is not None:
        return str(name).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    return "locked" in str(error) or "busy" in str(error)


def _connect(path: Path, mode: str, patience: float) -> sqlite3.Connection:
    # The class and not `sqlite3.connect`, which instrumentors replace: writing spans must not make spans.
    # isolation_level=None: this module says BEGIN and COMMIT itself.
    connection = sqlite3.Connection(f"{_uri(path)}?mode={mode}", uri=True, timeout=patience, isolation_level=None)
    # Lone surrogates, which Python's texts may hold and UTF-8 may not, go in and come out as they are (see `as_text`).
    connection.text_factory = _read_text
    return connection


def _uri(path: Path) -> str:
    # Not Path.as_uri: from Python 3.13 on it imports each time, which fails while the interpreter is taken apart.
    text = path.as_posix()
    return f"{'file://' if text.startswith('/') else 'file:///'}{quote_from_bytes(os.fsencode(text), safe='/:')}"


def as_text(value: str) -> str | bytes:
    """``value`` as a parameter for ``CAST(? AS TEXT)``, which takes lone surrogates too."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
    return value


def _read_text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _use_write_ahead_log(connection: sqlite3.Connection, patience: float) -> None:
    deadline = time.monotonic() + patience
    mode = None
    while mode is None:
        try:
            [mode] = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            # The change of mode needs the file for itself and doesn't wait for it as other statements do: of several
            # processes that find a new file at once, one makes the change and the others ask again.
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    # On a network drive there may be no write-ahead log; the old journal is safe only with every write on disk.
    connection.execute(f"PRAGMA synchronous = {'NORMAL' if mode == 'wal' else 'FULL'}")


def _checked_version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the tables in the file; 0 when it has none yet."""
    [version] = connection.execute("PRAGMA user_version").fetchone()
    [application_id] = connection.execute("PRAGMA application_id").fetchone()
    if application_id != schema.APPLICATION_ID:
        [tables] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version or tables or application_id:
            raise StoreError(
                f"{path} is the database of another program, not a store of traces: "
                f"set {HOME_VARIABLE} (or the store's path) to another place"
            )
        return 0
    if version > schema.VERSION:
        raise StoreError(
            f"{path} was written by a newer agenttrace (its tables have version {version}, this one knows "
            f"{schema.VERSION}): `pip install -U agenttrace-otel`, or set {HOME_VARIABLE} to another folder"
        )
    return int(version)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError:
        raise  # full, read-only, locked: nothing is wrong with the file
    except sqlite3.DatabaseError as error:
        # sqlite3 raises the plain class for a file that is damaged and for one that never was a database.
        if type(error) is not sqlite3.DatabaseError:
            raise
        raise DamagedStoreError(f"{path} is not a readable store of traces: {error}") from error


def _is_default(path: Path) -> bool:
    try:
        return path == default_store_path()
    except ValueError:
        return False


def _has_our_mark(path: Path) -> bool:
    with path.open("rb") as file:
        header = file.read(schema.APPLICATION_ID_OFFSET + 4)
    return header.startswith(b"SQLite format 3\0") and header[
        schema.APPLICATION_ID_OFFSET :
    ] == schema.APPLICATION_ID.to_bytes(4, "big")
