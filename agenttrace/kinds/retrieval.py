"""RETRIEVER and RERANKER spans: which documents were found, and how they were put in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openinference.semconv.trace import DocumentAttributes, RerankerAttributes, SpanAttributes

from ..readers import find_reader
from ..readers.request import model_of
from ..semconv.attributes import document_attributes
from ..semconv.documents import MOST_DOCUMENTS, read_document, read_documents, read_ranked
from ..semconv.fields import text_field
from ..semconv.types import Document
from .interface import Collector, Describer, Flat

__all__ = ["RerankerDescriber", "RetrieverDescriber"]

_DOCUMENTS = ("documents", "docs", "passages", "nodes", "candidates", "texts", "results", "chunks", "hits")
_QUERIES = ("query", "question", "query_str", "search_query")
_COUNTS = ("top_k", "top_n", "k", "limit", "n")


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
        flat: Flat = {}
        documents = next((read for name in _DOCUMENTS if (read := _read(bound.get(name))) is not None), None)
        if documents is None:
            documents = next((read for value in bound.values() if (read := _read(value)) is not None), None)
        flat.update(document_attributes(RerankerAttributes.RERANKER_INPUT_DOCUMENTS, documents or ()))
        query = next((bound[name] for name in _QUERIES if bound.get(name) is not None), None)
        query = query if isinstance(query, str) else text_field(query, "query_str", "query", "text")
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
        reader = None if isinstance(value, (str, list, tuple)) else find_reader(value)
        call = {} if reader is None else reader.read(value)
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

    def add(self, item: object) -> None:
        """See `Collector.add`."""
        document = read_document(item) if len(self._documents) < MOST_DOCUMENTS else None
        if document is not None:
            self._documents.append(document)

    def describe(self, recorded: Mapping[str, Any]) -> Flat:
        """See `Collector.describe`."""
        return document_attributes(SpanAttributes.RETRIEVAL_DOCUMENTS, self._documents)

    def output(self) -> object:
        """See `Collector.output`."""
        return self._documents


def _read(value: object) -> list[Document] | None:
    return read_documents(value) if isinstance(value, (list, tuple)) and value else None


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
