"""Settings for the tests of capture."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from agenttrace import faults
from agenttrace.capture import limits


@pytest.fixture
def set_limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[object], None]]:
    """Set AGENTTRACE_MAX_VALUE_BYTES for the rest of the test."""

    def set_to(value: object) -> None:
        monkeypatch.setenv(limits.VARIABLE, str(value))
        limits.reread_limits()

    faults.forget()
    yield set_to
    monkeypatch.undo()
    limits.reread_limits()
    faults.forget()
