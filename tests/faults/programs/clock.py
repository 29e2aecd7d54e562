"""Ends spans while the wall clock jumps backwards by a day."""

from __future__ import annotations

import time

_SECONDS = 86_400
_real_time, _real_time_ns = time.time, time.time_ns
_back = 0


def _time() -> float:
    return _real_time() - _back


def _time_ns() -> int:
    return _real_time_ns() - _back * 1_000_000_000


# Before anything is imported that keeps the functions.
time.time, time.time_ns = _time, _time_ns

if __name__ == "__main__":
    from tests.faults.programs.parts import end_spans, report, say, set_up

    set_up()
    end_spans(50, prefix="before: ")
    first = report()
    _back = _SECONDS
    end_spans(50, prefix="after: ")
    say(ended=100, first=first, report=report())
