"""The local store as a destination: an exporter that writes ended spans into one SQLite file."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from agenttrace import faults
from agenttrace.blame import is_meant_for_program

from . import rows
from .database import BUSY_SECONDS, DamagedStoreError, StoreError, file_identity, is_busy, move_aside, open_to_write
from .forking import fork_gate
from .paths import HOME_VARIABLE, default_store_path
from .records import record_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["LocalSpanExporter", "default_store_path"]

# One try at the lock of the file. Between two of them nothing is open, so that a fork need not wait for longer.
_PATIENCE_SECONDS = 0.25
_PAUSE_SECONDS = 0.02


class LocalSpanExporter(SpanExporter):
    """Writes ended spans into the local store, where ``agenttrace show`` finds them.

    Each batch is one transaction; a span that is delivered twice is kept once. Several processes, and the children of
    a fork, may write to one store. Nothing is opened or made before the first span.

    Args:
        path: The store's file, or None for `default_store_path`.

    Raises:
        ValueError: If no path is given and this user has no home folder.

    Example:
        >>> provider.add_span_processor(BatchSpanProcessor(LocalSpanExporter(Path("run.db"))))
    """

    def __init__(self, path: Path | None = None) -> None:
        chosen = default_store_path() if path is None else Path(path).expanduser()
        self.path: Path = Path(os.path.abspath(chosen))
        """The store's file."""
        self._is_shut_down = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write ``spans``, all of them or none.

        Returns:
            SUCCESS when they are in the store. FAILURE when it can't be written to (a full disk, a folder that is
            read-only, another program's file), which is logged once; the same spans may be tried again.
        """
        if self._is_shut_down:
            return SpanExportResult.FAILURE
        try:
            batch = _Batch(spans)
            if batch.spans:
                self._write(batch)
        except BaseException as error:
            # A time limit's TimeoutError is an OSError too, but one that is meant for the program.
            if isinstance(error, (StoreError, OSError, sqlite3.Error)) and not is_meant_for_program(error):
                faults.warn_once(f"agenttrace: traces can't be kept in {self.path}: {_reason(error, self.path)}")
            else:
                faults.contain("writing to the local store", error)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here: what `export` took is in the file."""
        return True

    def shutdown(self) -> None:
        """Take no more spans."""
        self._is_shut_down = True

    def _write(self, batch: _Batch) -> None:
        deadline = time.monotonic() + BUSY_SECONDS
        may_move = True
        while True:
            identity = file_identity(self.path)
            try:
                with fork_gate.writing(), open_to_write(self.path, _PATIENCE_SECONDS) as connection:
                    batch.insert(connection)
                return
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE_SECONDS)
            except DamagedStoreError as error:
                aside = move_aside(self.path, identity) if may_move else None
                if aside is None:
                    raise
                may_move = False
                faults.warn_once(f"agenttrace: {error}. It was moved to {aside}; recording goes on in a new file.")


class _Batch:
    """The rows of one export."""

    def __init__(self, spans: Sequence[ReadableSpan]) -> None:
        self.spans: list[tuple[Any, ...]] = []
        self._traces: dict[str, int] = {}
        self._resources: dict[str, str] = {}
        self._digests: dict[int, str] = {}
        for span in spans:
            self._add(span)

    def insert(self, connection: sqlite3.Connection) -> None:
        """Write the rows; the caller commits."""
        rows.INSERT_RESOURCES.add(connection, self._resources.items())
        rows.INSERT_TRACES.add(connection, self._traces.items())
        rows.INSERT_SPANS.add(connection, self.spans)

    def _add(self, span: ReadableSpan) -> None:
        try:
            record = record_of(span)
            row = rows.span_row(record, self._resource_digest(span.resource))
        except BaseException as error:  # one odd span must not keep its neighbours out
            faults.contain("reading an ended span for the local store", error)
            return
        self.spans.append(row)
        started = self._traces.get(record.trace_id, record.start_time)
        self._traces[record.trace_id] = min(started, record.start_time)

    def _resource_digest(self, resource: Resource) -> str:
        key = id(resource)  # the batch's spans keep it alive, so no other object can have this id
        if key not in self._digests:
            digest, text = rows.resource_row(resource.attributes)
            self._resources[digest] = text
            self._digests[key] = digest
        return self._digests[key]


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
