"""assert_conformant(), and what watches the captures of a test."""

from __future__ import annotations

import pytest

from agenttrace import current_span, trace_tool
from agenttrace.testing import assert_conformant, capture_spans
from agenttrace.testing.watching import stop_watching, watch

pytestmark = pytest.mark.agenttrace(check=False)


@trace_tool
def search(query: str) -> str:
    """A tool whose span is as it should be."""
    return query


@trace_tool
def mislabelled(name: object, **more: object) -> None:
    """A tool whose span has the attributes that it is given."""
    current_span().set_attributes({"tool.name": name, **more})


def test_right_spans_pass() -> None:
    """The assertion says nothing when every span is as it should be, and when there is none."""
    with capture_spans() as spans:
        spans.assert_conformant()
        search("rain")
    spans.assert_conformant()
    spans.assert_conformant(strict=True)
    assert_conformant(spans[0])


def test_wrong_spans_fail_with_a_report() -> None:
    """The text says what is wrong where and what to do; warnings count when that is asked for."""
    with capture_spans(deterministic=True) as spans:
        mislabelled(3)
        mislabelled("search", **{"tool.colour": "red"})
    with pytest.raises(AssertionError) as error:
        spans.assert_conformant()
    assert str(error.value).splitlines() == [
        "one span is not as OpenInference has it",
        "",
        f"trace {1:032x}",
        f"  TOOL mislabelled ({1:016x})",
        "    error    tool.name  wrong-type",
        "             it is 3, not a string",
        "             → record str(value)",
    ]
    with pytest.raises(AssertionError, match="2 spans are not as OpenInference has it"):
        assert_conformant(spans, strict=True)


def test_whoever_watches_sees_the_spans_of_every_capture() -> None:
    """Those of nested captures and those that end late, until another watches or nobody does."""
    first = watch()
    with capture_spans() as outer:
        search("a")
        with capture_spans(deterministic=True):
            search("b")
        late = outer.tracer_provider.get_tracer("tests").start_span("late")
    late.end()
    assert [span.name for span in first] == ["search", "search", "late"]
    second = watch()
    with capture_spans():
        search("c")
    stop_watching()
    with capture_spans():
        search("d")
    assert (len(first), len(second)) == (3, 1)
