"""Messages in any provider's shape → OpenInference's messages.

What people have at hand goes in as it is: OpenAI's dictionaries and objects, Anthropic's blocks, Gemini's contents, the
items of OpenAI's responses, LangChain's messages, Pydantic AI's histories, smolagents' ``ChatMessage``, pairs of role
and text, plain strings.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from .. import faults
from .definitions import read_tools
from .fields import as_list, class_name, field, fields, is_dict, is_list, is_text, list_field, text_field, text_of
from .histories import is_turn, read_history, read_turn
from .items import images_of_item, is_item, read_call_item, read_result_item
from .media import Fields, Room
from .parts import ToolResult, drop_none, is_part, joined_text, read_parts, read_tool_call, text_part
from .types import ContentPart, Message, ToolCall

__all__ = ["MOST_MESSAGES", "is_message", "make_message", "read_message", "read_messages", "read_tools"]

MOST_MESSAGES = 2000
"""So many messages of one conversation are recorded: the first, which mostly instructs, and the newest."""

_MOST_PARTS = 5000  # in all messages of one conversation, calls of tools counted with them
_DEEPEST = 3  # lists in lists, and holders of messages in holders
_LANGCHAIN_ROLES = {
    **dict.fromkeys(("human", "HumanMessageChunk"), "user"),
    **dict.fromkeys(("ai", "AIMessageChunk"), "assistant"),
    **dict.fromkeys(("system", "SystemMessageChunk"), "system"),
    **dict.fromkeys(("tool", "ToolMessageChunk"), "tool"),
    **dict.fromkeys(("function", "FunctionMessageChunk"), "function"),
}
# smolagents' own, which it sends to models under other names.
_OTHER_ROLES = {**_LANGCHAIN_ROLES, "tool-call": "assistant", "tool-response": "tool"}
_ROLES = frozenset({*_OTHER_ROLES, "user", "assistant", "developer", "model", "agent"})
# In which a message has what it says; any one of them makes an object with a role a message.
_CONTENTS = ("contents", "content", "parts", "blocks")
_BODY = (*_CONTENTS, "tool_calls", "function_call", "refusal", "images", "audio", "tool_plan", "reasoning_content")
_LEADING = frozenset(
    {"reasoning_content", "reasoning", "thinking", "tool_plan", "thinking_blocks", "audio", "additional_kwargs"}
)
_BESIDE = _LEADING | {"tool_calls", "function_call", "images"}
_TEXTS = frozenset({"role", "content", "name", "tool_call_id"})


def read_messages(value: object, role: str = "user") -> list[Message]:
    """The messages in ``value``, at most about `MOST_MESSAGES`; where there are more, one says how many are left out.

    Args:
        value: A list of messages in any provider's shape, one message, or a string.
        role: The role of what names none.

    Example:
        >>> read_messages("What is the weather?")
        [{'role': 'user', 'content': 'What is the weather?'}]
    """
    room = Room(_MOST_PARTS)
    for _ in range(_DEEPEST):
        if is_list(value):
            items = as_list(value)
            if 0 < len(items) <= MOST_MESSAGES and is_turn(items[-1]):
                return read_history(items, room, make_message)
            return _read_list(items, role, room, _DEEPEST)
        inner = None if is_message(value) else field(value, "messages")
        if inner is None:
            break
        value = inner
    known = is_text(value) or _stands_alone(value) or is_part(value)
    return _contained(value, role, room, 0) if known else []


def read_message(value: object, role: str = "user") -> list[Message]:
    """The message that ``value`` is; several where it holds tools' results, which are messages of their own."""
    return _read(value, role, Room(), _DEEPEST)


