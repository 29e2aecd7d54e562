"""The earthquakes of ``data/earthquakes.csv`` in an in-memory SQLite database that can only be read."""

from __future__ import annotations

import csv
import sqlite3
from functools import lru_cache
from pathlib import Path
from typing import Any

CSV_FILE = Path(__file__).resolve().parent.parent / "data" / "earthquakes.csv"

MAX_ROWS = 100
MAX_STEPS = 5_000_000

TABLE = """CREATE TABLE earthquakes (
    id TEXT,         -- USGS identifier
    time TEXT,       -- UTC, as 2018-01-31 02:00:31
    latitude REAL,   -- degrees, south is negative
    longitude REAL,  -- degrees, west is negative
    depth REAL,      -- kilometres below the surface
    mag REAL,        -- magnitude
    magType TEXT,    -- scale that the size was measured on
    felt INTEGER,    -- number of reports by people
    place TEXT,      -- where, as 22km NNE of Hualian, Taiwan
    region TEXT      -- country, state or sea
)"""

_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}


def run_query(sql: str) -> dict[str, Any]:
    """The columns and at most 100 rows of one SELECT.

    Raises:
        sqlite3.Error: SQLite's own error: a column that doesn't exist, a syntax error, a statement that writes.
    """
    cursor = _database().execute(sql)
    rows = cursor.fetchmany(MAX_ROWS + 1)
    result: dict[str, Any] = {
        "columns": [column[0] for column in cursor.description or ()],
        "rows": [list(row) for row in rows[:MAX_ROWS]],
    }
    if len(rows) > MAX_ROWS:
        result["note"] = f"only the first {MAX_ROWS} rows are shown"
    return result


@lru_cache(maxsize=1)
def _database() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:", check_same_thread=False)
    database.execute(TABLE)
    with CSV_FILE.open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    database.executemany("INSERT INTO earthquakes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    database.commit()
    # A model writes the SQL: it may read and nothing else, and not for ever.
    database.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY)
    database.set_progress_handler(lambda: 1, MAX_STEPS)
    return database
