"""What retrievers and rerankers return, in any library's shape, becomes OpenInference's documents, and nothing else."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, NamedTuple
from unittest.mock import MagicMock
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenttrace.capture.reserved import encode_reserved
from agenttrace.semconv.attributes import document_attributes
from agenttrace.semconv.documents import MOST_DOCUMENTS, read_document, read_documents, read_ranked

from .hostile import HOSTILE, anything, assert_untouched, assert_valid, nested, nested_in

quick = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])

OSLO, ROME = {"content": "Oslo is rainy."}, {"content": "Rome is sunny."}


@dataclasses.dataclass
class HaystackLikeDocument:
    """As Haystack's ``Document``: a dataclass with a ``meta``."""

    id: str
    content: str | None
    meta: dict[str, Any]
    score: float | None = None


class TextNode:
    """As LlamaIndex' ``TextNode``: its text in a resource of its own."""

    def __init__(self, text: str, **metadata: Any) -> None:
        self.id_ = "n1"
        self.text_resource = type("MediaResource", (), {})()
        self.text_resource.text = text
        self.metadata = metadata

    @property
    def text(self) -> str:
        raise AssertionError("a property is the library's code")


class NodeWithScore:
    """As LlamaIndex' ``NodeWithScore``."""

    def __init__(self, node: TextNode, score: float) -> None:
        self.node = node
        self.score = score


class Point:
    """As Qdrant's ``ScoredPoint``."""

    def __init__(self) -> None:
        self.id = UUID(int=7)
        self.score = 0.9
        self.payload = {"text": "Oslo is rainy.", "source": "a.md"}
        self.api_key = "sk-1234"


class Scored(NamedTuple):
    """A named tuple of the program's own."""

    id: int
    text: str
    score: float


