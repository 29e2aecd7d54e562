"""Exit, fork, and the exits of `multiprocessing` children: what happens to delivery when a process ends or splits.

A child of `multiprocessing` leaves by ``os._exit``, which runs no atexit callbacks but `multiprocessing.util`'s
finalizers. Those that a child inherits are cleared when it starts up, so ours are made by a hook that runs after that.
"""

from __future__ import annotations

import atexit
import os
import sys
from typing import TYPE_CHECKING, Any

from agenttrace import faults

from .queue import Request

if TYPE_CHECKING:
    from .pipeline import Pipeline
    from .processor import DeliveryProcessor

__all__ = ["unwatch", "watch"]

_INTERPRETER_SECONDS = 0.5
"""What the interpreter needs to take itself apart, of the time that an exit may take."""

_LAST = -1_000  # below every priority in use: after the finalizers that may still end spans

# A plain dict, since its operations are atomic: these functions run in forked children and in signal handlers.
_watched: dict[int, Pipeline] = {}
_atexit_is_set = False
_finalizer_of: int | None = None


class _Hook:
    """What `multiprocessing` ties its hooks to; it keeps them for as long as the object lives."""


_hook = _Hook()


def watch(pipeline: Pipeline) -> None:
    """Have ``pipeline`` delivered when the process ends, and started afresh in forked children."""
    global _atexit_is_set
    _watched[id(pipeline)] = pipeline
    if not _atexit_is_set:
        _atexit_is_set = True
        atexit.register(_finish)
    _finish_with_multiprocessing()


def unwatch(pipeline: Pipeline) -> None:
    """Forget ``pipeline``, which has been shut down."""
    _watched.pop(id(pipeline), None)


def _deliveries() -> list[DeliveryProcessor]:
    return [delivery for pipeline in list(_watched.values()) for delivery in pipeline.deliveries]


def _finish() -> None:
    # All at the same time: one that doesn't answer takes nothing from the others.
    requests = []
    for processor in _deliveries():
        try:
            request = Request(_exit_seconds(processor), stop=True, is_exit=True)
            requests.append((processor, processor.begin_stop(request)))
        except BaseException as error:
            faults.contain("delivering the last spans", error)
    for processor, begun in requests:
        try:
            processor.end_stop(begun)
        except BaseException as error:
            faults.contain("delivering the last spans", error)


def _exit_seconds(processor: DeliveryProcessor) -> float:
    if processor.exit_seconds is not None:
        return processor.exit_seconds
    timeout = processor.shutdown_timeout
    return max(timeout - _INTERPRETER_SECONDS, timeout / 2)


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
        for processor in _deliveries():
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
