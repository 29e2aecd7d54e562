"""Functions marked `trace_embedding` and `trace_reranker` that return what clients give: vectors and documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agenttrace import trace_embedding, trace_reranker
from agenttrace.testing import CapturedSpans

from .clients import PROVIDERS, CohereProvider
from .replay import ReplayServer, json_answer

TEXTS = ["Oslo", "Bergen"]
VECTORS = [[0.5, 1.0], [0.25, -2.0]]
MODEL = "the-embedding-model"
ITEMS = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(VECTORS)]
CLIENTS: dict[str, tuple[dict[str, Any], Callable[[Any, list[str]], Any], dict[str, Any]]] = {
    "mistral": (
        {
            "id": "embd-1",
            "object": "list",
            "model": MODEL,
            "data": ITEMS,
            "usage": {"prompt_tokens": 6, "completion_tokens": 0, "total_tokens": 6},
        },
        lambda client, texts: client.embeddings.create(model=MODEL, inputs=texts),
        {"llm.token_count.prompt": 6, "llm.token_count.completion": 0, "llm.token_count.total": 6},
    ),
    "cohere": (
        {"id": "1", "texts": TEXTS, "embeddings": {"float": VECTORS}, "meta": {"billed_units": {"input_tokens": 6}}},
        lambda client, texts: client.embed(model=MODEL, texts=texts, input_type="search_document"),
        {"llm.token_count.prompt": 6},
    ),
    "ollama": (
        {"model": MODEL, "embeddings": VECTORS, "total_duration": 14, "prompt_eval_count": 6},
        lambda client, texts: client.embed(MODEL, texts),
        {"llm.token_count.prompt": 6},
    ),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_embeddings_of_a_client_are_recorded(server: ReplayServer, spans: CapturedSpans, name: str) -> None:
    """Each text has its vector on the span, with the model and the tokens that it took."""
    body, embed, counted = CLIENTS[name]
    provider = next(provider for provider in PROVIDERS if provider.name == name)
    server.will_answer(json_answer(body))
    with provider.connected(server.url) as client:

        @trace_embedding
        def embedded(texts: list[str], model: str) -> Any:
            return embed(client, texts)

        embedded(TEXTS, MODEL)
    (span,) = spans
    attributes = dict(span.attributes or {})
    wanted = {key: value for key, value in attributes.items() if key.startswith(("embedding.emb", "llm."))}
    assert attributes["embedding.model_name"] == MODEL
    assert wanted == {
        **counted,
        "embedding.embeddings.0.embedding.text": "Oslo",
        "embedding.embeddings.0.embedding.vector": (0.5, 1.0),
        "embedding.embeddings.1.embedding.text": "Bergen",
        "embedding.embeddings.1.embedding.vector": (0.25, -2.0),
    }
    spans.assert_conformant()


def test_documents_that_cohere_ranked_are_recorded(server: ReplayServer, spans: CapturedSpans) -> None:
    """The documents are on the span in their new order, each with its score and the text that was handed in."""
    results = [{"index": 1, "relevance_score": 0.99}, {"index": 0, "relevance_score": 0.5}]
    server.will_answer(json_answer({"id": "1", "results": results, "meta": {"billed_units": {"search_units": 1}}}))
    with CohereProvider().connected(server.url) as client:

        @trace_reranker
        def rank(query: str, documents: list[str], model: str) -> Any:
            return client.rerank(model=model, query=query, documents=documents)

        rank("weather", ["Sun.", "Rain."], "rerank-v4.0")
    (span,) = spans
    attributes = dict(span.attributes or {})
    assert attributes["reranker.query"] == "weather"
    assert attributes["reranker.model_name"] == "rerank-v4.0"
    wanted = {key: value for key, value in attributes.items() if key.startswith("reranker.output_documents")}
    assert wanted == {
        "reranker.output_documents.0.document.id": 1,
        "reranker.output_documents.0.document.score": 0.99,
        "reranker.output_documents.0.document.content": "Rain.",
        "reranker.output_documents.1.document.id": 0,
        "reranker.output_documents.1.document.score": 0.5,
        "reranker.output_documents.1.document.content": "Sun.",
    }
    spans.assert_conformant()
