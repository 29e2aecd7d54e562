"""What an event of CrewAI's says of how something ended: the span's output, or what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from crewai.events import (
    AgentExecutionCompletedEvent,
    AgentExecutionErrorEvent,
    AgentReasoningCompletedEvent,
    AgentReasoningFailedEvent,
    CrewKickoffCompletedEvent,
    CrewKickoffFailedEvent,
    FlowFailedEvent,
    FlowFinishedEvent,
    KnowledgeQueryCompletedEvent,
    KnowledgeQueryFailedEvent,
    KnowledgeRetrievalCompletedEvent,
    KnowledgeSearchQueryFailedEvent,
    LiteAgentExecutionCompletedEvent,
    LiteAgentExecutionErrorEvent,
    LLMCallCompletedEvent,
    LLMCallFailedEvent,
    LLMGuardrailCompletedEvent,
    MCPToolExecutionCompletedEvent,
    MCPToolExecutionFailedEvent,
    MemoryQueryCompletedEvent,
    MemoryQueryFailedEvent,
    MemoryRetrievalCompletedEvent,
    MemoryRetrievalFailedEvent,
    MemorySaveCompletedEvent,
    MemorySaveFailedEvent,
    MethodExecutionFailedEvent,
    MethodExecutionFinishedEvent,
    TaskCompletedEvent,
    TaskFailedEvent,
    ToolUsageErrorEvent,
    ToolUsageFinishedEvent,
)
from crewai.events.types.flow_events import FlowPausedEvent, MethodExecutionPausedEvent

from ...span import Span
from ..content import content

__all__ = ["ENDINGS", "Ending"]

_COUNTS = {
    "prompt_tokens": "prompt",
    "completion_tokens": "completion",
    "total_tokens": "total",
    "cached_prompt_tokens": "cache_read",
    "cache_creation_tokens": "cache_write",
    "reasoning_tokens": "reasoning",
}


class Ending(NamedTuple):
    """How a span is to end."""

    output: Any = None
    error: object = None
    """An exception, or what CrewAI has kept of one: its text."""
    describe: Callable[[Span], None] | None = None
    """Says more of the span."""


def _output(name: str) -> Callable[[Any], Ending]:
    return lambda event: Ending(_plain(getattr(event, name)))


def _error(event: Any) -> Ending:
    return Ending(error=event.error)


def _task_error(event: Any) -> Ending:
    kind = event.error_type
    return Ending(error=event.error if kind is None else f"{kind.__name__}: {event.error}")


def _paused(event: Any) -> Ending:
    return Ending(describe=lambda span: span.add_event("paused", {"message": content(event.message)}))


def _tool(event: Any) -> Ending:
    failure = None if event.failure is None else event.failure.message
    cached = event.from_cache
    return Ending(event.output, failure, lambda span: span.set_metadata({"from_cache": True}) if cached else None)


def _model_call(event: Any) -> Ending:
    usage = event.usage if isinstance(event.usage, Mapping) else {}
    counts = {_COUNTS[name]: count for name, count in usage.items() if name in _COUNTS and count is not None}

    def describe(span: Span) -> None:
        span.set_finish_reason(event.finish_reason)
        if counts:
            span.set_token_counts(counts)

    return Ending(_message(event.response), describe=describe)


def _message(response: Any) -> Any:
    """What a model answered: CrewAI hands over the text, or the tool calls alone."""
    if isinstance(response, Sequence) and response and all(isinstance(call, Mapping) for call in response):
        return {"role": "assistant", "tool_calls": [_call(call) for call in response]}
    return response


def _call(call: Mapping[str, Any]) -> Mapping[str, Any]:
    function = call.get("function")
    if isinstance(function, Mapping):
        return call
    function = {"name": call.get("name"), "arguments": call.get("input", call.get("args", call.get("arguments")))}
    return {"id": call.get("id"), "type": "function", "function": function}


def _found(event: Any) -> Ending:
    return Ending([_document(match) for match in event.results or ()])


def _document(match: Any) -> dict[str, Any]:
    record = match.record
    metadata = {**record.metadata, "scope": record.scope, "categories": record.categories}
    return {"id": record.id, "text": record.content, "score": match.score, "metadata": metadata}


def _knowledge(event: Any) -> Ending:
    found = [event.retrieved_knowledge] if event.retrieved_knowledge else []
    return Ending(found, describe=lambda span: span.set_input(event.query))


def _guardrail(event: Any) -> Ending:
    said = {"success": event.success, "result": _plain(event.result), "error": event.error}
    return Ending({name: value for name, value in said.items() if value is not None})


def _plain(output: Any) -> Any:
    """The output of a task or a crew as what it stands for, anything else as it is."""
    for name in ("pydantic", "json_dict", "raw"):
        value = getattr(output, name, None)
        if value is not None and hasattr(output, "raw"):
            return value
    return output


ENDINGS: dict[type[Any], tuple[str, Callable[[Any], Ending]]] = {
    AgentExecutionCompletedEvent: ("agent_execution_started", _output("output")),
    AgentExecutionErrorEvent: ("agent_execution_started", _error),
    AgentReasoningCompletedEvent: ("agent_reasoning_started", _output("plan")),
    AgentReasoningFailedEvent: ("agent_reasoning_started", _error),
    CrewKickoffCompletedEvent: ("crew_kickoff_started", _output("output")),
    CrewKickoffFailedEvent: ("crew_kickoff_started", _error),
    FlowFailedEvent: ("flow_started", _error),
    FlowFinishedEvent: ("flow_started", _output("result")),
    FlowPausedEvent: ("flow_started", _paused),
    KnowledgeQueryCompletedEvent: ("knowledge_query_started", _output("query")),
    KnowledgeQueryFailedEvent: ("knowledge_query_started", _error),
    KnowledgeRetrievalCompletedEvent: ("knowledge_search_query_started", _knowledge),
    KnowledgeSearchQueryFailedEvent: ("knowledge_search_query_started", _error),
    LiteAgentExecutionCompletedEvent: ("lite_agent_execution_started", _output("output")),
    LiteAgentExecutionErrorEvent: ("lite_agent_execution_started", _error),
    LLMCallCompletedEvent: ("llm_call_started", _model_call),
    LLMCallFailedEvent: ("llm_call_started", _error),
    LLMGuardrailCompletedEvent: ("llm_guardrail_started", _guardrail),
    MCPToolExecutionCompletedEvent: ("mcp_tool_execution_started", _output("result")),
    MCPToolExecutionFailedEvent: ("mcp_tool_execution_started", _error),
    MemoryQueryCompletedEvent: ("memory_query_started", _found),
    MemoryQueryFailedEvent: ("memory_query_started", _error),
    MemoryRetrievalCompletedEvent: ("memory_retrieval_started", _output("memory_content")),
    MemoryRetrievalFailedEvent: ("memory_retrieval_started", _error),
    MemorySaveCompletedEvent: ("memory_save_started", _output("value")),
    MemorySaveFailedEvent: ("memory_save_started", _error),
    MethodExecutionFailedEvent: ("method_execution_started", _error),
    MethodExecutionFinishedEvent: ("method_execution_started", _output("result")),
    MethodExecutionPausedEvent: ("method_execution_started", _paused),
    TaskCompletedEvent: ("task_started", _output("output")),
    TaskFailedEvent: ("task_started", _task_error),
    ToolUsageErrorEvent: ("tool_usage_started", _error),
    ToolUsageFinishedEvent: ("tool_usage_started", _tool),
}
"""For each event that ends something: the type of the event that began it, and how it ended."""
