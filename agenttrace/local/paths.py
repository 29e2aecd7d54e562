"""Where the local store lies: one file for each user, in the folder that the platform means for such things."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

HOME_VARIABLE = "AGENTTRACE_HOME"
STORE_NAME = "traces.db"


def default_store_path() -> Path:
    r"""The file that traces are recorded to when nothing else is configured. It need not exist.

    Returns:
        ``traces.db`` in the folder that ``AGENTTRACE_HOME`` names, else in the platform's folder for a user's data:
        ``$XDG_DATA_HOME/agenttrace`` or ``~/.local/share/agenttrace``, ``~/Library/Application Support/agenttrace`` on
        macOS, ``%LOCALAPPDATA%\agenttrace`` on Windows. Always absolute.

    Raises:
        ValueError: If this user has no home folder and ``AGENTTRACE_HOME`` isn't set.

    Example:
        >>> os.environ["AGENTTRACE_HOME"] = "/srv/traces"
        >>> default_store_path()
        PosixPath('/srv/traces/traces.db')
    """
    configured = os.environ.get(HOME_VARIABLE, "").strip()
    try:
        folder = Path(configured).expanduser() if configured else _user_data_folder() / "agenttrace"
    except RuntimeError:
        # pathlib's word for "no HOME and no entry in the password file", as in containers with an arbitrary user id.
        raise ValueError(
            f"this user has no home folder to keep traces in: set {HOME_VARIABLE} to a folder that may be written to"
        ) from None
    return Path(os.path.abspath(folder)) / STORE_NAME


def absolute_store_path(path: Path | str | None) -> Path:
    """``path``, or `default_store_path` where it is None, as it is right wherever the program changes its folder to.

    Raises:
        ValueError: If no path is given and this user has no home folder.
    """
    chosen = default_store_path() if path is None else Path(path).expanduser()
    return Path(os.path.abspath(chosen))


def store_option(path: Path | None) -> str:
    """What follows ``agenttrace show`` and the like for the store at ``path``: nothing for `default_store_path`.

    Example:
        >>> store_option(Path("/srv/run.db"))
        ' --store /srv/run.db'
    """
    try:
        is_default = path is None or path == default_store_path()
    except ValueError:
        is_default = False
    return "" if is_default else f" --store {shlex.quote(str(path))}"


def _user_data_folder() -> Path:
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", "").strip()
        return Path(local) if local else Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    data_home = os.environ.get("XDG_DATA_HOME", "").strip()
    # The XDG specification: a relative path is invalid and to be ignored.
    return Path(data_home) if data_home.startswith("/") else Path.home() / ".local" / "share"
