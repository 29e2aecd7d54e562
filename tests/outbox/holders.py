"""Processes that use an outbox and are killed: what they leave is what the tests are about."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType

import pytest
from typing_extensions import Self

from tests.isolation import clean_environment

__all__ = ["Holder", "make_outbox_code", "posix"]

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes, signals and forks are other things there")

_START = """
import os, signal, sys
from pathlib import Path
from agenttrace.outbox.lock import ProcessLock
from agenttrace.outbox.outbox import Outbox
from tests.delivery.sinks import make_payload

path = Path(sys.argv[1])
"""
_END = """
print("ready", flush=True)
sys.stdin.readline()
"""


def make_outbox_code(*names: str) -> str:
    """Code that keeps a payload of one span for each name in an outbox at ``path``."""
    lines = ["outbox = Outbox(path, {}, 10**9, 10**9)"]
    return "\n".join([*lines, *(f"outbox.keep(make_payload({name!r}))" for name in names)])


class Holder:
    """A process that runs ``code``, then does nothing until it is killed or `finish` is called.

    Args:
        path: What ``code`` finds as ``path``.
        code: Python code; it may print one line of its own, which is `said`.
        after: Code that runs when the process goes on.
    """

    def __init__(self, path: Path, code: str, after: str = "") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"{_START}\n{code}\n{_END}\n{after}", str(path)],
            env=clean_environment(path),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.said: list[str] = []
        for line in self._process.stdout:
            if line == "ready\n":
                return
            self.said.append(line.rstrip("\n"))
        raise AssertionError(f"the process ended with {self._process.wait()}, having said {self.said}")

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def kill(self) -> None:
        """End it as the kernel does when memory runs out. What it has started goes on."""
        self._process.kill()
        self._process.wait()

    def finish(self) -> list[str]:
        """Let it go on to its end; what it says then."""
        said, _ = self._process.communicate("\n")
        return said.splitlines()

    @property
    def exit_code(self) -> int | None:
        """What it ended with; None while it lives."""
        return self._process.poll()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
