"""What each folder of the outbox says of itself, for people and for `agenttrace send`; nothing secret."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .key import folder_name, outbox_root

__all__ = ["ABOUT_NAME", "About", "destination_folders", "projects_at", "read_about"]

ABOUT_NAME = "about.json"


@dataclass(frozen=True)
class About:
    """Whose folder one is.

    Args:
        kind: What is at the address, as destinations name it.
        address: Where the spans in it go, as shown to people.
        project: The project that they are filed under.
    """

    kind: str
    address: str
    project: str


def destination_folders() -> list[Path]:
    """The folders of the outbox, in order of their names.

    Raises:
        ValueError: If this user has no home folder and ``AGENTTRACE_HOME`` isn't set.
    """
    try:
        return sorted(path for path in outbox_root().iterdir() if path.is_dir())
    except OSError:  # there is none, or none that this user may read
        return []


def projects_at(address: str, account: str | None) -> list[str]:
    """The projects that something may wait for at ``address``, in order of their names.

    Args:
        address: Where spans go, as shown to people.
        account: Whose projects; see `folder_name`.

    Raises:
        ValueError: If this user has no home folder and ``AGENTTRACE_HOME`` isn't set.
    """
    named = [(folder, read_about(folder)) for folder in destination_folders()]
    return sorted(
        about.project
        for folder, about in named
        if about is not None and folder.name == folder_name(address, about.project, account)
    )


def read_about(folder: Path) -> About | None:
    """What a folder says of itself; None where it says nothing, as somebody else's, and one that is being made."""
    try:
        about = json.loads((folder / ABOUT_NAME).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(about, dict):
        return None
    kind, address, project = (about.get(name) for name in ("kind", "address", "project"))
    if not isinstance(address, str) or not isinstance(project, str):
        return None
    return About(kind if isinstance(kind, str) else "otlp", address, project)
