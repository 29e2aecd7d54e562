"""A reranker: the documents that went in, the query, and the order and scores that came out."""

from __future__ import annotations

from typing import Any

from checked import checked_run

from agenttrace import trace_reranker

PAGES = ["Ferries to Bergen", "Tide tables of Oslo", "Rain in Oslo, by month"]


@trace_reranker(model="rerank-v3.5")
def rerank(query: str, documents: list[str], top_k: int = 2) -> list[tuple[int, float]]:
    """Places in ``documents`` with their scores: the recorded documents get their text from the input."""
    words = set(query.lower().split())
    scores = [(place, len(words & set(text.lower().split())) / len(words)) for place, text in enumerate(documents)]
    return sorted(scores, key=lambda score: -score[1])[:top_k]


@trace_reranker(model="rerank-v3.5")
def rerank_remotely(query: str, documents: list[str]) -> dict[str, Any]:
    """A reranking API's response: ``client.rerank(…)`` of Cohere answers in this shape."""
    return {
        "id": "rr-1",
        "results": [{"index": 1, "relevance_score": 0.98}, {"index": 2, "relevance_score": 0.11}],
        "meta": {"billed_units": {"search_units": 1}},
    }


with checked_run():
    print(rerank("the tide of Oslo", PAGES))
    print(rerank_remotely("the tide of Oslo", PAGES)["results"])
