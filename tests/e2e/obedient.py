"""A program that does what it is told, a line on stdin each, and says on stdout when it has done it.

    spans COUNT SECONDS   ends so many spans within about that time, and says their ids in two halves
    flush                 says what `flush` reports
    root                  opens a span that everything after it is in; the end of stdin closes it

``PROJECT`` names the project. Spans go to the Phoenix server at ``ENDPOINT``, the Langfuse server at ``LANGFUSE`` and
the local store in ``STORE``, or, with none of them, where the environment says.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

from agenttrace import register, trace_agent
from agenttrace.destinations import Destination, langfuse, local, phoenix
from tests.faults.programs.parts import end_span, report, say
from tests.langfuse.server import PUBLIC_KEY, SECRET_KEY


def main() -> None:
    """Obey until stdin ends."""
    register(*chosen(os.environ), project_name=os.environ["PROJECT"], verbose=False)
    say(registered=True)
    with ExitStack() as opened:
        for line in sys.stdin:
            word, *arguments = line.split()
            if word == "spans":
                end_spans(int(arguments[0]), float(arguments[1]))
            elif word == "flush":
                say(report=report(60))
            elif word == "root":
                say(root=opened.enter_context(trace_agent("the run")).span_id)


def chosen(environment: Mapping[str, str]) -> Iterator[Destination]:
    """The destinations that are named."""
    if "ENDPOINT" in environment:
        yield phoenix(environment["ENDPOINT"])
    if "LANGFUSE" in environment:
        yield langfuse(PUBLIC_KEY, SECRET_KEY, environment["LANGFUSE"])
    if "STORE" in environment:
        yield local(environment["STORE"])


def end_spans(count: int, seconds: float) -> None:
    """End ``count`` spans, as many a second, and say half of the way, too, that they have ended."""
    due = time.monotonic()
    half: list[str] = []
    for number in range(count):
        half.append(end_span(str(number)))
        if number + 1 in (count // 2, count):
            say(ended=half)
            half = []
        due += seconds / count
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
