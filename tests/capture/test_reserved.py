"""Each reserved attribute gets a value of its own type, valid and bounded, whatever the program or a provider gave."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any
from unittest.mock import MagicMock
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenttrace.capture.limits import max_value_bytes
from agenttrace.capture.reserved import encode_reserved
from agenttrace.semconv.vocabulary import TYPES, ValueType
from tests.semconv.hostile import HOSTILE, anything, assert_valid

SetLimit = Callable[[object], None]

quick = settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

CONTENT = "llm.input_messages.0.message.content"
COUNT = "llm.token_count.prompt"
COST = "llm.cost.total"
SCORE = "annotations.0.annotation.score"
ARGUMENTS = "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments"
IDENTIFIER = "retrieval.documents.0.document.id"
VECTOR = "embedding.embeddings.0.embedding.vector"
OMITTED = "agenttrace.omitted.embedding.embeddings.vectors"


class Reason(str, Enum):
    STOP = "stop"


VALUES: dict[str, tuple[str, Any, Any]] = {
    "a text": (CONTENT, "a", "a"),
    "a text that is an enumeration's member": (CONTENT, Reason.STOP, "stop"),
    "a number in the place of a text": (CONTENT, 5, "5"),
    "an object in the place of a text": (CONTENT, {"a": [1]}, '{"a":[1]}'),
    "a broken text": (CONTENT, "\ud800", "\\ud800"),
    "a count": (COUNT, 12, 12),
    "a count as a float": (COUNT, 12.0, 12),
    "a count of numpy's": (COUNT, np.int64(12), 12),
    "half a token": (COUNT, 12.5, None),
    "a count that is a text": (COUNT, "12", None),
    "a count that is a truth value": (COUNT, True, None),
    "a count without end": (COUNT, math.inf, None),
    "a count too large to send": (COUNT, 2**63, None),
    "a cost": (COST, 0.5, 0.5),
    "a whole cost": (COST, 1, 1.0),
    "an exact cost": (COST, Decimal("0.1"), 0.1),
    "a cost as a fraction": (COST, Fraction(1, 4), 0.25),
    "a cost of numpy's": (COST, np.float32(0.5), 0.5),
    "a cost that is no number": (COST, math.nan, None),
    "an endless cost": (COST, Decimal("Infinity"), None),
    "a cost too large for a float": (COST, 10**400, None),
    "a fraction too large for a float": (COST, Fraction(10**400), None),
    "a cost that is a text": (COST, "0.5", None),
    "a score that is whole": (SCORE, 1, 1),
    "a score that isn't": (SCORE, 0.5, 0.5),
    "a score too large to send": (SCORE, 2**70, float(2**70)),
    "a score that is a truth value": (SCORE, True, None),
    "arguments that a model wrote": (ARGUMENTS, '{"city": "Oslo"}', '{"city": "Oslo"}'),
    "arguments as they are meant": (ARGUMENTS, {"city": "Oslo"}, '{"city":"Oslo"}'),
    "arguments that broke off": (ARGUMENTS, '{"city": "Os', '"{\\"city\\": \\"Os"'),
    "arguments of nothing": (ARGUMENTS, "", "{}"),
    "arguments of nothing but space": (ARGUMENTS, " \n", "{}"),
    "arguments with what JSON has no word for": (ARGUMENTS, '{"a": NaN}', '"{\\"a\\": NaN}"'),
    "arguments that aren't there": (ARGUMENTS, None, None),
    "an id": (IDENTIFIER, "d1", "d1"),
    "an id that is a number": (IDENTIFIER, 7, 7),
    "an id of numpy's": (IDENTIFIER, np.int64(7), 7),
    "an id that is an object": (IDENTIFIER, UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "an id too large to send": (IDENTIFIER, 2**70, str(2**70)),
    "a vector": (VECTOR, [0.5, 1, -2.0], [0.5, 1.0, -2.0]),
    "a vector in a tuple": (VECTOR, (0.5,), [0.5]),
    "a vector of numpy's": (VECTOR, np.array([0.5, 1.0], dtype=np.float32), [0.5, 1.0]),
    "a vector of numpy's numbers": (VECTOR, [np.float64(0.5), np.int8(1)], [0.5, 1.0]),
    "a vector in an array": (VECTOR, array("f", [0.5]), [0.5]),
    "a hidden vector": (VECTOR, "__REDACTED__", "__REDACTED__"),
    "a vector that is a text": (VECTOR, "AACAPw==", None),
    "a vector with a text in it": (VECTOR, [0.5, "1"], None),
    "a vector with a gap in it": (VECTOR, [0.5, math.nan], None),
    "a vector of truth values": (VECTOR, [True, False], None),
    "a vector of what answers to everything": (VECTOR, [MagicMock()], None),
    "a matrix": (VECTOR, np.ones((2, 2)), None),
    "an empty vector": (VECTOR, [], None),
    "tags": ("tag.tags", ["a", 5, Reason.STOP], ["a", "5", "stop"]),
    "a tag": ("tag.tags", "a", ["a"]),
    "a truth value": ("exception.escaped", True, True),
    "no truth value": ("exception.escaped", 1, None),
    "an attribute of the program's own": ("search.index", ["a"], ["a"]),
}


@pytest.mark.parametrize(("key", "value", "expected"), VALUES.values(), ids=VALUES)
def test_a_value_becomes_what_its_attribute_holds(key: str, value: Any, expected: Any) -> None:
    """What can't be made one is left out."""
    encoded = encode_reserved({key: value})
    if expected is None:
        assert encoded == ({OMITTED: 1} if key == VECTOR else {})
    else:
        assert encoded == {key: expected}
        assert type(encoded[key]) is type(expected)


