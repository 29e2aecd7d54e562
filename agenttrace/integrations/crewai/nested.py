"""Messages and tools as they were before CrewAI put them into its events.

It writes what is nested deeper than five levels as its ``repr``: of a message's tool call the name and the arguments,
of a tool's schema the parameters.
"""

from __future__ import annotations

from ast import literal_eval
from typing import Any

__all__ = ["restored"]

_DEEPEST = 5
_LONGEST = 1_000_000  # characters that are read again; an image's are more


def restored(value: Any, depth: int = 0) -> Any:
    """``value`` with what was written as its ``repr`` made what it was, where it can be.

    Args:
        value: Messages or tools of an event.
        depth: How deep in these it is.
    """
    if depth < _DEEPEST:
        if isinstance(value, dict):
            return {key: restored(item, depth + 1) for key, item in value.items()}
        return [restored(item, depth + 1) for item in value] if isinstance(value, list) else value
    if not isinstance(value, str) or len(value) > _LONGEST or value[:1] not in ("'", '"', "{", "["):
        return value
    try:
        return literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value
