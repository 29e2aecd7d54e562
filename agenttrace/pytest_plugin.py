"""The pytest plugin: the fixture ``agenttrace_spans``. It is loaded in every test run, so it imports nothing early."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from agenttrace.testing import CapturedSpans

_OPTIONS = ("deterministic",)


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
    with capture_spans(**(_options(marker) if marker else {})) as spans:
        yield spans


def _options(marker: pytest.Mark) -> dict[str, Any]:
    """The options of ``marker``; what it doesn't know is an error of the test, told without a traceback."""
    unknown = [*map(repr, marker.args), *(f"{name}=" for name in marker.kwargs if name not in _OPTIONS)]
    if unknown:
        pytest.fail(
            f"@pytest.mark.agenttrace takes no {', '.join(unknown)}: its only option is deterministic=True (or False)",
            pytrace=False,
        )
    return dict(marker.kwargs)
