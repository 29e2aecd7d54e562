"""Nothing configured from outside, and backends to ask that answer as the real ones do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.isolation import isolated as isolated_from_outside

isolated = isolated_from_outside


@pytest.fixture(autouse=True)
def home(isolated: Path) -> Path:
    """The folder of the local store and of the outbox."""
    return isolated
