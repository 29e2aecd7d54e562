"""Embeddings: each text with its vector, and the model that made them."""

from __future__ import annotations

from typing import Any

from checked import checked_run

from agenttrace import trace_chain, trace_embedding


@trace_embedding(model="letters-1")
def embed(texts: list[str]) -> list[list[float]]:
    """Vectors as any model of your own gives them; a matrix of numpy or torch will do as well."""
    return [[text.count(letter) / len(text) for letter in "aeiou"] for text in texts]


@trace_embedding
def embed_remotely(input: list[str], model: str = "text-embedding-3-small") -> dict[str, Any]:  # noqa: A002 - the API's
    """An API's response: ``client.embeddings.create(model=model, input=input)`` answers in this shape."""
    vectors = [[0.11, -0.52, 0.25], [0.08, 0.91, -0.33]]
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)],
        "model": model,
        "usage": {"prompt_tokens": 6, "total_tokens": 6},
    }


@trace_chain
def index(texts: list[str]) -> int:
    """Embed ``texts`` twice; gives how many vectors there are."""
    return len(embed(texts)) + len(embed_remotely(texts)["data"])


with checked_run():
    print(index(["rain in Oslo", "sun in Rome"]))
