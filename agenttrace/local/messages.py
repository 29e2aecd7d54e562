"""What stands in one line for a model's conversation: its last message, which is what the call was about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def conversation_text(value: object) -> str | None:
    """The last message of a conversation, or a single message, in the shape that chat APIs share.

    Args:
        value: A message (``{"role": …, "content": …, "tool_calls": […]}``), a list of them, or an object that has
            such a list as ``messages``.

    Returns:
        ``role: text``, with ``… `` before it when other messages precede; calls of tools as ``name(arguments)``. None
        for a value of any other shape.
    """
    if isinstance(value, Mapping) and "messages" in value:
        value = value["messages"]
    messages: list[Any] = value if isinstance(value, list) else [value]
    if not messages or not all(isinstance(message, Mapping) and "role" in message for message in messages):
        return None
    last: Mapping[str, Any] = messages[-1]
    parts = [part for part in (_content_text(last.get("content")), *_calls(last.get("tool_calls"))) if part]
    before = "… " if len(messages) > 1 else ""
    return f"{before}{last['role']}: {'  '.join(parts)}"


def _content_text(content: object) -> str:
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return " ".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def _calls(calls: Any) -> list[str]:
    functions = [call.get("function") for call in calls or [] if isinstance(call, Mapping)]
    return [
        f"{function.get('name')}({function.get('arguments', '')})"
        for function in functions
        if isinstance(function, Mapping)
    ]
