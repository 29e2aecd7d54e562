"""RETRIEVER and RERANKER spans: which documents were found, and how they were put in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openinference.semconv.trace import DocumentAttributes, RerankerAttributes, SpanAttributes

from ..capture.encode import encode_json, encode_text, max_value_bytes
from ..capture.results import YieldedItems
from ..readers import find_reader, read_with
from ..readers.request import MODEL_NAMES, model_of
from ..semconv.attributes import document_attributes
from ..semconv.documents import MOST_DOCUMENTS, read_document, read_documents, read_ranked
from ..semconv.fields import is_list, is_text, text_field, text_of
from ..semconv.secrets import is_secret_name
from ..semconv.types import Document, ModelCall
from .interface import Collector, Describer, Flat

__all__ = ["RerankerDescriber", "RetrieverDescriber"]

_DOCUMENTS = ("documents", "docs", "passages", "nodes", "candidates", "texts", "results", "chunks", "hits")
_QUERIES = ("query", "question", "query_str", "search_query")
_COUNTS = ("top_k", "top_n", "k", "limit", "n")
_ROOM = 3  # times what one value may take: what all texts of a span may


class RetrieverDescriber(Describer):
    """Describes calls of functions marked `trace_retriever`."""

    def after(self, value: object, recorded: Mapping[str, Any]) -> Flat:
        """See `Describer.after`."""
        return document_attributes(SpanAttributes.RETRIEVAL_DOCUMENTS, read_documents(value) or ())

    def collector(self, item: object) -> Collector | None:
        """See `Describer.collector`."""
        return None if read_document(item) is None else _Documents()


class RerankerDescriber(Describer):
    """Describes calls of functions marked `trace_reranker`."""

    def before(self, bound: Mapping[str, Any]) -> Flat:
        """See `Describer.before`."""
        flat = document_attributes(RerankerAttributes.RERANKER_INPUT_DOCUMENTS, _documents_among(bound))
        query = _query_among(bound)
        if query is not None:
            flat[RerankerAttributes.RERANKER_QUERY] = query
        model = model_of(bound)
        if model is not None:
            flat[RerankerAttributes.RERANKER_MODEL_NAME] = model
        count = next((bound[name] for name in _COUNTS if type(bound.get(name)) is int), None)
        if count is not None:
            flat[RerankerAttributes.RERANKER_TOP_K] = count
        return flat

    def after(self, value: object, recorded: Mapping[str, Any]) -> Flat:
        """See `Describer.after`."""
        reader = None if is_text(value) or is_list(value) else find_reader(value)
        call: ModelCall = {} if reader is None else read_with(reader, value)
        contents = _contents_in(recorded)
        ranked = read_ranked(value if call.get("documents") is None else call["documents"], contents)
        flat = document_attributes(RerankerAttributes.RERANKER_OUTPUT_DOCUMENTS, _with_contents(ranked or [], contents))
        if call.get("model_name"):
            flat[RerankerAttributes.RERANKER_MODEL_NAME] = call["model_name"]
        return flat


class _Documents(Collector):
    """Documents that come one by one."""

    def __init__(self) -> None:
        self._documents: list[Document] = []
        self._room = max_value_bytes() * _ROOM
        self._items = YieldedItems()

    def add(self, item: object) -> None:
        """See `Collector.add`."""
        self._items.add(item)
        if len(self._documents) >= MOST_DOCUMENTS or self._room <= 0:
            return
        document = read_document(item)
        if document is not None:
            # As they are now, and nothing of the program's kept.
            content, metadata = document.get("content"), document.get("metadata")
            if content is not None:
                document["content"] = encode_text(content)
                self._room -= len(document["content"])
            if metadata is not None:
                written: Any = encode_json(metadata)
                document["metadata"] = written
                self._room -= len(written)
            self._documents.append(document)

    def describe(self, recorded: Mapping[str, Any]) -> Flat:
        """See `Collector.describe`."""
        return document_attributes(SpanAttributes.RETRIEVAL_DOCUMENTS, self._documents)

    def output(self) -> object:
        """See `Collector.output`."""
        return self._items


def _documents_among(arguments: Mapping[str, Any]) -> list[Document]:
    """What was to be ranked: by its name, else the only argument that can be that."""
    named = next((read for name in _DOCUMENTS if (read := _read(arguments.get(name)))), None)
    if named is not None:
        return named
    others = [read for value in arguments.values() if (read := _read(value))]
    return others[0] if len(others) == 1 else []


def _query_among(arguments: Mapping[str, Any]) -> str | None:
    named = next((arguments[name] for name in _QUERIES if arguments.get(name) is not None), None)
    if named is not None:
        return text_of(named) or text_field(named, "query_str", "query", "text")
    texts = [
        text
        for name, value in arguments.items()
        if name not in MODEL_NAMES and not is_secret_name(name) and (text := text_of(value)) is not None
    ]
    return texts[0] if len(texts) == 1 else None


def _read(value: object) -> list[Document] | None:
    return read_documents(value) if is_list(value) else None


def _contents_in(recorded: Mapping[str, Any]) -> list[str | None]:
    """The texts of the documents that were given, as they were recorded."""
    start = f"{RerankerAttributes.RERANKER_INPUT_DOCUMENTS}."
    count = len({key[len(start) :].partition(".")[0] for key in recorded if key.startswith(start)})
    return [recorded.get(f"{start}{index}.{DocumentAttributes.DOCUMENT_CONTENT}") for index in range(count)]


def _with_contents(documents: list[Document], contents: list[str | None]) -> list[Document]:
    """Documents that are known by their place among those given, with the text of that."""
    completed: list[Document] = []
    for document in documents:
        place = document.get("id")
        content = contents[place] if type(place) is int and 0 <= place < len(contents) else None
        known: Document = {} if content is None or "content" in document else {"content": content}
        completed.append({**document, **known})
    return completed
