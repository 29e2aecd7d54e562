"""The store's tables, and how a file gets from one version of them to the next.

`MIGRATIONS` only ever grows at its end: the file's ``user_version`` says how many of them it has had. Spans that are
still running need no new table: they are rows of ``spans`` without an ``end_time``, which the ended span replaces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

APPLICATION_ID = 0x41675472
"""``AgTr``: stands in the header of each of our files (SQLite's ``application_id``), so that others' aren't touched."""

APPLICATION_ID_OFFSET = 68
"""Where in a database file SQLite keeps it, four bytes, big-endian (https://sqlite.org/fileformat.html)."""

_FIRST = (
    # A process's resource is the same on each of its spans, so it is kept once, under a hash of its text.
    """
    CREATE TABLE resources (
        digest TEXT PRIMARY KEY,
        attributes TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    # kind, project and the token counts repeat what the JSON says, for lists that read no JSON.
    """
    CREATE TABLE spans (
        id INTEGER PRIMARY KEY,
        trace_id TEXT NOT NULL,
        span_id TEXT NOT NULL,
        parent_id TEXT,
        name TEXT NOT NULL,
        kind TEXT,
        project TEXT NOT NULL,
        start_time INTEGER NOT NULL,
        end_time INTEGER,
        status TEXT NOT NULL,
        status_description TEXT,
        prompt_tokens INTEGER,
        completion_tokens INTEGER,
        total_tokens INTEGER,
        otel_kind TEXT NOT NULL,
        scope_name TEXT NOT NULL,
        scope_version TEXT NOT NULL,
        dropped_attributes INTEGER NOT NULL,
        resource TEXT NOT NULL,
        attributes TEXT NOT NULL,
        events TEXT NOT NULL,
        links TEXT NOT NULL,
        UNIQUE (trace_id, span_id)
    )
    """,
    # One row a trace, so that the newest are found without a look at every span. Nothing is counted here: a first
    # start can be written twice without harm, a count could not.
    """
    CREATE TABLE traces (
        trace_id TEXT PRIMARY KEY,
        start_time INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX traces_by_start ON traces (start_time, trace_id)",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST,)

VERSION = len(MIGRATIONS)
"""The version of the tables that this code reads and writes."""


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring the tables from ``version`` to `VERSION`. The caller holds the write transaction and commits."""
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
