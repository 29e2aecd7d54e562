"""What went into a span and came out of it, in a line each.

A client's own answer is JSON in which the words are far from the beginning. So where OpenInference's flattened lists
of messages, documents or embeddings are there, they are what is shown, and ``input.value`` and ``output.value`` else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from openinference.semconv.trace import (
    DocumentAttributes,
    EmbeddingAttributes,
    OpenInferenceMimeTypeValues,
    OpenInferenceSpanKindValues,
    RerankerAttributes,
    SpanAttributes,
)

from .documents import jsonable
from .figures import count_text
from .flattened import items_of, messages_of
from .messages import answer_text, conversation_text, last_text, says_something
from .text import one_line, safe_json
from .values import load_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .records import SpanRecord

_LONGEST_PARSED = 4_000
_LLM = OpenInferenceSpanKindValues.LLM.value
# What the JSON of a function without arguments, or without a result, says.
_NO_INPUT = "{}"
_NO_OUTPUT = "null"


def input_text(span: SpanRecord) -> str | None:
    """What went into ``span``, on one line; None when nothing did or it isn't known."""
    return _text(span, _INPUTS, (SpanAttributes.INPUT_VALUE, SpanAttributes.INPUT_MIME_TYPE), _NO_INPUT)


def output_text(span: SpanRecord) -> str | None:
    """What came out of ``span``, on one line; None when nothing did or it isn't known."""
    return _text(span, _OUTPUTS, (SpanAttributes.OUTPUT_VALUE, SpanAttributes.OUTPUT_MIME_TYPE), _NO_OUTPUT)


def _text(
    span: SpanRecord, readers: Mapping[str, Callable[[Mapping[str, Any]], str | None]], keys: tuple[str, str], none: str
) -> str | None:
    read = readers.get(span.kind or "")
    said = None if read is None else read(span.attributes)
    if said is not None:
        return one_line(said)
    value, mime_type = map(span.attributes.get, keys)
    is_json = mime_type == OpenInferenceMimeTypeValues.JSON.value
    if value is None or (is_json and isinstance(value, str) and value.strip() == none):
        return None
    return _value_text(value, is_json, span.kind)


def _value_text(value: object, is_json: bool, kind: str | None) -> str:
    if not isinstance(value, str):
        return one_line(safe_json(jsonable(value)))
    if not is_json or (kind != _LLM and len(value) > _LONGEST_PARSED):
        return one_line(value)
    try:
        parsed = load_json(value)
        said = conversation_text(parsed) if kind == _LLM else None
        return one_line(safe_json(parsed) if said is None else said)  # JSON with the spaces that make it readable
    except (ValueError, RecursionError):
        return one_line(value)


def _asked(attributes: Mapping[str, Any]) -> str | None:
    messages = messages_of(attributes, SpanAttributes.LLM_INPUT_MESSAGES)
    return last_text(messages) if messages and says_something(messages[-1]) else None


def _answered(attributes: Mapping[str, Any]) -> str | None:
    return answer_text(messages_of(attributes, SpanAttributes.LLM_OUTPUT_MESSAGES))


def _found(attributes: Mapping[str, Any]) -> str | None:
    return _documents_text(items_of(attributes, SpanAttributes.RETRIEVAL_DOCUMENTS))


def _to_rank(attributes: Mapping[str, Any]) -> str | None:
    documents = _documents_text(items_of(attributes, RerankerAttributes.RERANKER_INPUT_DOCUMENTS))
    query = attributes.get(RerankerAttributes.RERANKER_QUERY)
    return f"{query} in {documents}" if documents is not None and isinstance(query, str) and query else documents


def _ranked(attributes: Mapping[str, Any]) -> str | None:
    return _documents_text(items_of(attributes, RerankerAttributes.RERANKER_OUTPUT_DOCUMENTS))


def _documents_text(documents: Sequence[Mapping[str, Any]]) -> str | None:
    """How many there are, and what the first says, or how it is called."""
    if not documents:
        return None
    names = (DocumentAttributes.DOCUMENT_CONTENT, DocumentAttributes.DOCUMENT_NAME, DocumentAttributes.DOCUMENT_ID)
    first = next((text for text in map(documents[0].get, names) if text not in (None, "")), None)
    count = count_text(len(documents), "document")
    if first is None:
        return count
    return f"{count}: {first if isinstance(first, str) else safe_json(jsonable(first))}"


def _embedded(attributes: Mapping[str, Any]) -> str | None:
    texts = [item.get(EmbeddingAttributes.EMBEDDING_TEXT) for item in _embeddings(attributes)]
    known = [text for text in texts if isinstance(text, str)]
    return f"{count_text(len(known), 'text')}: {known[0]}" if known else None


def _vectors(attributes: Mapping[str, Any]) -> str | None:
    vectors = [item.get(EmbeddingAttributes.EMBEDDING_VECTOR) for item in _embeddings(attributes)]
    lengths = [len(vector) for vector in vectors if isinstance(vector, (tuple, list))]
    if not lengths:
        return None
    count = count_text(len(lengths), "vector")
    return f"{count} of {lengths[0]:,}" if len(set(lengths)) == 1 else count


def _embeddings(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return items_of(attributes, SpanAttributes.EMBEDDING_EMBEDDINGS)


_INPUTS: dict[str, Callable[[Any], str | None]] = {
    _LLM: _asked,
    OpenInferenceSpanKindValues.RERANKER.value: _to_rank,
    OpenInferenceSpanKindValues.EMBEDDING.value: _embedded,
}
_OUTPUTS: dict[str, Callable[[Any], str | None]] = {
    _LLM: _answered,
    OpenInferenceSpanKindValues.RETRIEVER.value: _found,
    OpenInferenceSpanKindValues.RERANKER.value: _ranked,
    OpenInferenceSpanKindValues.EMBEDDING.value: _vectors,
}
