"""The ``agenttrace`` command. What it prints with, click and rich, are an extra, so this module needs neither."""

from __future__ import annotations

import sys
from importlib.util import find_spec

_NEEDED = ("click", "rich")


def main() -> None:
    """Run the command that the arguments name, or say what to install first.

    Exit codes: 0 when it did what was asked, 1 when it could not (no such trace, nothing to show, an extra missing),
    2 when it was asked wrongly. A list of no traces is a list, so its code is 0.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"agenttrace: the command line needs {' and '.join(missing)}: pip install {' '.join(missing)}\n"
            "(the extra `cli` names them too: pip install 'agenttrace-otel[cli]')\n"
        )
        sys.exit(1)
    from .commands import agenttrace

    agenttrace()
