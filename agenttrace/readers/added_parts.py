"""Parts of a message that its provider, or its client, has somewhere else."""

from __future__ import annotations

from collections.abc import Sequence

from ..semconv.messages import make_message
from ..semconv.types import ContentPart, Message

__all__ = ["with_parts"]


def with_parts(message: Message, before: Sequence[ContentPart] = (), after: Sequence[ContentPart] = ()) -> Message:
    """``message`` with these parts around its own.

    Args:
        message: A message of a model.
        before: What comes first: thoughts, for example.
        after: What comes last: what the text cites, for example.
    """
    if not before and not after:
        return message
    contents: Sequence[ContentPart] = message.get("contents") or ()
    text = message.get("content")
    if text:
        contents = [{"type": "text", "text": text}]
    return make_message(
        message.get("role", "assistant"),
        [*before, *contents, *after],
        message.get("tool_calls", ()),
        name=message.get("name"),
        tool_call_id=message.get("tool_call_id"),
    )
