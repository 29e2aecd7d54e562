"""What the tests of privacy share: no setting from outside, and none left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from agenttrace import faults
from agenttrace.semconv import masking


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No ``OPENINFERENCE_…`` variable, and no mask, before and after each test."""
    for variable in [name for name in os.environ if name.startswith("OPENINFERENCE_")]:
        monkeypatch.delenv(variable)
    masking.reset()
    faults.forget()
    yield
    masking.reset()
    faults.forget()
