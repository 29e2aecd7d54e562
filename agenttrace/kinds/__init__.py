"""What spans of a kind record beside input and output: a model's messages and tokens, documents, embeddings."""

from __future__ import annotations

from openinference.semconv.trace import OpenInferenceSpanKindValues as Kind

from .interface import Collector, Describer

__all__ = ["Collector", "Describer", "describer_of"]


def describer_of(kind: str) -> Describer | None:
    """Who describes the calls of a kind; None where input and output say all."""
    if kind == Kind.LLM.value:
        from .model_call import ModelCallDescriber

        return ModelCallDescriber()
    if kind == Kind.EMBEDDING.value:
        from .embedding import EmbeddingDescriber

        return EmbeddingDescriber()
    if kind == Kind.RETRIEVER.value:
        from .retrieval import RetrieverDescriber

        return RetrieverDescriber()
    if kind == Kind.RERANKER.value:
        from .retrieval import RerankerDescriber

        return RerankerDescriber()
    return None
