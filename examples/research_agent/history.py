"""What a conversation has brought so far: the tool calls that were made for each goal, and what came back."""

from __future__ import annotations

import difflib
import json
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

from .messages import Message, ToolCall
from .question import Calculation, Condition, Goal, Lookup, Query, understand
from .sql import REGIONS_QUERY, SCHEMA_QUERY, read_columns, words_of, write_sql


@dataclass(frozen=True)
class Attempt:
    """One tool call for a goal: its one argument, and its result or its error."""

    argument: str
    result: Any
    error: str


class History:
    """The messages, read with a goal in mind. Calls carry the number of their goal in their id: ``goal-2-call-1``."""

    def __init__(self, messages: list[Message]) -> None:
        self.goals = understand(next((one.get("content") or "" for one in messages if one["role"] == "user"), ""))
        self._attempts: dict[int, list[Attempt]] = defaultdict(list)
        results = {one["tool_call_id"]: one.get("content") or "null" for one in messages if one["role"] == "tool"}
        for call in (call for one in messages for call in one.get("tool_calls") or []):
            if call["id"] in results:
                self._attempts[int(call["id"].split("-")[1])].append(_read_attempt(call, results[call["id"]]))
        self._every = [attempt for attempts in self._attempts.values() for attempt in attempts]

    def attempts(self, goal: Goal) -> list[Attempt]:
        """The calls that were made for ``goal``, oldest first."""
        return self._attempts[self.goals.index(goal) + 1]

    def call(self, goal: Goal, tool: str, parameter: str, argument: str) -> Message:
        """The message that asks for one more call for ``goal``."""
        number = f"goal-{self.goals.index(goal) + 1}-call-{len(self.attempts(goal)) + 1}"
        arguments = json.dumps({parameter: argument}, ensure_ascii=False)
        call: ToolCall = {"id": number, "type": "function", "function": {"name": tool, "arguments": arguments}}
        return {"role": "assistant", "content": None, "tool_calls": [call]}

    def definition(self) -> str | None:
        """The table's definition, if it was read."""
        rows = self._rows_of(SCHEMA_QUERY)
        return rows[0][0] if rows else None

    def variants(self, query: Query) -> list[tuple[Query, str]]:
        """The ways to put ``query`` in SQL, best first: more of them the more is known."""
        columns = read_columns(self.definition() or "", words_of(query))
        found = [query]
        place = next((one for one in query.conditions if one.column == "region"), None)
        regions = self._rows_of(REGIONS_QUERY)
        if place and regions:
            names = {row[0].lower(): row[0] for row in regions}
            close = difflib.get_close_matches(str(place.value).lower(), names, n=1, cutoff=0.75)
            found += [_moved(query, Condition("region", "=", names[name])) for name in close]
            found.append(_moved(query, Condition("place", "LIKE", f"%{place.value}%")))
        return [(variant, write_sql(variant, columns)) for variant in found]

    def rows(self, query: Query) -> tuple[Query, list[list[Any]]] | None:
        """The way of putting ``query`` that was tried last and worked, and its rows."""
        variants = {sql: variant for variant, sql in self.variants(query)}
        for attempt in reversed(self.attempts(query)):
            if attempt.argument in variants and not attempt.error:
                return variants[attempt.argument], attempt.result["rows"]
        return None

    def value(self, operand: Query | float) -> float | None:
        """The number that stands for ``operand`` in a calculation."""
        if isinstance(operand, float):
            return operand
        found = self.rows(operand)
        return found[1][0][0] if found and found[1] else None

    def formula(self, lookup: Lookup) -> str | None:
        """The formula between backticks, of exactly the wanted variables, in what was read for ``lookup``."""
        for attempt in self.attempts(lookup):
            for paragraph in [] if attempt.error else attempt.result:
                for formula in re.findall(r"`([^`]+)`", paragraph["text"]):
                    if set(re.findall(r"[A-Z]\w*", formula)) == lookup.formula_of:
                        return str(formula)
        return None

    def expression(self, calculation: Calculation) -> str | None:
        """What to compute for ``calculation``, or None while something that it needs is missing."""
        values = [self.value(operand) for operand in calculation.operands]
        if any(value is None for value in values):
            return None
        if calculation.kind == "difference":
            return f"{values[0]} - {values[1]}"
        if calculation.kind == "share":
            return f"100 * {values[0]} / {values[1]}"
        formula = self.formula(calculation.formula) if calculation.formula else None
        if formula is None:
            return None
        names = dict(zip(["M"] if len(values) == 1 else ["M1", "M2"], values, strict=True))
        return re.sub(r"M\d?", lambda match: str(names[match[0]]), formula)

    def _rows_of(self, sql: str) -> list[list[Any]]:
        results = [attempt.result["rows"] for attempt in self._every if attempt.argument == sql and not attempt.error]
        return results[0] if results else []


def is_empty(rows: list[list[Any]]) -> bool:
    """Whether ``rows`` say that nothing matched: none at all, a count of 0, or the average of nothing."""
    return not rows or rows[0][0] is None or (rows[0][0] == 0 and len(rows[0]) == 1)


def _moved(query: Query, place: Condition) -> Query:
    return replace(query, conditions=tuple(place if one.column == "region" else one for one in query.conditions))


def _read_attempt(call: ToolCall, content: str) -> Attempt:
    (argument,) = json.loads(call["function"]["arguments"]).values()
    result = json.loads(content)
    return Attempt(argument, result, result.get("error", "") if isinstance(result, dict) else "")
