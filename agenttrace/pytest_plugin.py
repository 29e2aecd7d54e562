"""The pytest plugin: the fixture ``agenttrace_spans``, and the check of the spans that tests capture.

It is loaded in every test run, so it imports nothing early, and does nothing to a test that has no use for it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from opentelemetry.sdk.trace import ReadableSpan

    from agenttrace.testing import CapturedSpans

_MARKER = "agenttrace"
_OPTIONS = ("deterministic", "check")
_CHECK = "agenttrace_check"
_WATCHING = "agenttrace.testing.watching"

_caught: pytest.StashKey[list[ReadableSpan]] = pytest.StashKey()
_passed: pytest.StashKey[bool] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Make the setting known."""
    parser.addini(
        _CHECK, "hold the spans that tests capture to the OpenInference specification", type="bool", default=False
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "agenttrace(deterministic=False, check=False): how agenttrace_spans records, True makes ids and times count "
        "up; whether the spans that the test captures are held to the OpenInference specification",
    )


@pytest.fixture
def agenttrace_spans(request: pytest.FixtureRequest) -> Iterator[CapturedSpans]:
    """The spans that the test's marked functions make, whatever the program registers.

    Mark the test with ``@pytest.mark.agenttrace(deterministic=True)`` for ids and times that count up, and with
    ``@pytest.mark.agenttrace(check=True)`` to let it fail where a span isn't as OpenInference has it.

    Example:
        >>> def test_the_agent_searches(agenttrace_spans):
        ...     plan("a question")
        ...     agenttrace_spans.assert_tools_called(["search"])
    """
    from agenttrace.testing import capture_spans

    with capture_spans(deterministic=bool(_option(request.node, "deterministic", default=False))) as spans:
        yield spans


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a marker with a slip of the pen in it, and watch the captures of a test that is to be checked."""
    for marker in item.iter_markers(_MARKER):
        _refuse_unknown(marker)
    if _option(item, "check", default=item.config.getini(_CHECK)):
        from agenttrace.testing.watching import watch

        item.stash[_caught] = watch()
    elif _WATCHING in sys.modules:
        sys.modules[_WATCHING].stop_watching()


# The last of their hooks and no wrappers: one that raised would have ended the calls before, so that what a test did
# wrong itself is what is told of it, with every release of pytest.
@pytest.hookimpl(trylast=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Check what was captured, when the test itself has passed."""
    if _caught in item.stash:
        item.stash[_passed] = True
        _check(item)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Check what ended while the test's fixtures were closed."""
    if item.stash.get(_passed, False):
        _check(item)


def _check(item: pytest.Item) -> None:
    """Fail where a span isn't as OpenInference has it; each is looked at once."""
    from agenttrace.testing.conformance import faults_of

    caught = item.stash[_caught]
    spans = caught.copy()
    del caught[: len(spans)]
    faults = faults_of(spans)
    if faults is not None:
        pytest.fail(faults, pytrace=False)


def _option(node: Any, name: str, *, default: Any) -> Any:
    """What the nearest marker that names this option says."""
    return next((marker.kwargs[name] for marker in node.iter_markers(_MARKER) if name in marker.kwargs), default)


def _refuse_unknown(marker: pytest.Mark) -> None:
    """An option that there isn't is an error of the test, told without a traceback."""
    unknown = [*map(repr, marker.args), *(f"{name}=" for name in marker.kwargs if name not in _OPTIONS)]
    if unknown:
        pytest.fail(
            f"@pytest.mark.agenttrace takes no {', '.join(unknown)}: "
            "its options are deterministic=True (or False) and check=True (or False)",
            pytrace=False,
        )
