"""The pytest plugin: the fixture ``agenttrace_spans``. It is loaded in every test run, so it imports nothing early."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agenttrace.testing import CapturedSpans


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "agenttrace(deterministic=False): how agenttrace_spans records; True makes ids and times count up"
    )


@pytest.fixture
def agenttrace_spans(request: pytest.FixtureRequest) -> Iterator[CapturedSpans]:
    """The spans that the test's marked functions make, whatever the program registers.

    Mark the test with ``@pytest.mark.agenttrace(deterministic=True)`` for ids and times that count up.

    Example:
        >>> def test_the_agent_searches(agenttrace_spans):
        ...     plan("a question")
        ...     agenttrace_spans.assert_tools_called(["search"])
    """
    from agenttrace.testing import capture_spans

    marker = request.node.get_closest_marker("agenttrace")
    with capture_spans(**(marker.kwargs if marker else {})) as spans:
        yield spans
