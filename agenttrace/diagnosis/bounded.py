"""Waiting for something that has no time limit of its own, but not for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["within"]

_Result = TypeVar("_Result")


def within(seconds: float, call: Callable[[], _Result]) -> _Result:
    """What ``call`` returns or raises, if it does so in time; else it is left behind in a thread that nobody waits for.

    For the resolver, which nothing bounds, and for answers that trickle in, since a socket's time limit starts anew
    with each byte.

    Args:
        seconds: How long to wait.
        call: Takes no argument.

    Raises:
        TimeoutError: If it takes longer.
    """
    results: list[_Result] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(call())
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="agenttrace-diagnosis", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError
    return results[0]
