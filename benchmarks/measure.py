"""One measurement in a process of its own: ``python -m benchmarks.measure CONTENDER WHAT [FORM] [WORKLOAD]``.

Prints a JSON object; `overhead` runs it many times and makes tables of what it prints.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.contenders import CONTENDERS
from benchmarks.workloads import FUNCTIONS, ITEMS, WORKLOADS, seconds_per_call

ROUNDS = 40
LARGE_ARGUMENT_CHARACTERS = 50_000_000


def added_microseconds(form: str, plain: Callable[..., Any], marked: Callable[..., Any], workload: str) -> float:
    """What the mark adds to a call, in µs: the difference of the medians over rounds in turn, after a warm-up."""
    arguments = WORKLOADS[workload]
    calls = 20 if "generator" in form else 200
    plain_rounds, marked_rounds = [], []
    seconds_per_call(form, marked, arguments, calls)
    for _ in range(ROUNDS):
        plain_rounds.append(seconds_per_call(form, plain, arguments, calls))
        marked_rounds.append(seconds_per_call(form, marked, arguments, calls))
    return 1e6 * (statistics.median(marked_rounds) - statistics.median(plain_rounds))


def large_argument_milliseconds(marked: Callable[..., Any]) -> float:
    """What the mark adds to a call with an argument of 50 MB, in ms: the median of ten."""
    large = "x" * LARGE_ARGUMENT_CHARACTERS
    marked("x", "y")
    took = []
    for _ in range(10):
        started = time.perf_counter()
        marked(large, "y")
        took.append(time.perf_counter() - started)
    return 1e3 * statistics.median(took)


def main(name: str, what: str, form: str = "sync", workload: str = "short") -> None:
    logging.disable(logging.CRITICAL)
    contender = CONTENDERS[name]
    plain = FUNCTIONS[form]
    suppressed: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    if what != "unregistered":
        contender.set_up(sampled=what != "sampled out")
    marked = contender.marked(form, plain)
    if what == "suppressed":
        suppressed = contender.suppressed()
    gc.collect()
    gc.freeze()
    with suppressed:
        if what == "large argument":
            result = large_argument_milliseconds(marked)
        else:
            result = added_microseconds(form, plain, marked, workload)
            if what == "item":
                result /= ITEMS
    # The libraries' threads and exit handlers have no part in this.
    sys.stdout.write(json.dumps({"result": result}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
