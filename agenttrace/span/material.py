"""The setters that say what was found, ranked, embedded or called, and where in a graph that was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openinference.semconv.trace import OpenInferenceSpanKindValues, RerankerAttributes, SpanAttributes

from ..faults import Advice
from ..semconv.types import Document, Embedding
from .base import HandleBase, contained

__all__ = ["MaterialSetters"]

_RERANKER = OpenInferenceSpanKindValues.RERANKER.value


class MaterialSetters(HandleBase):
    """Setters for spans of kind RETRIEVER, RERANKER, EMBEDDING, TOOL and AGENT."""

    __slots__ = ()

    @contained
    def set_documents(self, documents: Sequence[Document | Mapping[str, Any] | object]) -> None:
        """Record what was found (``retrieval.documents``), or on a RERANKER span what it put in order.

        Args:
            documents: Texts, `Document` mappings, documents of LangChain, LlamaIndex, Haystack and the like, or pairs
                of one of these and its score. Set again, they replace those before.

        Example:
            >>> current_span().set_documents([{"id": "7", "content": "Oslo is rainy.", "score": 0.9}])
        """
        ranked = self._kind() == _RERANKER
        name = RerankerAttributes.RERANKER_OUTPUT_DOCUMENTS if ranked else SpanAttributes.RETRIEVAL_DOCUMENTS
        self._set_documents(name, documents)

    @contained
    def set_reranker(
        self,
        *,
        query: str | None = None,
        model: str | None = None,
        top_k: int | None = None,
        input_documents: Sequence[Document | Mapping[str, Any] | object] | None = None,
        output_documents: Sequence[Document | Mapping[str, Any] | object] | None = None,
    ) -> None:
        """Record how documents were put in order (``reranker.*``).

        Args:
            query: What they were ranked for.
            model: The model that ranked them.
            top_k: How many were asked for.
            input_documents: What was to be ranked; see `set_documents`.
            output_documents: What came out, in order.

        Example:
            >>> current_span().set_reranker(query="rain", model="rerank-v3.5", top_k=3, output_documents=best)
        """
        self._set(
            {
                RerankerAttributes.RERANKER_QUERY: query,
                RerankerAttributes.RERANKER_MODEL_NAME: model,
                RerankerAttributes.RERANKER_TOP_K: top_k,
            }
        )
        if input_documents is not None:
            self._set_documents(RerankerAttributes.RERANKER_INPUT_DOCUMENTS, input_documents)
        if output_documents is not None:
            self._set_documents(RerankerAttributes.RERANKER_OUTPUT_DOCUMENTS, output_documents)

    @contained
    def set_embeddings(
        self,
        embeddings: Sequence[Embedding | Mapping[str, Any]] | None = None,
        *,
        texts: Sequence[str] | str | None = None,
        vectors: object = None,
    ) -> None:
        """Record vectors and the texts they stand for (``embedding.embeddings``).

        Args:
            embeddings: `Embedding` mappings; or instead
            texts: what was embedded, and
            vectors: the vectors in the same order: lists of floats, or a matrix of numpy or torch.

        Example:
            >>> current_span().set_embeddings(texts=["rain", "sun"], vectors=model.encode(["rain", "sun"]))
        """
        from ..semconv.attributes import embedding_attributes
        from ..semconv.fields import field
        from ..semconv.vectors import pair_up, read_texts, read_vectors

        if embeddings is not None:
            read: list[Embedding] = [
                {"text": field(item, "text"), "vector": field(item, "vector", "embedding")} for item in embeddings
            ]
        else:
            read = pair_up(read_texts(texts), read_vectors(vectors) or [])
        self._set_list(SpanAttributes.EMBEDDING_EMBEDDINGS, embedding_attributes(read))

    @contained
    def set_tool(
        self,
        name: str | None = None,
        *,
        description: str | None = None,
        parameters: Mapping[str, Any] | str | None = None,
        id: str | None = None,  # noqa: A002 - OpenInference's name for it
    ) -> None:
        """Record which tool runs (``tool.*``).

        Args:
            name: Its name.
            description: What it does.
            parameters: What it takes, as a JSON Schema object.
            id: The id of the model's call that it answers (``tool.id``, the call's ``tool_call.id``).

        Example:
            >>> current_span().set_tool("get_weather", id=call.id)
        """
        self._set(
            {
                SpanAttributes.TOOL_NAME: name,
                SpanAttributes.TOOL_DESCRIPTION: description,
                SpanAttributes.TOOL_PARAMETERS: parameters,
                SpanAttributes.TOOL_ID: id,
            }
        )

    @contained
    def set_agent_name(self, name: str) -> None:
        """Record which agent this is (``agent.name``).

        Args:
            name: Its name; agents that do the same have the same.

        Example:
            >>> current_span().set_agent_name("researcher")
        """
        self._set({SpanAttributes.AGENT_NAME: name})

    @contained
    def set_graph_node(self, id: str, *, name: str | None = None, parent_id: str | None = None) -> None:  # noqa: A002
        """Record which node of the agent's graph this is (``graph.node.*``).

        Args:
            id: The node's id.
            name: What people call it.
            parent_id: The id of the node before it; None for the root.

        Example:
            >>> current_span().set_graph_node("search_0", name="Search", parent_id="router_0")
        """
        self._set(
            {
                SpanAttributes.GRAPH_NODE_ID: id,
                SpanAttributes.GRAPH_NODE_NAME: name,
                SpanAttributes.GRAPH_NODE_PARENT_ID: parent_id,
            }
        )

    def _set_documents(self, name: str, documents: object) -> None:
        from ..semconv.attributes import document_attributes
        from ..semconv.documents import read_documents

        read = read_documents(documents)
        if read is None:
            raise Advice(
                f"{type(documents).__name__} holds nothing that is known as documents: give texts, or mappings such as "
                '{"content": "…", "id": "7", "score": 0.9}'
            )
        self._set_list(name, document_attributes(name, read))
