"""Cohere's lists: vectors of ``embed`` and documents of ``rerank``."""

from __future__ import annotations

from typing import Any

from ...semconv.fields import as_list, field, fields, int_field, is_a, is_dict, is_list, list_field, text_field, text_of
from ...semconv.parts import drop_none
from ...semconv.types import Document, ModelCall
from ..as_sent import as_sent
from ..openai.embeddings import read_embedding_response
from ..token_counts import make_token_count

__all__ = ["is_embedding", "is_ranking", "read_embedding", "read_ranking"]

# The client's objects have a trailing underscore where the API's name is a type of Python's.
_VECTOR_TYPES = ("float_", "float", "base64", "int8", "uint8", "binary", "ubinary")
_EMBEDDINGS = (
    *("EmbedByTypeResponse", "EmbeddingsByTypeEmbedResponse"),
    *("EmbedFloatsResponse", "EmbeddingsFloatsEmbedResponse"),
)


def is_embedding(value: object) -> bool:
    """Whether ``value`` is a response of ``embed``: the client's, or a mapping with vectors by their type."""
    if is_a(value, "cohere", *_EMBEDDINGS):
        return True
    if not is_dict(value) or text_field(value, "id") is None:
        return False
    said = text_field(value, "response_type")
    by_type = field(value, "embeddings")
    if said is not None:
        return said in ("embeddings_by_type", "embeddings_floats") and by_type is not None
    types = fields(by_type) if is_dict(by_type) else {}
    return bool(types) and types.keys() <= set(_VECTOR_TYPES)


def is_ranking(value: object) -> bool:
    """Whether ``value`` is a response of ``rerank``: the client's, or a mapping whose results have index and score."""
    if is_a(value, "cohere", "V2RerankResponse", "RerankResponse"):
        return True
    results = list_field(value, "results") if is_dict(value) else ()
    return bool(results) and int_field(results[0], "index") is not None and _score_of(results[0]) is not None


def read_embedding(response: object) -> ModelCall:
    """The vectors of ``response`` with their texts. Of several types of vector, the most exact one is read."""
    found = field(response, "embeddings")
    vectors = as_list(found) if is_list(found) else list_field(found, *_VECTOR_TYPES)
    listed = [{"embedding": vector} for vector in vectors]
    embeddings: list[Any] = list(read_embedding_response({"data": listed}).get("embeddings", ()))
    texts = list_field(response, "texts")
    if len(texts) == len(embeddings):
        embeddings = [{"text": text, **each} for text, each in zip(texts, embeddings, strict=True)]
    meta = field(response, "meta")
    # What was billed is all that it says of embeddings' tokens, unless it says more.
    prompt = int_field(field(meta, "tokens"), "input_tokens") or int_field(field(meta, "billed_units"), "input_tokens")
    return drop_none(  # type: ignore[return-value]
        embeddings=embeddings, token_counts=make_token_count(prompt=prompt)
    )


def read_ranking(response: object) -> ModelCall:
    """The results of ``response``, the best first. Its scores are all that version 2 says of them."""
    return {"documents": [_read_result(result) for result in list_field(response, "results")]}


def _read_result(result: object) -> Document:
    document = field(result, "document")
    content = text_of(document) or text_field(document, "text")
    metadata = drop_none(
        relevant_spans=as_sent(list_field(result, "relevant_spans"), "cohere") or None,
        document=as_sent(document, "cohere") if content is None else None,
    )
    return drop_none(  # type: ignore[return-value]
        id=int_field(result, "index"), content=content, score=_score_of(result), metadata=metadata or None
    )


def _score_of(result: object) -> float | None:
    score = field(result, "relevance_score")
    return float(score) if type(score) in (float, int) else None
