"""The items of OpenAI's responses → the parts of one message, in their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...semconv.fields import field, fields, text_field
from ...semconv.items import images_of_item
from ...semconv.messages import make_message
from ...semconv.parts import drop_none, read_parts, read_tool_call
from ...semconv.types import ContentPart, Message, ToolCall
from ..pieces import Room, plain_copy

__all__ = ["read_items"]

_NAMED_CALLS = ("function_call", "custom_tool_call", "mcp_call", "mcp_approval_request")
_NO_ARGUMENTS = frozenset(("type", "id", "call_id", "status"))


def read_items(items: Sequence[Any]) -> list[Message]:
    """The one message that ``items``, a response's output, amount to; none where there are no items.

    A call of a function, or of a tool on an MCP server, has the name and arguments that the model wrote. A tool that
    OpenAI runs is a call by the name of the item's type, with all fields of the item, results included, as arguments.
    """
    room = Room()
    contents = [part for item in items for part in _read_item(item, room)]
    return [make_message("assistant", contents)] if items else []


def _read_item(item: object, room: Room) -> list[ContentPart]:
    kind = text_field(item, "type") or ""
    if kind == "message":
        return read_parts(field(item, "content")).contents
    if kind == "reasoning":
        return read_parts([item]).contents
    if kind in _NAMED_CALLS:
        call = read_tool_call(item)
        return [] if call is None else [{"type": "tool_use", "tool_call": call}]
    if kind == "image_generation_call":
        return [_hosted_call(kind, item, room, "result"), *images_of_item(item)]
    if kind.endswith("_call") or kind == "program":
        return [_hosted_call(kind, item, room)]
    return [{"type": "text", "text": plain_copy(item, room)}]  # encoded later


def _hosted_call(kind: str, item: object, room: Room, *left_out: str) -> ContentPart:
    names = fields(item).keys() - _NO_ARGUMENTS - {*left_out}
    arguments = {name: plain_copy(value, room) for name, value in fields(item).items() if name in names}
    identifier = text_field(item, "call_id", "id")
    call: ToolCall = drop_none(name=kind, id=identifier, arguments=arguments or None)  # type: ignore[assignment]
    return {"type": "tool_use", "tool_call": call}
