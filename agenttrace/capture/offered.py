"""What is offered to a model as a tool and is no definition yet: a function, an object of a framework's."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, cast
from weakref import WeakKeyDictionary

from .. import faults
from ..semconv.fields import (
    class_field,
    class_name,
    derives_from,
    field,
    fields,
    is_a,
    is_dict,
    is_record,
    is_text,
    list_field,
    text_field,
    text_of,
)
from ..wrapping.callables import callable_name
from .tools import tool_description, tool_parameters

__all__ = ["as_definition"]

_SCHEMAS = ("parameters", "inputs", "input_schema", "inputSchema", "json_schema", "function_declarations")
_INJECTED = "InjectedToolArg"
# Reading a function's signature takes a millisecond, and the same tools are offered with every call of a model.
_known: WeakKeyDictionary[FunctionType, object] = WeakKeyDictionary()


def as_definition(tool: object) -> object:
    """``tool`` as a definition in OpenAI's shape, where it is a function or a LangChain tool.

    Args:
        tool: Anything. What has a definition's fields already, or can't be understood, comes back as it is.

    Example:
        >>> as_definition(get_weather)
        {'type': 'function', 'function': {'name': 'get_weather', 'parameters': {...}}}
    """
    try:
        return _as_definition(tool)
    except BaseException as error:
        faults.contain(f"reading a tool of type {class_name(tool)}", error)
        return tool


def _as_definition(tool: object) -> object:
    if is_dict(tool) or is_text(tool):
        return tool
    if is_a(tool, "smolagents", "Tool", "MultiStepAgent") or is_a(tool, "llama_index", "BaseTool"):
        return tool  # which its reader knows
    if is_a(tool, "langchain_core", "BaseTool"):
        return _definition(field(tool, "name"), field(tool, "description"), _langchain_parameters(tool))
    has_own = text_field(tool, "name") is not None and field(tool, *_SCHEMAS) is not None
    if has_own or is_record(tool) or not callable(tool):
        return tool
    kind: object = type(tool)
    if kind is not FunctionType:
        return _function_definition(tool)
    function = cast("FunctionType", tool)
    known = _known.get(function)
    if known is None:
        known = _known[function] = _function_definition(function)
    return known


def _function_definition(function: Callable[..., Any]) -> dict[str, Any]:
    return _definition(callable_name(function), tool_description(function), tool_parameters(function))


def _definition(name: object, description: object, parameters: object) -> dict[str, Any]:
    function = {"name": text_of(name), "description": text_of(description), "parameters": parameters}
    return {"type": "function", "function": {key: value for key, value in function.items() if value is not None}}


def _langchain_parameters(tool: object) -> Any:
    """The schema of the tool's arguments, those left out that LangChain fills in itself."""
    schema = field(tool, "args_schema")
    function = field(tool, "func", "coroutine") or _run_method(tool)
    if is_dict(schema) or (schema is None and function is None):
        return schema
    parameters = tool_parameters(function if schema is None else schema)
    injected = {name for name, info in _model_fields(schema).items() if _is_injected(info)}
    if not injected:
        return parameters
    shown = {name: item for name, item in fields(parameters.get("properties")).items() if name not in injected}
    required = [name for name in list_field(parameters, "required") if name not in injected]
    return {**parameters, "properties": shown, "required": required}


def _run_method(tool: object) -> object:
    """What a tool in the form of a class runs."""
    function = class_field(tool, "_run")
    return MethodType(function, tool) if type(function) is FunctionType else None


def _model_fields(schema: object) -> dict[str, Any]:
    """The fields that a class of pydantic's declares."""
    if not issubclass(type(schema), type):
        return {}
    space = type.__dict__["__dict__"].__get__(schema)
    declared = space.get("__pydantic_fields__") or space.get("model_fields")  # the latter in older releases
    return fields(declared)


def _is_injected(info: object) -> bool:
    marks = list_field(info, "metadata")
    classes = [mark if issubclass(type(mark), type) else type(mark) for mark in marks]
    return any(derives_from(cls, "langchain_core", _INJECTED) for cls in classes)
