"""What retrievers and rerankers return, in any library's shape → OpenInference's documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .. import faults
from .arrays import array_items, number_of
from .fields import (
    as_list,
    class_name,
    field,
    fields,
    is_dict,
    is_list,
    is_text,
    list_field,
    package_of,
    text_field,
    text_of,
)
from .types import Document

__all__ = ["MOST_DOCUMENTS", "read_document", "read_documents", "read_ranked"]

Found = TypeVar("Found")

MOST_DOCUMENTS = 1000
"""So many documents of one list are recorded."""

_CONTENT = ("content", "page_content", "text", "body", "passage", "chunk", "document", "snippet")
_IDENTIFIER = ("id", "doc_id", "document_id", "_id", "id_", "node_id", "chunk_id", "uuid")
_SCORE = ("score", "relevance_score", "similarity", "_score", "relevance", "rerank_score")
_METADATA = ("metadata", "meta", "extra_info", "payload", "properties")
_INSIDE = ("node", "document")
_HOLDERS = ("documents", "results", "matches", "hits", "nodes", "source_nodes", "points", "objects", "data", "docs")
_INDEX = ("index", "corpus_id", "result_index")
_TEXT_HOLDERS = (
    *("text_resource", "document", "data", "content", "fields", "source", "_source", "metadata", "payload"),
    "properties",
)
_DEEPEST = 3


def read_documents(value: object) -> list[Document] | None:
    """The documents in ``value``.

    Args:
        value: A list of texts, mappings, documents of LangChain, LlamaIndex, Haystack or the like, pairs of one and its
            score; a single one; a pair of such a list and a list of scores; or an answer of a vector store that holds
            such a list.

    Returns:
        The documents, at most `MOST_DOCUMENTS`; None where ``value`` holds none that are known as such.

    Example:
        >>> read_documents([("Oslo is rainy.", 0.9), {"text": "Rome is sunny.", "id": 7}])
        [{'content': 'Oslo is rainy.', 'score': 0.9}, {'content': 'Rome is sunny.', 'id': 7}]
    """
    return _contained(lambda: _read_any(value, _DEEPEST), value)


def read_document(value: object) -> Document | None:
    """``value`` as one document, None where it is none that is known."""
    return _contained(lambda: _read_one(value), value)


def read_ranked(value: object, contents: Sequence[str | None]) -> list[Document] | None:
    """What a reranker returned: documents, or places among the documents it was given, with scores.

    Args:
        value: Documents in any shape of `read_documents`; indices, pairs of index and score, or objects with both; or
            nothing but scores, one for each document that was given.
        contents: The texts of the documents that were given, None for one that has none.
    """
    return _contained(lambda: _read_ranked(value, contents), value)


def _contained(read: Callable[[], Found | None], value: object) -> Found | None:
    try:
        return read()
    except BaseException as error:
        faults.contain(f"reading documents of type {class_name(value)}", error)
        return None


def _read_any(value: object, depth: int) -> list[Document] | None:
    if is_list(value):
        return _read_list(as_list(value), depth)
    columns = _read_columns(value)
    if columns is not None:
        return columns
    for name in _HOLDERS if depth else ():
        inner = field(value, name)
        if is_list(inner) or is_dict(inner):  # Elasticsearch has hits in its hits
            found = _read_any(inner, depth - 1)
            if found is not None and (found or is_list(inner)):
                return found
    single = _read_one(value)
    return None if single is None else [single]


def _read_list(items: Sequence[Any], depth: int) -> list[Document] | None:
    if type(items) is tuple and len(items) == 2 and is_list(items[0]):
        scored = _with_scores(items[0], items[1])
        if scored is not None:
            return scored
    if depth and items and all(map(_is_list_of_objects, items[:MOST_DOCUMENTS])):  # of several queries
        items = [item for inner in items[:MOST_DOCUMENTS] for item in as_list(inner)[:MOST_DOCUMENTS]]
    documents = [_read_one(item) for item in items[:MOST_DOCUMENTS] if item is not None]
    if any(document is None for document in documents):
        return None
    return [document for document in documents if document is not None]


def _read_one(value: object) -> Document | None:
    text = text_of(value)
    if text is not None:
        return {"content": text}
    if type(value) in (list, tuple):
        return _read_pair(as_list(value))
    return _read_object(value, _DEEPEST)


def _read_object(value: object, depth: int) -> Document | None:
    source = value if type(value) is dict else fields(value)
    inner = next((found for name in _INSIDE if _is_object(found := source.get(name))), None) if depth else None
    document: Document = (_read_object(inner, depth - 1) or {}) if inner is not None else {}
    content = next((text for name in _CONTENT if (text := text_of(source.get(name))) is not None), None)
    if content is None:
        content = _inner_text(source)
    if content is not None:
        document["content"] = content
    identifier = field(source, *_IDENTIFIER)
    if is_text(identifier) or type(identifier) is int:
        document["id"] = identifier
    elif package_of(identifier) == "uuid":
        document["id"] = str(identifier)
    metadata = field(source, *_METADATA)
    metadata = metadata if is_dict(metadata) else fields(metadata)
    score = number_of(field(source, *_SCORE))
    if score is None:
        score = number_of(field(metadata, *_SCORE))  # where some rerankers put it
    if score is not None:
        document["score"] = score
    if dict.__len__(metadata) > 0:
        document["metadata"] = metadata
    # An id or a score alone may be anything's.
    return document if "content" in document or ("id" in document and len(document) > 1) else None


def _read_pair(pair: Sequence[Any]) -> Document | None:
    """A document and its score, in either order."""
    if len(pair) != 2:
        return None
    for document, score in (pair, pair[::-1]):
        number = number_of(score)
        read = None if number is None or is_list(document) else _read_one(document)
        if read is not None and number is not None:
            return {**read, "score": number}
    return None


def _with_scores(documents: object, scores: object) -> list[Document] | None:
    """A list of documents and a list of their scores."""
    items = as_list(documents)[:MOST_DOCUMENTS]
    numbers = [number_of(score) for score in (as_list(scores) or array_items(scores, MOST_DOCUMENTS))[:MOST_DOCUMENTS]]
    if not items or len(items) != len(numbers) or None in numbers:
        return None
    return _read_list(list(zip(items, numbers, strict=True)), 0)


def _read_columns(value: object) -> list[Document] | None:
    """An answer in columns, as Chroma gives it: lists of documents, ids, metadatas and distances of each query."""
    texts, ids, metadatas = (_column(field(value, name)) for name in ("documents", "ids", "metadatas"))
    if not texts or len(texts) != len(ids):
        return None
    columns = zip(texts, ids, metadatas if len(metadatas) == len(ids) else [None] * len(ids), strict=True)
    return _read_list([{"content": text, "id": number, "metadata": metadata} for text, number, metadata in columns], 0)


def _column(rows: object) -> list[Any]:
    """The cells of all queries, one after the other."""
    cells: list[Any] = []
    for row in as_list(rows)[:MOST_DOCUMENTS]:
        cells.extend(as_list(row)[:MOST_DOCUMENTS] if is_list(row) else [row])
        if len(cells) >= MOST_DOCUMENTS:
            break
    return cells[:MOST_DOCUMENTS]


def _read_ranked(value: object, contents: Sequence[str | None]) -> list[Document] | None:
    held = next((inner for name in _HOLDERS if (inner := list_field(value, name))), None)
    items = held or as_list(value) or array_items(value, MOST_DOCUMENTS)
    scores = [number_of(item) for item in items[:MOST_DOCUMENTS]]
    if scores and len(items) == len(contents) and None not in scores and not _is_order(items):
        return [_with_content(index, contents, score) for index, score in enumerate(scores)]
    ranked = [_read_place(item, contents) for item in items[:MOST_DOCUMENTS]]
    if ranked and all(document is not None for document in ranked):
        return [document for document in ranked if document is not None]
    return _read_any(value, _DEEPEST)


def _is_order(items: Sequence[Any]) -> bool:
    """Whether these are places, each once, and no scores."""
    places = [place for place in map(_index_of, items) if place is not None]
    return len(places) == len(items) and sorted(places) == list(range(len(items)))


def _read_place(item: object, contents: Sequence[str | None]) -> Document | None:
    """An index into the documents that were given, alone or with a score."""
    pair = as_list(item)
    if len(pair) == 2:
        index, score = _index_of(pair[0]), number_of(pair[1])
    else:
        index, score = _index_of(item), None
        if index is None:
            index, score = _index_of(field(item, *_INDEX)), number_of(field(item, *_SCORE))
    if index is None or not 0 <= index < len(contents):
        return None
    own = None if is_list(item) or number_of(item) is not None else _read_one(item)
    return {**_with_content(index, contents, score), **(own or {})}


def _index_of(value: object) -> int | None:
    if type(value) is int:
        return value
    number = number_of(value) if class_name(value).startswith(("int", "uint")) else None  # numpy's
    return None if number is None else int(number)


def _with_content(index: int, contents: Sequence[str | None], score: float | None) -> Document:
    document: Document = {"id": index}
    content = contents[index]
    if content is not None:
        document["content"] = content
    if score is not None:
        document["score"] = score
    return document


def _inner_text(source: dict[str, Any]) -> str | None:
    """LlamaIndex's ``text_resource.text``, Cohere's ``document.text``, and a content that is an object with a text."""
    for name in _TEXT_HOLDERS:
        inner = source.get(name)
        if _is_object(inner):
            text = text_field(inner, "text", "content", "page_content", "chunk_text", "body")
            if text is not None:
                return text
    return None


def _is_object(value: object) -> bool:
    return value is not None and not is_text(value) and not is_list(value) and type(value) not in (int, float, bool)


def _is_list_of_objects(value: object) -> bool:
    items = as_list(value)
    return type(value) is list and len(items) > 0 and all(map(_is_object, items[:MOST_DOCUMENTS]))
