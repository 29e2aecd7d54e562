"""Many rows by few statements: each statement gives the interpreter to other threads, and waits to get it back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

MOST_PARAMETERS = 999
"""How many ``?`` every SQLite takes in one statement; those from 3.32 on take more (https://sqlite.org/limits.html)."""


@dataclass(frozen=True)
class Insertion:
    """An ``INSERT`` that adds as many rows by one statement as SQLite takes.

    `sqlite3.Connection.executemany` runs a statement for each row. Beside a thread that computes without a pause each
    of them costs a switch interval or more (5 ms, `sys.setswitchinterval`), and a batch of 512 spans takes seconds.

    Args:
        table: The table, and its columns in brackets, with ``INSERT INTO`` in front.
        values: What each column is given, with one ``?`` in it: ``"?"`` or ``"CAST(? AS TEXT)"``.
        on_conflict: The clause for rows that are there already. Rows are added one after the other, so it holds for
            two of the same statement too.

    Example:
        >>> Insertion("INSERT INTO traces (trace_id, start_time)", ("?", "?")).statement(2)
        'INSERT INTO traces (trace_id, start_time) VALUES (?, ?), (?, ?) '
    """

    table: str
    values: tuple[str, ...]
    on_conflict: str = ""

    def statement(self, count: int) -> str:
        """The SQL text that adds ``count`` rows."""
        row = f"({', '.join(self.values)})"
        return f"{self.table} VALUES {', '.join([row] * count)} {self.on_conflict}"

    def add(self, connection: sqlite3.Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Add ``rows``, in order; the caller commits."""
        at_once = MOST_PARAMETERS // len(self.values)
        waiting = iter(rows)
        while some := list(islice(waiting, at_once)):
            connection.execute(self.statement(len(some)), list(chain.from_iterable(some)))
