"""The checker takes whatever stands in a span: it finds fault, and never fails itself."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agenttrace.local.records import EventRecord, LinkRecord, SpanRecord
from agenttrace.semconv.conformance import Violation, check, read_otlp_json, report
from agenttrace.semconv.vocabulary import LISTS, TYPES

from .correct import CORRECT

WORDS = sorted({*TYPES, *LISTS, *(key for attributes in CORRECT.values() for key in attributes)})
INDEXES = st.one_of(
    st.integers(-1, 3).map(str), st.just("00"), st.just("٣"), st.just("9" * 5000), st.integers(0).map(str)
)
KEYS = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=20),
    st.lists(st.one_of(st.sampled_from(WORDS), INDEXES), min_size=1, max_size=5).map(".".join),
    st.builds("{}.{}".format, st.sampled_from(WORDS), INDEXES),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(2**63).map(lambda number: number**300),
    st.floats(),
    st.text(st.characters()),
    st.binary(max_size=5),
    st.sampled_from(["__REDACTED__", "application/json", "LLM", "{", "[" * 100_000, '{"a": NaN}', "tool_use", ""]),
    st.builds(object),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(), inner, max_size=3),
    ),
    max_leaves=6,
)
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=12)
OTLP_NAMES = [
    *("key", "value", "values", "stringValue", "intValue", "doubleValue", "boolValue", "bytesValue", "arrayValue"),
    *("kvlistValue", "resourceSpans", "scopeSpans", "spans", "traceId", "attributes", "events"),
]
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(), inner, max_size=3),
        st.dictionaries(
            st.sampled_from(OTLP_NAMES),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=20,
)


def assert_reportable(violations: list[Violation]) -> None:
    """Each has its line in the report, which is empty without any."""
    lines = report(violations).splitlines()
    assert len(lines) >= len(violations)
    assert bool(lines) == bool(violations)
    assert all(str(violation) for violation in violations)


@given(st.sampled_from(sorted(CORRECT)), ATTRIBUTES, ATTRIBUTES, st.integers(0, 3), st.integers(-1, 3))
def test_no_attribute_makes_the_checker_fail(
    kind: str, attributes: dict[str, Any], event: dict[str, Any], links: int, dropped: int
) -> None:
    """Keys and values of every shape, on spans of every kind, are at most a violation that can be reported."""
    span = SpanRecord(
        trace_id="a" * 32,
        span_id="b" * 16,
        parent_id=None,
        name="step",
        start_time=0,
        end_time=1,
        attributes={**CORRECT[kind], **attributes},
        events=(EventRecord("exception", 0, event),),
        links=(LinkRecord("c" * 32, "d" * 16),) * links,
        dropped_attributes=dropped,
    )
    assert_reportable(check(span))


@given(KEYS, VALUES)
def test_what_is_ones_own_is_nobodys_business(key: str, value: Any) -> None:
    """Under a first word of one's own, any name and any value are all right."""
    span = SpanRecord("a" * 32, "b" * 16, None, "step", 0, 1, attributes={**CORRECT["TOOL"], f"our.{key}": value})
    assert [violation for violation in check(span) if violation.is_error] == []


@given(JSON)
def test_json_of_every_shape_is_read_or_refused(document: Any) -> None:
    """What isn't OTLP/JSON is a ValueError; odd values inside of what is are no failure."""
    text = json.dumps(document)
    try:
        views = read_otlp_json(text)
    except ValueError:
        return
    assert_reportable(check(views))


@given(JSON, st.lists(JSON, max_size=3))
def test_a_span_with_odd_fields_is_checked(value: Any, values: list[Any]) -> None:
    """OTLP/JSON's attributes with anything in the values' place."""
    attributes = [{"key": key, "value": item} for key, item in zip(WORDS, [value, *values], strict=False)]
    span = {"traceId": "a" * 32, "spanId": "b" * 16, "name": "step", "attributes": [*attributes, *values]}
    violations = check({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    assert_reportable(violations)
    assert {violation.span.span_id for violation in violations} <= {"b" * 16}
