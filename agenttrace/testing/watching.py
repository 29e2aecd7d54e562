"""Seeing the spans of every capture that a test makes, which is how the pytest plugin checks them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

# A test runner runs one test at a time in a process, so one list is enough: the spans of a test's threads go there too.
_seen: list[ReadableSpan] | None = None


def watch() -> list[ReadableSpan]:
    """A list that every span goes into that ends in a capture from now on, until another is asked for."""
    global _seen
    _seen = []
    return _seen


def stop_watching() -> None:
    """Let captures' spans go nowhere but to the captures."""
    global _seen
    _seen = None


def show(span: ReadableSpan) -> None:
    """Hand ``span``, which ended in a capture, to whoever watches."""
    seen = _seen
    if seen is not None:
        seen.append(span)
