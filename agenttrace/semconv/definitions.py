"""Definitions of tools in any provider's shape → OpenInference's tools."""

from __future__ import annotations

from typing import Any

from .. import faults
from .fields import as_list, class_name, field, fields, is_dict, is_list, is_record, list_field, text_field, text_of
from .types import Tool

__all__ = ["MOST_TOOLS", "read_tools"]

MOST_TOOLS = 1000
"""So many tools of one call are recorded."""

_MOST_VALUES = 10_000  # in the definitions of one call, where they are objects
_DEEPEST = 30
_DECLARATIONS = ("function_declarations", "functionDeclarations")
# What an object that isn't known for a definition is asked for: it may have a key in its other fields.
_FIELDS = ("name", "description", "parameters", "inputs", "input_schema", "inputSchema", "json_schema")


def read_tools(value: object) -> list[Tool]:
    """The tools that ``value``, a list of definitions in any provider's shape, offers to a model."""
    room = [_MOST_VALUES]
    tools: list[Tool] = []
    for item in as_list(value)[:MOST_TOOLS] if is_list(value) else (value,):
        if item is None:
            continue
        try:
            tools.extend(_read_tool(definition, room) for definition in _definitions_in(item))
        except BaseException as error:
            faults.contain(f"reading a tool of type {class_name(item)}", error)
    return tools[:MOST_TOOLS]


def _definitions_in(item: object) -> list[Any]:
    """Google's objects have several in one, and beside them the tools that Google runs."""
    declarations = list_field(item, *_DECLARATIONS)
    if not declarations:
        return [item]
    others = {name: value for name, value in fields(item).items() if name not in _DECLARATIONS}
    return [*declarations, *([others] if others else ())]


def _read_tool(definition: object, room: list[int]) -> Tool:
    text = text_of(definition)
    if text is not None:
        return {"json_schema": text} if text.lstrip()[:1] == "{" else {"json_schema": {"name": text}, "name": text}
    schema = field(definition, "json_schema")
    if schema is None:
        schema = _schema_of(definition, room)
    function = field(schema, "function", "toolSpec", "custom")
    named = schema if function is None or text_of(function) is not None else function
    tool: Tool = {"json_schema": schema}
    name = (
        text_field(definition, "name") or text_field(named, "name") or text_field(schema, "type") or _only_key(schema)
    )
    description = text_field(definition, "description") or text_field(named, "description")
    if name is not None:
        tool["name"] = name
    if description is not None:
        tool["description"] = description
    return tool


def _schema_of(definition: object, room: list[int]) -> Any:
    if type(definition) is dict:
        return definition
    if is_record(definition) or is_dict(definition):
        return _plain(definition, room, _DEEPEST)
    found = fields(definition)
    known = {name: found[name] for name in _FIELDS if name in found}
    return _plain(known, room, _DEEPEST) if known else definition


def _plain(value: object, room: list[int], depth: int) -> Any:
    """``value`` with the objects in it as dictionaries of the fields that are set."""
    room[0] -= 1
    if room[0] < 0 or depth == 0:
        return value
    if is_list(value):
        return [_plain(item, room, depth - 1) for item in as_list(value)]
    if type(value) is dict or is_record(value):
        return {name: _plain(item, room, depth - 1) for name, item in fields(value).items()}
    text = text_of(value)
    return value if text is None else text


def _only_key(schema: object) -> str | None:
    """Google's names for what it runs itself: ``{"google_search": {}}``."""
    return next(iter(schema), None) if type(schema) is dict and len(schema) == 1 else None
