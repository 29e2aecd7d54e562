"""Messages in any provider's shape → OpenInference's messages.

What people have at hand goes in as it is: OpenAI's dictionaries and objects, Anthropic's blocks, Gemini's contents, the
items of OpenAI's responses, LangChain's messages, smolagents' ``ChatMessage``, pairs of role and text, plain strings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .fields import as_list, field, fields, has_fields, list_field, text_field
from .parts import Parts, ToolResult, drop_none, joined_text, read_parts, read_tool_call, text_part
from .types import ContentPart, Message, Tool, ToolCall

__all__ = ["is_message", "make_message", "read_message", "read_messages", "read_tools"]

_LANGCHAIN_ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant", "HumanMessageChunk": "user"}
_CALL_ITEMS = ("function_call", "custom_tool_call", "mcp_call")
_RESULT_ITEMS = ("function_call_output", "custom_tool_call_output", "tool_result")


def read_messages(value: object, role: str = "user") -> list[Message]:
    """The messages in ``value``.

    Args:
        value: A list of messages in any provider's shape, one message, or a string.
        role: The role of what names none.

    Example:
        >>> read_messages("What is the weather?")
        [{'role': 'user', 'content': 'What is the weather?'}]
    """
    if isinstance(value, str) or is_message(value):
        return read_message(value, role)
    inner = field(value, "messages")
    if inner is not None:
        return read_messages(inner, role)
    items = as_list(value)
    if items and not any(map(_stands_alone, items)):
        return read_message({"role": role, "content": list(items)}, role)  # the parts of one message
    return [message for item in items for message in read_message(item, role)]


def read_message(value: object, role: str = "user") -> list[Message]:
    """The message that ``value`` is; several where it holds tools' results, which are messages of their own."""
    if isinstance(value, str):
        return [{"role": role, "content": value}]
    if isinstance(value, (list, tuple)):
        if len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], str):
            return [{"role": _LANGCHAIN_ROLES.get(value[0], value[0]), "content": value[1]}]
        return read_message({"role": role, "content": value}, role)
    kind = text_field(value, "type")
    if kind in _CALL_ITEMS and field(value, "role") is None:
        call = read_tool_call(value)
        return [] if call is None else [make_message("assistant", [], [call])]
    if kind in _RESULT_ITEMS and field(value, "role") is None:
        return [_result_message(result) for result in read_parts([_as_result(value)]).results]
    if kind == "reasoning" and field(value, "role") is None:
        return [make_message("assistant", read_parts([value]).contents)]
    return _read_chat_message(value, role)


def is_message(value: object) -> bool:
    """Whether ``value`` is one message: it names a role, or is an object of LangChain's."""
    if isinstance(value, (str, list, tuple)) or value is None:
        return False
    return field(value, "role") is not None or (has_fields(value, ("content", "type")) and not isinstance(value, dict))


def make_message(
    role: str,
    contents: Sequence[ContentPart],
    tool_calls: Sequence[ToolCall] = (),
    *,
    name: str | None = None,
    tool_call_id: str | None = None,
) -> Message:
    """A message of these parts.

    One that is nothing but a text is its ``content``. Calls of tools among other parts keep their place there and are
    listed as ``tool_calls`` besides, where consumers look for them.
    """
    calls = [part["tool_call"] for part in contents if part["type"] == "tool_use"]
    message: Message = {"role": role}
    if len(contents) == 1 and contents[0].keys() == {"type", "text"} and contents[0]["type"] == "text":
        message["content"] = contents[0]["text"]
    elif len(calls) < len(contents):
        message["contents"] = list(contents)
    calls += [call for call in tool_calls if call not in calls]
    if calls:
        message["tool_calls"] = calls
    message.update(drop_none(name=name, tool_call_id=tool_call_id))  # type: ignore[typeddict-item]
    return message


def read_tools(value: object) -> list[Tool]:
    """The tools that ``value``, a list of definitions in any provider's shape, offers to a model."""
    tools: list[Tool] = []
    for item in value if isinstance(value, (list, tuple)) else (value,):
        declarations = list_field(item, "function_declarations", "functionDeclarations")
        tools.extend(_read_tool(definition) for definition in declarations or (item,) if definition is not None)
    return tools


