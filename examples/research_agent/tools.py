"""The agent's three tools. Each is a plain function with a mark on it; a tool that fails simply raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agenttrace import trace_retriever, trace_tool

from .arithmetic import evaluate
from .database import run_query
from .notes import find_paragraphs


@trace_tool
def query_data(sql: str) -> dict[str, Any]:
    """Run one SQLite SELECT on the table earthquakes (31 January to 7 February 2018, magnitude 2 and more).

    Args:
        sql: The statement. Read the table's definition in sqlite_master for its columns.
    """
    return run_query(sql)


@trace_tool
def compute(expression: str) -> float:
    """Compute an arithmetic expression in Python's notation.

    Args:
        expression: Numbers, + - * / % **, brackets, and abs exp log log10 max min round sqrt.
    """
    return evaluate(expression)


@trace_retriever
def search_notes(query: str) -> list[dict[str, Any]]:
    """Find paragraphs about earthquakes in general: what terms mean, why things happen, formulas.

    Args:
        query: What to look for, in a few words.
    """
    return [
        {"id": paragraph.identifier, "title": paragraph.title, "text": paragraph.text, "score": round(score, 3)}
        for paragraph, score in find_paragraphs(query)
    ]


TOOLS: dict[str, Callable[..., Any]] = {
    "query_data": query_data,
    "compute": compute,
    "search_notes": search_notes,
}


def describe_tools() -> list[dict[str, Any]]:
    """The tools as the chat completions API wants them described."""
    return [_describe(name, function) for name, function in TOOLS.items()]


def _describe(name: str, function: Callable[..., Any]) -> dict[str, Any]:
    description, _, arguments = (function.__doc__ or "").partition("Args:")
    parameter, _, meaning = arguments.strip().partition(": ")
    schema = {
        "type": "object",
        "properties": {parameter: {"type": "string", "description": meaning}},
        "required": [parameter],
    }
    return {"type": "function", "function": {"name": name, "description": description.strip(), "parameters": schema}}
