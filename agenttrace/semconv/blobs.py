"""Large images and the stores they may go to, as OpenInference's experimental interface has them."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeGuard, runtime_checkable

from .. import faults

__all__ = ["Blob", "BlobUploader", "blob_of", "is_address", "load_uploader"]

ENTRY_POINTS = "openinference_blob_uploader"
"""The entry-point group in which uploaders are found by name."""

_LONGEST_ADDRESS = 8192
_DATA_URI = re.compile(r"data:([^;,]{1,128})(?:;[^;,]{1,128}){0,4}?;base64,")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+://[^\s]+")
_MODALITIES = ("image", "audio", "video")


@dataclass(frozen=True)
class Blob:
    """Binary content of a span, as an uploader gets it (OpenInference's ``Blob``).

    Args:
        data: The decoded bytes.
        mime_type: Their MIME type, as the data URI names it.
        modality: ``"image"``, ``"audio"``, ``"video"`` or ``"document"``; told by the MIME type where it isn't given.
        attribute_key: The attribute that it would have been recorded in.
        content_sha256: The bytes' SHA-256 in hexadecimal digits, made where it isn't given: a good name for a file.
    """

    data: bytes
    mime_type: str
    modality: str = ""
    attribute_key: str | None = None
    content_sha256: str = field(default="")

    def __post_init__(self) -> None:
        if not self.modality:
            kind = self.mime_type.partition("/")[0]
            object.__setattr__(self, "modality", kind if kind in _MODALITIES else "document")
        if not self.content_sha256:
            object.__setattr__(self, "content_sha256", hashlib.sha256(self.data).hexdigest())


@runtime_checkable
class BlobUploader(Protocol):
    """Where large images go (OpenInference's experimental ``BlobUploader``): an object of yours, or a vendor's.

    Example:
        >>> class ToFolder:
        ...     def upload(self, blob: Blob) -> str | None:
        ...         path = folder / blob.content_sha256
        ...         writers.submit(path.write_bytes, blob.data)
        ...         return path.as_uri()
        ...
        ...     def shutdown(self, timeout_sec: float = 10.0) -> None:
        ...         writers.shutdown()
    """

    def upload(self, blob: Any) -> str | None:
        """The address under which ``blob`` will be found, at once; None where it can't be taken."""

    def shutdown(self, timeout_sec: float = 10.0) -> None:
        """Send what waits, for ``timeout_sec`` seconds at most. Called when the program exits."""


def blob_of(data_uri: str, key: str | None = None) -> Blob | None:
    """The content of a base64 data URI; None where it is none, or broken.

    Args:
        data_uri: ``data:image/png;base64,…``.
        key: The attribute that it was meant for.
    """
    head = _DATA_URI.match(data_uri)
    if head is None:
        return None
    try:
        return Blob(base64.b64decode(data_uri[head.end() :], validate=True), head[1], attribute_key=key)
    except ValueError:
        return None


def is_address(address: object) -> TypeGuard[str]:
    """Whether ``address`` is an absolute URI, ``scheme://…``, as an attribute may name it."""
    return isinstance(address, str) and len(address) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(address) is not None


class NamedUploader:
    """An uploader that another package registered, loaded when there is the first image for it.

    Args:
        name: Its name in the entry-point group.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._found: BlobUploader | None = None
        self._is_looked_up = False

    def upload(self, blob: Any) -> str | None:
        """Its answer; None where there is no such uploader, or it can't be loaded."""
        with self._lock:
            if not self._is_looked_up:
                self._is_looked_up = True
                self._found = _load(self.name)
        return None if self._found is None else self._found.upload(blob)

    def shutdown(self, timeout_sec: float = 10.0) -> None:
        """Shut it down, if it was ever used."""
        if self._found is not None:
            self._found.shutdown(timeout_sec)


def load_uploader(name: str) -> BlobUploader:
    """The uploader registered as ``name``: one object for each name, as it has one thread and one queue."""
    return _named.setdefault(name, NamedUploader(name))


_named: dict[str, NamedUploader] = {}


def _load(name: str) -> BlobUploader | None:
    from importlib.metadata import entry_points

    known = entry_points(group=ENTRY_POINTS)
    for entry_point in known:
        if entry_point.name == name:
            loaded: Any = entry_point.load()
            made = loaded if isinstance(loaded, BlobUploader) and not isinstance(loaded, type) else loaded()
            if isinstance(made, BlobUploader):
                return made
            break
    names = ", ".join(sorted({entry_point.name for entry_point in known})) or "none"
    faults.warn_once(
        f"agenttrace: OPENINFERENCE_BLOB_UPLOADER names {name!r}, and no installed package registers a blob uploader "
        f"of that name (there are: {names}); large images are redacted."
    )
    return None
