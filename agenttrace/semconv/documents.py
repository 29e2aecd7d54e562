"""What retrievers and rerankers return, in any library's shape → OpenInference's documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .fields import as_list, field, text_field
from .types import Document

__all__ = ["MOST_DOCUMENTS", "read_document", "read_documents", "read_ranked"]

MOST_DOCUMENTS = 1000
"""So many documents of one list are recorded."""

_CONTENT = ("content", "page_content", "text", "body", "passage", "chunk", "document", "snippet")
_IDENTIFIER = ("id", "doc_id", "document_id", "_id", "id_", "node_id", "chunk_id")
_SCORE = ("score", "relevance_score", "similarity", "_score", "relevance", "rerank_score")
_METADATA = ("metadata", "meta", "extra_info", "payload")
_INSIDE = ("node", "document")
_HOLDERS = ("documents", "results", "matches", "hits", "nodes", "source_nodes", "points", "data", "docs")
_INDEX = ("index", "corpus_id", "result_index")


def read_documents(value: object) -> list[Document] | None:
    """The documents in ``value``.

    Args:
        value: A list of texts, mappings, documents of LangChain, LlamaIndex, Haystack or the like, pairs of one and its
            score; a single one; or an answer of a vector store that holds such a list.

    Returns:
        The documents, at most `MOST_DOCUMENTS`; None where ``value`` holds none that are known as such.

    Example:
        >>> read_documents([("Oslo is rainy.", 0.9), {"text": "Rome is sunny.", "id": 7}])
        [{'content': 'Oslo is rainy.', 'score': 0.9}, {'content': 'Rome is sunny.', 'id': 7}]
    """
    if isinstance(value, (list, tuple)):
        return _read_list(value)
    columns = _read_columns(value)
    if columns is not None:
        return columns
    for name in _HOLDERS:
        inner = field(value, name)
        if isinstance(inner, (list, tuple)):
            return _read_list(inner)
    single = read_document(value)
    return None if single is None else [single]


def read_document(value: object) -> Document | None:
    """``value`` as one document, None where it is none that is known."""
    if isinstance(value, str):
        return {"content": value}
    if isinstance(value, (list, tuple)):
        return _read_pair(value)
    inner = next((found for name in _INSIDE if _is_object(found := field(value, name))), None)
    document: Document = (read_document(inner) or {}) if inner is not None else {}
    content = next((text for name in _CONTENT if isinstance(text := field(value, name), str)), None)
    if content is None:
        content = _inner_text(value)
    if content is not None:
        document["content"] = content
    identifier = field(value, *_IDENTIFIER)
    if isinstance(identifier, (str, int)) and not isinstance(identifier, bool):
        document["id"] = identifier
    score = _score(field(value, *_SCORE))
    if score is not None:
        document["score"] = score
    metadata = field(value, *_METADATA)
    if isinstance(metadata, Mapping) and metadata:
        document["metadata"] = metadata
    # An id or a score alone may be anything's.
    return document if "content" in document or ("id" in document and len(document) > 1) else None


def read_ranked(value: object, contents: Sequence[str | None]) -> list[Document] | None:
    """What a reranker returned: documents, or places among the documents it was given, with scores.

    Args:
        value: Documents in any shape of `read_documents`; indices, pairs of index and score, or objects with both; or
            nothing but scores, one for each document that was given.
        contents: The texts of the documents that were given, None for one that has none.
    """
    held = next((inner for name in _HOLDERS if (inner := as_list(field(value, name)))), None)
    items = held or _listed(value)
    scores = [_score(item) for item in items[:MOST_DOCUMENTS]]
    are_scores = len(items) == len(contents) and None not in scores and not all(type(item) is int for item in items)
    if items and are_scores:
        return [_with_content(index, contents, score) for index, score in enumerate(scores)]
    ranked = [_read_place(item, contents) for item in items[:MOST_DOCUMENTS]]
    if ranked and all(document is not None for document in ranked):
        return [document for document in ranked if document is not None]
    return read_documents(value)


def _read_list(items: Sequence[Any]) -> list[Document] | None:
    documents = [read_document(item) for item in items[:MOST_DOCUMENTS]]
    if any(document is None for document in documents):
        return None
    return [document for document in documents if document is not None]


def _read_pair(pair: Sequence[Any]) -> Document | None:
    """A document and its score, in either order."""
    if len(pair) != 2:
        return None
    for document, score in (pair, pair[::-1]):
        number = _score(score)
        read = None if number is None or isinstance(document, (list, tuple)) else read_document(document)
        if read is not None and number is not None:
            return {**read, "score": number}
    return None


def _read_columns(value: object) -> list[Document] | None:
    """An answer in columns, as Chroma gives it: lists of documents, ids, metadatas and distances of each query."""
    texts, ids, metadatas = (_column(field(value, name)) for name in ("documents", "ids", "metadatas"))
    if not texts or len(texts) != len(ids):
        return None
    columns = zip(texts, ids, metadatas if len(metadatas) == len(ids) else [None] * len(ids), strict=True)
    return _read_list([{"content": text, "id": number, "metadata": metadata} for text, number, metadata in columns])


def _column(rows: object) -> list[Any]:
    """The cells of all queries, one after the other."""
    return [cell for row in as_list(rows) for cell in (row if isinstance(row, list) else [row])]


def _read_place(item: object, contents: Sequence[str | None]) -> Document | None:
    """An index into the documents that were given, alone or with a score."""
    score = _score(field(item, *_SCORE))
    index = field(item, *_INDEX)
    if isinstance(item, int) and not isinstance(item, bool):
        index = item
    elif isinstance(item, (list, tuple)) and len(item) == 2 and type(item[0]) is int:
        index, score = item[0], _score(item[1])
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(contents):
        return None
    own = None if isinstance(item, (int, list, tuple)) else read_document(item)
    return {**_with_content(index, contents, score), **(own or {})}


def _with_content(index: int, contents: Sequence[str | None], score: float | None) -> Document:
    document: Document = {"id": index}
    content = contents[index]
    if content is not None:
        document["content"] = content
    if score is not None:
        document["score"] = score
    return document


def _listed(value: object) -> list[Any]:
    """``value`` as a list, where it is one, a tuple or a small one-dimensional array of numbers."""
    if isinstance(value, (list, tuple)):
        return list(value)
    if type(value).__module__.partition(".")[0] == "numpy" and getattr(value, "ndim", 0) == 1:
        return value[:MOST_DOCUMENTS].tolist()  # type: ignore[index, no-any-return]
    return []


def _inner_text(value: object) -> str | None:
    """LlamaIndex's ``text_resource.text``, Cohere's ``document.text``, and a content that is an object with a text."""
    for name in ("text_resource", "document", "data", "content", "fields", "source", "_source", "metadata", "payload"):
        inner = field(value, name)
        if inner is not None and not isinstance(inner, (str, list, tuple)):
            text = text_field(inner, "text", "content", "page_content", "chunk_text", "body")
            if text is not None:
                return text
    return None


def _is_object(value: object) -> bool:
    return value is not None and not isinstance(value, (str, int, float, list, tuple))


def _score(value: object) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return float(value)
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        return float(value)  # type: ignore[arg-type]  # one of numpy's scalars
    return None
