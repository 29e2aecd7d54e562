"""The model for when no endpoint is configured: rules that decide from the question and from what the tools returned.

Nothing about any one question is written down here. The rules don't know the table's columns: they use the question's
own words, and where SQLite says that there is no such column they read the table's definition and choose again. They
keep nothing between calls either: like a language model they see the messages and say what comes next.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openinference.semconv.trace import SpanAttributes

from agenttrace import trace_llm

from .answers import answer, describe
from .history import History, is_empty
from .messages import Message
from .question import Goal, Lookup, Query
from .sql import REGIONS_QUERY, SCHEMA_QUERY

_SPAN = {SpanAttributes.LLM_MODEL_NAME: "rules"}


class RuleModel:
    """A ``Model`` that needs no network."""

    @trace_llm(name="plan", attributes=_SPAN)
    def plan(self, messages: list[Message]) -> str:
        """One line for each goal of the question."""
        goals = History(messages).goals
        return "\n".join(f"{number}. {describe(goal)}" for number, goal in enumerate(goals, 1))

    @trace_llm(name="decide", attributes=_SPAN)
    def decide(self, messages: list[Message], tools: list[dict[str, Any]]) -> Message:
        """The call that brings the first open goal forward, or READY when none is open."""
        return decide_next(messages)

    @trace_llm(name="write", attributes=_SPAN)
    def write(self, messages: list[Message]) -> Iterator[str]:
        """What was found for each goal, word by word."""
        words = answer_from(messages).split(" ")
        yield words[0]
        for word in words[1:]:
            yield f" {word}"


def decide_next(messages: list[Message]) -> Message:
    """One tool call, or READY."""
    history = History(messages)
    for goal in history.goals:
        if (call := _next_call(goal, history)) is not None:
            return call
    return {"role": "assistant", "content": "READY"}


def answer_from(messages: list[Message]) -> str:
    """What the conversation found out, in words."""
    return answer(History(messages))


def _next_call(goal: Goal, history: History) -> Message | None:
    """The next call for ``goal``; None when it is reached, or nothing is left to try."""
    if isinstance(goal, Query):
        sql = _next_query(goal, history)
        return None if sql is None else history.call(goal, "query_data", "sql", sql)
    if history.attempts(goal):
        return None
    if isinstance(goal, Lookup):
        return history.call(goal, "search_notes", "query", goal.topic)
    expression = history.expression(goal)
    return None if expression is None else history.call(goal, "compute", "expression", expression)


def _next_query(query: Query, history: History) -> str | None:
    attempts = history.attempts(query)
    tried = {attempt.argument for attempt in attempts}
    untried = [sql for _, sql in history.variants(query) if sql not in tried]
    if not attempts:
        return untried[0]
    if "no such column" in attempts[-1].error and history.definition() is None:
        return SCHEMA_QUERY
    found = history.rows(query)
    if found is None:
        return untried[0] if untried else None
    if not is_empty(found[1]) or not any(one.column == "region" for one in query.conditions):
        return None
    # Nothing there: perhaps the place is spelled in another way, or is no region but a town.
    if not untried and REGIONS_QUERY not in tried and found[0] == query:
        return REGIONS_QUERY
    return untried[0] if untried else None
