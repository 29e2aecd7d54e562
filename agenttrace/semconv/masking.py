"""What may be recorded: which `Mask` every attribute, event and status of a span passes on its way to it.

The one that `register(config=…)` chose, else what the ``OPENINFERENCE_…`` variables say, read when it is first asked
for. This module stays small, as every mark imports it; what a mask does is in :mod:`.mask`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

from .. import faults
from ..blame import is_meant_for_program

if TYPE_CHECKING:
    from .mask import Mask
    from .privacy import TraceConfig

__all__ = ["REDACTED", "configure", "current_mask", "reset", "use_config"]

REDACTED = "__REDACTED__"
"""What is recorded in the place of what is hidden (OpenInference's word for it)."""

_lock = threading.RLock()
_mask: Mask | None = None
# Masks of open `use_config` blocks, the newest last: a thread that was started without a context is seen by that one.
_scopes: list[Mask] = []
_scoped: ContextVar[Mask | None] = ContextVar("agenttrace-mask", default=None)


def current_mask() -> Mask:
    """The mask in force."""
    if _scopes:
        return _of_scope()
    return _from_environment() if _mask is None else _mask


def configure(config: TraceConfig | None) -> Mask:
    """Put the mask of ``config`` in force.

    Args:
        config: What may be recorded; None for what the environment says now.

    Returns:
        That mask.
    """
    global _mask
    if config is None:
        reset()
        return _from_environment()
    mask = _made(config)
    with _lock:
        _mask = mask
    return mask


def reset() -> None:
    """Forget the mask in force, so that the next one asked for is what the environment says then."""
    global _mask
    with _lock:
        _mask = None


@contextmanager
def use_config(config: TraceConfig) -> Iterator[Mask]:
    """Put the mask of ``config`` in force while the block runs, in its context and in threads that have none.

    Blocks may be nested and may be open in several threads at once.
    """
    mask = _made(config)
    with _lock:
        _scopes.append(mask)
    token = _scoped.set(mask)
    try:
        yield mask
    finally:
        with suppress(ValueError):  # closed by another task or thread, whose own context is left alone
            _scoped.reset(token)
        with _lock:
            _scopes[:] = [other for other in _scopes if other is not mask]


def _of_scope() -> Mask:
    mask, open_masks = _scoped.get(), [*_scopes]
    for known in reversed(open_masks):
        if known is mask:
            return known
    if open_masks:
        return open_masks[-1]
    return _from_environment() if _mask is None else _mask


def _from_environment() -> Mask:
    from .mask import closed_mask
    from .privacy import TraceConfig

    try:
        return _put_in_force(_made(TraceConfig()))
    except BaseException as error:
        # At its limit the program can't do anything: nothing is recorded then, and the next call reads the environment.
        if isinstance(error, RecursionError) or is_meant_for_program(error):
            raise
        mask = _put_in_force(closed_mask())
        faults.report("reading what is to be hidden", error)
        return mask


def _put_in_force(mask: Mask) -> Mask:
    """Let ``mask`` be the one in force, unless another thread was faster."""
    global _mask
    with _lock:
        if _mask is None:
            _mask = mask
        return _mask


def _made(config: TraceConfig) -> Mask:
    from .mask import Mask

    return Mask(config)


def _may_quote_errors() -> bool:
    return not current_mask().withholds_errors


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()


faults.ask_before_quoting(_may_quote_errors)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
