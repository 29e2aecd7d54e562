"""What waits on disk for a destination, and what it has refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agenttrace.outbox.key import folder_name, outbox_root
from agenttrace.outbox.outbox import Outbox

from .findings import Finding, contained, failed, ok, skipped

if TYPE_CHECKING:
    from agenttrace.destinations import Destination

__all__ = ["check_outbox"]

_STEP = "outbox"


def check_outbox(destination: Destination, project: str) -> Finding:
    """What lies in the destination's outbox. Nothing there is changed.

    Args:
        destination: Whose outbox.
        project: The project that its spans are filed under.
    """
    return contained(_STEP, lambda: _look(destination, project))


def _look(destination: Destination, project: str) -> Finding:
    try:
        root = outbox_root()
    except ValueError as error:
        return failed(_STEP, str(error))
    folder = root / folder_name(str(destination), project, destination.account)
    if not folder.is_dir():
        return skipped(_STEP, "nothing waits on disk")
    state = Outbox(folder, {}, 0, 0.0).state()
    waiting = f"{_spans(state.waiting)} on disk, which the next program that sends there brings along"
    if state.dead:
        refused = f"{_spans(state.dead)} that the server refused lie in {folder / 'dead'}, with its reasons"
        return failed(_STEP, f"{refused}; {waiting}" if state.waiting else refused)
    return ok(_STEP, f"{waiting} ({_size(state.size)})" if state.waiting else "nothing waits on disk")


def _spans(count: int) -> str:
    return "1 span" if count == 1 else f"{count:,} spans"


def _size(count: int) -> str:
    return f"{count / 1_000_000:,.1f} MB" if count >= 100_000 else f"{count / 1_000:,.1f} kB"