def is_message(value: object) -> bool:
    """Whether ``value`` is one message: it names a role and says something, or is an object of LangChain's."""
    if value is None or is_text(value) or is_list(value):
        return False
    role = text_field(value, "role")
    if role is not None:
        return role in _ROLES or any(field(value, name) is not None for name in _BODY)
    return text_field(value, "type") in _LANGCHAIN_ROLES and field(value, "content", "data") is not None


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
    if tool_calls:
        listed = set(map(_identity, calls))
        calls += [call for call in tool_calls if _identity(call) not in listed]
    if calls:
        message["tool_calls"] = calls
    message.update(drop_none(name=name, tool_call_id=tool_call_id))  # type: ignore[typeddict-item]
    return message


def _identity(call: ToolCall) -> object:
    """By which a call that is told twice is known for the same."""
    arguments = call.get("arguments")
    written = arguments if type(arguments) is str else id(arguments)
    return text_field(call, "id") or (text_field(call, "name"), written)


def _read_list(items: Sequence[Any], role: str, room: Room, depth: int) -> list[Message]:
    messages: list[Message] = []
    loose: list[Any] = []
    omitted = len(items) - MOST_MESSAGES
    for index, item in enumerate(items if omitted <= 0 else (items[0], None, *items[omitted + 1 :])):
        if omitted > 0 and index == 1:
            messages += _read_loose(loose, role, room)
            messages.append({"role": "system", "content": f"… {omitted} more messages"})
            loose = []
            continue
        source = item if type(item) is dict or is_text(item) or is_list(item) else fields(item) or item
        simple = _simple(source)
        if simple is None and not _stands_alone(source):
            loose.append(item)
            continue
        if loose:
            messages += _read_loose(loose, role, room)
            loose = []
        if simple is not None:
            messages.append(simple)
        else:
            messages += _contained(source, role, room, depth)
        if depth < _DEEPEST and not room.take_part():
            break
    return messages + _read_loose(loose, role, room) if loose else messages


def _read_loose(items: list[Any], role: str, room: Room) -> list[Message]:
    """What is no message and stood between some: each a message if they are texts, else the parts of one."""
    if all(map(is_text, items)):
        return [{"role": role, "content": text_of(item) or ""} for item in items]
    if all(item is None or type(item) in (int, float, bool) for item in items):
        return []  # tokens
    return _contained({"role": role, "content": items}, role, room, 0)


def _contained(value: object, role: str, room: Room, depth: int) -> list[Message]:
    try:
        return _read(value, role, room, depth)
    except BaseException as error:
        faults.contain("reading a message", error)
        return [{"role": role, "content": f"<{class_name(value)}: unreadable>"}]


def _simple(value: object) -> Message | None:
    """A message that is nothing but texts, as most are; None for any other."""
    if type(value) is not dict or not 2 <= len(value) <= len(_TEXTS) + 1:
        return None
    read: dict[str, str] = {}
    for name, text in [*value.items()]:
        if type(name) is not str or name not in _TEXTS:
            return None
        if type(text) is str:
            read[name] = text
        elif text is not None:
            return None
    role = read.get("role")
    if not role or "content" not in read:
        return None
    read["role"] = _OTHER_ROLES.get(role, role)
    return read  # type: ignore[return-value]


def _read(value: object, role: str, room: Room, depth: int) -> list[Message]:
    text = text_of(value)
    if text is not None:
        return [{"role": role, "content": text}]
    if is_list(value):
        return _read_listed(as_list(value), role, room, depth)
    source: Fields = value if type(value) is dict else fields(value)
    if field(source, "role") is None:
        if is_turn(source):
            return read_turn(source, room, make_message)
        if is_item(source):
            return _read_item(source, room)
        inner = field(source, "data")
        if is_dict(inner) and text_field(source, "type") in _LANGCHAIN_ROLES:
            source = {"type": field(source, "type"), **fields(inner)}
        elif source and field(source, *_BODY, *_LEADING) is None:
            source = {"content": [value]}
    return _read_chat(source, role, room)


def _read_listed(items: Sequence[Any], role: str, room: Room, depth: int) -> list[Message]:
    """A list in the place of a message: role and content, several messages, or the parts of one."""
    if len(items) == 2 and text_of(items[0]) in _ROLES and (is_text(items[1]) or is_list(items[1])):
        return _read_chat({"role": text_of(items[0]), "content": items[1]}, role, room)
    if depth > 0 and any(map(is_message, items[:MOST_MESSAGES])):
        return _read_list(items, role, room, depth - 1)
    return _read_chat({"role": role, "content": items}, role, room)


