"""Which of LlamaIndex's spans are recorded, as what, and which only wrap another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from llama_index.core.agent.workflow import AgentWorkflow
from llama_index.core.agent.workflow.base_agent import BaseWorkflowAgent
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.chat_engine.types import BaseChatEngine
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.response_synthesizers import BaseSynthesizer
from llama_index.core.schema import TransformComponent
from llama_index.core.tools import BaseTool
from llama_index.core.workflow import Workflow

from ...tracing import Mark, trace_agent, trace_chain, trace_embedding, trace_llm, trace_retriever, trace_tool

__all__ = ["Role", "arguments_of", "role_of"]

_CHAT = ("chat", "achat", "stream_chat", "astream_chat")
_COMPLETE = ("complete", "acomplete", "stream_complete", "astream_complete")
_EMBED = ("get_text_embedding", "get_text_embedding_batch", "get_query_embedding")
_UUID = 37  # with the hyphen before it


class Role(NamedTuple):
    """What a call is to whoever reads the trace."""

    mark: Mark
    name: str


class _Recorded(NamedTuple):
    """Which methods of a class are recorded; None as mark where that is for the object to say."""

    owner: type
    methods: frozenset[str]
    mark: Mark
    names_method: bool = False


# The first whose class an object is of decides, so a method that isn't named here only wraps another.
_RECORDED = (
    _Recorded(StructuredLLM, frozenset(), trace_llm),  # which has the model that it is made of answer in JSON
    _Recorded(BaseLLM, frozenset({*_CHAT, *_COMPLETE}), trace_llm),
    _Recorded(BaseTool, frozenset({"call", "acall", "__call__"}), trace_tool),
    _Recorded(BaseRetriever, frozenset({"retrieve", "aretrieve"}), trace_retriever),
    _Recorded(BaseEmbedding, frozenset({*_EMBED, *(f"a{name}" for name in _EMBED)}), trace_embedding),
    _Recorded(
        BaseNodePostprocessor,
        frozenset({"postprocess_nodes", "apostprocess_nodes", "_postprocess_nodes", "_apostprocess_nodes"}),
        trace_chain,
    ),
    _Recorded(BaseQueryEngine, frozenset({"query", "aquery"}), trace_chain, names_method=True),
    _Recorded(BaseChatEngine, frozenset(_CHAT), trace_chain, names_method=True),
    _Recorded(BaseSynthesizer, frozenset({"synthesize", "asynthesize"}), trace_chain),
    _Recorded(IngestionPipeline, frozenset({"run", "arun"}), trace_chain),
    _Recorded(TransformComponent, frozenset({"__call__", "acall"}), trace_chain),
    _Recorded(BaseWorkflowAgent, frozenset({"run"}), trace_agent),
    _Recorded(AgentWorkflow, frozenset({"run"}), trace_agent),
    _Recorded(Workflow, frozenset({"run"}), trace_chain),
)
# The steps of which LlamaIndex's own agents are made.
_PLUMBING = frozenset(
    f"{owner.__name__}.{step}"
    for owner in (BaseWorkflowAgent, AgentWorkflow)
    for step in (
        "init_run",
        "setup_agent",
        "run_agent_step",
        "parse_agent_output",
        "call_tool",
        "aggregate_tool_results",
    )
)
_TURN = f"{AgentWorkflow.__name__}.run_agent_step"
_EMBEDDING_NAME = "CreateEmbeddings"  # OpenInference's for all of them


def role_of(span_id: str, instance: object, arguments: Mapping[str, Any], is_in_workflow: bool) -> Role | None:
    """What the call ``span_id`` is recorded as; None where it only wraps another.

    Args:
        span_id: LlamaIndex's id of it, which begins with the name of the method.
        instance: The object whose method it is; None for functions and steps of workflows.
        arguments: Its arguments by name.
        is_in_workflow: Whether a workflow's run called it, of which it is a step then.
    """
    path = span_id[:-_UUID]
    if instance is None:
        return _role_of_step(path, arguments) if is_in_workflow else None
    method = path.rpartition(".")[2]
    for recorded in _RECORDED:
        if isinstance(instance, recorded.owner):
            return Role(recorded.mark, _name_of(recorded, instance, method)) if method in recorded.methods else None
    return None


def arguments_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """``arguments`` with those that were given by keyword among them."""
    more = arguments.get("kwargs")
    named = {name: value for name, value in arguments.items() if name not in ("self", "kwargs")}
    return {**named, **more} if isinstance(more, dict) else named


def _role_of_step(path: str, arguments: Mapping[str, Any]) -> Role | None:
    if path == _TURN:  # of one of several agents
        name = getattr(arguments.get("ev"), "current_agent_name", None)
        return Role(trace_agent, str(name or "agent"))
    return None if path in _PLUMBING else Role(trace_chain, path.rpartition(".")[2])


def _name_of(recorded: _Recorded, instance: Any, method: str) -> str:
    if recorded.mark is trace_embedding:
        return _EMBEDDING_NAME
    if recorded.mark is trace_tool:
        return str(instance.metadata.get_name())
    own = type(instance).__name__
    if recorded.owner is BaseWorkflowAgent:
        return str(instance.name or own)
    return f"{own}.{method}" if recorded.names_method else own
