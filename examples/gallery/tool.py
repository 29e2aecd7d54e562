"""Tools: name, description and parameters are read from the function, or said where a model's calls are carried out."""

from __future__ import annotations

import json
from typing import Any, Literal

from checked import checked_run

from agenttrace import trace_tool


@trace_tool
def convert(amount: float, currency: Literal["EUR", "NOK"] = "NOK") -> dict[str, Any]:
    """Convert US dollars.

    Args:
        amount: How many dollars.
        currency: What they become.
    """
    rate = {"EUR": 0.9, "NOK": 10.5}[currency]
    return {"amount": round(amount * rate, 2), "currency": currency}


@trace_tool(name="book_room", description="Books a room for one night.", exclude_args=["card"])
def book(hotel: str, card: str) -> str:
    """What the model is told stands above, and so that is recorded; the card is not."""
    return f"{hotel}: booked"


def search(query: str) -> list[str]:
    """Search the travel guides; a function of somebody else's, which has no mark."""
    return [f"{query}: page 12"]


def run_tool(call: dict[str, Any]) -> Any:
    """Carry out a model's tool call: the span has the call's id, so that request and result are found together."""
    function = call["function"]
    arguments = json.loads(function["arguments"])
    with trace_tool(function["name"], input=arguments) as span:
        span.set_tool(id=call["id"])
        result = {"search": search}[function["name"]](**arguments)
        span.set_output(result)
    return result


with checked_run():
    print(convert(20, currency="EUR"))
    print(book("Hotel Bristol", card="4111 1111 1111 1111"))
    print(run_tool({"id": "call_1", "function": {"name": "search", "arguments": '{"query": "Oslo"}'}}))
