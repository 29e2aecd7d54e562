"""What LangChain tells of a run: its name, which kind of span it is, its session, and values as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import BaseMessage
from openinference.semconv.trace import SpanAttributes

from ...context import Scope, attributes_from_context, using_session
from ...current import get_current
from ...semconv.messages import read_messages
from ...tracing import Mark, trace_agent, trace_chain, trace_prompt
from ...whereabouts import located

__all__ = [
    "NODE",
    "is_control_flow",
    "mark_of_chain",
    "name_of",
    "node_of",
    "parameters_by_name",
    "readable",
    "session_of",
]

NODE = "graph:step:"
"""How the tag begins that a graph's nodes have."""
_SESSIONS = ("session_id", "conversation_id", "thread_id")
_FEW = 20  # items of a list that are looked at for messages in them


def readable(value: Any) -> Any:
    """``value`` with the messages in it as role and content, without the fields that LangChain has beside."""
    try:
        return _plain(value, 5)
    except Exception:  # somebody's own kind of list or mapping: as it is, then
        return value


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, BaseMessage):
        return next(iter(read_messages(value)), value)
    if depth == 0:
        return value
    if isinstance(value, dict):
        return {name: _plain(each, depth - 1) for name, each in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], BaseMessage):
        return read_messages(value)
    if isinstance(value, list) and len(value) <= _FEW:
        return [_plain(each, depth - 1) for each in value]
    if type(value).__name__ == "Command":  # LangGraph's: what a node changes, and where the run goes on
        return {"update": _plain(value.update, depth - 1), "goto": value.goto}
    return value


def name_of(serialized: Any, about: Mapping[str, Any]) -> str:
    """The name of a run: its own, or that of the class of what runs."""
    known = serialized or {}
    path = known.get("id") or ()
    return str(about.get("name") or known.get("name") or (path[-1] if path else None) or "run")


def node_of(about: Mapping[str, Any]) -> str | None:
    """The name of the graph's node that a run is."""
    is_node = any(tag.startswith(NODE) for tag in about.get("tags") or ())
    return (about.get("metadata") or {}).get("langgraph_node") if is_node else None


def mark_of_chain(name: str, about: Mapping[str, Any]) -> Mark:
    """A graph that no other graph runs, and an agent of LangChain's anywhere, is an agent; all else is a chain."""
    if about.get("run_type") == "prompt":
        return trace_prompt
    metadata = about.get("metadata") or {}
    if node_of(about) is not None:
        return trace_chain
    is_graph = "ls_integration" in metadata or name == "LangGraph"  # older releases say less
    is_root = "langgraph_node" not in metadata
    return trace_agent if (is_graph and is_root) or metadata.get("lc_agent_name") == name else trace_chain


def session_of(metadata: Mapping[str, Any]) -> Scope | None:
    """The conversation that a run says it belongs to, unless the program has said so around it."""
    if SpanAttributes.SESSION_ID in attributes_from_context(located(get_current())):
        return None
    found = next((metadata[key] for key in _SESSIONS if metadata.get(key)), None)
    return None if found is None else using_session(str(found))


def parameters_by_name(tools: Sequence[Any]) -> dict[str, Any]:
    """The JSON Schemas in definitions of tools, in OpenAI's form or Anthropic's."""
    definitions = [tool.get("function", tool) for tool in tools if isinstance(tool, Mapping)]
    return {
        each["name"]: each.get("parameters") or each.get("input_schema")
        for each in definitions
        if isinstance(each, Mapping) and isinstance(each.get("name"), str)
    }


def is_control_flow(error: BaseException) -> bool:
    """Whether LangGraph raised ``error`` to interrupt a run or to hand it over. Told by name: it needn't be there."""
    return any(
        cls.__name__ == "GraphBubbleUp" and cls.__module__.startswith("langgraph.") for cls in type(error).__mro__
    )
