"""A span's input and output as Langfuse shows them best: conversations in the shape of OpenAI's chat completions.

Langfuse's page "Tool Call Visualization" (langfuse-docs ad01125) lists whose shapes it finds tools and their calls in;
OpenInference's flattened lists aren't among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from openinference.semconv.trace import (
    ChoiceAttributes,
    DocumentAttributes,
    EmbeddingAttributes,
    ImageAttributes,
    MessageAttributes,
    MessageContentAttributes,
    OpenInferenceSpanKindValues,
    PromptAttributes,
    RerankerAttributes,
    SpanAttributes,
    ToolAttributes,
    ToolCallAttributes,
)

from agenttrace.local.flattened import items_of

__all__ = ["input_and_output"]

Attributes = Mapping[str, Any]

_IMAGE_URL = f"{MessageContentAttributes.MESSAGE_CONTENT_IMAGE}.{ImageAttributes.IMAGE_URL}"
_PART = f"{MessageContentAttributes.MESSAGE_CONTENT_TYPE.partition('.')[0]}."
_CALL = "tool_use"
_DOCUMENT = {
    "id": DocumentAttributes.DOCUMENT_ID,
    "content": DocumentAttributes.DOCUMENT_CONTENT,
    "score": DocumentAttributes.DOCUMENT_SCORE,
    "metadata": DocumentAttributes.DOCUMENT_METADATA,
}


def input_and_output(attributes: Attributes) -> tuple[Any, Any]:
    """What went in and what came out, as values that JSON can say.

    Args:
        attributes: A span's attributes.

    Returns:
        None for each where ``input.value`` or ``output.value`` is the better one to show, or nothing is known.
    """
    kind = attributes.get(SpanAttributes.OPENINFERENCE_SPAN_KIND)
    if kind == OpenInferenceSpanKindValues.LLM.value:
        return _asked(attributes), _answered(attributes)
    given, made = _listed(attributes, str(kind))
    return (
        None if SpanAttributes.INPUT_VALUE in attributes else given or None,
        None if SpanAttributes.OUTPUT_VALUE in attributes else made or None,
    )


def _asked(attributes: Attributes) -> Any:
    messages = [_message(item) for item in items_of(attributes, SpanAttributes.LLM_INPUT_MESSAGES)]
    if messages:
        tools = [_tool(item) for item in items_of(attributes, SpanAttributes.LLM_TOOLS)]
        return {"messages": messages, "tools": tools} if tools else messages
    if SpanAttributes.INPUT_VALUE in attributes:
        return None
    return _alone(_column(attributes, SpanAttributes.LLM_PROMPTS, PromptAttributes.PROMPT_TEXT))


def _answered(attributes: Attributes) -> Any:
    messages = [_message(item) for item in items_of(attributes, SpanAttributes.LLM_OUTPUT_MESSAGES)]
    if messages:
        return _alone(messages)
    if SpanAttributes.OUTPUT_VALUE in attributes:
        return None
    return _alone(_column(attributes, SpanAttributes.LLM_CHOICES, ChoiceAttributes.COMPLETION_TEXT))


def _alone(items: list[Any]) -> Any:
    """The only one of ``items``, all of them where they are several, None where there is none."""
    return items[0] if len(items) == 1 else items or None


def _message(item: Attributes) -> dict[str, Any]:
    calls = [_tool_call(call) for call in items_of(item, MessageAttributes.MESSAGE_TOOL_CALLS)]
    message: dict[str, Any] = {"role": item.get(MessageAttributes.MESSAGE_ROLE)}
    content = item.get(MessageAttributes.MESSAGE_CONTENT)
    if content is None:
        parts = items_of(item, MessageAttributes.MESSAGE_CONTENTS)
        content = [_part(part) for part in parts if not (calls and _type_of(part) == _CALL)] or None
    message["content"] = content
    for key, name in (
        ("name", MessageAttributes.MESSAGE_NAME),
        ("tool_call_id", MessageAttributes.MESSAGE_TOOL_CALL_ID),
    ):
        if name in item:
            message[key] = item[name]
    if calls:
        message["tool_calls"] = calls
    return message


def _type_of(part: Attributes) -> Any:
    return part.get(MessageContentAttributes.MESSAGE_CONTENT_TYPE)


def _part(part: Attributes) -> dict[str, Any]:
    kind = _type_of(part)
    if kind == "image" and _IMAGE_URL in part:
        return {"type": "image_url", "image_url": {"url": part[_IMAGE_URL]}}
    if kind == _CALL:
        return {"type": kind, **_tool_call(part)["function"]}
    return {key.removeprefix(_PART): value for key, value in part.items()}


def _tool_call(call: Attributes) -> dict[str, Any]:
    return {
        "id": call.get(ToolCallAttributes.TOOL_CALL_ID),
        "type": "function",
        "function": {
            "name": call.get(ToolCallAttributes.TOOL_CALL_FUNCTION_NAME),
            "arguments": call.get(ToolCallAttributes.TOOL_CALL_FUNCTION_ARGUMENTS_JSON),
        },
    }


def _tool(tool: Attributes) -> Any:
    schema = tool.get(ToolAttributes.TOOL_JSON_SCHEMA)
    if isinstance(schema, str):
        try:
            return orjson.loads(schema)
        except orjson.JSONDecodeError:  # cut at an attribute's longest length, or redacted
            pass
    function = {"name": tool.get(ToolAttributes.TOOL_NAME), "description": tool.get(ToolAttributes.TOOL_DESCRIPTION)}
    return {"type": "function", "function": {key: value for key, value in function.items() if value is not None}}


def _listed(attributes: Attributes, kind: str) -> tuple[Any, list[Any]]:
    """What was set on a block that has no other input or output."""
    if kind == OpenInferenceSpanKindValues.RETRIEVER.value:
        return None, _documents(attributes, SpanAttributes.RETRIEVAL_DOCUMENTS)
    if kind == OpenInferenceSpanKindValues.EMBEDDING.value:
        return _column(attributes, SpanAttributes.EMBEDDING_EMBEDDINGS, EmbeddingAttributes.EMBEDDING_TEXT), []
    if kind == OpenInferenceSpanKindValues.RERANKER.value:
        given = {
            "query": attributes.get(RerankerAttributes.RERANKER_QUERY),
            "documents": _documents(attributes, RerankerAttributes.RERANKER_INPUT_DOCUMENTS),
        }
        ranked = _documents(attributes, RerankerAttributes.RERANKER_OUTPUT_DOCUMENTS)
        return {key: value for key, value in given.items() if value}, ranked
    return None, []


def _column(attributes: Attributes, name: str, field: str) -> list[Any]:
    return [item[field] for item in items_of(attributes, name) if field in item]


def _documents(attributes: Attributes, name: str) -> list[dict[str, Any]]:
    return [
        {key: item[field] for key, field in _DOCUMENT.items() if field in item} for item in items_of(attributes, name)
    ]
