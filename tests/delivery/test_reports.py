"""What is said of trouble: once each, however long it lasts."""

from __future__ import annotations

import pytest

from agenttrace.delivery.reports import Reporter
from tests.isolation import warnings_in


def test_that_spans_are_dropped_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """However many wait each time: where they are large, the queue is full with other numbers of them."""
    reporter = Reporter("memory")
    for waiting in range(500, 600):
        reporter.dropped(waiting)
    [warning] = warnings_in(caplog)
    assert "500 spans wait for memory" in warning
