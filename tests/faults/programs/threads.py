"""64 threads end spans while the main one flushes, or shuts down and says which had ended before: ``threads flush``."""

from __future__ import annotations

import sys
import threading

from agenttrace import flush, shutdown
from tests.faults.programs.parts import end_span, say, set_up

THREADS = 64
EACH = 100


def flush_meanwhile() -> None:
    """Every span of every thread is to arrive."""
    barrier = threading.Barrier(THREADS + 1)

    def work() -> None:
        barrier.wait()
        for number in range(EACH):
            end_span(str(number))

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    barrier.wait()
    while any(thread.is_alive() for thread in threads):
        flush(1)
    say(ended=THREADS * EACH)


def shut_down_meanwhile() -> None:
    """Spans that had ended when `shutdown` was called are to arrive."""
    ended: list[str] = []
    enough, stop = threading.Event(), threading.Event()

    def work() -> None:
        while not stop.is_set():
            ended.append(end_span("s"))
            if len(ended) >= THREADS * EACH // 4:
                enough.set()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    enough.wait()
    before = list(ended)
    shutdown(30)
    stop.set()
    for thread in threads:
        thread.join()
    say(before=before)


if __name__ == "__main__":
    set_up()
    {"flush": flush_meanwhile, "shutdown": shut_down_meanwhile}[sys.argv[1]]()
