"""What tests of `register` share: an environment without settings, and processes of their own to run code in."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from agenttrace import faults
from agenttrace.provider import set_registered_provider
from agenttrace.registration import shutdown
from agenttrace.semconv import masking

ROOT = Path(__file__).resolve().parent.parent
_BACKENDS = ("ARIZE_", "LANGFUSE_", "PHOENIX_")
_PREFIXES = (*_BACKENDS, "OPENINFERENCE_", "OTEL_", "AGENTTRACE_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def clean_environment(home: Path) -> dict[str, str]:
    """The environment without anything that tells tracing what to do, and a home for the local store."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_PREFIXES)}
    return {**kept, "AGENTTRACE_HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}


@pytest.fixture
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """No settings from outside, a home of the test's own, and nothing registered afterwards."""
    for name in set(os.environ) - set(clean_environment(tmp_path)):
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("AGENTTRACE_HOME", str(home))
    faults.forget()
    yield home
    shutdown()
    set_registered_provider(None)
    masking.reset()
    faults.forget()


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the agenttrace logger warned of."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "agenttrace" and record.levelno >= logging.WARNING
    ]


class Program:
    """A Python program of a test, run in a process of its own.

    Args:
        folder: Where its file and its local store are kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = clean_environment(folder / "home")

    def start(self, code: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start ``code``, which finds ``arguments`` in `sys.argv`."""
        file = self.folder / "program.py"
        file.write_text(textwrap.dedent(code), encoding="utf-8")
        return subprocess.Popen(
            [sys.executable, str(file), *arguments],
            env={**self.environment, **variables},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str, *arguments: str, exit_code: int = 0, **variables: str) -> tuple[str, str]:
        """Run ``code`` to its end and return what it wrote to stdout and stderr."""
        process = self.start(code, *arguments, **variables)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
        assert process.returncode == exit_code, f"exit code {process.returncode}\n{out}\n{err}"
        return out, err


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A program of the test's own."""
    return Program(tmp_path)
