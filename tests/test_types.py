"""The marks lose no type: mypy and pyright read tests/typing/marks.py, where each assertion says what they must see."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
TYPE_TESTS = TESTS / "typing"
RUNNING_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


def assert_clean(*command: str) -> None:
    """Run a type checker of this environment; what it has to say is the failure."""
    finished = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_mypy_keeps_every_type_of_what_is_marked(tmp_path: Path) -> None:
    """Strict mypy agrees with each assertion, and calls each wrong use an error of the kind that is noted there."""
    # No settings but these: the project's own are milder with tests.
    settings = ("--config-file=", "--strict", "--warn-unreachable", "--follow-imports=silent")
    assert_clean("mypy", *settings, f"--cache-dir={tmp_path}", f"--python-version={RUNNING_VERSION}", str(TYPE_TESTS))


def test_pyright_keeps_every_type_of_what_is_marked() -> None:
    """Strict pyright does too."""
    assert_clean(
        "pyright", f"--project={TYPE_TESTS}", f"--pythonpath={sys.executable}", f"--pythonversion={RUNNING_VERSION}"
    )
