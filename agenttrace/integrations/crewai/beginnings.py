"""What an event of CrewAI's says that begins: the span's kind, name and input."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from crewai.events import (
    AgentExecutionStartedEvent,
    AgentReasoningStartedEvent,
    CrewKickoffStartedEvent,
    FlowStartedEvent,
    KnowledgeQueryStartedEvent,
    KnowledgeRetrievalStartedEvent,
    LiteAgentExecutionStartedEvent,
    LLMCallStartedEvent,
    LLMGuardrailStartedEvent,
    MCPToolExecutionStartedEvent,
    MemoryQueryStartedEvent,
    MemoryRetrievalStartedEvent,
    MemorySaveStartedEvent,
    MethodExecutionStartedEvent,
    TaskStartedEvent,
    ToolUsageStartedEvent,
)

from ...tracing import (
    Mark,
    trace_agent,
    trace_chain,
    trace_guardrail,
    trace_llm,
    trace_retriever,
    trace_step,
    trace_tool,
)
from .nested import restored

__all__ = ["BEGINNINGS", "Beginning"]

_EXECUTOR = "AgentExecutor"
"""The flow that every agent of CrewAI's runs in: its span would be the agent's once more."""
_PARAMETERS = ("temperature", "top_p", "max_tokens", "stream", "seed", "frequency_penalty", "presence_penalty", "n")


class Beginning(NamedTuple):
    """A span that is to be opened."""

    mark: Mark
    name: str
    options: Mapping[str, Any] = {}
    node: str | None = None
    """The agent's name in the graph of agents, where it is one."""
    outlives: bool = False
    """Whether it goes on in the background when what it began in is over."""


def _crew(event: Any) -> Beginning:
    name = event.crew_name or "crew"
    return Beginning(trace_agent, name, {"input": event.inputs or None}, name)


def _task(event: Any) -> Beginning:
    task = event.task
    told = {name: getattr(task, name, None) for name in ("description", "expected_output")}
    told["context"] = event.context or None
    return Beginning(trace_step, getattr(task, "name", None) or "task", {"input": _known(told) or None})


def _agent(event: Any) -> Beginning:
    role = _name(event.agent.role, "agent")
    return Beginning(trace_agent, role, {"input": event.task_prompt}, role)


def _lone_agent(event: Any) -> Beginning:
    role = _name(event.agent_info.get("role"), "agent")
    return Beginning(trace_agent, role, {"input": event.messages}, role)


def _model_call(event: Any) -> Beginning:
    parameters = _known({name: getattr(event, name, None) for name in _PARAMETERS})
    if event.stop_sequences:
        parameters["stop"] = list(event.stop_sequences)
    options = {
        "input": _known({"messages": restored(event.messages), "tools": restored(event.tools) or None}),
        "model": event.model,
        "invocation_parameters": parameters or None,
    }
    return Beginning(trace_llm, event.model or "llm", options)


def _tool(event: Any) -> Beginning:
    return Beginning(trace_tool, event.tool_name, {"input": _arguments(event.tool_args)})


def _mcp_tool(event: Any) -> Beginning:
    # Inside the TOOL span of the same call: a second one would count it twice.
    return Beginning(trace_chain, f"{event.server_name}: {event.tool_name}", {"input": event.tool_args})


def _flow(event: Any) -> Beginning | None:
    if event.flow_name == _EXECUTOR:
        return None
    return Beginning(trace_chain, event.flow_name, {"input": event.inputs or None})


def _method(event: Any) -> Beginning:
    return Beginning(trace_step, event.method_name, {"input": event.params or None})


def _memory_query(event: Any) -> Beginning:
    return Beginning(trace_retriever, "memory", {"input": event.query})


def _memory_retrieval(_: Any) -> Beginning:
    # Holds the RETRIEVER span of each query, and what was made of all they found.
    return Beginning(trace_step, "recall")


def _memory_save(event: Any) -> Beginning:
    return Beginning(trace_step, "remember", {"input": event.value}, outlives=True)


def _knowledge(_: Any) -> Beginning:
    return Beginning(trace_retriever, "knowledge")


def _knowledge_query(event: Any) -> Beginning:
    return Beginning(trace_step, "query for knowledge", {"input": event.task_prompt})


def _guardrail(event: Any) -> Beginning:
    named = event.guardrail_type == "function" and event.guardrail_name
    told = {"guardrail": event.guardrail, "retry_count": event.retry_count}
    return Beginning(trace_guardrail, named or "guardrail", {"metadata": told})


def _plan(_: Any) -> Beginning:
    return Beginning(trace_step, "plan")


def _arguments(arguments: Any) -> Any:
    # Of a model that calls tools in its text they are JSON.
    if not isinstance(arguments, str):
        return arguments
    try:
        return json.loads(arguments)
    except ValueError:
        return {"input": arguments}


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _name(value: object, otherwise: str) -> str:
    # Roles come from YAML files, often with a line break at their end.
    return (value.strip() if isinstance(value, str) else "") or otherwise


BEGINNINGS: dict[type[Any], Callable[[Any], Beginning | None]] = {
    AgentExecutionStartedEvent: _agent,
    AgentReasoningStartedEvent: _plan,
    CrewKickoffStartedEvent: _crew,
    FlowStartedEvent: _flow,
    KnowledgeQueryStartedEvent: _knowledge_query,
    KnowledgeRetrievalStartedEvent: _knowledge,
    LiteAgentExecutionStartedEvent: _lone_agent,
    LLMCallStartedEvent: _model_call,
    LLMGuardrailStartedEvent: _guardrail,
    MCPToolExecutionStartedEvent: _mcp_tool,
    MemoryQueryStartedEvent: _memory_query,
    MemoryRetrievalStartedEvent: _memory_retrieval,
    MemorySaveStartedEvent: _memory_save,
    MethodExecutionStartedEvent: _method,
    TaskStartedEvent: _task,
    ToolUsageStartedEvent: _tool,
}
"""For each event that begins something, what does; None where that has no span of its own."""
