"""What CrewAI's events leave out of a span, and the object that emitted them knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crewai.events import LLMCallStartedEvent, ToolUsageStartedEvent
from crewai.utilities.string_utils import sanitize_tool_name
from openinference.semconv.trace import SpanAttributes

from ...span import Span

__all__ = ["DETAILS"]


def _tool(span: Span, source: Any, event: Any) -> None:
    wanted = sanitize_tool_name(event.tool_name)
    for tool in getattr(source, "tools", None) or ():
        if sanitize_tool_name(tool.name) == wanted:
            span.set_tool(description=tool.description, parameters=_schema(tool))
            return


def _schema(tool: Any) -> dict[str, Any] | None:
    describe = getattr(tool.args_schema, "model_json_schema", None)
    return describe() if callable(describe) else None


def _model_call(span: Span, source: Any, event: Any) -> None:
    # A model of the user's has the field too, and "openai" in it unless they say otherwise.
    if getattr(source, "llm_type", "base") != "base":
        span.set_attribute(SpanAttributes.LLM_PROVIDER, source.provider)


DETAILS: dict[type[Any], Callable[[Span, Any, Any], None]] = {
    LLMCallStartedEvent: _model_call,
    ToolUsageStartedEvent: _tool,
}
"""For the events whose sources know more, what says it."""
