"""Ends spans in a parent and in its children, none of whom flushes: ``forking preload``."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from tests.faults.programs.parts import end_spans, say, set_up

CHILDREN = 3
EACH = 50


def _work(number: int) -> None:
    if multiprocessing.get_start_method() != "fork":
        set_up()
    end_spans(EACH, prefix=f"child {number}: ")


def _processes(method: str) -> Callable[[], None]:
    def run() -> None:
        multiprocessing.set_start_method(method)
        children = [multiprocessing.Process(target=_work, args=(number,)) for number in range(CHILDREN)]
        for child in children:
            child.start()
        for child in children:
            child.join()
        assert [child.exitcode for child in children] == [0] * CHILDREN

    return run


def _pool(method: str) -> Callable[[], None]:
    def run() -> None:
        multiprocessing.set_start_method(method)
        with multiprocessing.Pool(2) as pool:
            pool.map(_work, range(CHILDREN), chunksize=1)
            pool.close()
            pool.join()

    return run


def _fork() -> None:
    children = []
    for number in range(CHILDREN):
        child = os.fork()
        if child == 0:
            end_spans(EACH, prefix=f"child {number}: ")
            sys.exit(0)
        children.append(child)
    _collect(children)


def _preload() -> None:
    """As a server that loads its application first: workers run until the master's SIGTERM, whose handler exits."""
    readable, writable = os.pipe()
    children = []
    for number in range(CHILDREN):
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, _leave)
            end_spans(EACH, prefix=f"child {number}: ")
            os.write(writable, b".")
            while True:
                signal.pause()
        children.append(child)
    for _ in children:
        os.read(readable, 1)
    for child in children:
        os.kill(child, signal.SIGTERM)
    _collect(children)


def _leave(*_: Any) -> None:
    sys.exit(0)


def _collect(children: list[int]) -> None:
    for child in children:
        assert os.waitpid(child, 0)[1] == 0


WAYS: dict[str, Callable[[], None]] = {
    "os.fork": _fork,
    "preload": _preload,
    "Process, fork": _processes("fork"),
    "Process, spawn": _processes("spawn"),
    "Pool, fork": _pool("fork"),
    "Pool, spawn": _pool("spawn"),
}

if __name__ == "__main__":
    set_up()
    if "--parent-first" in sys.argv:
        end_spans(EACH, prefix="before: ")
    WAYS[sys.argv[1]]()
    end_spans(EACH, prefix="after: ")
    say(children=CHILDREN)