FOUND: dict[str, tuple[Any, list[dict[str, Any]] | None]] = {
    "texts": (["Oslo is rainy.", "Rome is sunny."], [OSLO, ROME]),
    "one text": ("Oslo is rainy.", [OSLO]),
    "OpenInference's": (
        [{"id": "d1", "content": "Oslo is rainy.", "score": 0.9, "metadata": {"a": 1}}],
        [{"id": "d1", "content": "Oslo is rainy.", "score": 0.9, "metadata": {"a": 1}}],
    ),
    "mappings": (
        [{"text": "Oslo is rainy.", "id": 7, "score": 1}, {"page_content": "Rome is sunny.", "meta": {"a": 1}}],
        [{**OSLO, "id": 7, "score": 1.0}, {**ROME, "metadata": {"a": 1}}],
    ),
    "a search engine's": (
        [{"title": "Oslo", "href": "https://example.com", "body": "Oslo is rainy."}],
        [OSLO],
    ),
    "documents with scores": (
        [({"text": "Oslo is rainy."}, 0.9), (0.8, "Rome is sunny."), ["Oslo is rainy.", np.float32(0.5)]],
        [{**OSLO, "score": 0.9}, {**ROME, "score": 0.8}, {**OSLO, "score": 0.5}],
    ),
    "documents and their scores": (
        (["Oslo is rainy.", "Rome is sunny."], np.array([0.75, 0.5])),
        [{**OSLO, "score": 0.75}, {**ROME, "score": 0.5}],
    ),
    "Haystack's": (
        [HaystackLikeDocument("h1", "Oslo is rainy.", {"a": 1}, 0.9), HaystackLikeDocument("h2", "Rome is sunny.", {})],
        [{"id": "h1", **OSLO, "score": 0.9, "metadata": {"a": 1}}, {"id": "h2", **ROME}],
    ),
    "Haystack's in its answer": (
        {"documents": [HaystackLikeDocument("h1", "Oslo is rainy.", {})]},
        [{"id": "h1", **OSLO}],
    ),
    "LlamaIndex'": (
        [NodeWithScore(TextNode("Oslo is rainy.", a=1), 0.9)],
        [{"id": "n1", **OSLO, "score": 0.9, "metadata": {"a": 1}}],
    ),
    "Qdrant's": (
        {"points": [Point()]},
        [
            {
                "id": "00000000-0000-0000-0000-000000000007",
                **OSLO,
                "score": 0.9,
                "metadata": {"text": "Oslo is rainy.", "source": "a.md"},
            }
        ],
    ),
    "Pinecone's": (
        {"matches": [{"id": "p1", "score": 0.9, "metadata": {"text": "Oslo is rainy."}}]},
        [{"id": "p1", **OSLO, "score": 0.9, "metadata": {"text": "Oslo is rainy."}}],
    ),
    "Chroma's": (
        {
            "ids": [["c1", "c2"]],
            "documents": [["Oslo is rainy.", "Rome is sunny."]],
            "metadatas": [[{"a": 1}, None]],
            "distances": [[0.1, 0.2]],
        },
        [{"id": "c1", **OSLO, "metadata": {"a": 1}}, {"id": "c2", **ROME}],
    ),
    "Elasticsearch's": (
        {
            "took": 3,
            "hits": {
                "total": {"value": 1},
                "hits": [{"_id": "e1", "_score": 2.5, "_source": {"text": "Oslo is rainy."}}],
            },
        },
        [{"id": "e1", **OSLO, "score": 2.5}],
    ),
    "those of several queries": (
        [[{"text": "Oslo is rainy."}], [{"text": "Rome is sunny."}]],
        [OSLO, ROME],
    ),
    "a named tuple's": ([Scored(1, "Oslo is rainy.", 0.9)], [{"id": 1, **OSLO, "score": 0.9}]),
    "a document within a result": (
        [{"document": {"text": "Oslo is rainy.", "doc_id": "d1"}, "score": 0.9}],
        [{"id": "d1", **OSLO, "score": 0.9}],
    ),
    "what has an id and more, but no text": ([{"id": 1, "score": 0.5}], [{"id": 1, "score": 0.5}]),
    "a score among the metadata": (
        [{"text": "Oslo is rainy.", "metadata": {"relevance_score": 0.9}}],
        [{**OSLO, "score": 0.9, "metadata": {"relevance_score": 0.9}}],
    ),
    "some that are missing": (["Oslo is rainy.", None], [OSLO]),
    "none": ([], []),
    "an answer without any": ({"matches": []}, []),
    # No documents:
    "names": ([{"name": "Ann"}, {"name": "Bob"}], None),
    "numbers": ([3, 1, 2], None),
    "a number": (5, None),
    "nothing": (None, None),
    "a truth value": (True, None),
    "ids alone": ([{"id": 1}, {"id": 2}], None),
    "scores alone": ([{"score": 0.5}], None),
    "some documents and something else": (["Oslo is rainy.", 5], None),
    "pairs of texts": ([("Oslo", "rainy")], None),
    "pairs of numbers": ([(1, 0.5)], None),
    "triples": ([("Oslo", "rainy", 0.5)], None),
    "numpy's numbers": (np.array([0.5, 0.25]), None),
    "what answers to everything": ([MagicMock()], None),
    "a mapping of something else": ({"city": "Oslo"}, None),
    "an object of something else": (object(), None),
}


@pytest.mark.parametrize(("value", "expected"), FOUND.values(), ids=FOUND)
def test_what_a_retriever_returned_is_read(value: Any, expected: Any) -> None:
    """Text, id, score and metadata, or nothing at all where these are no documents."""
    assert read_documents(value) == expected
    assert_valid(encode_reserved(document_attributes("retrieval.documents", read_documents(value) or [])))


def test_nothing_but_a_document_s_own_fields_is_recorded() -> None:
    """An object may have a key among its others."""
    assert "sk-1234" not in str(read_documents([Point()]))


GIVEN = ["Oslo is rainy.", "Rome is sunny.", "Bergen is wet."]
RANKED: dict[str, tuple[Any, list[tuple[int, float | None]]]] = {
    "places": ([2, 0], [(2, None), (0, None)]),
    "places of numpy's": (np.argsort([0.5, 0.1, 0.9])[::-1], [(2, None), (0, None), (1, None)]),
    "places in a list of numpy's": ([np.int64(1), np.int64(0)], [(1, None), (0, None)]),
    "places with scores": ([(2, 0.9), (0, np.float32(0.5))], [(2, 0.9), (0, 0.5)]),
    "results": (
        [{"index": 2, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.5}],
        [(2, 0.9), (0, 0.5)],
    ),
    "results in an answer": ({"results": [{"index": 2, "relevance_score": 0.9}]}, [(2, 0.9)]),
    "a cross-encoder's ranks": ([{"corpus_id": 1, "score": 0.9}], [(1, 0.9)]),
    "scores": ([0.1, 0.9, 0.5], [(0, 0.1), (1, 0.9), (2, 0.5)]),
    "scores of numpy's": (np.array([0.25, 0.75, 0.5], dtype=np.float32), [(0, 0.25), (1, 0.75), (2, 0.5)]),
    "scores that are whole": ([0.0, 2.0, 1.0], [(0, 0.0), (1, 2.0), (2, 1.0)]),
    "marks that are no places": ([1, 1, 0], [(0, 1.0), (1, 1.0), (2, 0.0)]),
}


