"""The shape of OpenAI's embeddings, which Mistral, LiteLLM and others share."""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode
from collections.abc import Sequence

from ...semconv.fields import as_list, field, list_field, text_field
from ...semconv.parts import drop_none
from ...semconv.types import Embedding, ModelCall
from ..token_counts import read_usage

__all__ = ["decode_vector", "is_embedding_response", "read_embedding_response"]

_MOST_DECODED_CHARACTERS = 4 * 1024 * 1024
"""Of base64 in one response; what is beyond is left as an embedding without its vector."""


def is_embedding_response(value: object) -> bool:
    """Whether ``value``, an object or a mapping, has the shape of an embedding response."""
    data = list_field(value, "data")
    return bool(data) and field(value, "object") == "list" and field(data[0], "object") == "embedding"


def read_embedding_response(response: object) -> ModelCall:
    """What ``response``, of embeddings, says of the call. Vectors in base64 are decoded."""
    room = _MOST_DECODED_CHARACTERS
    embeddings: list[Embedding] = []
    for item in list_field(response, "data"):
        vector = field(item, "embedding")
        if isinstance(vector, str):
            room -= len(vector)
            vector = decode_vector(vector) if room >= 0 else None
        embeddings.append(drop_none(vector=as_list(vector) or None))  # type: ignore[arg-type]
    return drop_none(  # type: ignore[return-value]
        model_name=text_field(response, "model"),
        embeddings=embeddings,
        token_counts=read_usage(field(response, "usage")),
    )


def decode_vector(encoded: str) -> Sequence[float] | None:
    """The numbers in ``encoded``, base64 of little-endian float32; None where it is something else.

    Example:
        >>> decode_vector("AACAPwAAAMA=")
        [1.0, -2.0]
    """
    numbers = array("f")
    try:
        numbers.frombytes(b64decode(encoded, validate=True))
    except ValueError:
        return None
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()
