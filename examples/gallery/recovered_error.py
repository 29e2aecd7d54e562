"""Errors that an agent recovers from: the tool's span failed, the agent's did not."""

from __future__ import annotations

from checked import checked_run

from agenttrace import current_span, trace_agent, trace_step, trace_tool

ROOMS = {"Bristol": 2, "Grand": 0}


class FullError(Exception):
    """The hotel has no room left."""


@trace_tool
def book(hotel: str) -> str:
    """Book a room; the exception goes on to the caller as it is, and is an event of this span."""
    if not ROOMS[hotel]:
        raise FullError(f"{hotel} has no room left")
    return f"a room at {hotel}"


@trace_agent
def travel_agent(hotels: list[str]) -> str:
    """Book the first hotel that has a room."""
    for hotel in hotels:
        with trace_step(f"try {hotel}") as step:
            try:
                return book(hotel)
            except FullError as error:
                step.record_exception(error)  # on record here, too; the step itself did its work
                step.set_output("full")
    current_span().set_status("error", "all hotels are full")  # a failure that raises nothing
    return "nothing"


with checked_run():
    print(travel_agent(["Grand", "Bristol"]))
    print(travel_agent(["Grand"]))
