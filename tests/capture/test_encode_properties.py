"""What holds for every value: valid JSON, valid UTF-8, within the limit, and equal to the value where that is plain."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenttrace.capture.encode import encode_attribute, encode_json, encode_text, encode_value
from agenttrace.semconv.secrets import is_secret_name

SetLimit = Callable[[object], None]

texts = st.text(st.characters(), max_size=300)  # lone surrogates included
plain_scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False)
odd_scalars = (
    plain_scalars
    | texts
    | st.floats()
    | st.integers()
    | st.integers().map(lambda number: number**20)
    | st.binary(max_size=100)
    | st.complex_numbers()
    | st.decimals()
    | st.datetimes()
    | st.timedeltas()
    | st.uuids()
    | st.just(object())
    | st.just(Exception("\udc80"))
)
keys = texts | st.integers() | st.none() | st.booleans() | st.floats() | st.tuples(st.integers(), texts) | st.uuids()
any_values = st.recursive(
    odd_scalars,
    lambda inner: (
        st.lists(inner, max_size=30)
        | st.dictionaries(keys, inner, max_size=10)
        | st.lists(inner, max_size=5).map(tuple)
        | st.frozensets(st.integers() | texts, max_size=10)
    ),
    max_leaves=60,
)
valid_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
harmless_names = valid_texts.filter(lambda name: not is_secret_name(name))
finite = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
plain_values = st.recursive(
    finite | valid_texts,
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(harmless_names, inner, max_size=8),
    max_leaves=80,
)
quick = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
with_limit = settings(quick, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


def strict(text: str) -> Any:
    """Parse JSON without NaN and Infinity, and without a key that stands twice."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=unique)


@quick
@given(plain_values)
def test_plain_values_round_trip(value: object) -> None:
    """Nothing is changed, cut or marked."""
    assert strict(encode_json(value)) == value


@quick
@given(plain_values)
def test_plain_values_beside_an_object_round_trip(value: object) -> None:
    """The slow way writes what the fast way does."""
    written = strict(encode_json({"odd": dt.date(2026, 1, 1), "value": value, "list": [value, uuid.UUID(int=1)]}))
    assert written["value"] == value
    assert written["list"][0] == value


@quick
@given(any_values)
def test_any_value_is_valid_and_loses_no_entry(value: object) -> None:
    """Well below the limit every item and entry is there."""
    written = strict(encode_json(value))
    if isinstance(value, (list, tuple, dict, frozenset)):
        assert len(written) == len(value)


@pytest.mark.parametrize("limit", [64, 100, 300, 2000])
def test_any_value_is_valid_and_within_a_small_limit(limit: int, set_limit: SetLimit) -> None:
    """Whatever is cut, the JSON is whole."""
    set_limit(limit)

    @with_limit
    @given(any_values)
    def check(value: object) -> None:
        text = encode_json(value)
        assert len(text.encode()) <= limit
        strict(text)
        text, mime_type = encode_value(value)
        assert len(text.encode()) <= limit
        assert mime_type == ("text/plain" if isinstance(value, str) else "application/json")

    check()


@quick
@given(any_values)
def test_any_value_becomes_a_valid_attribute(value: object) -> None:
    """A scalar, valid text, or a list of one type."""
    written = encode_attribute(value)
    items = written if isinstance(written, list) else [written]
    assert len({type(item) for item in items}) <= 1
    for item in items:
        assert type(item) in (str, bool, int, float)
        if isinstance(item, str):
            item.encode()
        elif isinstance(item, int):
            assert -(2**63) <= item < 2**63


@quick
@given(texts)
def test_valid_text_is_kept_and_other_text_made_valid(text: str) -> None:
    """Only lone surrogates are changed."""
    assert encode_text(text) == text.encode("utf-8", "backslashreplace").decode()


@quick
@given(st.timedeltas())
def test_durations_lose_nothing(duration: dt.timedelta) -> None:
    """ISO 8601, to the microsecond."""
    text = encode_json(duration).strip('"')
    sign = -1 if text.startswith("-") else 1
    days, _, clock = text.lstrip("-").removeprefix("P").partition("T")
    total = decimal.Decimal(days.removesuffix("D") or 0) * 86_400
    for unit, seconds in (("H", 3600), ("M", 60), ("S", 1)):
        count, found, rest = clock.partition(unit)
        if found:
            total += decimal.Decimal(count) * seconds
            clock = rest
    assert int(sign * total * 1_000_000) == duration // dt.timedelta(microseconds=1)
