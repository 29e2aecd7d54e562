"""Giving orders to `obedient.py`, a program in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.isolation import clean_environment

PATIENCE_SECONDS = 300
"""How long a program may live. Only one that hangs lives that long."""


class Program:
    """A program that registers and does as it is told.

    Args:
        home: What it keeps is in there; the next one that has the same home finds it.
        project: What its spans are filed under.
        endpoint: The Phoenix server that it registers; None for what ``variables`` configure.
        variables: Environment variables.
    """

    def __init__(self, home: Path, project: str, endpoint: str | None = None, **variables: str) -> None:
        self.home = home
        self.project = project
        self.span_ids: set[str] = set()
        """The spans that it has said to have ended, or to have open for the whole of its life."""
        settings = {"PROJECT": project, **variables} | ({} if endpoint is None else {"ENDPOINT": endpoint})
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.obedient"],
            env={**clean_environment(home), **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        # Whoever waits for what it says would wait for ever for one that hangs.
        self._patience = threading.Timer(PATIENCE_SECONDS, self._process.kill)
        self._patience.daemon = True
        self._patience.start()

    def order(self, line: str) -> None:
        """Tell it what to do next."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def hear(self, name: str) -> Any:
        """The next value that it says under ``name``."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            self.span_ids.update(said.get("ended", ()), {said["root"]} if "root" in said else ())
            if name in said:
                return said[name]
        raise AssertionError(f"it ended without saying {name!r}:\n{self._finish()}")

    def flush(self) -> dict[str, Any]:
        """What `flush` reports."""
        self.order("flush")
        report: dict[str, Any] = self.hear("report")
        return report

    def end(self) -> list[str]:
        """Let it end, and give what agenttrace logged."""
        log = self._finish()
        assert self._process.returncode == 0, log
        return [line for line in log.splitlines() if line.startswith("agenttrace:")]

    def kill(self) -> None:
        """End it by SIGKILL."""
        self._process.kill()
        self._finish()

    def _finish(self) -> str:
        try:
            _, log = self._process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            self._patience.cancel()
            self._process.kill()
        return log


@contextmanager
def next_program(home: Path, project: str, endpoint: str | None = None, **variables: str) -> Iterator[Program]:
    """While it is entered, a program runs that registers the same and does nothing else."""
    program = Program(home, project, endpoint, **variables)
    try:
        program.hear("registered")
        yield program
    finally:
        program.end()


def command(home: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Run ``agenttrace`` with ``arguments``: its exit code, and what it prints."""
    finished = subprocess.run(
        [sys.executable, "-m", "agenttrace.cli", *arguments],
        env={**clean_environment(home), **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return finished.returncode, finished.stdout + finished.stderr