@pytest.mark.parametrize(("value", "expected"), RANKED.values(), ids=RANKED)
def test_what_a_reranker_returned_by_place_has_its_text(value: Any, expected: list[tuple[int, float | None]]) -> None:
    """Places among the documents that were given, with scores, or scores in the order in which they were given."""
    documents: list[dict[str, Any]] = []
    for place, score in expected:
        documents.append({"id": place, "content": GIVEN[place], **({} if score is None else {"score": score})})
    assert read_ranked(value, list(GIVEN)) == documents


def test_documents_that_a_reranker_returned_are_read_as_they_are() -> None:
    """They need no place among those that were given."""
    assert read_ranked([("Oslo is rainy.", 0.9)], list(GIVEN)) == [{**OSLO, "score": 0.9}]
    assert read_ranked([{"id": 5, "text": "Oslo is rainy.", "score": 0.5}], list(GIVEN)) == [
        {"id": 5, **OSLO, "score": 0.5}
    ]
    assert read_ranked(["Rome is sunny.", "Oslo is rainy."], []) == [ROME, OSLO]


@pytest.mark.parametrize("value", [[7], [-1], [(9, 0.5)], [0.5], [True], [math.inf, 1.0], None, 5, object()])
def test_what_leads_to_no_document_is_none(value: Any) -> None:
    """A place beyond the end, scores of another number of documents, no ranking at all."""
    assert read_ranked(value, list(GIVEN)) is None


def test_a_place_s_own_text_wins() -> None:
    """Some answers repeat the document."""
    result = {"index": 1, "relevance_score": 0.5, "document": {"text": "Rome, shortened."}}
    assert read_ranked([result], list(GIVEN)) == [{"id": 1, "content": "Rome, shortened.", "score": 0.5}]
    assert read_ranked([(0, 0.5)], [None]) == [{"id": 0, "score": 0.5}]


def test_very_many_documents_are_cut() -> None:
    """The first thousand of a list are recorded, however it is made up."""
    texts = ["a"] * 100_000
    for value in (texts, {"results": texts}, (texts, [0.5] * 100_000), {"ids": [texts], "documents": [texts]}):
        assert len(read_documents(value) or ()) == MOST_DOCUMENTS
    assert len(read_ranked(list(range(100_000)), texts) or ()) == MOST_DOCUMENTS


@pytest.mark.parametrize("name", ["node", "document", "documents", "hits", "metadata", "results", "text_resource"])
def test_deep_nesting_takes_no_stack(name: str) -> None:
    """A document in a document, and so on without end."""
    for value in (nested_in(name, 10_000), [nested_in(name, 10_000)], nested(10_000)):
        for documents in (read_documents(value), read_ranked(value, list(GIVEN))):
            assert_valid(encode_reserved(document_attributes("retrieval.documents", documents or [])))


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_what_resists_does_no_harm(make: Callable[[], Any]) -> None:
    """Nothing of a foreign object is called while it is read."""
    value = make()
    field = dict.fromkeys(("id", "score", "metadata", "node", "document"), value)
    for given_value in (value, [value], [(value, 0.5)], [("a", value)], {"documents": value}, [{"text": "a", **field}]):
        read_documents(given_value)
        read_ranked(given_value, list(GIVEN))
    read_document(value)
    assert_untouched(value)


@quick
@given(anything, st.lists(st.none() | st.text(max_size=3), max_size=3))
def test_anything_a_retriever_or_reranker_returns_is_recorded_validly(
    value: object, contents: list[str | None]
) -> None:
    """Nothing raises, and what comes out can be sent and is OpenInference."""
    for documents in (read_documents(value), read_ranked(value, contents)):
        assert_valid(encode_reserved(document_attributes("retrieval.documents", documents or [])))


def test_a_generator_is_left_alone() -> None:
    """Documents that were to be read once are still there for the program."""
    documents = iter([{"text": "a"}])
    assert read_documents(documents) is None
    assert read_ranked(documents, list(GIVEN)) is None
    assert list(documents) == [{"text": "a"}]
