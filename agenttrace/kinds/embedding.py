"""EMBEDDING spans: the texts and their vectors, the model, and how many tokens that took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openinference.semconv.trace import EmbeddingAttributes, SpanAttributes

from ..readers import find_reader
from ..readers.request import read_request
from ..semconv.attributes import embedding_attributes, token_count_attributes
from ..semconv.fields import field
from ..semconv.types import ModelCall
from ..semconv.vectors import MOST_VECTORS, pair_up, read_texts, read_vectors
from .interface import Describer, Flat

__all__ = ["EmbeddingDescriber"]

_TEXTS = ("input", "inputs", "text", "texts", "documents", "sentences", "contents", "content", "query", "queries")
_NOT_TEXTS = frozenset({"model", "model_name", "model_id", "api_key", "base_url", "encoding_format", "input_type"})


class EmbeddingDescriber(Describer):
    """Describes calls of functions marked `trace_embedding`."""

    def before(self, bound: Mapping[str, Any]) -> Flat:
        """See `Describer.before`."""
        request = read_request(bound)
        flat: Flat = embedding_attributes([{"text": text} for text in _texts(bound)])
        model = request.get("model_name")
        if model is not None:
            flat[SpanAttributes.EMBEDDING_MODEL_NAME] = model
        parameters = request.get("invocation_parameters")
        if parameters:
            flat[SpanAttributes.EMBEDDING_INVOCATION_PARAMETERS] = parameters
        return flat

    def after(self, value: object, recorded: Mapping[str, Any]) -> Flat:
        """See `Describer.after`."""
        reader = None if isinstance(value, (str, list, tuple)) else find_reader(value)
        call: ModelCall = {} if reader is None else reader.read(value)
        embeddings = call.get("embeddings")
        vectors = [embedding.get("vector") for embedding in embeddings] if embeddings else read_vectors(value) or []
        flat = embedding_attributes(pair_up(_texts_in(recorded), vectors)) if vectors else {}
        if call.get("model_name"):
            flat[SpanAttributes.EMBEDDING_MODEL_NAME] = call["model_name"]
        flat.update(token_count_attributes(call.get("token_counts") or {}))
        return flat


def _texts(bound: Mapping[str, Any]) -> list[str]:
    for name in _TEXTS:
        found = _readable(bound.get(name))
        if found:
            return found
    nested = next((value for value in bound.values() if isinstance(value, dict) and "input" in value), None)
    if nested is not None:
        return read_texts(field(nested, "input"))
    others = [found for name, value in bound.items() if name not in _NOT_TEXTS and (found := read_texts(value))]
    return others[0] if len(others) == 1 else []


def _readable(value: object) -> list[str]:
    """The texts in ``value``: strings, or documents that are to be embedded."""
    texts = read_texts(value)
    if texts or not isinstance(value, (list, tuple)):
        return texts
    contents = [field(item, "page_content", "text", "content") for item in value[:MOST_VECTORS]]
    return (
        [text for text in contents if isinstance(text, str)] if all(isinstance(text, str) for text in contents) else []
    )


def _texts_in(recorded: Mapping[str, Any]) -> list[str]:
    texts = (
        recorded.get(f"{SpanAttributes.EMBEDDING_EMBEDDINGS}.{index}.{EmbeddingAttributes.EMBEDDING_TEXT}")
        for index in range(MOST_VECTORS)
    )
    return [text for text in texts if isinstance(text, str)]