def _read_tool(definition: object) -> Tool:
    function = field(definition, "function", "toolSpec")
    named = function if function is not None and not isinstance(function, str) else definition
    schema: Any = definition if isinstance(definition, (str, dict)) else fields(definition) or definition
    tool: Tool = {"json_schema": schema}
    name = text_field(named, "name") or text_field(definition, "type")
    description = text_field(named, "description")
    if name is not None:
        tool["name"] = name
    if description is not None:
        tool["description"] = description
    return tool


def _read_chat_message(value: object, role: str) -> list[Message]:
    parts = Parts(_leading_parts(value), [])
    own = read_parts(_content_of(value))
    parts.contents.extend(own.contents)
    parts.results.extend(own.results)
    calls = [call for call in map(read_tool_call, _calls_of(value)) if call is not None]
    written = _role_of(value, role)
    messages = [_result_message(result) for result in parts.results]
    if parts.contents or calls or not messages:
        contents = parts.contents
        if written == "tool" and len(contents) > 1:
            text = joined_text(_content_of(value))
            contents = [text_part(text)] if isinstance(text, str) else contents
        message = make_message(
            written,
            contents,
            calls,
            name=text_field(value, "name", "tool_name"),
            tool_call_id=text_field(value, "tool_call_id"),
        )
        if not contents and not calls and field(value, "content") == "":
            message["content"] = ""
        messages.append(message)
    return messages


def _role_of(value: object, default: str) -> str:
    role = text_field(value, "role")
    if role is None:
        kind = text_field(value, "type")
        role = default if kind is None or kind == "message" else kind
    return _LANGCHAIN_ROLES.get(role, role)


def _content_of(value: object) -> object:
    content = field(value, "contents", "content", "parts")
    if content is None:
        content = field(value, "refusal")
    images = list_field(value, "images")  # Ollama's, beside the text
    if images:
        pictures = [{"type": "image", "image": field(image, "value") or image} for image in images]
        return [*(content if isinstance(content, (list, tuple)) else [content or ""]), *pictures]
    return content


def _leading_parts(value: object) -> list[ContentPart]:
    """What stands in fields of its own and came before the content: thoughts, and a spoken answer."""
    more = field(value, "additional_kwargs")
    thought = field(value, "reasoning_content", "reasoning", "thinking", "tool_plan") or field(
        more, "reasoning_content"
    )
    leading: list[ContentPart] = []
    if isinstance(thought, str) and thought:
        leading.append({"type": "reasoning", "text": thought})
    blocks = list_field(value, "thinking_blocks")  # LiteLLM's, which have the signature
    if blocks:
        leading = read_parts(blocks).contents
    audio = field(value, "audio")
    if text_field(audio, "transcript") is not None:
        leading.extend(read_parts([{"type": "audio", "transcript": text_field(audio, "transcript")}]).contents)
    return leading


def _calls_of(value: object) -> Sequence[Any]:
    calls = list_field(value, "tool_calls")
    if calls:
        return calls
    legacy = field(value, "function_call")
    return () if legacy is None else (legacy,)


def _result_message(result: ToolResult) -> Message:
    content = joined_text(result.content)
    contents = read_parts(content).contents if isinstance(content, (list, tuple)) else _only_text(content)
    return make_message("tool", contents, name=result.name, tool_call_id=result.tool_call_id)


def _only_text(content: object) -> list[ContentPart]:
    return [text_part("" if content is None else content)]


def _as_result(item: object) -> dict[str, Any]:
    return {**fields(item), "type": "function_call_output"}


def _stands_alone(item: object) -> bool:
    """Whether an item of a list is a message, not a part of one."""
    if is_message(item) or isinstance(item, str):
        return True
    if isinstance(item, (list, tuple)):
        return True
    kind = text_field(item, "type")
    return kind in (*_CALL_ITEMS, *_RESULT_ITEMS, "message", "reasoning") or field(item, "parts") is not None
