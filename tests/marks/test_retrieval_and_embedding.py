"""Retrievers, rerankers and embedders are recorded as documents and embeddings by themselves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest

from agenttrace import current_span, trace_embedding, trace_reranker, trace_retriever
from agenttrace.testing import CapturedSpans, capture_spans

from .material import all_items, run_to_end


@pytest.fixture
def spans() -> Iterator[CapturedSpans]:
    """The spans of the test."""
    with capture_spans() as captured:
        yield captured


def recorded(spans: CapturedSpans, *prefixes: str) -> dict[str, Any]:
    """What the only span has under these beginnings of names."""
    (span,) = spans
    return {key: value for key, value in (span.attributes or {}).items() if key.startswith(prefixes)}


OSLO = {"retrieval.documents.0.document.content": "Oslo is rainy."}
FOUND: dict[str, tuple[Any, dict[str, Any]]] = {
    "texts": (["Oslo is rainy."], OSLO),
    "mappings": (
        [{"id": "d1", "text": "Oslo is rainy.", "score": 1, "metadata": {"source": "a.md"}}],
        {
            **OSLO,
            "retrieval.documents.0.document.id": "d1",
            "retrieval.documents.0.document.score": 1.0,
            "retrieval.documents.0.document.metadata": '{"source":"a.md"}',
        },
    ),
    "objects": ([SimpleNamespace(page_content="Oslo is rainy.", metadata={})], OSLO),
    "documents with scores": (
        [("Oslo is rainy.", np.float32(0.5))],
        {**OSLO, "retrieval.documents.0.document.score": 0.5},
    ),
    "an answer of a store": (
        {"matches": [{"metadata": {"text": "Oslo is rainy."}, "id": 7}]},
        {
            **OSLO,
            "retrieval.documents.0.document.id": 7,
            "retrieval.documents.0.document.metadata": '{"text":"Oslo is rainy."}',
        },
    ),
    "none": ([], {}),
    "numbers": ([3, 1, 2], {}),
    "names": ([{"name": "Ann"}], {}),
    "what answers to everything": (MagicMock(), {}),
}


@pytest.mark.parametrize(("result", "expected"), FOUND.values(), ids=FOUND)
def test_what_a_retriever_returns_is_its_documents(spans: CapturedSpans, result: Any, expected: dict[str, Any]) -> None:
    """And the caller gets what was returned."""
    assert trace_retriever(lambda query: result)("rain") is result
    assert recorded(spans, "retrieval.") == expected
    assert spans.input(spans[0]) == "rain"


def retrieve_in_turn(query: str) -> Iterator[Any]:
    yield {"text": "Oslo is rainy.", "metadata": {"source": query}}
    yield ("Rome is sunny.", 0.5)


async def retrieve(query: str) -> list[str]:
    return ["Oslo is rainy."]


async def retrieve_in_turn_soon(query: str) -> AsyncIterator[str]:
    yield "Oslo is rainy."


def test_documents_that_come_one_by_one_are_recorded(spans: CapturedSpans) -> None:
    """As they were when they came, with what the generator gave as output."""
    found = []
    for item in trace_retriever(retrieve_in_turn)("a.md"):
        found.append(item)
        if isinstance(item, dict):
            item["metadata"]["source"] = "changed by the program"
    assert recorded(spans, "retrieval.") == {
        **OSLO,
        "retrieval.documents.0.document.metadata": '{"source":"a.md"}',
        "retrieval.documents.1.document.content": "Rome is sunny.",
        "retrieval.documents.1.document.score": 0.5,
    }
    assert spans.output(spans[0])[1] == ["Rome is sunny.", 0.5]


@pytest.mark.parametrize(
    "run",
    [
        lambda: run_to_end(trace_retriever(retrieve)("rain")),
        lambda: all_items(trace_retriever(retrieve_in_turn_soon)("rain")),
    ],
    ids=["a coroutine", "an async generator"],
)
def test_documents_of_coroutines_and_async_generators_are_recorded(
    spans: CapturedSpans, run: Callable[[], list[str]]
) -> None:
    """However the function waits."""
    assert run() == ["Oslo is rainy."]
    assert recorded(spans, "retrieval.") == OSLO


class Store:
    """Methods of every kind."""

    @trace_retriever
    def find(self, query: str) -> list[str]:
        return ["Oslo is rainy."]

    @classmethod
    @trace_retriever
    def find_in_class(cls, query: str) -> list[str]:
        return ["Oslo is rainy."]

    @staticmethod
    @trace_retriever
    def find_anywhere(query: str) -> list[str]:
        return ["Oslo is rainy."]


@pytest.mark.parametrize("find", [Store().find, Store.find_in_class, Store.find_anywhere])
def test_methods_are_recorded_with_and_without_an_object(
    spans: CapturedSpans, find: Callable[[str], list[str]]
) -> None:
    """The object is no part of what was asked."""
    assert find("rain") == ["Oslo is rainy."]
    assert recorded(spans, "retrieval.") == OSLO
    assert spans.input(spans[0]) == "rain"


def test_items_that_are_no_documents_are_output_alone(spans: CapturedSpans) -> None:
    """The first one tells."""
    assert list(trace_retriever(lambda query: (number for number in (1, 2)))("rain")) == [1, 2]
    assert recorded(spans, "retrieval.") == {}


def test_what_the_program_sets_wins(spans: CapturedSpans) -> None:
    """The documents that it says it found are those that are recorded."""

    @trace_retriever
    def find(query: str) -> list[str]:
        current_span().set_documents(["Oslo is rainy."])
        return ["something", "else"]

    find("rain")
    assert recorded(spans, "retrieval.") == OSLO


GIVEN = ["Oslo is rainy.", "Rome is sunny."]
RANKED: dict[str, Any] = {
    "places": [1],
    "places with scores": [(1, 0.75)],
    "results": {"results": [{"index": 1, "relevance_score": 0.75}]},
    "documents": [{"id": 1, "text": "Rome is sunny."}],
    "documents with scores": [("Rome is sunny.", 0.75)],
}


@pytest.mark.parametrize("result", RANKED.values(), ids=RANKED)
def test_what_a_reranker_returns_is_its_documents_with_their_texts(spans: CapturedSpans, result: Any) -> None:
    """What went in, what for, by which model, and what came out."""

    @trace_reranker
    def rank(query: str, documents: list[str], model: str = "rerank-v3.5", top_n: int = 1) -> Any:
        return result

    assert rank("sun", GIVEN) is result
    attributes = recorded(spans, "reranker.")
    output = {key: attributes.pop(key) for key in list(attributes) if "output" in key}
    assert attributes == {
        "reranker.query": "sun",
        "reranker.model_name": "rerank-v3.5",
        "reranker.top_k": 1,
        "reranker.input_documents.0.document.content": "Oslo is rainy.",
        "reranker.input_documents.1.document.content": "Rome is sunny.",
    }
    assert output["reranker.output_documents.0.document.content"] == "Rome is sunny."
    assert output.get("reranker.output_documents.0.document.score", 0.75) == 0.75


def test_scores_of_a_reranker_stand_beside_their_documents(spans: CapturedSpans) -> None:
    """One score for each document, in the order in which they were given."""
    trace_reranker(lambda question, passages: np.array([0.25, 0.75]))("sun", GIVEN)
    assert recorded(spans, "reranker.output", "reranker.query") == {
        "reranker.query": "sun",
        "reranker.output_documents.0.document.id": 0,
        "reranker.output_documents.0.document.content": "Oslo is rainy.",
        "reranker.output_documents.0.document.score": 0.25,
        "reranker.output_documents.1.document.id": 1,
        "reranker.output_documents.1.document.content": "Rome is sunny.",
        "reranker.output_documents.1.document.score": 0.75,
    }


def test_arguments_by_other_names_are_found_where_nothing_else_can_be_meant(spans: CapturedSpans) -> None:
    """The only text and the only list of documents."""
    trace_reranker(lambda q, items, model_id, api_key: [0])("sun", GIVEN, "m", "sk-1234")
    assert recorded(spans, "reranker.query", "reranker.model", "reranker.input") == {
        "reranker.query": "sun",
        "reranker.model_name": "m",
        "reranker.input_documents.0.document.content": "Oslo is rainy.",
        "reranker.input_documents.1.document.content": "Rome is sunny.",
    }


def test_what_may_be_several_things_is_none_of_them(spans: CapturedSpans) -> None:
    """Two lists of texts, two texts: nobody can tell."""
    trace_reranker(lambda a, b, c, d: None)("sun", "rain", GIVEN, GIVEN)
    assert recorded(spans, "reranker.") == {}


EMBEDDED: dict[str, tuple[Any, Any]] = {
    "a text and a vector": ("Oslo", [0.5, 1.0]),
    "a text and a vector in a list": ("Oslo", [[0.5, 1.0]]),
    "texts": (["Oslo"], [[0.5, 1.0]]),
    "numpy's vector": ("Oslo", np.array([0.5, 1.0])),
    "numpy's matrix": (["Oslo"], np.array([[0.5, 1.0]], dtype=np.float32)),
    "a mapping": (["Oslo"], {"embeddings": [[0.5, 1.0]]}),
    "documents": ([SimpleNamespace(page_content="Oslo")], [[0.5, 1]]),
    "a request": ({"input": ["Oslo"]}, [[0.5, 1.0]]),
}


@pytest.mark.parametrize(("texts", "result"), EMBEDDED.values(), ids=EMBEDDED)
def test_what_an_embedder_returns_is_its_vectors(spans: CapturedSpans, texts: Any, result: Any) -> None:
    """Each beside its text."""
    assert trace_embedding(lambda texts: result)(texts) is result
    assert recorded(spans, "embedding.embeddings.") == {
        "embedding.embeddings.0.embedding.text": "Oslo",
        "embedding.embeddings.0.embedding.vector": (0.5, 1.0),
    }
    assert spans[0].name == "CreateEmbeddings"


def test_an_embedding_s_model_and_parameters_are_recorded(spans: CapturedSpans) -> None:
    """No provider and no system, which an embedding's span doesn't have."""

    @trace_embedding
    def embed(inputs: list[str], model: str, dimensions: int, api_key: str, client: Any) -> Any:
        return [[0.5]]

    embed(["Oslo"], "text-embedding-3-small", 1, "sk-1234", SimpleNamespace(base_url="https://api.openai.com/v1"))
    attributes = recorded(spans, "embedding.m", "embedding.i", "llm.")
    assert json.loads(attributes.pop("embedding.invocation_parameters")) == {
        "model": "text-embedding-3-small",
        "dimensions": 1,
    }
    assert attributes == {"embedding.model_name": "text-embedding-3-small"}


def test_texts_are_there_also_when_the_embedder_fails(spans: CapturedSpans) -> None:
    """They are read before the call."""

    def embed(texts: list[str]) -> Any:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        trace_embedding(embed)(["Oslo"])
    assert recorded(spans, "embedding.embeddings.") == {"embedding.embeddings.0.embedding.text": "Oslo"}


def test_tokens_are_no_texts(spans: CapturedSpans) -> None:
    """Which text they stand for, nobody can tell."""
    trace_embedding(lambda tokens: [0.5])([15339, 1917])
    assert recorded(spans, "embedding.embeddings.") == {"embedding.embeddings.0.embedding.vector": (0.5,)}


def test_vectors_that_come_one_by_one_are_recorded(spans: CapturedSpans) -> None:
    """As some libraries give them, and as they were when they came."""

    @trace_embedding
    def embed(documents: list[str]) -> Iterator[Any]:
        for number in range(len(documents)):
            yield np.array([float(number)])

    for vector in embed(["Oslo", "Rome"]):
        vector[0] = 9
    assert recorded(spans, "embedding.embeddings.") == {
        "embedding.embeddings.0.embedding.text": "Oslo",
        "embedding.embeddings.0.embedding.vector": (0.0,),
        "embedding.embeddings.1.embedding.text": "Rome",
        "embedding.embeddings.1.embedding.vector": (1.0,),
    }


def test_a_vector_that_is_none_leaves_no_gap(spans: CapturedSpans) -> None:
    """Backends read a list up to the first index that is missing."""
    trace_embedding(lambda tokens: [[0.5], [float("nan")], [1.0]])([1])
    assert recorded(spans, "embedding.embeddings.") == {
        "embedding.embeddings.0.embedding.vector": (0.5,),
        "embedding.embeddings.1.embedding.vector": (1.0,),
    }


ODD: dict[str, Any] = {
    "what answers to everything": MagicMock(),
    "an object": object(),
    "lists in lists": [[[[]]]],
    "mappings in mappings": {"data": {"data": {}}},
    "a very large number": 10**5000,
    "bytes": b"\0",
    "nothing": None,
}


@pytest.mark.parametrize("mark", [trace_retriever, trace_reranker, trace_embedding])
@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_whatever_goes_in_and_comes_out_is_no_concern_of_the_caller_s(
    spans: CapturedSpans, mark: Callable[..., Any], value: Any
) -> None:
    """The function is called once, with what it was given, and its result is the caller's."""
    calls: list[Any] = []

    @mark
    def function(query: Any, documents: Any = None) -> Any:
        calls.append((query, documents))
        return value

    assert function(value, [value]) is value
    assert calls == [(value, [value])]
    assert len(spans) == 1
