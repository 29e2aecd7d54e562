"""What embedding functions return becomes one vector each, in whatever library's array it is."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from agenttrace.capture.reserved import encode_reserved
from agenttrace.semconv.arrays import array_items, array_rows, dimensions_of, floats_of, number_of
from agenttrace.semconv.attributes import embedding_attributes
from agenttrace.semconv.vectors import MOST_VECTORS, pair_up, read_texts, read_vectors

from .hostile import HOSTILE, anything, assert_untouched, assert_valid, nested, nested_in

quick = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])

RETURNED: dict[str, tuple[Any, list[list[float]] | None]] = {
    "one vector": ([0.5, 1.0], [[0.5, 1.0]]),
    "one vector of whole numbers": ((1, 2), [[1, 2]]),
    "several": ([[0.5], [1.0]], [[0.5], [1.0]]),
    "an array": (np.array([0.5, 1.0]), [[0.5, 1.0]]),
    "a matrix": (np.array([[0.5], [1.0]]), [[0.5], [1.0]]),
    "arrays in a list": ([np.array([0.5]), np.array([1.0])], [[0.5], [1.0]]),
    "numpy's numbers": ([np.float32(0.5), np.float32(1.0)], [[0.5, 1.0]]),
    "the standard library's array": (array("f", [0.5]), [[0.5]]),
    "a mapping": ({"embedding": [0.5]}, [[0.5]]),
    "a mapping of several": ({"embeddings": [[0.5], [1.0]], "model": "m"}, [[0.5], [1.0]]),
    "a response": ({"data": [{"embedding": [0.5]}, {"embedding": [1.0]}]}, [[0.5], [1.0]]),
    "an object": (SimpleNamespace(vectors=[[0.5]]), [[0.5]]),
    "Gemini's": (SimpleNamespace(embeddings=[SimpleNamespace(values=[0.5])]), [[0.5]]),
    "Cohere's": ({"embeddings": {"float": [[0.5]]}}, [[0.5]]),
    "nothing": (None, None),
    "an empty list": ([], None),
    "texts": (["a", "b"], None),
    "a text": ("a", None),
    "truth values": ([True, False], None),
    "a number": (0.5, None),
    "a cube": (np.zeros((2, 2, 2)), None),
    "a number of numpy's": (np.float64(0.5), None),
    "what answers to everything": (MagicMock(), None),
    "what answers to everything, in a list": ([MagicMock()], None),
    "vectors and something else": ([[0.5], "a"], None),
    "several in one": ([[[0.5], [1.0]]], None),
}


@pytest.mark.parametrize(("value", "expected"), RETURNED.values(), ids=RETURNED)
def test_what_an_embedder_returned_is_read(value: Any, expected: list[list[float]] | None) -> None:
    """One vector for each text, or nothing where there are no vectors."""
    read = read_vectors(value)
    assert (read if read is None else [list(vector) for vector in read]) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", ["a"]),
        (["a", "b"], ["a", "b"]),
        (("a",), ["a"]),
        ([15339, 1917], []),
        (["a", 5], []),
        ([], []),
        (None, []),
        ({"a": 1}, []),
    ],
)
def test_texts_are_strings_and_tokens_are_not(value: Any, expected: list[str]) -> None:
    """Which text a token stands for, nobody can tell without the model's own table."""
    assert read_texts(value) == expected


def test_texts_and_vectors_go_together_by_their_place() -> None:
    """Where there are more of one, the rest has none of the other."""
    assert pair_up(["a", "b"], [[0.5]]) == [{"text": "a", "vector": [0.5]}, {"text": "b"}]
    assert pair_up(["a"], [[0.5], [1.0]]) == [{"text": "a", "vector": [0.5]}, {"vector": [1.0]}]
    assert pair_up([], []) == []


def test_very_many_are_cut() -> None:
    """So many of one call are recorded."""
    assert len(read_vectors([[0.5]] * 100_000) or ()) == MOST_VECTORS
    assert len(read_vectors(np.zeros((100_000, 1))) or ()) == MOST_VECTORS
    assert len(read_texts(["a"] * 100_000)) == MOST_VECTORS


@pytest.mark.parametrize("name", ["embeddings", "data", "vector", "float"])
def test_deep_nesting_takes_no_stack(name: str) -> None:
    """A vector in a list in a list, and so on without end."""
    assert read_vectors(nested_in(name, 10_000)) is None
    assert read_vectors(nested(10_000)) is None


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_what_resists_does_no_harm(make: Callable[[], Any]) -> None:
    """Nothing of a foreign object is called while it is read."""
    value = make()
    for given_value in (value, [value], [[value]], {"embeddings": value}, [0.5, value]):
        read_vectors(given_value)
        read_texts(given_value)
        floats_of(given_value, 10)
    for read in (number_of, dimensions_of):
        read(value)
    array_items(value, 5)
    array_rows(value, 5)
    assert_untouched(value)


@quick
@given(anything, anything)
def test_anything_an_embedder_takes_and_returns_is_recorded_validly(texts: object, vectors: object) -> None:
    """Nothing raises, and what comes out can be sent and is OpenInference."""
    embeddings = pair_up(read_texts(texts), read_vectors(vectors) or [])
    assert_valid(encode_reserved(embedding_attributes(embeddings)))


def test_numbers_are_python_s_and_numpy_s() -> None:
    """What can be made a number isn't one for that: a truth value, a text, an object with a method for it."""
    assert number_of(1) == number_of(np.uint8(1)) == number_of(np.float16(1.0)) == 1.0
    for value in (True, "1", MagicMock(), np.datetime64("2026-01-01"), np.array([1.0]), 10**400, None):
        assert number_of(value) is None


def test_an_array_that_is_not_in_memory_is_not_read() -> None:
    """One of torch's may lie on another device, where reading it waits."""

    class Device:
        type = "cuda"

    tensor = type("Tensor", (), {"__module__": "torch", "ndim": 1, "device": Device(), "is_sparse": False})()
    assert dimensions_of(tensor) is None
    assert read_vectors(tensor) is None


def test_the_first_rows_and_items_of_an_array() -> None:
    """Of an array of the right number of dimensions, as far as they are wanted."""
    assert array_items(np.arange(5), 2) == [0, 1]
    assert array_items(array("i", [1, 2, 3]), 2) == [1, 2]
    assert array_items(np.zeros((2, 2)), 2) == []
    assert [list(row) for row in array_rows(np.zeros((3, 1)), 2)] == [[0.0], [0.0]]
    assert array_rows(np.zeros(2), 2) == []
