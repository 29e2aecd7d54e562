"""Images on their way to an uploader, without a traced call that waits for it.

An uploader is to return an image's address at once and to move the bytes later, but nobody can be sure of that, and
decoding takes time as well. So both happen on a thread of their own. The traced call waits for the address, since the
span needs it: `PATIENCE_SECONDS` at most, and only while that thread gets on. Else the image is redacted, and what
comes too late is dropped.
"""

from __future__ import annotations

import atexit
import os
import queue
import threading
import time

from .. import faults
from .blobs import BlobUploader, blob_of, is_address
from .masking import REDACTED
from .quiet import quietly

__all__ = ["PATIENCE_SECONDS", "Uploads", "uploads_to"]

PATIENCE_SECONDS = 0.05
"""How long a traced call waits for the address of one image."""
EXIT_SECONDS = 2.0
"""How long an exit waits for the uploader to send what it has."""

_SHARE_OF_TIME = 0.25  # of any second that traced calls spend waiting for one uploader, together and at most
_MOST_WAITING = 16  # images; with more than that it can't keep up


class _Order:
    """One image on its way, and what became of it."""

    def __init__(self, data_uri: str, key: str) -> None:
        self.data_uri: str | None = data_uri
        """None when nobody waits any more: what isn't begun need not be done, and the image need not be kept."""
        self.key = key
        self.address: str | None = None
        self.done = threading.Event()


class Uploads:
    """Hands images to one uploader.

    Args:
        uploader: The uploader.
    """

    def __init__(self, uploader: BlobUploader) -> None:
        self.uploader: BlobUploader = uploader
        self._worker: threading.Thread | None = None
        self._begun: float | None = None
        """When the worker began what it is at."""
        self._credit: float = _SHARE_OF_TIME
        """Seconds that may be spent waiting; they come back with time."""
        self._counted: float = time.monotonic()
        self._last_seconds: float = EXIT_SECONDS
        self.start_afresh()

    def start_afresh(self) -> None:
        """Forget what waits and who serves it (in a forked child, whose threads are gone)."""
        self._orders: queue.Queue[_Order] = queue.Queue(_MOST_WAITING)
        self._lock = threading.Lock()
        self._worker = self._begun = None

    def address_of(self, data_uri: str, key: str) -> str:
        """The address of an image, or `REDACTED` where there is none in time.

        Args:
            data_uri: The image.
            key: The attribute that it was meant for.
        """
        now, begun = time.monotonic(), self._begun
        if begun is not None and now - begun > PATIENCE_SECONDS:
            return REDACTED  # it hangs over an earlier one: that cost one wait, and costs no more
        self._credit = min(_SHARE_OF_TIME, self._credit + (now - self._counted) * _SHARE_OF_TIME)
        self._counted = now
        if self._credit <= 0 or not self._has_worker():
            return REDACTED
        order = _Order(data_uri, key)
        try:
            self._orders.put_nowait(order)
        except queue.Full:
            return REDACTED
        if not order.done.wait(min(PATIENCE_SECONDS, self._credit)):
            order.data_uri = None
            faults.warn_once(
                f"agenttrace: the blob uploader {type(self.uploader).__name__} took too long to return an address. "
                f"upload() has to return it at once, within {1000 * PATIENCE_SECONDS:.0f} ms, and to send the bytes "
                "later; such images are redacted."
            )
        self._credit -= time.monotonic() - now
        return order.address or REDACTED

    def finish(self, seconds: float) -> None:
        """Let the uploader send what it has, for ``seconds`` at most."""
        if self._worker is None or not self._worker.is_alive():
            return
        last = _Order("", "")
        self._last_seconds = seconds
        try:
            self._orders.put_nowait(last)
        except queue.Full:
            return
        last.done.wait(seconds)

    def _has_worker(self) -> bool:
        if self._worker is not None:
            return self._worker.is_alive()
        if not self._lock.acquire(blocking=False):
            return True  # another thread is starting it
        try:
            if self._worker is None:
                worker = threading.Thread(target=self._work, name="agenttrace-blobs", daemon=True)
                worker.start()
                self._worker = worker
        except RuntimeError:  # the interpreter shuts down, or the system has no more threads
            return False
        finally:
            self._lock.release()
        return True

    def _work(self) -> None:
        while True:
            order = self._orders.get()
            self._begun = time.monotonic()
            try:
                quietly(self._serve, order)
            except BaseException as error:  # whatever it is, the thread lives on
                faults.report(f"uploading an image by {type(self.uploader).__name__}", error)
            finally:
                self._begun = None
                order.done.set()

    def _serve(self, order: _Order) -> None:
        data_uri = order.data_uri
        if data_uri is None:
            return
        if not data_uri:
            self.uploader.shutdown(self._last_seconds)
            return
        blob = blob_of(data_uri, order.key)
        if blob is None or order.data_uri is None:
            return
        address = self.uploader.upload(blob)
        if is_address(address):
            order.address = str.__str__(address)
        elif address is not None:
            faults.warn_once(
                f"agenttrace: the blob uploader {type(self.uploader).__name__} returned what is no address: it has to "
                'return an absolute URI such as "s3://bucket/name", or None; such images are redacted.'
            )


def uploads_to(uploader: BlobUploader) -> Uploads:
    """What hands images to ``uploader``: one object for each, as there is one thread."""
    for known in _all:
        if known.uploader is uploader:
            return known
    made = Uploads(uploader)
    _all.append(made)
    return made


_all: list[Uploads] = []


def _at_exit() -> None:
    deadline = time.monotonic() + EXIT_SECONDS
    for uploads in _all:
        uploads.finish(max(0.0, deadline - time.monotonic()))


def _after_fork() -> None:
    for uploads in _all:
        uploads.start_afresh()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
