"""Which folder of the outbox is a destination's: the same in every process, and nothing secret is in its name."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from agenttrace.local.paths import default_store_path

__all__ = ["OUTBOX_NAME", "folder_name", "outbox_root"]

OUTBOX_NAME = "outbox"


def outbox_root() -> Path:
    """The folder that holds every destination's. It need not exist.

    Raises:
        ValueError: If this user has no home folder and ``AGENTTRACE_HOME`` isn't set.
    """
    return default_store_path().parent / OUTBOX_NAME


def folder_name(address: str, project: str, account: str | None = None) -> str:
    """The name of the folder for what goes to one project at one address.

    Args:
        address: Where spans go, as shown to people: without credentials.
        project: The project that they are filed under.
        account: Whose project it is, where an address serves several: a public key or a space, no credential.

    Example:
        >>> folder_name("http://localhost:6006/v1/traces", "weather")
        'localhost-6006-weather-5ad24a6a8b'
    """
    identity = "\0".join((address, project, account or ""))
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    host = re.sub(r"^[a-z]+://|/v1/traces$", "", address)
    readable = re.sub(r"[^A-Za-z0-9._]+", "-", f"{host[-40:]}-{project[:30]}").strip("-.").lower()
    return f"{readable}-{digest}"
