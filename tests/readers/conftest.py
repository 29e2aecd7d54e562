"""What the readers' tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agenttrace.testing import CapturedSpans, capture_spans

from .replay import ReplayServer, replay_server


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    """A provider's server on loopback."""
    with replay_server() as replay:
        yield replay


@pytest.fixture
def spans() -> Iterator[CapturedSpans]:
    """The spans of the test."""
    with capture_spans() as captured:
        yield captured
