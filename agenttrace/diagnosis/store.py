"""The local store as a destination: whether it can be written to, and whether a span comes back from it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from agenttrace.delivery.sink import Verdict
from agenttrace.local.database import StoreError, open_to_write
from agenttrace.local.paths import HOME_VARIABLE, default_store_path, store_option
from agenttrace.local.reader import Store

from .findings import Finding, failed, ok
from .folders import unwritable_folder
from .trial import encoded, trace_id_of, trial_span

if TYPE_CHECKING:
    from pathlib import Path

    from agenttrace.destinations import Destination

__all__ = ["HOME_ADVICE", "check_store", "send_to_store"]

_PATIENCE_SECONDS = 2.0
HOME_ADVICE = f"set {HOME_VARIABLE} to a folder that can be written to"
"""What to do where it can't."""


def check_store(path: Path | None) -> Finding:
    """Whether the store can be written to. Where there is none yet, none is made.

    Args:
        path: The store's file; None for this user's.
    """
    store = default_store_path() if path is None else path
    if not store.exists():
        blocked = unwritable_folder(store.parent)
        if blocked is None:
            return ok("store", "nothing was recorded there yet; the file will be made")
        return failed("store", f"nothing can be made in {blocked}: {HOME_ADVICE}")
    try:
        with open_to_write(store, _PATIENCE_SECONDS):
            pass
    except StoreError as error:
        return failed("store", str(error))
    except (OSError, sqlite3.Error) as error:
        return failed("store", f"it can't be written to ({type(error).__name__}): {HOME_ADVICE}")
    return ok("store", "it can be written to")


def send_to_store(destination: Destination, project: str) -> Finding:
    """Write a span into the store and read it back.

    Args:
        destination: The store.
        project: The project to file the span under.
    """
    span = trial_span(project, destination.resource_attributes(project))
    trace_id = trace_id_of(span)
    if destination.make_sink().send(encoded(span), _PATIENCE_SECONDS).verdict is not Verdict.ACCEPTED:
        return failed("test span", f"it can't be kept there: {HOME_ADVICE}")
    try:
        Store(destination.path).spans(trace_id)
    except StoreError:
        return failed("test span", "it was written but can't be read back: does something else write to that file?")
    return ok("test span", f"written and read back: agenttrace show {trace_id[:8]}{store_option(destination.path)}")
