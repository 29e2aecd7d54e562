"""Spans as rows of the store and back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from .database import as_text
from .insertion import Insertion
from .records import EventRecord, LinkRecord, SpanRecord
from .values import dump_json, load_json, original_attributes, plain_attributes

if TYPE_CHECKING:
    from collections.abc import Mapping

_COLUMNS = (
    "trace_id",
    "span_id",
    "parent_id",
    "name",
    "kind",
    "project",
    "start_time",
    "end_time",
    "status",
    "status_description",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "otel_kind",
    "scope_name",
    "scope_version",
    "dropped_attributes",
    "resource",
    "attributes",
    "events",
    "links",
)
# Those that take a program's own words, which may hold lone surrogates.
_FREE_TEXTS = frozenset({"name", "kind", "project", "status_description", "scope_name", "scope_version"})

INSERT_SPANS = Insertion(
    f"INSERT INTO spans ({', '.join(_COLUMNS)})",
    tuple("CAST(? AS TEXT)" if column in _FREE_TEXTS else "?" for column in _COLUMNS),
    f"""
    ON CONFLICT (trace_id, span_id) DO UPDATE
    SET {", ".join(f"{column} = excluded.{column}" for column in _COLUMNS)}
    WHERE spans.end_time IS NULL
    """,  # noqa: S608 - made of the names above
)
"""Adds spans, or ends those that were there as running; a span that had ended stays as it was first delivered."""

INSERT_TRACES = Insertion(
    "INSERT INTO traces (trace_id, start_time)",
    ("?", "?"),
    """
    ON CONFLICT (trace_id) DO UPDATE SET start_time = excluded.start_time
    WHERE excluded.start_time < traces.start_time
    """,
)

INSERT_RESOURCES = Insertion("INSERT OR IGNORE INTO resources (digest, attributes)", ("?", "?"))

READ_COLUMNS = ", ".join(
    (
        *(f"spans.{column}" for column in _COLUMNS[:-4]),
        "resources.attributes, spans.attributes, spans.events, spans.links",
    )
)
"""What `read_span` takes, where `JOIN_RESOURCES` is joined to the spans."""

JOIN_RESOURCES = "LEFT JOIN resources ON resources.digest = spans.resource"

SELECT_SPANS = f"""
    SELECT {READ_COLUMNS} FROM spans {JOIN_RESOURCES}
    WHERE trace_id = ? ORDER BY start_time, id
"""  # noqa: S608 - made of the names above


def span_row(span: SpanRecord, resource_digest: str) -> tuple[Any, ...]:
    """``span`` as a row for `INSERT_SPANS`."""
    tokens = span.tokens
    return (
        span.trace_id,
        span.span_id,
        span.parent_id,
        as_text(span.name),
        None if span.kind is None else as_text(span.kind),
        as_text(span.project),
        span.start_time,
        span.end_time,
        span.status,
        None if span.status_description is None else as_text(span.status_description),
        tokens.prompt,
        tokens.completion,
        tokens.total,
        span.otel_kind,
        as_text(span.scope_name),
        as_text(span.scope_version),
        span.dropped_attributes,
        resource_digest,
        dump_json(plain_attributes(span.attributes)),
        _dump_events(span.events),
        _dump_links(span.links),
    )


def resource_row(attributes: Mapping[str, Any]) -> tuple[str, str]:
    """A resource's attributes as a row for `INSERT_RESOURCES`: the digest of their text, and the text."""
    text = dump_json(plain_attributes(attributes))
    return hashlib.sha256(text.encode()).hexdigest(), text


def read_span(row: tuple[Any, ...]) -> SpanRecord:
    """A row of `READ_COLUMNS` as the span it was made from."""
    named = dict(zip(_COLUMNS, row, strict=True))
    return SpanRecord(
        trace_id=named["trace_id"],
        span_id=named["span_id"],
        parent_id=named["parent_id"],
        name=named["name"],
        start_time=named["start_time"],
        end_time=named["end_time"],
        otel_kind=named["otel_kind"],
        status=named["status"],
        status_description=named["status_description"],
        attributes=original_attributes(load_json(named["attributes"])),
        events=_load_events(named["events"]),
        links=_load_links(named["links"]),
        resource=original_attributes(load_json(named["resource"] or "{}")),
        scope_name=named["scope_name"],
        scope_version=named["scope_version"],
        dropped_attributes=named["dropped_attributes"],
    )


def _dump_events(events: tuple[EventRecord, ...]) -> str:
    if not events:
        return "[]"
    return dump_json(
        [{"name": event.name, "time": event.time, "attributes": plain_attributes(event.attributes)} for event in events]
    )


def _load_events(text: str) -> tuple[EventRecord, ...]:
    return tuple(
        EventRecord(event["name"], event["time"], original_attributes(event["attributes"])) for event in load_json(text)
    )


def _dump_links(links: tuple[LinkRecord, ...]) -> str:
    if not links:
        return "[]"
    return dump_json(
        [
            {"trace_id": link.trace_id, "span_id": link.span_id, "attributes": plain_attributes(link.attributes)}
            for link in links
        ]
    )


def _load_links(text: str) -> tuple[LinkRecord, ...]:
    return tuple(
        LinkRecord(link["trace_id"], link["span_id"], original_attributes(link["attributes"]))
        for link in load_json(text)
    )
