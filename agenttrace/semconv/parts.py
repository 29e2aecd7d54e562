"""The parts of a message in any provider's shape → OpenInference's content parts.

OpenAI (chat and responses), Anthropic, Gemini, Bedrock, Mistral, Cohere, LangChain and smolagents each have shapes of
their own for a text, a thought, a tool call or its result. All are told by ``type`` or by the fields they have. Images,
sound, videos and files are read by `agenttrace.semconv.media`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from .. import faults
from .blocks import BLOCK_TYPE, known_block
from .fields import as_list, class_name, field, fields, from_package, is_list, is_record, is_text, text_field, text_of
from .media import MEDIA_BY_FIELD, MEDIA_BY_TYPE, Fields, Room, opaque, read_image
from .texts import TEXT_TYPES, joined_text
from .types import ContentPart, ReasoningPart, TextPart, ToolCall

__all__ = ["Parts", "ToolResult", "drop_none", "is_part", "joined_text", "read_parts", "read_tool_call", "text_part"]

Found = TypeVar("Found")

_COST_OF_UNKNOWN = 10  # parts that are known: what isn't is written as JSON, which may take long


class ToolResult(NamedTuple):
    """What a tool answered, which stands among a message's parts but is a message of its own in OpenInference."""

    tool_call_id: str | None
    name: str | None
    content: Any


class Parts(NamedTuple):
    """A message's parts, sorted."""

    contents: list[ContentPart]
    """In order; calls of tools among them."""
    results: list[ToolResult]


def read_parts(content: object, room: Room | None = None) -> Parts:
    """The parts of ``content``: a string, a part, or a list of them.

    Args:
        content: What a message has as content, in any of the shapes that providers use.
        room: How much of it is read; None for as much as one message may have.
    """
    parts = Parts([], [])
    room = room or Room()
    items = as_list(content) if is_list(content) else () if content is None else (content,)
    for index, item in enumerate(items):
        if not room.take_part():
            parts.contents.append({"type": "text", "text": f"… {len(items) - index} more parts"})
            break
        try:
            text = _plain_text(item) if type(item) is dict else text_of(item)
            if text is not None:
                parts.contents.append({"type": "text", "text": text})
            else:
                _read_part(item, parts, room)
        except BaseException as error:
            faults.contain("reading a part of a message", error)
            parts.contents.append(text_part(f"<{class_name(item)}: unreadable>"))
    return parts


def is_part(value: object) -> bool:
    """Whether ``value`` is in a shape that is known for a part of a message."""
    source: Fields = value if type(value) is dict else fields(value)
    kind = text_field(source, "type") or ""
    if kind in _BY_TYPE or kind in MEDIA_BY_TYPE or from_package(value, "PIL"):
        return True
    return _by_field(_BY_FIELD, source) is not None or _by_field(MEDIA_BY_FIELD, source) is not None


def read_tool_call(call: object) -> ToolCall | None:
    """``call``, in the shape of OpenAI (and all who share it), LangChain, Anthropic or Gemini, as a tool call."""
    function = field(call, "function", "custom")
    named = call if function is None or is_text(function) else function
    name = text_field(named, "name") or text_of(function)
    if not name:
        return None
    read: ToolCall = {"name": name}
    # OpenAI's responses have an id of the item beside the call's own.
    identifier = text_field(call, "call_id", "id", "tool_call_id", "toolUseId")
    if identifier is not None and identifier != "null":  # Mistral's stand-in for none
        read["id"] = identifier
    arguments = field(named, "arguments", "args", "input", "parameters")
    if arguments is not None:
        read["arguments"] = arguments
    signature = opaque(field(call, "thought_signature", "thoughtSignature", "reasoning_signature"))
    if signature is not None:
        read["reasoning_signature"] = signature
    return read


def text_part(value: Any) -> TextPart:
    """A part of text; a value that is no string is written as JSON when it is recorded."""
    return {"type": "text", "text": value}


def drop_none(**values: Any) -> dict[str, Any]:
    """The values that aren't None."""
    return {name: value for name, value in values.items() if value is not None}


def _plain_text(part: Fields) -> str | None:
    """The text of a part that has nothing beside it, as most have."""
    kind, text = part.get("type"), part.get("text")
    return text if type(text) is str and len(part) == 2 and type(kind) is str and kind == "text" else None


