"""Ends spans as fast as it can, then does as it is told: ``burst 1000 50x300000 --then flush wait``."""

from __future__ import annotations

import argparse
import os
import resource
import signal
from collections.abc import Callable

from tests.faults.programs.parts import await_word, end_bare_spans, end_span, report, say, set_up, text_of


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


_STEPS: dict[str, Callable[[], None]] = {
    "wait": await_word,
    "flush": lambda: say(report=report()),
    "kill": _kill,
}


def main() -> None:
    """Read the command line and obey it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="+", help="COUNT, or COUNTxCHARACTERS for spans that hold so much text")
    parser.add_argument("--then", nargs="*", choices=_STEPS, default=[], help="what comes after the spans")
    parser.add_argument("--bare", type=int, default=0, help="so many more at the end, with nothing in them")
    parser.add_argument("--file-limit", type=int, help="no file may grow beyond so many bytes")
    parser.add_argument("--secret", help="an API key to register with")
    options = parser.parse_args()
    if options.file_limit is not None:
        # Python ignores SIGXFSZ, so that writing more fails as it does where the disk is full.
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.file_limit, resource.RLIM_INFINITY))
    if options.secret is None:
        set_up()
    else:
        set_up(api_key=options.secret, headers={"x-tenant-token": options.secret[::-1]})
    number = 0
    for group in options.groups:
        count, _, characters = group.partition("x")
        padding = text_of(int(characters or 0))
        for _ in range(int(count)):
            end_span(str(number), padding)
            number += 1
    end_bare_spans(options.bare)
    say(ended=number + options.bare)
    for step in options.then:
        _STEPS[step]()


if __name__ == "__main__":
    main()
