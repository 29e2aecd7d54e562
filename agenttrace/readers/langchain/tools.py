"""LangChain's tools as definitions, without running what makes JSON Schema of a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...semconv.fields import field, fields, is_a, is_dict, list_field, text_field
from ...semconv.parts import drop_none

__all__ = ["read_tool"]

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}
_INJECTED = "InjectedToolArg"


def read_tool(tool: object) -> Mapping[str, object]:
    """The definition of ``tool``: of a schema that is a class, names and descriptions, and the types that are plain."""
    function = drop_none(
        name=text_field(tool, "name"),
        description=text_field(tool, "description"),
        parameters=_parameters(field(tool, "args_schema")),
    )
    return {"type": "function", "function": function}


def _parameters(schema: object) -> Any:
    if not isinstance(schema, type):
        return schema if is_dict(schema) else None
    space = vars(schema)
    declared = fields(space.get("__pydantic_fields__") or space.get("model_fields"))  # the latter in older releases
    if not declared:
        return None
    sent = {name: info for name, info in declared.items() if not _is_injected(info)}
    properties = {
        name: drop_none(type=_type_of(field(info, "annotation")), description=text_field(info, "description"))
        for name, info in sent.items()
    }
    required = [name for name, info in sent.items() if _is_required(info)]
    return {"type": "object", "properties": properties, "required": required}


def _type_of(annotation: object) -> str | None:
    return _TYPES.get(annotation) if isinstance(annotation, type) else None


def _is_required(info: object) -> bool:
    undefined = is_a(field(info, "default"), "pydantic_core", "PydanticUndefinedType")
    return undefined and field(info, "default_factory") is None


def _is_injected(info: object) -> bool:
    """Whether LangChain fills in an argument itself, so that no model hears of it."""
    marks = list_field(info, "metadata")
    return any(is_a(mark, "langchain_core", _INJECTED) or _INJECTED in _names_of(mark) for mark in marks)


def _names_of(mark: object) -> list[str]:
    return [base.__name__ for base in mark.__mro__] if isinstance(mark, type) else []
