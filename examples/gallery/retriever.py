"""A retriever: what it returns is recorded as documents, each with its text, score, id and metadata."""

from __future__ import annotations

from typing import Any

from checked import checked_run

from agenttrace import trace_chain, trace_retriever

NOTES = {
    "tides": "The moon pulls the sea, and the tide rises twice a day.",
    "rain": "Warm air holds more water, and rain falls where it cools.",
    "frost": "Water freezes at 0 °C, the dew too.",
}


@trace_retriever
def find_notes(query: str, top_k: int = 2) -> list[dict[str, Any]]:
    """The notes that share the most words with ``query``."""
    words = set(query.lower().split())
    found: list[dict[str, Any]] = [
        {
            "id": name,
            "content": text,
            "score": len(words & set(text.lower().split())) / len(words),
            "metadata": {"file": f"notes/{name}.md"},
        }
        for name, text in NOTES.items()
    ]
    return sorted(found, key=lambda note: -note["score"])[:top_k]


@trace_retriever
def find_pages(query: str) -> list[tuple[str, float]]:
    """Pairs of a text and its score are understood too, and so are the documents of LangChain and LlamaIndex."""
    return [("Tide tables of Oslo", 0.92), ("Tide tables of Bergen", 0.81)]


@trace_chain
def look_up(question: str) -> list[str]:
    """All that is known about ``question``."""
    return [note["content"] for note in find_notes(question)] + [page for page, _ in find_pages(question)]


with checked_run():
    print(look_up("why does the tide rise twice"))
