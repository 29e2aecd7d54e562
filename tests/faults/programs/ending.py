"""Ends 300 spans and then itself, in the way that it is told: ``ending SIGTERM``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from tests.faults.programs.parts import end_spans, say, set_up

COUNT = 300


def _by_signal(number: int) -> Callable[[], None]:
    def end() -> None:
        os.kill(os.getpid(), number)
        signal.pause()

    return end


def _exit_on(number: int) -> Callable[[], None]:
    def leave(*_: Any) -> None:
        sys.exit(0)

    def end() -> None:
        signal.signal(number, leave)
        _by_signal(number)()

    return end


def _raise() -> None:
    raise RuntimeError("nobody catches this")


WAYS: dict[str, Callable[[], None]] = {
    "the last line": lambda: None,
    "sys.exit": lambda: sys.exit(0),
    "an uncaught exception": _raise,
    "SIGTERM with a handler": _exit_on(signal.SIGTERM),
    "SIGINT with a handler": _exit_on(signal.SIGINT),
    "KeyboardInterrupt": _by_signal(signal.SIGINT),
}

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored in what a shell runs in the background
    set_up()
    end_spans(COUNT)
    say(ended=COUNT)
    WAYS[sys.argv[1]]()
