"""What embedding functions return → one vector each, in whatever library's array they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import faults
from .arrays import array_rows, dimensions_of, number_of
from .fields import as_list, class_name, field, is_list, is_text, text_of
from .types import Embedding

__all__ = ["MOST_VECTORS", "pair_up", "read_texts", "read_vectors"]

MOST_VECTORS = 2048
"""So many embeddings of one call are recorded, at most; how large they may be together, the encoder says."""

_HOLDERS = ("embeddings", "embedding", "vectors", "vector", "values", "dense_vecs", "data", "float")
_DEEPEST = 4  # objects in objects, down to a vector


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
    try:
        return _read(value, _DEEPEST)
    except BaseException as error:
        faults.contain(f"reading vectors of type {class_name(value)}", error)
        return None


def read_texts(value: object) -> list[str]:
    """The texts that were to be embedded: a string, or a list of strings. Tokens are not made texts of."""
    text = text_of(value)
    if text is not None:
        return [text]
    items = as_list(value)[:MOST_VECTORS]
    return [text_of(item) or "" for item in items] if all(map(is_text, items)) else []


def pair_up(texts: Sequence[str], vectors: Sequence[Any]) -> list[Embedding]:
    """Texts and vectors as embeddings, by place; where there are more of one, the rest has none of the other."""
    embeddings: list[Embedding] = []
    for index in range(max(len(texts), len(vectors))):
        embedding: Embedding = {}
        if index < len(texts):
            embedding["text"] = texts[index]
        if index < len(vectors):
            embedding["vector"] = vectors[index]
        embeddings.append(embedding)
    return embeddings


def _read(value: object, depth: int) -> list[Any] | None:
    if is_list(value):
        return _read_list(as_list(value), depth)
    dimensions = dimensions_of(value)
    if dimensions is not None:
        return [value] if dimensions == 1 else array_rows(value, MOST_VECTORS) or None
    for name in _HOLDERS if depth else ():
        inner = field(value, name)
        if inner is not None:
            return _read(inner, depth - 1)
    return None


def _read_list(items: Sequence[Any], depth: int) -> list[Any] | None:
    if not items:
        return None
    if number_of(items[0]) is not None:
        return [items]
    vectors: list[Any] = []
    for item in items[:MOST_VECTORS] if depth else ():
        found = _read(item, depth - 1)
        if found is None or len(found) != 1:
            return None
        vectors.append(found[0])
    return vectors or None
