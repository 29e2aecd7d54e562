"""Lists of objects that OpenInference flattens into attributes (``llm.input_messages.0.message.role``), read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openinference.semconv.trace import (
    AudioAttributes,
    MessageAttributes,
    MessageContentAttributes,
    ToolCallAttributes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRANSCRIPT = f"{MessageContentAttributes.MESSAGE_CONTENT_AUDIO}.{AudioAttributes.AUDIO_TRANSCRIPT}"
_LONGEST_INDEX = 9


def items_of(attributes: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of the list ``name``, in the order of their indices, each with what follows the index as keys.

    Example:
        >>> items_of({"retrieval.documents.0.document.id": "a"}, "retrieval.documents")
        [{'document.id': 'a'}]
    """
    start = f"{name}."
    found: dict[int, dict[str, Any]] = {}
    for key, value in attributes.items():
        if key.startswith(start):
            index, _, field = key[len(start) :].partition(".")
            if field and index.isascii() and index.isdigit() and len(index) <= _LONGEST_INDEX:
                found.setdefault(int(index), {})[field] = value
    return [found[index] for index in sorted(found)]


def messages_of(attributes: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The messages of the list ``name`` in the shape that chat APIs share."""
    return [_message(item) for item in items_of(attributes, name)]


def _message(item: Mapping[str, Any]) -> dict[str, Any]:
    role = item.get(MessageAttributes.MESSAGE_ROLE)
    return {
        "role": role if isinstance(role, str) else None,
        "content": item.get(MessageAttributes.MESSAGE_CONTENT),
        "contents": [_part(part) for part in items_of(item, MessageAttributes.MESSAGE_CONTENTS)],
        "tool_calls": [_call(call) for call in items_of(item, MessageAttributes.MESSAGE_TOOL_CALLS)],
        "function_call": {
            "name": item.get(MessageAttributes.MESSAGE_FUNCTION_CALL_NAME),
            "arguments": item.get(MessageAttributes.MESSAGE_FUNCTION_CALL_ARGUMENTS_JSON),
        },
    }


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": part.get(MessageContentAttributes.MESSAGE_CONTENT_TYPE),
        "text": part.get(MessageContentAttributes.MESSAGE_CONTENT_TEXT),
        "transcript": part.get(_TRANSCRIPT),
        **_call(part),
    }


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": call.get(ToolCallAttributes.TOOL_CALL_FUNCTION_NAME),
        "arguments": call.get(ToolCallAttributes.TOOL_CALL_FUNCTION_ARGUMENTS_JSON),
    }
