"""The shape of OpenAI's responses."""

from __future__ import annotations

from ...semconv.fields import field, list_field, text_field
from ...semconv.messages import read_tools
from ...semconv.parts import drop_none
from ...semconv.types import ModelCall
from ..pieces import Room, plain_copy
from ..token_counts import read_usage
from .response_items import read_items

__all__ = ["is_response", "read_response", "read_response_head"]

_UNFINISHED = ("queued", "in_progress")


def is_response(value: object) -> bool:
    """Whether ``value``, an object or a mapping, has the shape of a response."""
    if field(value, "object") != "response" or text_field(value, "id") is None:
        return False
    return isinstance(field(value, "output"), (list, tuple))


def read_response(response: object) -> ModelCall:
    """What ``response`` says of the call: its output is one turn, and so one message.

    A response repeats the tools that were offered; they are read too. Of the parameters that it repeats there is no
    telling which the program gave and which are defaults.
    """
    head = read_response_head(response)
    messages = read_items(list_field(response, "output"))
    return {"output_messages": messages, **head} if messages else head


def read_response_head(response: object) -> ModelCall:
    """All that ``response`` says of the call beside its output."""
    tools = list_field(response, "tools")
    return drop_none(  # type: ignore[return-value]
        model_name=text_field(response, "model"),
        tools=read_tools(plain_copy(tools, Room())) if tools else None,
        token_counts=read_usage(field(response, "usage")),
        finish_reason=_finish_reason(response),
    )


def _finish_reason(response: object) -> str | None:
    status = text_field(response, "status")
    if status in _UNFINISHED:
        return None
    return text_field(field(response, "incomplete_details"), "reason") or status
