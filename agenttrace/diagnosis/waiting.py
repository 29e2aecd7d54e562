"""What waits on disk for a destination, and what it has refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agenttrace.outbox.about import projects_at
from agenttrace.outbox.key import folder_name, outbox_root
from agenttrace.outbox.outbox import DEAD_NAME
from agenttrace.outbox.survey import Leftovers, look_into

from .findings import Finding, contained, failed, ok, skipped
from .folders import unwritable_folder
from .store import HOME_ADVICE

if TYPE_CHECKING:
    from agenttrace.destinations import Destination

__all__ = ["check_outbox"]

_STEP = "outbox"
_MOST_PROJECTS = 5


def check_outbox(destination: Destination, project: str) -> Finding:
    """What lies in the destination's outbox, whatever project it is filed under. Nothing there is changed.

    Args:
        destination: Whose outbox.
        project: The project that new spans are filed under; others are named.
    """
    return contained(_STEP, lambda: _look(destination, project))


def _look(destination: Destination, project: str) -> Finding:
    try:
        root = outbox_root()
    except ValueError as error:
        return failed(_STEP, str(error))
    address, account = str(destination), destination.account
    looked = [look_into(root / folder_name(address, name, account)) for name in projects_at(address, account)]
    found = [left for left in looked if left is not None and (left.is_stuck or left.held)]
    blocked = unwritable_folder(root)
    texts = [f"nothing can be kept on disk, as nothing can be made in {blocked}: {HOME_ADVICE}"] if blocked else []
    texts += [_named(left, project) + _text(left) for left in found[:_MOST_PROJECTS]]
    if len(found) > _MOST_PROJECTS:
        texts.append(f"{len(found) - _MOST_PROJECTS} projects more: `agenttrace send` names them")
    if not texts:
        return skipped(_STEP, "nothing waits on disk")
    is_wrong = bool(blocked) or any(left.dead for left in found)
    return (failed if is_wrong else ok)(_STEP, "; ".join(texts))


def _named(left: Leftovers, project: str) -> str:
    return "" if left.about.project == project else f'project "{left.about.project}": '


def _text(left: Leftovers) -> str:
    texts = []
    if left.dead:
        texts.append(
            f"{_spans(left.dead)} that the server refused lie in {left.folder / DEAD_NAME}, with its reasons: run "
            "`agenttrace send` when the cause is mended"
        )
    if left.waiting:
        texts.append(
            f"{_spans(left.waiting)} on disk ({_size(left.size)}), which the next program that sends there brings along"
        )
    if left.unfinished:
        texts.append(f"{_spans(left.unfinished)} that a killed program left open, which the next one ends")
    if left.held:
        texts.append(f"a program that runs has {_spans(left.held)} on disk")
    return "; ".join(texts)


def _spans(count: int) -> str:
    return "1 span" if count == 1 else f"{count:,} spans"


def _size(count: int) -> str:
    return f"{count / 1_000_000:,.1f} MB" if count >= 100_000 else f"{count / 1_000:,.1f} kB"
