"""What a tool's definition tells a model: a description from the docstring, a JSON Schema from the signature.

Read once for each traced tool, at its first recorded call.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Collection, Iterator
from types import GenericAlias
from typing import Any

import typing_extensions

from .. import faults
from .docstrings import MAX_DOCSTRING_CHARACTERS, parse_docstring
from .schema.builder import SchemaBuilder
from .schema.metadata import is_field
from .schema.records import NO_DEFAULT, Field, schema_of_fields, typed_dict_fields
from .schema.scope import Scope
from .schema.special import Form, form_of, special_name
from .schema.values import plain_text
from .signatures import CallSignature, docstrings_of, read_signature


def tool_description(function: object) -> str | None:
    """What the docstring of ``function`` says it does.

    Args:
        function: Anything callable; a classmethod, staticmethod or property object too. A callable instance is
            described by its ``__call__``, else by its class.

    Returns:
        Summary and body without the sections about parameters (Google, NumPy, reST), dedented and stripped; None when
        there is nothing. Never raises.

    Example:
        >>> def add(a: int, b: int) -> int:
        ...     '''Add two numbers.
        ...
        ...     Args:
        ...         a: One of them.
        ...     '''
        >>> tool_description(add)
        'Add two numbers.'
    """
    try:
        of_class = issubclass(type(function), type)
        texts = docstrings_of(function)
        descriptions = (parse_docstring(text, attributes=of_class).description for text in texts)
        return next((plain_text(text, MAX_DOCSTRING_CHARACTERS) for text in descriptions if text), None)
    except Exception as error:
        faults.report("reading the description of a tool", error)
        return None


def tool_parameters(function: object, *, hide_defaults: Collection[str] = ()) -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of the arguments of ``function``, as a tool's definition declares it.

    A parameter whose annotation cannot be read or resolved allows anything; the others keep their schema. ``self`` and
    ``cls`` and what a partial has bound are left out; ``*args`` is an array, ``**kwargs`` the additional properties.

    Args:
        function: Anything callable; a classmethod, staticmethod or property object too.
        hide_defaults: Names of parameters whose default is not shown. Texts that are the default of a parameter whose
            name sounds secret (``api_key``, ``password``) never are.

    Returns:
        ``{"type": "object", "properties": …, "required": …}``, new and made of plain builtin values, of bounded size;
        ``required`` is missing when empty. ``{"type": "object"}`` when the signature cannot be read. Never raises.

    Example:
        >>> def search(query: str, limit: int = 10) -> list[str]: ...
        >>> tool_parameters(search)["properties"]
        {'query': {'type': 'string'}, 'limit': {'type': 'integer', 'default': 10}}
    """
    try:
        signature = read_signature(function)
        if signature is None:
            return {"type": "object"}
        schema = _schema_of(signature, _descriptions(function), frozenset(hide_defaults))
        json.dumps(schema, allow_nan=False)  # whatever else a type has led to, what is handed on can be sent
        return schema
    except Exception as error:
        faults.report("reading the parameters of a tool", error)
        return {"type": "object"}


def _schema_of(signature: CallSignature, descriptions: dict[str, str], hidden: frozenset[str]) -> dict[str, Any]:
    builder = SchemaBuilder()
    schema = schema_of_fields(builder, _fields(signature, descriptions, hidden))
    rest = next((each for each in signature.parameters if each.kind is inspect.Parameter.VAR_KEYWORD), None)
    if rest is not None and _unpacked_keys(rest.annotation, signature.scope) is None:
        values = builder.schema(rest.annotation, signature.scope)
        if rest.name in descriptions:
            values.setdefault("description", descriptions[rest.name])
        schema["additionalProperties"] = values or True
    definitions = builder.finish()
    return {**schema, "$defs": definitions} if definitions else schema


def _fields(signature: CallSignature, descriptions: dict[str, str], hidden: frozenset[str]) -> Iterator[Field]:
    for parameter in signature.parameters:
        name, annotation = parameter.name, parameter.annotation
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            keys = _unpacked_keys(annotation, signature.scope)
            if keys is not None:
                yield from typed_dict_fields(keys)
        elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            if not _is_unpacked(annotation):
                annotation = GenericAlias(list, (annotation,))
            yield Field(name, annotation, signature.scope, False, NO_DEFAULT, descriptions.get(name))
        else:
            yield _field_of(parameter, signature.scope, descriptions.get(name), name in hidden)


def _field_of(parameter: inspect.Parameter, scope: Scope, description: str | None, is_hidden: bool) -> Field:
    default: Any = parameter.default
    required = default is NO_DEFAULT
    metadata: tuple[object, ...] = ()
    if is_field(default):  # pydantic's Field(...) in the place of the default, as FastMCP and FastAPI read it
        metadata = (default,)
        required = default.is_required() is True
        default = NO_DEFAULT if default.default_factory is not None else default.default
    shown = NO_DEFAULT if is_hidden else default
    return Field(parameter.name, parameter.annotation, scope, required, shown, description, metadata)


def _is_unpacked(annotation: Any) -> bool:
    """Whether the annotation of ``*args`` is of all of them together: ``*tuple[int, str]``."""
    if isinstance(annotation, str):
        return annotation.lstrip().startswith(("*", "Unpack["))
    return getattr(annotation, "__unpacked__", False) is True or special_name(annotation) == "Unpack"


def _unpacked_keys(annotation: Any, scope: Scope) -> type | None:
    """The typed dictionary in the ``**options: Unpack[Options]`` of a signature, or None."""
    try:
        if form_of(annotation)[0] is Form.TEXT:
            annotation = scope.resolve(annotation)
        inner = typing_extensions.get_args(annotation)[0] if special_name(annotation) == "Unpack" else None
        if form_of(inner)[0] in (Form.TEXT, Form.REFERENCE):
            inner = scope.resolve(*form_of(inner)[1])
        return inner if isinstance(inner, type) and typing_extensions.is_typeddict(inner) else None
    except Exception:  # an annotation that cannot be read declares no keys
        return None


def _descriptions(function: object) -> dict[str, str]:
    descriptions: dict[str, str] = {}
    for text in docstrings_of(function):
        descriptions = {**parse_docstring(text, attributes=issubclass(type(function), type)).parameters, **descriptions}
    return descriptions
