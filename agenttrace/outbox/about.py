"""What each folder of the outbox says of itself, for people and for `agenttrace send`; nothing secret."""

from __future__ import annotations

import json
from pathlib import Path

from .key import folder_name, outbox_root

__all__ = ["ABOUT_NAME", "projects_at"]

ABOUT_NAME = "about.json"


def projects_at(address: str, account: str | None) -> list[str]:
    """The projects that something may wait for at ``address``, in order of their names.

    Args:
        address: Where spans go, as shown to people.
        account: Whose projects; see `folder_name`.

    Raises:
        ValueError: If this user has no home folder and ``AGENTTRACE_HOME`` isn't set.
    """
    root = outbox_root()
    named = [(path, _project_in(path)) for path in (root.iterdir() if root.is_dir() else ())]
    return sorted(
        project
        for path, project in named
        if project is not None and path.name == folder_name(address, project, account)
    )


def _project_in(folder: Path) -> str | None:
    try:
        about = json.loads((folder / ABOUT_NAME).read_bytes())
    except (OSError, ValueError):  # of somebody else, or being written
        return None
    project = about.get("project") if isinstance(about, dict) else None
    return project if isinstance(project, str) else None
