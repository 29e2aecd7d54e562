"""Make, or bring up to date, the virtual environment that a Makefile target runs in.

``python tools/environment.py .venv cli test`` leaves ``.venv`` with this project, editable, and its extras ``cli`` and
``test``. It does nothing when that is already so, and starts afresh when the folder was moved, its Python is gone, or
another Python is asked for. Packages come through pip, with the machine's own pip settings.

This file must parse on old Pythons: it is what tells their users which one is needed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 10)
STAMP_NAME = "agenttrace-environment.json"


def main() -> None:
    """Read the command line and make the environment that it names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="the environment's folder, made when it is missing")
    parser.add_argument("extras", nargs="*", help="extras of the project to install")
    parser.add_argument("--constraints", type=Path, help="a pip constraints file")
    options = parser.parse_args()
    make_environment(options.folder, options.extras, constraints=options.constraints)


def make_environment(folder: Path, extras: list[str], *, constraints: Path | None = None) -> Path:
    """Leave ``folder`` with the project and ``extras`` installed, for the Python that runs this.

    Args:
        folder: The environment's folder; made when it is missing.
        extras: Names of the project's extras. Those that an earlier call installed stay.
        constraints: A pip constraints file, or None for the newest releases.

    Returns:
        The environment's Python.

    Raises:
        SystemExit: With what to do, when the environment can't be made.
    """
    _check_python()
    folder = Path(os.path.abspath(folder))  # not resolve(): a linked project folder keeps the name it was given
    python = folder / "bin" / "python"
    wanted = _wanted(folder, constraints)
    stamp = _read_stamp(folder)
    installed = set(stamp.pop("extras", "").split())
    if stamp == wanted and set(extras) <= installed and _runs(python):
        return python
    if stamp and (stamp.get("python") != wanted["python"] or stamp.get("folder") != wanted["folder"]):
        print(f"{folder.name}: made by another Python or in another place; starting afresh.", flush=True)
        shutil.rmtree(folder)
        installed = set()
    if not _runs(python):
        _create(folder)
    extras = sorted(installed | set(extras))
    _install(python, extras, constraints)
    (folder / STAMP_NAME).write_text(json.dumps({**wanted, "extras": " ".join(extras)}), encoding="utf-8")
    return python


def _check_python() -> None:
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(
            f"agenttrace needs Python {'.'.join(map(str, OLDEST_PYTHON))} or newer; this is {sys.version.split()[0]} "
            f"({sys.executable}).\nName a newer one: make PYTHON=python3.12 demo"
        )


def _wanted(folder: Path, constraints: Path | None) -> dict[str, str]:
    recipe = (ROOT / "pyproject.toml").read_bytes() + (constraints.read_bytes() if constraints else b"")
    return {"python": sys.version, "folder": str(folder), "recipe": hashlib.sha256(recipe).hexdigest()}


def _read_stamp(folder: Path) -> dict[str, str]:
    try:
        stamp = json.loads((folder / STAMP_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not made yet, or its making was interrupted
        return {}
    return stamp if isinstance(stamp, dict) and all(isinstance(value, str) for value in stamp.values()) else {}


def _runs(python: Path) -> bool:
    try:
        return subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _create(folder: Path) -> None:
    try:
        import ensurepip  # noqa: F401  # Debian's python3 comes without it; venv's own message comes too late to be read
        import venv  # noqa: F401
    except ImportError as error:
        sys.exit(
            f"This Python ({sys.executable}) can't make virtual environments: it lacks {error.name}.\n"
            "On Debian and Ubuntu: apt-get install python3-venv. Or name another Python: make PYTHON=python3.12 demo"
        )
    print(f"{folder.name}: making it with Python {sys.version.split()[0]} …", flush=True)
    # When make runs inside the very environment that is made anew, its own Python is about to go: take the one below.
    base = getattr(sys, "_base_executable", None) or sys.executable
    if subprocess.run([base, "-m", "venv", "--clear", folder], check=False).returncode != 0:
        sys.exit(f"Making {folder} failed; what venv said stands above.")


def _install(python: Path, extras: list[str], constraints: Path | None) -> None:
    (python.parent.parent / STAMP_NAME).unlink(missing_ok=True)
    what = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    # -qq: only errors. Whoever wants more has PIP_VERBOSE.
    command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--editable", what]
    if constraints is not None:
        command += ["--constraint", str(constraints)]
    print(f"{python.parent.parent.name}: installing agenttrace with {', '.join(extras) or 'no extras'} …", flush=True)
    started = time.monotonic()
    if subprocess.run(command, check=False).returncode != 0:
        sys.exit("Installing failed; what pip said stands above. Packages come from the index that pip is set up for.")
    print(f"{python.parent.parent.name}: ready after {time.monotonic() - started:.0f} s.", flush=True)


if __name__ == "__main__":
    main()
