"""The items of OpenAI's responses, which stand among messages without being any, as messages."""

from __future__ import annotations

from typing import Any

from .fields import field, text_field
from .media import Fields
from .parts import ToolResult, drop_none, read_tool_call
from .types import ContentPart, ToolCall

__all__ = ["images_of_item", "is_item", "read_call_item", "read_result_item"]

_NAMED_CALLS = ("function_call", "custom_tool_call", "mcp_call", "mcp_approval_request")
_RESULTS = ("function_call_output", "custom_tool_call_output", "tool_result")
_NO_ARGUMENTS = frozenset(("type", "id", "call_id", "status"))
_IMAGE_CALL = "image_generation_call"
_SCREENSHOT = "computer_screenshot"


def is_item(source: object) -> bool:
    """Whether ``source`` is an item that isn't a message: a call of a tool, its result, a thought."""
    kind = text_field(source, "type")
    if kind is None or field(source, "role") is not None:
        return False
    return kind == "reasoning" or _is_call(kind) or _is_result(kind)


def read_call_item(source: Fields) -> ToolCall | None:
    """The call that ``source`` is, None where it is none.

    A call of a function has the name and arguments that the model wrote. A tool that OpenAI runs is a call by the name
    of the item's type, with the item's fields as arguments.
    """
    kind = text_field(source, "type")
    if kind is None or not _is_call(kind):
        return None
    if kind in _NAMED_CALLS:
        return read_tool_call(source)
    left_out = {*_NO_ARGUMENTS, "result"} if kind == _IMAGE_CALL else _NO_ARGUMENTS  # `images_of_item` has that
    arguments = {name: item for name, item in source.items() if name not in left_out and item is not None}
    identifier = text_field(source, "call_id", "id")
    return drop_none(name=kind, id=identifier, arguments=arguments or None)  # type: ignore[return-value]


def read_result_item(source: Fields) -> ToolResult | None:
    """What a tool answered, if ``source`` is that."""
    kind = text_field(source, "type")
    if kind is None or not _is_result(kind):
        return None
    output: Any = field(source, "output", "content")
    if text_field(output, "type") == _SCREENSHOT:
        output = [{"type": "input_image", "image_url": field(output, "image_url")}]
    identifier = text_field(source, "call_id", "tool_use_id", "tool_call_id", "id")
    return ToolResult(identifier, text_field(source, "name"), output)


def images_of_item(item: object) -> list[ContentPart]:
    """The image that an item of image generation made, as a part, so that what holds for images holds for it."""
    image = text_field(item, "result") if text_field(item, "type") == _IMAGE_CALL else None
    if image is None:
        return []
    kind = text_field(item, "output_format") or "png"
    mime_type = "image/svg+xml" if kind == "svg" else f"image/{kind}"
    return [{"type": "image", "url": f"data:{mime_type};base64,{image}"}]


def _is_call(kind: str) -> bool:
    return kind in _NAMED_CALLS or kind.endswith("_call")


def _is_result(kind: str) -> bool:
    return kind in _RESULTS or kind.endswith("_call_output")
