"""Ends 500 spans a second under one open root, and says each one's id after its end, until somebody kills it."""

from __future__ import annotations

import itertools
import time

from agenttrace import trace_agent, trace_step
from tests.faults.programs.parts import end_span, say, set_up

SECONDS = 0.002

if __name__ == "__main__":
    set_up()
    with trace_agent("the run") as root, trace_step("the step") as step:
        say(root=root.span_id, step=step.span_id)
        due = time.monotonic()
        for number in itertools.count():
            say(ended=end_span(str(number)))
            due += SECONDS
            time.sleep(max(0.0, due - time.monotonic()))
