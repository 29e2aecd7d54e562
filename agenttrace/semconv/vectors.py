"""What embedding functions return → one vector each, in whatever library's array they are."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from .fields import field
from .types import Embedding

__all__ = ["MOST_VECTORS", "pair_up", "read_texts", "read_vectors"]

MOST_VECTORS = 2048
"""So many embeddings of one call are recorded, at most; how large they may be together, the encoder says."""

_HOLDERS = ("embeddings", "embedding", "vectors", "vector", "dense_vecs", "data", "float")
_ARRAYS = ("numpy", "torch", "jax", "jaxlib", "tensorflow")


def read_vectors(value: object) -> list[Any] | None:
    """The vectors in ``value``, as they are: lists of floats or rows of an array.

    Args:
        value: One vector, a list of them, a matrix of numpy or torch, or a mapping or object that has these as
            ``embeddings``, ``embedding`` or the like.

    Returns:
        At most `MOST_VECTORS`; None where there are none.

    Example:
        >>> read_vectors([0.1, 0.2]), read_vectors([[0.1], [0.2]])
        ([[0.1, 0.2]], [[0.1], [0.2]])
    """
    if isinstance(value, (list, tuple)):
        return _read_list(value)
    dimensions = _dimensions(value)
    if dimensions == 1:
        return [value]
    if dimensions == 2:
        return list(islice(_rows(value), MOST_VECTORS))
    for name in _HOLDERS:
        inner = field(value, name)
        if inner is not None and inner is not value:
            return read_vectors(inner)
    return None


def read_texts(value: object) -> list[str]:
    """The texts that were to be embedded: a string, or a list of strings. Tokens are not made texts of."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, (list, tuple)) and all(isinstance(text, str) for text in value[:MOST_VECTORS]):
        return list(value[:MOST_VECTORS])
    return []


def pair_up(texts: Iterable[str], vectors: Iterable[Any]) -> list[Embedding]:
    """Texts and vectors as embeddings, by place; where there are more of one, the rest has none of the other."""
    listed_texts, listed_vectors = list(texts), list(vectors)
    embeddings: list[Embedding] = []
    for index in range(max(len(listed_texts), len(listed_vectors))):
        embedding: Embedding = {}
        if index < len(listed_texts):
            embedding["text"] = listed_texts[index]
        if index < len(listed_vectors):
            embedding["vector"] = listed_vectors[index]
        embeddings.append(embedding)
    return embeddings


def _read_list(items: list[Any] | tuple[Any, ...]) -> list[Any] | None:
    if not items:
        return None
    if _is_number(items[0]):
        return [items]
    vectors = []
    for item in islice(items, MOST_VECTORS):
        found = read_vectors(item)
        if found is None or len(found) != 1:
            return None
        vectors.append(found[0])
    return vectors


def _dimensions(value: object) -> int | None:
    module = type(value).__module__.partition(".")[0]
    if module == "array":
        return 1
    if module not in _ARRAYS:
        return None
    dimensions = getattr(value, "ndim", None)
    return dimensions if isinstance(dimensions, int) else None


def _rows(matrix: Any) -> Iterable[Any]:
    return (matrix[index] for index in range(len(matrix)))


def _is_number(value: object) -> bool:
    if isinstance(value, (int, float)):
        return not isinstance(value, bool)
    return type(value).__module__.partition(".")[0] in _ARRAYS and getattr(value, "ndim", None) == 0
