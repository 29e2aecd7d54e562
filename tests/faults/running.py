"""Programs under test, each in a process of its own, with one home that outlives them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.faults.programs.parts import ENDPOINTS_VARIABLE
from tests.isolation import clean_environment

__all__ = ["Finished", "Running", "Scenario"]

_PATIENCE_SECONDS = 60.0


class Addressed(Protocol):
    """A server that has an address."""

    @property
    def endpoint(self) -> str:
        """What to give to `register(endpoint=…)`."""


@dataclass(frozen=True)
class Finished:
    """What a program left.

    Args:
        said: What it said on stdout, a value for each line.
        log: What it wrote to stderr.
    """

    said: list[dict[str, Any]]
    log: str

    def told(self, name: str) -> Any:
        """The last value that it said under ``name``."""
        return next(line[name] for line in reversed(self.said) if name in line)

    @property
    def warnings(self) -> list[str]:
        """Its lines on stderr that agenttrace wrote."""
        return [line for line in self.log.splitlines() if line.startswith("agenttrace:")]


class Running:
    """A program that runs.

    Args:
        process: Its process.
        log: The file that its stderr goes to.
    """

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log
        self._said: list[dict[str, Any]] = []
        # Whoever waits for what a program says would wait for ever for one that hangs.
        self._patience = threading.Timer(_PATIENCE_SECONDS, process.kill)
        self._patience.daemon = True
        self._patience.start()

    def hear(self, name: str) -> Any:
        """The next value that it says under ``name``."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.append(json.loads(line))
            if name in self._said[-1]:
                return self._said[-1][name]
        raise AssertionError(f"it ended without saying {name!r}:\n{self._log.read_text(encoding='utf-8')}")

    def tell(self) -> None:
        """Let it go on from where it waits."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def finish(self, exit_code: int = 0) -> Finished:
        """Wait for its end.

        Raises:
            AssertionError: If it ends in another way than with ``exit_code``.
        """
        try:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self.process.stdin.close()
            # A kill may have cut the last line in two.
            rest = [line for line in self.process.stdout if line.endswith("\n")]
            self._said += [json.loads(line) for line in rest]
            ended = self.process.wait(_PATIENCE_SECONDS)
        finally:
            self.abandon()
        log = self._log.read_text(encoding="utf-8")
        assert ended == exit_code, f"exit code {ended}\n{log}"
        return Finished(self._said, log)

    def abandon(self) -> None:
        """End it, whatever it is at."""
        self._patience.cancel()
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


class Scenario:
    """Programs that share one home.

    Args:
        folder: Where that home is, and what they write to stderr.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Running] = []
        self.home = folder / "home"
        self.environment = {**clean_environment(self.home), "PYTHONDONTWRITEBYTECODE": "1"}

    def start(
        self, program: str, *arguments: object, to: Addressed | tuple[Addressed, ...] = (), **options: Any
    ) -> Running:
        """Start a program of `tests.faults.programs`.

        Args:
            program: Its name.
            arguments: Its command line.
            to: The servers that it registers; none for what the environment says.
            options: Environment variables, in capitals; others are for `subprocess.Popen`.
        """
        servers = to if isinstance(to, tuple) else (to,)
        endpoints = ",".join(server.endpoint for server in servers)
        variables = {name: value for name, value in options.items() if name.isupper()}
        others = {name: value for name, value in options.items() if not name.isupper()}
        command = [sys.executable, "-m", f"tests.faults.programs.{program}", *map(str, arguments)]
        return self._start(command, {ENDPOINTS_VARIABLE: endpoints, **variables}, others)

    def run(
        self, program: str, *arguments: object, to: Addressed | tuple[Addressed, ...] = (), **options: Any
    ) -> Finished:
        """Run a program to its end, which comes by itself; ``exit_code=`` says how. The rest is as for `start`."""
        exit_code = options.pop("exit_code", 0)
        return self.start(program, *arguments, to=to, **options).finish(exit_code)

    def command(self, *arguments: str, **variables: str) -> Finished:
        """Run ``agenttrace`` with ``arguments``; what it prints is in the log."""
        process = subprocess.run(
            [sys.executable, "-m", "agenttrace.cli", *arguments],
            env={**self.environment, **variables},
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        log = process.stdout + process.stderr
        assert process.returncode == 0, log
        return Finished([], log)

    @contextmanager
    def later(self, to: Addressed | tuple[Addressed, ...], **options: Any) -> Iterator[None]:
        """While it is entered, the next program that registers the same destinations runs."""
        running = self.start("later", to=to, **options)
        running.hear("registered")
        yield
        running.tell()
        running.finish()

    def files(self) -> list[Path]:
        """Everything that the programs left on disk."""
        return [path for path in self.home.rglob("*") if path.is_file()]

    def close(self) -> None:
        """End what still runs."""
        for running in self._running:
            running.abandon()

    def _start(self, command: list[str], variables: Mapping[str, str], options: Mapping[str, Any]) -> Running:
        log = self._folder / f"stderr {len(self._running)}"
        with log.open("w", encoding="utf-8") as stderr:
            process = subprocess.Popen(
                command,
                env={**self.environment, **variables},
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                **options,
            )
        running = Running(process, log)
        self._running.append(running)
        return running
