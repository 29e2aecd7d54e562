"""Run the tests on every Python from 3.10 on that this machine has, and on the lowest releases the project allows.

``python tools/test_all.py`` looks for Pythons on ``PATH``, under pyenv and under uv, takes the newest release of each
minor version, and gives each an environment of its own (``.venv-3.12`` …). The last run, on the oldest Python, installs
of each core and ``cli`` dependency exactly the lower bound that pyproject.toml names.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from environment import OLDEST_PYTHON, ROOT

EXTRAS = ["cli", "test"]
# The providers' clients need newer releases of what the project needs too than the lower bounds are: what is tested
# with them is left out of that run.
EXTRAS_FOR_LOWEST = ["cli", "test-tools"]
WITHOUT_PROVIDERS = "AGENTTRACE_TESTS_WITHOUT_PROVIDERS"

# The newest anyio that lives with typing-extensions' lower bound has a pytest plugin that pytest 9 warns of.
TEST_TOOLS_FOR_LOWEST = ["openinference-instrumentation==0.1.30", "pytest<9"]


class Interpreter(NamedTuple):
    """A Python that really runs: its version, and where it is."""

    version: tuple[int, int, int]
    path: Path

    @property
    def minor(self) -> str:
        """The version as people name it, such as ``3.12``."""
        return f"{self.version[0]}.{self.version[1]}"


def main() -> None:
    """Run the tests on each, print what came of it, and exit with 1 when any failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", default="2", help="processes to run the tests in")
    parser.add_argument("--only", help="a minor version, such as 3.12, or 'lowest'")
    options = parser.parse_args()
    interpreters = find_interpreters()
    if not interpreters:
        sys.exit("No Python from 3.10 on was found on this machine.")
    runs = [(python.minor, python, False) for python in interpreters] + [("lowest", interpreters[0], True)]
    results = {
        name: run_tests(name, python, options.jobs, lowest=lowest)
        for name, python, lowest in runs
        if options.only in (None, name)
    }
    if not results:
        sys.exit(f"No run is named {options.only}; there are {', '.join(name for name, _, _ in runs)}.")
    print("\n" + "\n".join(f"{name:>8}  {result}" for name, result in results.items()))
    sys.exit(any(result != "passed" for result in results.values()))


def find_interpreters() -> list[Interpreter]:
    """The newest release of each minor version from 3.10 on, oldest first."""
    newest: dict[str, Interpreter] = {}
    for path in _candidates():
        found = _examine(path)
        if found is None or found.version[:2] < OLDEST_PYTHON:
            continue
        if found.minor not in newest or found.version > newest[found.minor].version:
            newest[found.minor] = found
    return sorted(newest.values())


def run_tests(name: str, python: Interpreter, jobs: str, *, lowest: bool) -> str:
    """Run the tests on ``python`` in the environment ``.venv-name``.

    Args:
        name: What the run is called.
        python: What to run it on.
        jobs: How many processes pytest gets.
        lowest: Whether to install the lower bounds of pyproject.toml instead of the newest releases.

    Returns:
        ``"passed"``, or which step failed.
    """
    print(f"\n== {name}: Python {'.'.join(map(str, python.version))}", flush=True)
    folder = ROOT / f".venv-{name}"
    extras = EXTRAS_FOR_LOWEST if lowest else EXTRAS
    command = [str(python.path), str(ROOT / "tools" / "environment.py"), str(folder), *extras]
    with tempfile.TemporaryDirectory() as temporary:
        if lowest:
            constraints = Path(temporary) / "lowest.txt"
            constraints.write_text("\n".join([*lower_bounds(), *TEST_TOOLS_FOR_LOWEST]) + "\n", encoding="utf-8")
            command += ["--constraints", str(constraints)]
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            return "could not be installed"
    tests = subprocess.run(
        [folder / "bin" / "python", "-m", "pytest", "-q", "-n", jobs],
        cwd=ROOT,
        env={**os.environ, **({WITHOUT_PROVIDERS: "1"} if lowest else {})},
        check=False,
    )
    return "passed" if tests.returncode == 0 else f"failed (pytest's exit code {tests.returncode})"


def lower_bounds() -> list[str]:
    """The core and ``cli`` dependencies as ``name==lower bound``, read from pyproject.toml.

    Raises:
        ValueError: A dependency is written otherwise than ``name>=version``: then its bound would go untested.
    """
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    bounds: list[str] = []
    # Not tomllib: this runs on 3.10 too, and the two lists are this project's own, a line or a few of plain strings.
    for key in ("dependencies", "cli"):
        found = re.search(rf"^{key} = \[(.*?)\]\n", text, re.DOTALL | re.MULTILINE)
        if found is None:
            raise ValueError(f"pyproject.toml has no list named {key}")
        for requirement in re.findall(r'"([^"]+)"', found[1]):
            name, separator, version = requirement.partition(">=")
            if not separator or not re.fullmatch(r"[\d.]+", version):
                raise ValueError(f"write {requirement!r} as name>=version, so that its lower bound is tested")
            bounds.append(f"{name}=={version}")
    return bounds


def _candidates() -> Iterator[Path]:
    yield Path(sys.executable)
    for entry in os.environ.get("PATH", "").split(os.pathsep):
        yield from _pythons_in(Path(entry))
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    data = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR", data / "uv" / "python"))
    for installations in (pyenv / "versions", uv):
        for folder in sorted(installations.glob("*/bin")):
            yield from _pythons_in(folder)


def _pythons_in(folder: Path) -> Iterator[Path]:
    try:
        names = sorted(folder.glob("python3*"))
    except OSError:  # a folder on PATH that may not be read
        return
    yield from (path for path in names if re.fullmatch(r"python3(\.\d+)?", path.name))


def _examine(path: Path) -> Interpreter | None:
    """Ask the Python at ``path`` what it is; None when it does not run (a pyenv shim, say) or is an environment's."""
    question = "import sys; print(*sys.version_info[:3], sys._base_executable, sep='\\n')"
    try:
        answer = subprocess.run(
            [path, "-I", "-c", question], capture_output=True, text=True, timeout=30, check=False, cwd=ROOT
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = answer.stdout.splitlines()
    if answer.returncode != 0 or len(lines) != 4:
        return None
    major, minor, patch = (int(line) for line in lines[:3])
    return Interpreter((major, minor, patch), Path(lines[3]))


if __name__ == "__main__":
    main()
