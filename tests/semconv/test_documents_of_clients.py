"""The documents of LangChain and of providers' rerankers are read as they are, and recorded through the marks."""

from __future__ import annotations

from typing import Any

import cohere
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.vectorstores import InMemoryVectorStore

from agenttrace import trace_embedding, trace_retriever
from agenttrace.semconv.documents import read_documents, read_ranked
from agenttrace.testing import capture_spans

OSLO = Document(page_content="Oslo is rainy.", id="d1", metadata={"source": "a.md"})
READ = {"id": "d1", "content": "Oslo is rainy.", "metadata": {"source": "a.md"}}


def test_documents_are_read_alone_and_with_scores() -> None:
    """In a list, in pairs, in lists of several queries."""
    assert read_documents([OSLO]) == [READ]
    assert read_documents([(OSLO, 0.5)]) == [{**READ, "score": 0.5}]
    assert read_documents([[OSLO], [OSLO]]) == [READ, READ]
    assert read_documents(OSLO) == [READ]


def test_results_of_a_reranker_have_the_texts_of_what_was_given() -> None:
    """They name the place and the score."""
    response = cohere.V2RerankResponse(
        results=[cohere.V2RerankResponseResultsItem(index=1, relevance_score=0.75)], id="1"
    )
    assert read_ranked(response, ["Oslo is rainy.", "Rome is sunny."]) == [
        {"id": 1, "content": "Rome is sunny.", "score": 0.75}
    ]


def test_a_store_of_langchain_s_is_recorded_through_the_marks() -> None:
    """Its search gives documents with scores, its embeddings vectors."""
    model = DeterministicFakeEmbedding(size=4)
    store = InMemoryVectorStore(model)
    store.add_documents([OSLO])
    with capture_spans() as spans:

        @trace_retriever
        def search(query: str) -> Any:
            return store.similarity_search_with_score(query)

        @trace_embedding
        def embed(texts: list[str]) -> Any:
            return model.embed_documents(texts)

        [(found, score)] = search("rain")
        [vector] = embed(["rain"])
    documents, embeddings = (dict(span.attributes or {}) for span in spans)
    assert found == OSLO
    assert documents["retrieval.documents.0.document.content"] == "Oslo is rainy."
    assert documents["retrieval.documents.0.document.id"] == "d1"
    assert documents["retrieval.documents.0.document.score"] == float(score)
    assert embeddings["embedding.embeddings.0.embedding.text"] == "rain"
    assert embeddings["embedding.embeddings.0.embedding.vector"] == tuple(vector)
