"""What smolagents wraps answers in: types of its own for texts, pictures and sounds."""

from __future__ import annotations

from typing import Any

from smolagents.agent_types import AgentType

__all__ = ["unwrapped"]

_MOST_LAYERS = 10


def unwrapped(value: Any) -> Any:
    """What ``value`` was made of, if it is one of smolagents' types.

    Such an object for a picture has no size and no mode of its own, and to ask it for its text would write a file.
    """
    for _ in range(_MOST_LAYERS):
        if not isinstance(value, AgentType):
            break
        value = vars(value).get("_value")
    return value
