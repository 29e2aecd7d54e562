"""What is offered to a model as a tool and is no definition yet: a function, an object of a framework's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..semconv.fields import field, fields, is_a, text_field
from ..wrapping.callables import callable_name
from .tools import tool_description, tool_parameters


def as_definition(tool: object) -> object:
    """``tool`` as a definition in OpenAI's shape, where it is a function, a smolagents tool or a LangChain tool.

    Args:
        tool: Anything. What has a definition's fields already, or can't be understood, comes back as it is.

    Example:
        >>> as_definition(get_weather)
        {'type': 'function', 'function': {'name': 'get_weather', 'parameters': {...}}}
    """
    if isinstance(tool, (Mapping, str)):
        return tool
    if is_a(tool, "smolagents", "Tool"):
        inputs = _class_field(tool, "inputs")
        properties = {"type": "object", "properties": inputs} if isinstance(inputs, Mapping) else None
        return _definition(_class_text(tool, "name"), _class_text(tool, "description"), properties)
    if is_a(tool, "langchain_core", "BaseTool"):
        function = field(tool, "func", "coroutine")
        parameters = None if function is None else tool_parameters(function)
        return _definition(text_field(tool, "name"), text_field(tool, "description"), parameters)
    if fields(tool) and text_field(tool, "name") is not None:
        return tool
    if callable(tool):
        return _definition(callable_name(tool), tool_description(tool), tool_parameters(tool))
    return tool


def _definition(name: str | None, description: str | None, parameters: object) -> dict[str, Any]:
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": {key: value for key, value in function.items() if value is not None}}


def _class_text(tool: object, name: str) -> str | None:
    found = _class_field(tool, name)
    return found if isinstance(found, str) else None


def _class_field(tool: object, name: str) -> Any:
    """What the instance has, or else its class: smolagents' tools are described by class attributes."""
    own = field(tool, name)
    if own is not None:
        return own
    return next((vars(base)[name] for base in type(tool).__mro__ if name in vars(base)), None)
