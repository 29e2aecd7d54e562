"""Exit, fork, and the exits of `multiprocessing` children: what happens to delivery when a process ends or splits.

A child of `multiprocessing` leaves by ``os._exit``, which runs no atexit callbacks but `multiprocessing.util`'s
finalizers. Those that a child inherits are cleared when it starts up, so ours are made by a hook that runs after that.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from agenttrace import faults

if TYPE_CHECKING:
    from .processor import DeliveryProcessor

__all__ = ["EXIT_SECONDS", "unwatch", "watch"]

EXIT_SECONDS = 1.5
"""How long an exit may wait for delivery: 2 s, less what the interpreter needs to take itself apart."""

_LAST = -1_000  # below every priority in use: after the finalizers that may still end spans

# A plain dict, since its operations are atomic: these functions run in forked children and in signal handlers.
_watched: dict[int, DeliveryProcessor] = {}
_atexit_is_set = False
_finalizer_of: int | None = None


class _Hook:
    """What `multiprocessing` ties its hooks to; it keeps them for as long as the object lives."""


_hook = _Hook()


def watch(processor: DeliveryProcessor) -> None:
    """Have ``processor`` flushed when the process ends, and started afresh in forked children."""
    global _atexit_is_set
    _watched[id(processor)] = processor
    if not _atexit_is_set:
        _atexit_is_set = True
        atexit.register(_finish)
    _finish_with_multiprocessing()


def unwatch(processor: DeliveryProcessor) -> None:
    """Forget ``processor``, which has been shut down."""
    _watched.pop(id(processor), None)


def _finish() -> None:
    began = time.monotonic()
    for processor in list(_watched.values()):
        try:
            processor.finish_at_exit(began + (processor.exit_seconds or EXIT_SECONDS))
        except BaseException as error:
            faults.contain("delivering the last spans", error)


def _finish_with_multiprocessing() -> None:
    """In a child of `multiprocessing`, finish when its own finalizers run. Nothing is imported for that."""
    global _finalizer_of
    process: Any = sys.modules.get("multiprocessing.process")
    util: Any = sys.modules.get("multiprocessing.util")
    if process is None or util is None or process.parent_process() is None or _finalizer_of == os.getpid():
        return
    _finalizer_of = os.getpid()
    util.Finalize(None, _finish, exitpriority=_LAST)


def _after_fork_of_multiprocessing(hook: _Hook) -> None:
    if _watched:
        _finish_with_multiprocessing()


def _after_fork() -> None:
    try:
        for processor in list(_watched.values()):
            processor.after_fork()
        # Only now is it known whether multiprocessing is what forked; were it imported for this, every program
        # would pay for it.
        util: Any = sys.modules.get("multiprocessing.util")
        if util is not None:
            util.register_after_fork(_hook, _after_fork_of_multiprocessing)
    except BaseException as error:
        faults.contain("starting delivery afresh after a fork", error)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
