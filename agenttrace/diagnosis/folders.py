"""Whether something can be made in a folder of this machine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["unwritable_folder"]


def unwritable_folder(folder: Path) -> Path | None:
    """What keeps ``folder`` from being made, or from being written to; None where nothing does.

    It is tried, since permissions say little: the superuser has them all, and some file systems take nothing whatever
    they say. What is made for that is gone afterwards, and nothing else is made.

    Args:
        folder: It need not exist. Else the nearest one above it that does is tried.
    """
    # Path.exists raises for what may not be looked at.
    nearest = next((path for path in (folder, *folder.parents) if os.path.exists(path)), Path("/"))  # noqa: PTH110
    try:
        with tempfile.TemporaryDirectory(dir=nearest, prefix=".agenttrace-"):
            return None
    except OSError:
        return nearest
