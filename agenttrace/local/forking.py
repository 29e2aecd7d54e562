"""Forks and the local store: no child may come into the world with one of its parent's connections open."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .database import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

FORK_PATIENCE_SECONDS = 2.0


class ForkGate:
    """Keeps a fork waiting while a connection to the store is open, so that no child inherits one (see `database`)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forking_thread: int | None = None
        self._is_open = False
        self._inherited_open = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before_fork, after_in_parent=self._in_parent, after_in_child=self._in_child
            )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Nothing forks while the block runs, and no other thread is in one.

        Raises:
            StoreError: In the child of a fork that happened while the parent was writing.
        """
        if self._inherited_open:
            raise StoreError("this process was forked while its parent was writing, after which SQLite is unsafe")
        with self._lock:
            self._is_open = True
            try:
                yield
            finally:
                self._is_open = False

    def _before_fork(self) -> None:
        # A disk that hangs must not hang the program's fork too; the child then knows that it may not write.
        if self._lock.acquire(timeout=FORK_PATIENCE_SECONDS):
            self._forking_thread = threading.get_ident()

    def _in_parent(self) -> None:
        if self._forking_thread == threading.get_ident():
            self._forking_thread = None
            self._lock.release()

    def _in_child(self) -> None:
        # Also right where a fork asked nobody before: then the lock may be held by a thread that isn't here.
        self._inherited_open = self._inherited_open or self._is_open
        self._is_open = False
        self._forking_thread = None
        self._lock = threading.Lock()


fork_gate: ForkGate = ForkGate()
"""The gate that every writer of this process goes through."""
