"""What each step of a diagnosis comes to: fine, wrong, or not looked at, and one line about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

__all__ = ["Finding", "State", "contained", "failed", "ok", "skipped"]


class State(Enum):
    """How a step ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One step of a diagnosis.

    Args:
        step: What was looked at, in a word or two.
        state: How it ended.
        text: What was found; where something is wrong, what to do about it. One line, without secrets.
    """

    step: str
    state: State
    text: str


def ok(step: str, text: str) -> Finding:
    """A step that found everything in order."""
    return Finding(step, State.OK, text)


def failed(step: str, text: str) -> Finding:
    """A step that found something wrong; ``text`` says what to do."""
    return Finding(step, State.FAILED, text)


def skipped(step: str, text: str) -> Finding:
    """A step that wasn't taken, or whose result says nothing; ``text`` says why."""
    return Finding(step, State.SKIPPED, text)


def contained(step: str, look: Callable[[], Finding]) -> Finding:
    """What ``look`` finds. A fault in it is a finding too, so that the steps after it are still taken.

    Args:
        step: What is looked at.
        look: Takes the step.
    """
    try:
        return look()
    except Exception as error:
        # The error's own text may quote a header or a URL with a key in it.
        return failed(step, f"looking at it failed with {type(error).__name__}; the other steps may tell more")
