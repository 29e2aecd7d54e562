"""What the scenarios share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.running import Scenario


@pytest.fixture
def scenario(tmp_path: Path) -> Iterator[Scenario]:
    """A home, and the programs that share it."""
    made = Scenario(tmp_path)
    yield made
    made.close()
