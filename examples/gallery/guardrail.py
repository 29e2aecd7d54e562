"""Guardrails: what is let through, what is stopped, and why."""

from __future__ import annotations

from typing import Any

from checked import checked_run

from agenttrace import trace_agent, trace_guardrail

FORBIDDEN = ("password", "passport number")


@trace_guardrail
def may_ask(question: str) -> dict[str, Any]:
    """Whether ``question`` may be answered; a guardrail that answers no has worked, so its span is no error."""
    found = [word for word in FORBIDDEN if word in question.lower()]
    return {"allowed": not found, "because": f"asks for a {found[0]}" if found else None}


@trace_agent
def assistant(question: str) -> str:
    """Answer what may be asked."""
    if not may_ask(question)["allowed"]:
        return "I can't help with that."
    return "It rains in Oslo."


with checked_run():
    print(assistant("What is the weather in Oslo?"))
    print(assistant("What is Ann's passport number?"))
