"""Pydantic's types: their own schema, moved into the definitions of the call.

Pydantic is used when the program has loaded it and never imported.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .records import NO_DEFAULT, Field, schema_of_fields
from .scope import scope_of_class
from .values import plain_text, plain_value

if TYPE_CHECKING:
    from .builder import SchemaBuilder

_TEMPLATE = "#/$defs/{model}"
_PREFIX = "#/$defs/"
_HOOKS = ("__get_pydantic_core_schema__", "__pydantic_core_schema__")
_MODEL_MODULES = ("pydantic.main", "pydantic.v1.main")
_MAX_DEPTH = 60
_MAX_TEXT_CHARACTERS = 20_000


def is_pydantic_type(cls: type) -> bool:
    """Whether pydantic is loaded and ``cls`` is a model or a type that pydantic knows to describe."""
    if _is_model(cls):
        return True
    return hasattr(sys.modules.get("pydantic"), "TypeAdapter") and any(hasattr(cls, name) for name in _HOOKS)


def schema_of_pydantic_type(builder: SchemaBuilder, cls: type) -> dict[str, Any] | None:
    """The schema that pydantic gives ``cls``, or one of its fields where it gives none.

    Returns:
        A reference for a model, else the schema; None when pydantic cannot describe ``cls``.
    """
    key = ("pydantic", id(cls))
    known = builder.known(key)
    if known is not None:
        return known
    try:
        generated = _generate(cls)
    except Exception:  # a field of a type that JSON has no schema for, a reference not yet resolvable
        return _schema_of_model_fields(builder, cls) if _is_model(cls) else None
    text = json.dumps(generated)
    if not builder.spend(len(text)):
        return {"type": "object", "title": plain_text(cls.__name__, 100)} if _is_model(cls) else {}
    schema, definitions = _split(generated)
    root = _name_referred_to(schema)
    if root is None and (_is_model(cls) or dataclasses.is_dataclass(cls)):
        root = _free_name(cls.__name__, definitions)
        definitions[root] = schema
        schema = {"$ref": _PREFIX + root}
    names = _adopt(builder, definitions)
    if root is None:
        renamed: dict[str, Any] = _renamed(schema, names)
        return renamed
    return builder.remember(key, cls, names[root])


def _is_model(cls: type) -> bool:
    bases = (getattr(sys.modules.get(module), "BaseModel", None) for module in _MODEL_MODULES)
    return any(isinstance(base, type) and issubclass(cls, base) for base in bases)


def _generate(cls: Any) -> dict[str, Any]:
    """What pydantic says of ``cls``, made of plain values; version 1 is brought to today's draft."""
    if not _is_model(cls):
        adapter = sys.modules["pydantic"].TypeAdapter(cls)
        raw = adapter.json_schema(ref_template=_TEMPLATE, schema_generator=_quiet_generator())
    elif hasattr(cls, "model_json_schema"):
        raw = cls.model_json_schema(ref_template=_TEMPLATE, schema_generator=_quiet_generator())
    else:
        raw = cls.schema(ref_template=_TEMPLATE)
    plain = _plain_schema(raw, 0)
    if not isinstance(plain, dict):
        raise TypeError("a schema that is no object")
    return plain


@functools.cache
def _quiet_generator() -> Any:
    """Pydantic's generator without its warnings, which would be about a call that the user did not make."""
    base = sys.modules["pydantic.json_schema"].GenerateJsonSchema
    return type("QuietGenerator", (base,), {"emit_warning": lambda self, kind, detail: None})


def _plain_schema(value: Any, depth: int) -> Any:
    """``value`` of exact builtin types; a member that JSON cannot hold is left out of its object.

    Raises:
        ValueError: ``value`` itself is something that JSON cannot hold.
    """
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deep")
    kind = type(value)
    if issubclass(kind, dict):
        plain = {}
        for name, item in value.items():
            with contextlib.suppress(ValueError):  # infinity as a bound, an object as an example
                plain[plain_text(str(name))] = _plain_schema(item, depth + 1)
        return _as_todays_draft(plain)
    if issubclass(kind, (list, tuple)):
        return [_plain_schema(item, depth + 1) for item in value]
    return plain_value(value, _MAX_TEXT_CHARACTERS)


def _as_todays_draft(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("items"), list) and schema.get("type") == "array":
        schema["prefixItems"] = schema.pop("items")
    return schema


def _split(generated: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema itself and its definitions."""
    definitions: dict[str, Any] = {}
    for keyword in ("$defs", "definitions"):
        found = generated.get(keyword)
        if isinstance(found, dict):
            definitions.update(found)
    return {name: part for name, part in generated.items() if name not in ("$defs", "definitions")}, definitions


def _name_referred_to(schema: dict[str, Any]) -> str | None:
    """The definition that ``schema`` is nothing but a reference to, as that of a recursive model is, or None."""
    if set(schema) == {"allOf"} and len(schema["allOf"]) == 1:  # up to pydantic 2.8
        schema = schema["allOf"][0]
    return schema["$ref"].removeprefix(_PREFIX) if set(schema) == {"$ref"} else None


def _free_name(name: str, taken: dict[str, Any]) -> str:
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    return unique


def _adopt(builder: SchemaBuilder, definitions: dict[str, Any]) -> dict[str, str]:
    """Add ``definitions`` to the builder's; what they are called there, by the name they came with.

    The names stay as they are unless one is taken by something else; then all get new ones, since those that look the
    same may refer to it.
    """
    taken = [name for name in definitions if name in builder.definitions]
    if all(builder.foreign.get(name) == definitions[name] for name in taken):
        names = {name: name for name in definitions}
        builder.definitions.update(definitions)
        builder.foreign.update(definitions)
        return names
    names = {name: builder.claim(name) for name in definitions}
    for name, definition in definitions.items():
        builder.definitions[names[name]] = _renamed(definition, names)
    return names


def _renamed(part: Any, names: dict[str, str]) -> Any:
    """``part`` with every reference to a definition under its new name."""
    if isinstance(part, dict):
        return {name: _renamed(item, names) for name, item in part.items()}
    if isinstance(part, list):
        return [_renamed(item, names) for item in part]
    if isinstance(part, str) and part.startswith(_PREFIX):
        name = part.removeprefix(_PREFIX)
        return _PREFIX + names.get(name, name)
    return part


def _schema_of_model_fields(builder: SchemaBuilder, cls: Any) -> dict[str, Any]:
    """The schema of a model's fields one by one, where pydantic has none for the whole."""
    build: Callable[[], dict[str, Any]] = lambda: schema_of_fields(builder, _model_fields(cls))  # noqa: E731  # typed
    return builder.define(("pydantic", id(cls)), cls, cls.__name__, build)


def _model_fields(cls: Any) -> Iterator[Field]:
    scope = scope_of_class(cls)
    for name, info in getattr(cls, "model_fields", {}).items():
        required = info.is_required() is True
        default = NO_DEFAULT if required or info.default_factory is not None else info.default
        yield Field(name, info.annotation, scope, required, default, None, (info,))
