"""Reading the local store: the latest traces, and all spans of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openinference.semconv.resource import ResourceAttributes
from openinference.semconv.trace import SpanAttributes

from . import carriers, rows
from .database import StoreError, open_to_read
from .paths import absolute_store_path, store_option
from .records import SpanRecord, TraceSummary, summarise

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

_HEXADECIMAL = frozenset("0123456789abcdef")
_CANDIDATES_NAMED = 5


class UnknownTraceError(StoreError):
    """No trace in the store has that id."""


class AmbiguousTraceError(StoreError):
    """The ids of several traces begin like that."""


class Store:
    """The traces that were recorded on this machine. Reading changes nothing and keeps no writer waiting.

    Args:
        path: The store's file, or None for `default_store_path`. It need not exist.

    Raises:
        ValueError: If no path is given and this user has no home folder.

    Example:
        >>> store = Store()
        >>> [newest] = store.traces(limit=1)
        >>> for span in store.spans(newest.trace_id):
        ...     print(span.kind, span.name)
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path: Path = absolute_store_path(path)
        """The store's file."""

    def traces(self, limit: int = 20, project: str | None = None, *, with_carriers: bool = True) -> list[TraceSummary]:
        """The latest traces, the newest first: those whose first span started last.

        Args:
            limit: How many at most.
            project: Only traces that have a span in this project; None for all.
            with_carriers: Whether traces count that are nothing but annotations of other traces.

        Raises:
            ValueError: If ``limit`` is less than 1.
            StoreError: If the store can't be read.
        """
        if limit < 1:
            raise ValueError(f"limit is {limit}: ask for one trace or more")
        with open_to_read(self.path) as connection:
            if connection is None:
                return []
            found = _newest(connection, limit, project, with_carriers)
            return [_summary(connection, trace_id) for trace_id in found]

    def spans(self, trace: str) -> list[SpanRecord]:
        """All spans of one trace in the order they started.

        Args:
            trace: The trace's id in hexadecimal, or as much of its beginning as no other has.

        Raises:
            UnknownTraceError: If there is no such trace.
            AmbiguousTraceError: If there are several.
            StoreError: If the store can't be read.
        """
        with open_to_read(self.path) as connection:
            if connection is None:
                raise UnknownTraceError(f"no trace {trace}: nothing is recorded in {self.path}")
            trace_id = _find(connection, trace, self.path)
            return [rows.read_span(row) for row in connection.execute(rows.SELECT_SPANS, (trace_id,))]

    def carriers(self, spans: Sequence[SpanRecord]) -> list[SpanRecord]:
        """The spans of other traces that carry annotations of one trace or of its sessions, in the order they started.

        Of the traces that started after that one, ten thousand are looked at: those right after it, and the newest.

        Args:
            spans: All spans of the trace.

        Raises:
            StoreError: If the store can't be read.
        """
        with open_to_read(self.path) as connection:
            return [] if connection is None or not spans else carriers.find(connection, spans)


def _newest(connection: sqlite3.Connection, limit: int, project: str | None, with_carriers: bool) -> list[str]:
    conditions, parameters = [], []
    if project is not None:
        conditions.append("project = ?")
        parameters.append(project)
    if not with_carriers:
        conditions.append(f"NOT ({carriers.IS_CARRIER})")
    counted = "" if not conditions else "WHERE EXISTS (SELECT 1 FROM spans WHERE spans.trace_id = traces.trace_id AND "
    counted += " AND ".join(conditions) + (")" if conditions else "")
    query = f"SELECT trace_id FROM traces {counted} ORDER BY start_time DESC, trace_id LIMIT ?"  # noqa: S608
    return [trace_id for (trace_id,) in connection.execute(query, (*parameters, limit))]


def _find(connection: sqlite3.Connection, trace: str, path: Path) -> str:
    prefix = trace.strip().lower().removeprefix("0x").replace("-", "")
    if not prefix or not _HEXADECIMAL.issuperset(prefix):
        raise UnknownTraceError(f"{trace!r} is not a trace id: those are hexadecimal, such as 4bf92f35")
    # "g" comes after every hexadecimal digit, so this is every id that begins so, by the index.
    found = [
        trace_id
        for (trace_id,) in connection.execute(
            "SELECT trace_id FROM traces WHERE trace_id >= ? AND trace_id < ? LIMIT ?",
            (prefix, prefix + "g", _CANDIDATES_NAMED + 1),
        )
    ]
    if not found:
        raise UnknownTraceError(
            f"no trace begins with {prefix}: `agenttrace list{store_option(path)}` shows those there are"
        )
    if len(found) > 1:
        named = ", ".join(found[:_CANDIDATES_NAMED]) + (", …" if len(found) > _CANDIDATES_NAMED else "")
        raise AmbiguousTraceError(f"{prefix} is the beginning of several traces: {named}")
    return str(found[0])


def _summary(connection: sqlite3.Connection, trace_id: str) -> TraceSummary:
    # The columns that stand before the JSON: SQLite reads a row from its beginning, and of these only the first pages.
    found = connection.execute(
        """
        SELECT trace_id, span_id, parent_id, name, start_time, end_time, status,
            kind, project, prompt_tokens, completion_tokens, total_tokens
        FROM spans WHERE trace_id = ? ORDER BY start_time, id
        """,
        (trace_id,),
    )
    return summarise([_outline(*row) for row in found])


def _outline(*row: Any) -> SpanRecord:
    trace_id, span_id, parent_id, name, start_time, end_time, status, *derived = row
    names = (
        SpanAttributes.OPENINFERENCE_SPAN_KIND,
        ResourceAttributes.PROJECT_NAME,
        SpanAttributes.LLM_TOKEN_COUNT_PROMPT,
        SpanAttributes.LLM_TOKEN_COUNT_COMPLETION,
        SpanAttributes.LLM_TOKEN_COUNT_TOTAL,
    )
    values = dict(zip(names, derived, strict=True))
    resource = {ResourceAttributes.PROJECT_NAME: values.pop(ResourceAttributes.PROJECT_NAME)}
    return SpanRecord(
        trace_id, span_id, parent_id, name, start_time, end_time, status=status, attributes=values, resource=resource
    )
