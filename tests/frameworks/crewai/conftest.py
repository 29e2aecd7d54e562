"""CrewAI kept to a folder of the test run's own, and to this machine."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_HOME = tempfile.mkdtemp(prefix="agenttrace-crewai-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
# Read when CrewAI is imported, so before any test is: it keeps a key, settings and databases under these.
os.environ.update(
    CREWAI_DISABLE_TELEMETRY="true",
    CREWAI_STORAGE_DIR=str(Path(_HOME, "storage")),
    CREWAI_TRACING_ENABLED="false",
    HOME=_HOME,
    XDG_DATA_HOME=str(Path(_HOME, "data")),
)
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "examples" / "frameworks"))


_addresses: list[object] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        address = arguments[1]
        if address[0] not in ("127.0.0.1", "::1", "localhost"):
            _addresses.append(address)
            raise OSError("tests stay on this machine")


sys.addaudithook(_watch)


@pytest.fixture(autouse=True)
def _stays_on_this_machine() -> Iterator[None]:
    """Fail the test whose code connects to anywhere but loopback."""
    yield
    found, _addresses[:] = list(_addresses), []
    assert not found
