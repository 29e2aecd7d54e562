"""What lies in the outbox, destination by destination: seen from outside, and without changing anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .about import About, destination_folders, read_about
from .folder import stored_files
from .key import folder_name
from .lock import is_held
from .outbox import DEAD_NAME
from .running import RUNNING_NAME, open_spans_in

__all__ = ["Leftovers", "look_into", "survey", "traces_left_open"]

_LOCK_NAME = "lock"  # as `folder` names it


@dataclass(frozen=True)
class Leftovers:
    """What one folder of the outbox holds, in spans.

    Args:
        folder: The folder.
        about: Whose it is.
        waiting: Of processes that are gone, and not delivered.
        unfinished: Those that such a process has not ended.
        held: On disk of processes that run, which send them themselves.
        dead: Dead letters: what the destination refused.
        size: Bytes of all that isn't unfinished.
    """

    folder: Path
    about: About
    waiting: int
    unfinished: int
    held: int
    dead: int
    size: int

    @property
    def is_stuck(self) -> bool:
        """Whether something lies there that nobody is about to send."""
        return bool(self.waiting or self.unfinished or self.dead)

    @property
    def has_account(self) -> bool:
        """Whether it is of a destination that has an account, which isn't on disk."""
        return self.folder.name != folder_name(self.about.address, self.about.project)


def survey() -> list[Leftovers]:
    """Every folder of the outbox that has something in it, in order of their addresses.

    Raises:
        ValueError: If this user has no home folder and ``AGENTTRACE_HOME`` isn't set.
    """
    looked = [look_into(folder) for folder in destination_folders()]
    found = [left for left in looked if left is not None and (left.is_stuck or left.held)]
    return sorted(found, key=lambda left: (left.about.address, left.about.project))


def look_into(folder: Path) -> Leftovers | None:
    """What a destination's folder holds; None where there is no such folder."""
    about = read_about(folder)
    if about is None:
        return None
    waiting = unfinished = held = size = 0
    for path in _process_folders(folder):
        files = stored_files(path)
        count = sum(file.count for file in files)
        size += sum(file.size for file in files)
        if is_held(path / _LOCK_NAME):
            held += count
        else:
            waiting += count
            unfinished += len(_open_spans(path))
    dead = stored_files(folder / DEAD_NAME)
    size += sum(file.size for file in dead)
    return Leftovers(folder, about, waiting, unfinished, held, sum(file.count for file in dead), size)


def traces_left_open(address: str) -> frozenset[str]:
    """The ids of the traces that have spans at ``address`` which a process that is gone hasn't ended.

    Args:
        address: Where spans go, as shown to people.

    Raises:
        ValueError: If this user has no home folder and ``AGENTTRACE_HOME`` isn't set.
    """
    from .payloads import span_ids

    abouts = [(folder, read_about(folder)) for folder in destination_folders()]
    folders = [folder for folder, about in abouts if about is not None and about.address == address]
    return frozenset(
        trace_id.hex()
        for folder in folders
        for path in _process_folders(folder)
        if not is_held(path / _LOCK_NAME)
        for data in _open_spans(path)
        for trace_id, _ in span_ids(data)
    )


def _process_folders(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir() and path.name != DEAD_NAME]
    except OSError:  # somebody has sent all of it meanwhile
        return []


def _open_spans(folder: Path) -> list[bytes]:
    try:
        return open_spans_in(folder / RUNNING_NAME)
    except OSError:
        return []
