"""The rules' own words: what a goal is, and what was found for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .history import History, is_empty
from .question import Calculation, Goal, Lookup, Query
from .vocabulary import MONTHS

_UNITS = {"depth": " km", "felt": " reports", "latitude": "°", "longitude": "°"}
_EXTREMES = {
    ("magnitude", "top"): "strongest",
    ("magnitude", "bottom"): "weakest",
    ("depth", "top"): "deepest",
    ("depth", "bottom"): "shallowest",
    ("felt", "top"): "most widely felt",
    ("latitude", "top"): "northernmost",
    ("latitude", "bottom"): "southernmost",
    ("longitude", "top"): "easternmost",
    ("longitude", "bottom"): "westernmost",
    ("time", "top"): "latest",
    ("time", "bottom"): "earliest",
}


def describe(goal: Goal) -> str:
    """``goal`` as a line of a plan."""
    if isinstance(goal, Lookup):
        return f"Look up in the notes: {goal.topic}"
    if isinstance(goal, Calculation):
        return {
            "energy": "Compute the energy by the formula from the notes",
            "difference": "Compute the difference",
            "share": "Compute the share in per cent",
        }[goal.kind]
    return f"Query the data: {_subject(goal)}"


def answer(history: History) -> str:
    """What was found, one sentence or two for each goal."""
    sentences = [_answer_goal(goal, history) for goal in history.goals]
    return " ".join(sentence for sentence in sentences if sentence) or "I can't tell what is asked."


def _answer_goal(goal: Goal, history: History) -> str:
    if isinstance(goal, Lookup):
        return _answer_lookup(goal, history)
    if isinstance(goal, Calculation):
        return _answer_calculation(goal, history)
    found = history.rows(goal)
    if found is None:
        errors = [attempt.error for attempt in history.attempts(goal) if attempt.error]
        return f"I could not query {_subject(goal)} ({errors[-1] if errors else 'not tried'})."
    query, rows = found
    if is_empty(rows):
        return f"The data has no {_earthquakes(goal)}."
    return _answer_query(query, rows)


def _answer_query(query: Query, rows: list[list[Any]]) -> str:
    subject = _subject(query)
    if query.kind == "count":
        return f"There {'was 1' if rows[0][0] == 1 else f'were {rows[0][0]}'} {_earthquakes(query, rows[0][0])}."
    unit = "" if query.measure == "felt" else _UNITS.get(query.measure, "")
    if query.kind in ("avg", "sum"):
        return f"The {subject} was {_number(rows[0][0])}{unit} ({rows[0][1]} of them)."
    if query.kind == "groups":
        return f"The {subject}: " + ", ".join(f"{name} ({_number(value)}{unit})" for name, value in rows) + "."
    subject = _subject(replace(query, limit=len(rows)))
    return f"The {subject}: " + "; ".join(_event(query, *row) for row in rows) + "."


def _answer_lookup(lookup: Lookup, history: History) -> str:
    paragraphs = [paragraph for attempt in history.attempts(lookup) for paragraph in attempt.result or []]
    if lookup.formula_of:
        return "" if history.formula(lookup) else "The notes have no formula for that."
    if not paragraphs:
        return f"Neither the data nor the notes say anything on this: {lookup.topic.rstrip('?')}."
    return f"{paragraphs[0]['text']} (notes: {paragraphs[0]['id']})"


def _answer_calculation(calculation: Calculation, history: History) -> str:
    attempts = history.attempts(calculation)
    if not attempts or attempts[-1].error:
        reason = attempts[-1].error if attempts else "a value is missing"
        return f"I could not compute the {calculation.kind} ({reason})."
    value = float(attempts[-1].result)
    if calculation.kind == "share":
        return f"That is {value:.1f} %."
    if calculation.kind == "difference":
        query = calculation.operands[0]
        return f"The difference is {_number(value)}{_UNITS.get(query.measure, '') if isinstance(query, Query) else ''}."
    if len(calculation.operands) == 1:
        return f"That magnitude means about {value:.2g} joules of seismic energy."
    return f"The first released about {_number(value)} times the energy of the second."


def _subject(query: Query) -> str:
    if query.kind == "count":
        return f"number of {_earthquakes(query)}"
    if query.kind in ("avg", "sum"):
        name = {"felt": "number of felt reports"}.get(query.measure, query.measure)
        return f"{'average' if query.kind == 'avg' else 'total'} {name} of {_earthquakes(query)}"
    if query.kind == "groups":
        what = f"{'highest' if query.descending else 'lowest'} average {query.measure} of" if query.measure else ""
        what = what or ("most" if query.descending else "fewest")
        return f"{query.group}{'s' if query.limit > 1 else ''} with the {what} {_earthquakes(query)}"
    extreme = _EXTREMES.get((query.measure, query.kind), f"{query.kind} {query.measure}")
    number = f"{query.limit} " if query.limit > 1 else ""
    return f"{number}{extreme} {_earthquakes(query, query.limit)}"


def _earthquakes(query: Query, count: int = 2) -> str:
    words = "earthquake" if count == 1 else "earthquakes"
    link = "with"
    for condition in query.conditions:
        if condition.column == "region":
            words += f" in {condition.value}"
        elif condition.column == "place":
            words += f" at places named {str(condition.value).strip('%')}"
        elif condition.column == "month and day":
            month, day = str(condition.value).split("-")
            words += f" on {int(day)} {MONTHS.split('|')[int(month) - 1].capitalize()}"
        else:
            unit = _UNITS.get(condition.column, "")
            words += f" {link} {condition.column} {condition.operator} {_number(condition.value)}{unit}"
            link = "and"
    return words


def _event(query: Query, value: Any, place: str, time: str) -> str:
    measured = "" if query.measure == "time" else f"{query.measure} {_number(value)}{_UNITS.get(query.measure, '')}, "
    return f"{measured}{place}, {time} UTC"


def _number(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, float) and abs(value) < 1000 else f"{value:,.0f}"
