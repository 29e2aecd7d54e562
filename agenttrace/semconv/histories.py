"""Pydantic AI's histories → OpenInference's messages.

A history is a list of requests and responses, each with parts that say by ``part_kind`` what they are. One request may
hold several messages: the system's, the user's, and one for each tool's result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .fields import as_list, field, is_list, is_text, list_field, text_field, text_of
from .media import Fields, Room
from .parts import drop_none, read_parts, text_part
from .types import ContentPart, Message, ToolCall

__all__ = ["is_turn", "read_history", "read_turn"]

_URLS = {"image-url": "image_url", "audio-url": "audio_url", "video-url": "video_url", "document-url": "document_url"}
_RESULTS = ("tool-return", "builtin-tool-return", "retry-prompt")
_CALLS = ("tool-call", "builtin-tool-call")

Make = Callable[..., Message]


def is_turn(value: object) -> bool:
    """Whether ``value`` is a request or a response of Pydantic AI's, as an object or dumped."""
    if text_field(value, "kind") not in ("request", "response"):
        return False
    parts = list_field(value, "parts")
    return len(parts) == 0 or text_field(parts[0], "part_kind") is not None


def read_history(turns: Sequence[Any], room: Room, make: Make) -> list[Message]:
    """The messages of ``turns``; what the newest request has as instructions comes first, as the model is sent it.

    Args:
        turns: Requests and responses.
        room: How much of them is read.
        make: What makes a message of its role and its parts.
    """
    requests = (turn for turn in reversed(turns) if text_field(turn, "kind") == "request")
    instructions = text_field(next(requests, None), "instructions")
    messages: list[Message] = [] if instructions is None else [{"role": "system", "content": instructions}]
    for turn in turns:
        messages += read_turn(turn, room, make)
    return messages


def read_turn(turn: object, room: Room, make: Make) -> list[Message]:
    """The messages of one request, without its instructions, or of one response.

    Args:
        turn: A request or a response.
        room: How much of it is read.
        make: What makes a message of its role and its parts.
    """
    if text_field(turn, "kind") == "response":
        return _read_response(list_field(turn, "parts"), room, make)
    messages = (_read_request_part(part, room, make) for part in list_field(turn, "parts"))
    return [message for message in messages if message is not None]


def _read_request_part(part: object, room: Room, make: Make) -> Message | None:
    kind = text_field(part, "part_kind") or ""
    if kind in _RESULTS and text_field(part, "tool_name") is not None:
        return _read_result(part, room, make)
    if kind == "system-prompt":
        return make("system", _read_contents(field(part, "content"), room))
    if kind in ("user-prompt", "retry-prompt", "retry-feedback"):
        return make("user", _read_contents(field(part, "content"), room))
    return None  # what Pydantic AI notes for itself


def _read_result(part: object, room: Room, make: Make) -> Message:
    """What a tool gave, or what was wrong with the call."""
    content = field(part, "content")
    is_media = any(text_field(item, "kind") for item in (as_list(content) if is_list(content) else (content,)))
    contents = _read_contents(content, room) if is_media else [text_part("" if content is None else content)]
    return make("tool", contents, name=text_field(part, "tool_name"), tool_call_id=text_field(part, "tool_call_id"))


def _read_response(parts: Sequence[Any], room: Room, make: Make) -> list[Message]:
    """One message, and one for each result of a tool that the provider ran itself."""
    contents: list[ContentPart] = []
    results: list[Message] = []
    for part in parts:
        kind = text_field(part, "part_kind") or ""
        if kind in _RESULTS:
            results.append(_read_result(part, room, make))
        elif kind in _CALLS:
            contents.append({"type": "tool_use", "tool_call": _read_call(part)})
        elif kind == "thinking":
            contents += read_parts([{"type": "thinking", **_thought(part)}], room).contents
        elif kind == "speech":
            contents.append(drop_none(type="audio", transcript=text_field(part, "transcript")))  # type: ignore[arg-type]
        elif field(part, "content") is not None:
            contents += _read_contents(field(part, "content"), room)
    calls = [content["tool_call"] for content in contents if content["type"] == "tool_use"]
    alone = len(calls) == len(contents)
    return [make("assistant", [] if alone else contents, calls), *results]


def _read_call(part: object) -> ToolCall:
    arguments = field(part, "args")
    identifier = text_field(part, "tool_call_id")
    return drop_none(name=text_field(part, "tool_name"), id=identifier, arguments=arguments)  # type: ignore[return-value]


def _thought(part: object) -> dict[str, Any]:
    return drop_none(
        thinking=text_field(part, "content"), signature=field(part, "signature"), id=text_field(part, "id")
    )


def _read_contents(content: object, room: Room) -> list[ContentPart]:
    """A text, or a list of texts, addresses and files."""
    if is_text(content):
        return [{"type": "text", "text": text_of(content) or ""}]
    items = as_list(content) if is_list(content) else (content,)
    known = [_as_known(item) for item in items if text_field(item, "kind") != "cache-point"]
    return read_parts(known, room).contents


def _as_known(item: object) -> object:
    """One item in a shape that is read wherever it comes from."""
    kind = text_field(item, "kind") or ""
    if kind in _URLS:
        name, url = _URLS[kind], text_field(item, "url")
        return {"type": name, name: url if kind == "document-url" else {"url": url}}
    if kind == "binary":
        inline: Fields = {"data": field(item, "data"), "mime_type": text_field(item, "media_type")}
        return {"inline_data": inline}
    if kind == "text-content":
        return {"type": "text", "text": text_field(item, "content") or ""}
    if kind == "uploaded-file":
        return {"type": "file", "file": {"file_id": text_field(item, "file_id")}}
    return item