def _read_part(part: object, parts: Parts, room: Room) -> None:
    source: Fields = part if type(part) is dict else fields(part)
    if BLOCK_TYPE in source:
        source = known_block(source)
    kind = text_field(source, "type") or ""
    read, media = _BY_TYPE.get(kind), MEDIA_BY_TYPE.get(kind)
    if read is None and media is None:
        read, media = _by_field(_BY_FIELD, source), _by_field(MEDIA_BY_FIELD, source)
    if read is not None:
        read(source, parts)
    elif media is not None:
        parts.contents.append(media(source, room))
    elif from_package(part, "PIL"):
        parts.contents.append(read_image(part, None, room))
    else:
        room.parts -= _COST_OF_UNKNOWN
        _unknown(part, parts)


def _by_field(readers: Mapping[str, Found], source: Fields) -> Found | None:
    return next((reader for name, reader in readers.items() if field(source, name) is not None), None)


def _text(part: Fields, parts: Parts) -> None:
    text = field(part, "text", "content", "refusal")
    inner = None if is_text(text) else field(text, "value")  # of OpenAI's assistants
    text = text if inner is None else inner
    signature = field(part, "thought_signature", "thoughtSignature", "signature")
    if field(part, "thought") is True:
        parts.contents.append(_reasoning_part(text, signature=signature))
        return
    identifier = text_field(part, "id") if part.keys() <= _OWN_TEXT else None
    read = drop_none(type="text", text="" if text is None else text, id=identifier, signature=opaque(signature))
    parts.contents.append(read)  # type: ignore[arg-type]


def _reasoning(part: Fields, parts: Parts) -> None:
    inner = field(part, "reasoningContent")  # Bedrock's
    if inner is not None:
        spoken = field(inner, "reasoningText")
        part = {"data": field(inner, "redactedContent")} if spoken is None else fields(spoken)
    thoughts = (joined_text(field(part, name)) for name in _THOUGHTS)
    parts.contents.append(
        _reasoning_part(
            next((thought for thought in thoughts if _says_something(thought)), None),
            id=text_field(part, "id"),
            signature=field(part, "signature"),
            data=field(part, "data"),
            encrypted_content=text_field(part, "encrypted_content"),
        )
    )


def _says_something(thought: object) -> bool:
    return thought is not None and text_of(thought) != "" and not (is_list(thought) and len(as_list(thought)) == 0)


def _reasoning_part(text: Any, **more: Any) -> ReasoningPart:
    tokens = {name: opaque(value) for name, value in more.items()}
    return drop_none(type="reasoning", text=text, **tokens)  # type: ignore[return-value]


def _tool_use(part: Fields, parts: Parts) -> None:
    inner = field(part, "function_call", "functionCall", "toolUse", "tool_call")
    signature = field(part, "thought_signature", "thoughtSignature")
    call = read_tool_call(part if inner is None else {"thought_signature": signature, **fields(inner)})
    if call is None:
        _unknown(part, parts)
    else:
        parts.contents.append({"type": "tool_use", "tool_call": call})


def _tool_result(part: Fields, parts: Parts) -> None:
    source = field(part, "function_response", "functionResponse", "toolResult")
    source = part if source is None else source
    parts.results.append(
        ToolResult(
            text_field(source, "tool_use_id", "toolUseId", "tool_call_id", "call_id", "id"),
            text_field(source, "name"),
            field(source, "content", "response", "output"),
        )
    )


def _code(part: Fields, parts: Parts) -> None:
    """Gemini's code and what came of it."""
    source = field(part, "executable_code", "executableCode", "code_execution_result", "codeExecutionResult")
    parts.contents.append(text_part(text_field(source, "code", "output") or ""))


def _unknown(part: object, parts: Parts) -> None:
    # A plain object is not opened: it may be a client.
    parts.contents.append(text_part(fields(part) or part if is_record(part) else part))


_OWN_TEXT = frozenset({"type", "text", "id", "signature"})
_THOUGHTS = ("thinking", "reasoning", "summary", "text", "content")
_Read = Callable[[Fields, Parts], None]
_BY_TYPE: dict[str, _Read] = {
    **dict.fromkeys((*TEXT_TYPES, "refusal"), _text),
    **dict.fromkeys(("thinking", "redacted_thinking", "reasoning"), _reasoning),
    **dict.fromkeys(("tool_use", "server_tool_use", "mcp_tool_use", "tool_call", "function_call"), _tool_use),
    **dict.fromkeys(("tool_result", "function_call_output"), _tool_result),
}
_BY_FIELD: dict[str, _Read] = {
    **dict.fromkeys(("function_call", "functionCall", "toolUse"), _tool_use),
    **dict.fromkeys(("function_response", "functionResponse", "toolResult"), _tool_result),
    **dict.fromkeys(("executable_code", "executableCode", "code_execution_result", "codeExecutionResult"), _code),
    "text": _text,
    **dict.fromkeys(("thinking", "reasoningContent"), _reasoning),
}
"""What reads a part that has this field and no ``type`` that is known."""