def _read_item(source: Fields, room: Room) -> list[Message]:
    result = read_result_item(source)
    if result is not None:
        return [_result_message(result, room)]
    call = read_call_item(source)
    if call is not None:
        images = images_of_item(source)
        use: list[ContentPart] = [{"type": "tool_use", "tool_call": call}, *images] if images else []
        return [make_message("assistant", use, [call])]
    return [make_message("assistant", read_parts([source], room).contents)]


def _read_chat(source: Fields, role: str, room: Room) -> list[Message]:
    content = field(source, *_CONTENTS)
    if content is None:
        content = field(source, "refusal")
    leading, calls = [], []
    if not _BESIDE.isdisjoint(source):
        leading = [] if _LEADING.isdisjoint(source) else _leading_parts(source, room)
        calls = _calls_in(source, room)
        content = _with_images(content, source)
    contents, results = read_parts(content, room)
    contents = [*leading, *contents] if leading else contents
    written = _role_of(source, role)
    messages = [_result_message(result, room) for result in results]
    if contents or calls or not messages:
        if written == "tool" and len(contents) > 1:
            text = joined_text(content)
            contents = [text_part(text)] if is_text(text) else contents
        name, call_id = text_field(source, "name", "tool_name"), text_field(source, "tool_call_id")
        call_id = call_id or text_field(field(source, "additional_kwargs"), "tool_call_id")  # LlamaIndex's place for it
        messages.append(make_message(written, contents, calls, name=name, tool_call_id=call_id))
    return messages


def _role_of(source: Fields, default: str) -> str:
    role = text_field(source, "role")
    if role is None:
        kind = text_field(source, "type")
        role = kind if kind in _LANGCHAIN_ROLES else default
    return _OTHER_ROLES.get(role, role)


def _with_images(content: object, source: Fields) -> object:
    """``content`` with Ollama's images, which stand beside the text."""
    images = list_field(source, "images")
    if not images:
        return content
    pictures = [{"type": "image", "image": image} for image in images[: Room.MOST_PARTS]]
    return [*(as_list(content) if is_list(content) else ["" if content is None else content]), *pictures]


def _leading_parts(source: Fields, room: Room) -> list[ContentPart]:
    """What stands in fields of its own and came before the content: thoughts, and a spoken answer."""
    more = field(source, "additional_kwargs")
    thought = text_field(source, "reasoning_content", "reasoning", "thinking", "tool_plan")
    thought = thought or text_field(more, "reasoning_content")
    leading: list[ContentPart] = [] if thought is None else [{"type": "reasoning", "text": thought}]
    blocks = list_field(source, "thinking_blocks")  # LiteLLM's, which have the signature
    if blocks:
        leading = read_parts(blocks, room).contents
    transcript = text_field(field(source, "audio"), "transcript")
    if transcript is not None:
        leading.append({"type": "audio", "transcript": transcript})
    return leading


def _calls_in(source: Fields, room: Room) -> list[ToolCall]:
    calls = list_field(source, "tool_calls")
    legacy = None if calls else field(source, "function_call")
    found = map(read_tool_call, takewhile(lambda _: room.take_part(), calls if legacy is None else (legacy,)))
    return [call for call in found if call is not None]


def _result_message(result: ToolResult, room: Room) -> Message:
    content = joined_text(result.content)
    if is_list(content):
        contents = read_parts(content, room).contents
    else:
        contents = [text_part("" if content is None else content)]
    return make_message("tool", contents, name=result.name, tool_call_id=result.tool_call_id)


def _stands_alone(item: object) -> bool:
    """Whether an item of a list is a message, or several, and not a part of one."""
    return is_list(item) or is_message(item) or is_item(item) or list_field(item, "parts") != ()
