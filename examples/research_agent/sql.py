"""From a goal to SQL, and from the table's definition to the column that a word of the question means."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .question import Condition, Query

SCHEMA_QUERY = "SELECT sql FROM sqlite_master WHERE name = 'earthquakes'"
REGIONS_QUERY = "SELECT DISTINCT region FROM earthquakes ORDER BY region"


def write_sql(query: Query, columns: Mapping[str, str]) -> str:
    """The SELECT for ``query``; ``columns`` says what the question's words are called in the table, if known."""
    measure = columns.get(query.measure, query.measure)
    where = f" WHERE {' AND '.join(_condition(one, columns) for one in query.conditions)}" if query.conditions else ""
    end = f"FROM earthquakes{where}"
    order = "DESC" if query.descending else "ASC"
    if query.kind == "count":
        return f"SELECT count(*) AS earthquakes {end}"
    if query.kind in ("avg", "sum"):
        return f"SELECT round({query.kind}({measure}), 2) AS {query.kind}, count(*) AS earthquakes {end}"
    if query.kind == "groups":
        group = "date(time) AS day" if query.group == "day" else query.group
        value = f"round(avg({measure}), 2) AS average" if measure else "count(*) AS earthquakes"
        return f"SELECT {group}, {value} {end} GROUP BY 1 ORDER BY 2 {order}, 1 LIMIT {query.limit}"
    order = "DESC" if query.kind == "top" else "ASC"
    return f"SELECT {measure}, place, time {end} ORDER BY {measure} {order}, time LIMIT {query.limit}"


def read_columns(definition: str, words: set[str]) -> dict[str, str]:
    """Which column of the CREATE TABLE text each of ``words`` stands for.

    A column of that very name comes first, then one whose comment has the word, then one whose name begins it.
    """
    found = {}
    described = re.findall(r"^\s*(\w+) [A-Z]+,?\s*(?:--\s*(.*))?$", definition, re.MULTILINE)
    for word in words:
        ranked = [
            next((name for name, _ in described if name == word), None),
            next((name for name, comment in described if word in re.findall(r"\w+", comment)), None),
            next((name for name, _ in described if word.startswith(name.lower())), None),
        ]
        if column := next((name for name in ranked if name), None):
            found[word] = column
    return found


def words_of(query: Query) -> set[str]:
    """The question's words that ``query`` uses as columns."""
    used = {query.measure, *(condition.column for condition in query.conditions)}
    return used - {"", "month and day", "region"}


def _condition(condition: Condition, columns: Mapping[str, str]) -> str:
    if condition.column == "month and day":
        return f"strftime('%m-%d', time) = {_literal(condition.value)}"
    if condition.column == "region" and condition.operator == "=":
        return f"region = {_literal(condition.value)} COLLATE NOCASE"
    column = columns.get(condition.column, condition.column)
    return f"{column} {condition.operator} {_literal(condition.value)}"


def _literal(value: str | float) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"{value:g}"
