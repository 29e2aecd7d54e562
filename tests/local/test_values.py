"""Attribute values survive being written down."""

from __future__ import annotations

import enum
import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agenttrace.local.values import dump_json, load_json, original_attributes, plain_attributes

texts = st.text(st.characters(exclude_categories=[]))  # lone surrogates and NUL included
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts, st.binary())
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner).map(tuple), st.dictionaries(texts, inner)), max_leaves=10
)


def there_and_back(attributes: dict[str, Any]) -> dict[str, Any]:
    """``attributes`` written as JSON text and read again."""
    return original_attributes(load_json(dump_json(plain_attributes(attributes))))


def same(one: Any, other: Any) -> bool:
    """Equal, of the same type at every depth, and NaN equal to NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return one.hex() == other.hex() if not math.isnan(one) else math.isnan(other)
    return bool(one == other)


@given(st.dictionaries(texts, values))
def test_every_value_comes_back_the_same(attributes: dict[str, Any]) -> None:
    """Texts of any characters, integers of any size, NaN, infinities, bytes, nested sequences and mappings."""
    assert same(there_and_back(attributes), attributes)


def test_a_mapping_that_looks_like_a_tag_is_not_taken_for_one() -> None:
    """``$float`` and its like mean nothing in a user's mapping."""
    attributes = {"a": {"$float": "nan"}, "b": {"$map": {"$int": "0x1"}}}
    assert same(there_and_back(attributes), attributes)


def test_subclasses_are_kept_by_value() -> None:
    """A member of an enum that is a text or a number comes back as that text or number, past its own __str__."""

    class Colour(str, enum.Enum):
        RED = "red"

        def __str__(self) -> str:
            raise RuntimeError

    class Size(enum.IntEnum):
        LARGE = 3

    class Ratio(float):
        pass

    attributes = {"colour": Colour.RED, "size": Size.LARGE, "ratio": Ratio(0.5), "list": [Colour.RED]}
    assert same(there_and_back(attributes), {"colour": "red", "size": 3, "ratio": 0.5, "list": ("red",)})


def test_a_value_that_cannot_be_written_leaves_its_neighbours() -> None:
    """Nesting without end is replaced by a text that says so; the other attributes are as they were."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    read = there_and_back({"deep": deep, "other": 1, "huge": 10**5000})
    assert read == {"deep": "(this value could not be kept: RecursionError)", "other": 1, "huge": 10**5000}
    while deep:  # taken apart by hand: its own destructor would recurse
        deep = deep.pop()


def test_ordinary_values_are_ordinary_json() -> None:
    """What a person reads with the sqlite3 command is what was recorded."""
    text = dump_json(plain_attributes({"input.value": "Olá", "count": 3, "score": 1.0, "tags": ("a", "b")}))
    assert json.loads(text) == {"input.value": "Olá", "count": 3, "score": 1.0, "tags": ["a", "b"]}