@quick
@given(st.dictionaries(st.sampled_from(sorted(TYPES)), anything))
def test_any_value_becomes_valid(flat: dict[str, Any]) -> None:
    """Every reserved attribute takes anything and gives what the specification asks for."""
    assert_valid(encode_reserved(flat))


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_what_resists_does_no_harm(make: Callable[[], Any]) -> None:
    """The attributes beside it are there."""
    encoded = encode_reserved({**{key: make() for key in TYPES}, "llm.output_messages.0.message.role": "assistant"})
    assert_valid(encoded)
    assert encoded["llm.output_messages.0.message.role"] == "assistant"


def test_a_value_is_not_changed_and_a_generator_not_read() -> None:
    """What is the program's stays as it was."""
    items = iter([1.0, 2.0])
    assert VECTOR not in encode_reserved({VECTOR: items})
    assert list(items) == [1.0, 2.0]
    parameters = {"stop": ["a"]}
    encode_reserved({"llm.invocation_parameters": parameters})
    assert parameters == {"stop": ["a"]}


def test_an_object_of_which_nothing_is_left_leaves_no_gap() -> None:
    """Lists are numbered anew, and only those in which something is gone."""
    flat = {f"embedding.embeddings.{index}.embedding.vector": [1.0] for index in range(5)}
    flat["embedding.embeddings.1.embedding.vector"] = [math.nan]
    flat["embedding.embeddings.3.embedding.vector"] = ["a"]  # type: ignore[list-item]
    rest = {"embedding.embeddings.4.embedding.text": "the last", "annotations.7.annotation.name": "n"}
    assert encode_reserved({**flat, **rest}) == {
        "embedding.embeddings.0.embedding.vector": [1.0],
        "embedding.embeddings.1.embedding.vector": [1.0],
        "embedding.embeddings.2.embedding.vector": [1.0],
        "embedding.embeddings.2.embedding.text": "the last",
        "annotations.7.annotation.name": "n",
        OMITTED: 2,
    }


def test_vectors_are_recorded_as_far_as_there_is_room() -> None:
    """What there was no room for is counted."""
    large = {f"embedding.embeddings.{index}.embedding.vector": [0.5] * 60_000 for index in range(4)}
    encoded = encode_reserved(large)
    assert encoded.pop(OMITTED) == 2
    assert list(encoded) == [VECTOR, "embedding.embeddings.1.embedding.vector"]
    assert encode_reserved({VECTOR: np.zeros(10_000_000)}) == {OMITTED: 1}


def test_texts_are_cut_to_a_fair_share_where_all_together_are_too_long(set_limit: SetLimit) -> None:
    """Short ones stay whole, long ones share what is left, and JSON stays what it was: an object."""
    set_limit(10_000)
    flat: dict[str, Any] = {f"llm.input_messages.{index}.message.content": "x" * 9000 for index in range(20)}
    flat["llm.input_messages.20.message.content"] = "short"
    flat["llm.invocation_parameters"] = {"stop": ["y" * 4000, "z" * 4000], "n": 1}
    encoded = encode_reserved(flat)
    assert sum(len(str(value)) for value in encoded.values()) <= 31_000
    assert encoded["llm.input_messages.20.message.content"] == "short"
    assert str(encoded["llm.input_messages.0.message.content"]).endswith("… [truncated: 9000 characters]")
    parameters = json.loads(str(encoded["llm.invocation_parameters"]))
    assert parameters["n"] == 1
    assert parameters["stop"][0].startswith("yyy")


def test_a_large_object_among_small_ones_has_the_room_that_they_leave(set_limit: SetLimit) -> None:
    """Nothing is cut as long as all together are not too long."""
    set_limit(10_000)
    start = "llm.output_messages.0.message.tool_calls"
    small: dict[str, Any] = {f"{start}.{index}.tool_call.function.arguments": {"n": index} for index in range(40)}
    large = {"query": "x" * 8000, "at": UUID(int=1)}
    encoded = encode_reserved({**small, f"{start}.40.tool_call.function.arguments": large})
    assert json.loads(str(encoded[f"{start}.39.tool_call.function.arguments"])) == {"n": 39}
    assert json.loads(str(encoded[f"{start}.40.tool_call.function.arguments"])) == {**large, "at": str(UUID(int=1))}


@pytest.mark.parametrize(
    "value",
    ["x" * 50_000_000, " " * 50_000_000, "ø" * 50_000_000, '{"a": "' + "x" * 50_000_000 + '"}', '"' * 50_000_000],
    ids=["a text", "space", "a text that isn't ASCII", "JSON", "quotes"],
)
def test_a_very_long_text_is_cut(value: str) -> None:
    """No more of it is looked at than is kept."""
    encoded = encode_reserved({CONTENT: value, ARGUMENTS: value, "metadata": {"a": value}})
    assert_valid(encoded)
    assert all(len(str(text).encode()) <= max_value_bytes() for text in encoded.values())
    assert str(encoded[CONTENT]).endswith("… [truncated: " + f"{len(value)} characters]")


def test_any_texts_are_within_a_small_limit(set_limit: SetLimit) -> None:
    """Whatever is cut, JSON is JSON, and nothing is longer than one value may be."""
    set_limit(300)
    keys = [key for key, kind in TYPES.items() if kind in (ValueType.STRING, ValueType.JSON)]

    @quick
    @given(st.dictionaries(st.sampled_from(keys), anything | st.text(st.characters(), max_size=2000)))
    def check(flat: dict[str, Any]) -> None:
        encoded = encode_reserved(flat)
        assert_valid(encoded)
        assert all(len(str(text).encode()) <= 300 for text in encoded.values())

    check()
