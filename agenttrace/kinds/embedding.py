"""EMBEDDING spans: the texts and their vectors, the model, and how many tokens that took."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count, takewhile
from typing import Any

from openinference.semconv.trace import EmbeddingAttributes, SpanAttributes

from ..capture.results import YieldedItems
from ..readers import find_reader, read_with
from ..readers.request import MODEL_NAMES, model_of, parameters_of
from ..semconv.arrays import floats_of
from ..semconv.attributes import embedding_attributes, token_count_attributes
from ..semconv.fields import as_list, field, is_dict, is_list, is_text
from ..semconv.secrets import is_secret_name
from ..semconv.types import ModelCall
from ..semconv.vectors import MOST_VECTORS, pair_up, read_texts, read_vectors
from .interface import Collector, Describer, Flat

__all__ = ["EmbeddingDescriber"]

_TEXTS = ("input", "inputs", "text", "texts", "documents", "sentences", "contents", "content", "query", "queries")
_MOST_FLOATS = 131_072  # of one run; what is recorded of them, the encoder says
_NOT_TEXTS = frozenset({*MODEL_NAMES, "base_url", "encoding_format", "input_type", "task_type", "user"})


class EmbeddingDescriber(Describer):
    """Describes calls of functions marked `trace_embedding`."""

    def before(self, bound: Mapping[str, Any]) -> Flat:
        """See `Describer.before`."""
        arguments = _unfolded(bound)
        flat: Flat = embedding_attributes([{"text": text} for text in _texts(arguments)])
        model = model_of(arguments)
        if model is not None:
            flat[SpanAttributes.EMBEDDING_MODEL_NAME] = model
        parameters = parameters_of(arguments)
        if parameters:
            flat[SpanAttributes.EMBEDDING_INVOCATION_PARAMETERS] = parameters
        return flat

    def after(self, value: object, recorded: Mapping[str, Any]) -> Flat:
        """See `Describer.after`."""
        reader = None if is_text(value) or is_list(value) else find_reader(value)
        call: ModelCall = {} if reader is None else read_with(reader, value)
        embeddings = call.get("embeddings")
        vectors = [field(embedding, "vector") for embedding in embeddings] if embeddings else read_vectors(value) or []
        flat = embedding_attributes(pair_up(_texts_in(recorded), vectors)) if vectors else {}
        if call.get("model_name"):
            flat[SpanAttributes.EMBEDDING_MODEL_NAME] = call["model_name"]
        flat.update(token_count_attributes(call.get("token_counts") or {}))
        return flat

    def collector(self, item: object) -> Collector | None:
        """See `Describer.collector`."""
        return None if read_vectors(item) is None else _Vectors()


class _Vectors(Collector):
    """Vectors that come one by one, or some at a time."""

    def __init__(self) -> None:
        self._vectors: list[list[float]] = []
        self._room = _MOST_FLOATS
        self._items = YieldedItems()

    def add(self, item: object) -> None:
        """See `Collector.add`."""
        self._items.add(item)
        for vector in read_vectors(item) or () if self._room > 0 else ():
            floats = floats_of(vector, self._room)
            if floats is None:
                self._room = 0  # after one that isn't kept none is, so that each stays beside its text
                return
            self._room -= len(floats)
            self._vectors.append(floats)

    def describe(self, recorded: Mapping[str, Any]) -> Flat:
        """See `Collector.describe`."""
        return embedding_attributes(pair_up(_texts_in(recorded), self._vectors))

    def output(self) -> object:
        """See `Collector.output`."""
        return self._items


def _unfolded(bound: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, with those in a mapping that holds a request among them."""
    arguments = dict(bound)
    for value in bound.values():
        if is_dict(value) and (field(value, *_TEXTS) is not None or field(value, *MODEL_NAMES) is not None):
            arguments = {**value, **arguments}
    return arguments


def _texts(arguments: Mapping[str, Any]) -> list[str]:
    for name in _TEXTS:
        found = _readable(arguments.get(name))
        if found:
            return found
    others = (
        read_texts(value)
        for name, value in arguments.items()
        if name not in _NOT_TEXTS and not is_secret_name(name) and (is_text(value) or is_list(value))
    )
    given = [texts for texts in others if texts]
    return given[0] if len(given) == 1 else []


def _readable(value: object) -> list[str]:
    """The texts in ``value``: strings, or documents that are to be embedded."""
    texts = read_texts(value)
    if texts:
        return texts
    contents = [field(item, "page_content", "text", "content") for item in as_list(value)[:MOST_VECTORS]]
    return [str.__str__(text) for text in contents] if contents and all(map(is_text, contents)) else []


def _texts_in(recorded: Mapping[str, Any]) -> list[str]:
    """The texts that were recorded before the call."""
    places = (
        f"{SpanAttributes.EMBEDDING_EMBEDDINGS}.{index}.{EmbeddingAttributes.EMBEDDING_TEXT}" for index in count()
    )
    return [recorded[place] for place in takewhile(recorded.__contains__, places)]
