"""Messages say who wrote them, their parts what they are, and calls of tools which tool."""

from __future__ import annotations

from openinference.semconv.trace import MessageAttributes, MessageContentAttributes, SpanAttributes, ToolCallAttributes

from ..inspection import Findings, Inspection, ListItem
from ..values import is_blank, is_hidden, shown
from ..violations import Rule

_ROLE = MessageAttributes.MESSAGE_ROLE
_TYPE = MessageContentAttributes.MESSAGE_CONTENT_TYPE
_NAME = ToolCallAttributes.TOOL_CALL_FUNCTION_NAME

_ROLES = ("system", "developer", "user", "assistant", "tool", "function", "model", "agent")
_TYPES = ("text", "image", "audio", "video", "document", "reasoning", "tool_use")
_TOOL_USE = "tool_use"


def check_messages(span: Inspection) -> Findings:
    """Roles, types of parts, names of called tools."""
    for message in span.items_of(SpanAttributes.LLM_INPUT_MESSAGES, SpanAttributes.LLM_OUTPUT_MESSAGES):
        yield from _check_role(span, message)
    for part in span.items_of(MessageAttributes.MESSAGE_CONTENTS):
        yield from _check_type(span, part)
        kind = part.values.get(_TYPE)
        if isinstance(kind, str) and kind == _TOOL_USE:
            yield from _check_tool_name(span, part)
    for call in span.items_of(MessageAttributes.MESSAGE_TOOL_CALLS):
        yield from _check_tool_name(span, call)


def _check_role(span: Inspection, message: ListItem) -> Findings:
    key = f"{message.prefix}.{_ROLE}"
    role = message.values.get(_ROLE)
    if _ROLE not in message.values:
        advice = f"record who wrote it: {', '.join(_ROLES[:5])}"
        yield span.violation(Rule.ROLE_MISSING, key, "the message has no role", advice)
    elif not isinstance(role, str) or is_hidden(role):
        return  # told by its type, or rightly unknown
    elif is_blank(role):
        yield span.violation(Rule.ROLE_EMPTY, key, f"it is {shown(role)}", f"record one of {', '.join(_ROLES[:5])}")
    elif role not in _ROLES:
        usual = role.strip().lower()
        advice = f"record {usual!r}" if usual in _ROLES else f"readers know {', '.join(_ROLES[:5])}"
        yield span.violation(Rule.ROLE_UNUSUAL, key, f"it is {shown(role)}", advice)


def _check_type(span: Inspection, part: ListItem) -> Findings:
    kind = part.values.get(_TYPE)
    if _TYPE in part.values and (not isinstance(kind, str) or kind in _TYPES or is_hidden(kind)):
        return  # what is no text is told by its type
    problem = f"it is {shown(kind)}" if _TYPE in part.values else "the part doesn't say what it is"
    advice = f"record one of {', '.join(_TYPES)}"
    yield span.violation(Rule.CONTENT_TYPE_INVALID, f"{part.prefix}.{_TYPE}", problem, advice)


def _check_tool_name(span: Inspection, call: ListItem) -> Findings:
    if not call.has(_NAME):
        problem, advice = "the tool call doesn't say which tool", "record the function's name"
        yield span.violation(Rule.TOOL_CALL_NAME_MISSING, f"{call.prefix}.{_NAME}", problem, advice)
