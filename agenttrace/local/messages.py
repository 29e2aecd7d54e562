"""What stands in one line for a model's conversation: its last message, which is what the call was about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .documents import jsonable
from .text import safe_json

Fields = Mapping[str, Any]

_CALLS = frozenset({"tool_use", "function_call", "tool_call"})
_RESULTS = frozenset({"tool_result", "function_call_output"})
_THOUGHTS = frozenset({"reasoning", "thinking", "redacted_thinking"})
_MEDIA = {
    **dict.fromkeys(("image", "image_url", "input_image"), "[image]"),
    **dict.fromkeys(("audio", "input_audio"), "[audio]"),
    **dict.fromkeys(("video", "video_url"), "[video]"),
    **dict.fromkeys(("document", "file", "input_file"), "[document]"),
}
_THINKS = "(thinks)"
_DEEPEST = 3  # results of tools in results of tools


class _Said(NamedTuple):
    """What a message says, and what its model thought before it did."""

    text: str
    thought: str


def conversation_text(value: object) -> str | None:
    """The last message of a conversation, or a single message, in the shape that chat APIs share.

    Args:
        value: A message (``{"role": …, "content": …, "tool_calls": […]}``), a list of them, or an object that has
            such a list as ``messages``.

    Returns:
        `last_text` of it, or None for a value of any other shape.
    """
    if isinstance(value, Mapping) and "messages" in value:
        value = value["messages"]
    messages: list[Any] = value if isinstance(value, list) else [value]
    if not messages or not all(isinstance(message, Mapping) and "role" in message for message in messages):
        return None
    return last_text(messages)


def last_text(messages: Sequence[Fields]) -> str:
    """The last of ``messages`` as ``role: text``, with ``… `` before it when others precede.

    Calls of tools are written ``name(arguments)``, a thought that nothing follows ``(thinks) …``, and what is no text
    by its kind: ``[image]``.
    """
    return f"{'… ' if len(messages) > 1 else ''}{_with_role(messages[-1], _words(_said(messages[-1])))}"


def answer_text(messages: Sequence[Fields]) -> str | None:
    """All of ``messages``, which are one answer, as `last_text` writes one; None when nothing is said in them.

    A role is written where it changes, and thoughts are left out where words or calls follow.
    """
    said = [(message, _said(message)) for message in messages]
    if any(words.text for _, words in said):
        said = [(message, words) for message, words in said if words.text]
    parts: list[str] = []
    role = None
    for message, words in said:
        text = _words(words)
        if text:
            parts.append(text if parts and message.get("role") == role else _with_role(message, text))
            role = message.get("role")
    return "  ".join(parts) or None


def says_something(message: Fields) -> bool:
    """Whether there is anything to show of ``message`` but its role."""
    return bool(_words(_said(message)))


def _with_role(message: Fields, text: str) -> str:
    role = message.get("role")
    return text if role in (None, "") else f"{role}: {text}"


def _words(said: _Said) -> str:
    return said.text or said.thought


def _said(message: Fields) -> _Said:
    """What ``message`` says; calls that are told twice, among its parts and beside them, once."""
    content = message.get("contents") or message.get("content")
    parts: list[Any] = content if isinstance(content, list) else [content]
    beside = [*_calls(message.get("tool_calls")), *_calls([message.get("function_call")])]
    among = [] if beside else [part for part in parts if _kind(part) in _CALLS]
    text = _joined(_texts(parts, _DEEPEST))
    calls = beside or _calls(among)
    thoughts: list[object] = [_thought(part) for part in parts if _kind(part) in _THOUGHTS]
    thoughts.append(message.get("reasoning_content"))
    has_thought = any(thought is not None for thought in thoughts)
    thought = _joined((_THINKS, *(item for item in thoughts if isinstance(item, str)))) if has_thought else ""
    return _Said("  ".join(part for part in (text, *calls) if part), thought)


def _texts(parts: Sequence[Any], depth: int) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        kind = _kind(part)
        if not isinstance(part, Mapping) or kind in _THOUGHTS or kind in _CALLS:
            continue
        if kind in _RESULTS:
            result = part.get("content", part.get("output"))
            yield from _texts(result if isinstance(result, list) else [result], depth - 1) if depth else ()
        elif kind in _MEDIA:
            yield _MEDIA[kind]
            yield from (text for text in (part.get("transcript"),) if isinstance(text, str))
        else:
            yield from (text for text in (part.get("text"),) if isinstance(text, str))


def _thought(part: Fields) -> str:
    text = part.get("text") or part.get("thinking")
    return text if isinstance(text, str) else ""


def _kind(part: object) -> str:
    kind = part.get("type") if isinstance(part, Mapping) else None
    return kind if isinstance(kind, str) else ""


def _calls(calls: Any) -> list[str]:
    """Calls in the shapes of OpenAI's API, of assembled streams, of Anthropic's parts and of OpenInference's."""
    written = []
    for call in calls if isinstance(calls, list) else []:
        if not isinstance(call, Mapping):
            continue
        holders = (call.get(name) for name in ("function", "tool_call"))
        function = next((holder for holder in holders if isinstance(holder, Mapping)), call)
        name = function.get("name")
        if isinstance(name, str):
            written.append(f"{name}({_arguments(function.get('arguments', function.get('input')))})")
    return written


def _arguments(arguments: object) -> str:
    if isinstance(arguments, str):
        return "" if arguments.strip() == "{}" else arguments
    return safe_json(jsonable(arguments)) if arguments else ""


def _joined(texts: Iterator[str] | Sequence[str]) -> str:
    return " ".join(text for text in texts if text)
