"""Spans on their way into the local store: the rows that they make, each resource and each trace once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agenttrace import faults

from . import rows
from .records import record_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan


class Batch:
    """The rows of ``spans``, which are written together.

    A span without an end time is a running one. It takes the place of an earlier row of itself that is running too,
    and never of an ended one's.

    Args:
        spans: Spans of OpenTelemetry's SDK. One that can't be read is reported and left out.
    """

    def __init__(self, spans: Sequence[ReadableSpan]) -> None:
        self.spans: list[tuple[Any, ...]] = []
        """The rows of the spans that could be read."""
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
            faults.contain("reading a span for the local store", error)
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
