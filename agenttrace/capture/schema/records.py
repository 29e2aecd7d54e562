"""Classes with named fields: data classes, typed dictionaries, attrs classes and named tuples."""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typing_extensions

from ..docstrings import parse_docstring
from .metadata import apply_metadata
from .scope import Scope, own_annotations, scope_of_class
from .special import Form, form_of, special_name
from .values import may_be_secret, plain_text, plain_value

if TYPE_CHECKING:
    from .builder import SchemaBuilder

NO_DEFAULT = inspect.Parameter.empty
"""Stands for the default of a field that has none, or none that can be shown."""

_NAME_CHARACTERS = 20
_MAX_BASES = 50
_MAX_VARIANTS = 10


@dataclass(frozen=True)
class Field:
    """A named value that an object of JSON has: a field of a class, or a parameter of a call."""

    name: str
    annotation: object
    scope: Scope
    required: bool
    default: object = NO_DEFAULT
    description: str | None = None
    """What was written about it elsewhere than in its annotation, which comes first."""
    metadata: tuple[object, ...] = ()
    """What stands for ``Annotated`` metadata though it is not in the annotation."""


def schema_of_fields(builder: SchemaBuilder, fields: Iterable[Field]) -> dict[str, Any]:
    """The schema of an object with ``fields``, as many as the builder has room for."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for field in fields:
        name = plain_text(field.name)
        if not builder.spend(2 * len(name) + _NAME_CHARACTERS):
            break
        properties[name] = _schema_of_field(builder, field)
        if field.required:
            required.append(name)
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return schema


def is_record(cls: type) -> bool:
    """Whether :func:`schema_of_record` can read the fields of ``cls``."""
    return (
        typing_extensions.is_typeddict(cls)
        or dataclasses.is_dataclass(cls)
        or isinstance(getattr(cls, "__attrs_attrs__", None), tuple)
        or _is_named_tuple(cls)
    )


def schema_of_record(builder: SchemaBuilder, cls: type, arguments: Sequence[Any], scope: Scope) -> dict[str, Any]:
    """A reference to the definition of ``cls``, one for each set of ``arguments``."""
    bound = [builder.schema(argument, scope) for argument in arguments]
    # A generic class that contains itself with ever larger arguments stands without them in the end.
    variants = builder.variants[id(cls)]
    if len(variants | {json.dumps(bound)}) > _MAX_VARIANTS:
        bound = []
    variants.add(json.dumps(bound))

    def build() -> dict[str, Any]:
        bindings = _bindings_of(builder, cls, bound)
        schema = (_schema_of_named_tuple if _is_named_tuple(cls) else _schema_of_object)(builder, cls, bindings)
        description = builder.text(_own_description(cls))
        return schema if description is None else {**schema, "description": description}

    return builder.define((id(cls), json.dumps(bound)), cls, cls.__name__, build)


def typed_dict_fields(cls: type, bindings: dict[object, dict[str, Any]] | None = None) -> Iterator[Field]:
    """The keys of a typed dictionary, required ones marked, whatever way that was written."""
    scope = scope_of_class(cls).bind(bindings or {})
    listed: frozenset[str] = getattr(cls, "__required_keys__", frozenset())
    texts = _field_texts(cls)
    for name, annotation in own_annotations(cls).items():
        # Where annotations are text the class itself does not see Required and NotRequired in them.
        yield Field(
            name, annotation, scope, _is_required(annotation, scope, name in listed), NO_DEFAULT, texts.get(name)
        )


def _schema_of_object(builder: SchemaBuilder, cls: type, bindings: dict[object, dict[str, Any]]) -> dict[str, Any]:
    if typing_extensions.is_typeddict(cls):
        schema = schema_of_fields(builder, typed_dict_fields(cls, bindings))
        return {**schema, "additionalProperties": False} if getattr(cls, "__closed__", None) is True else schema
    fields = _attrs_fields if hasattr(cls, "__attrs_attrs__") else _dataclass_fields
    return schema_of_fields(builder, fields(cls, bindings))


def _schema_of_field(builder: SchemaBuilder, field: Field) -> dict[str, Any]:
    schema = builder.schema(field.annotation, field.scope)
    apply_metadata(schema, field.metadata)
    if "description" not in schema:
        description = builder.text(field.description)
        if description is not None:
            schema["description"] = description
    _add_default(builder, schema, field)
    return schema


def _add_default(builder: SchemaBuilder, schema: dict[str, Any], field: Field) -> None:
    if field.default is NO_DEFAULT or may_be_secret(field.name, field.default):
        return
    try:
        default = plain_value(field.default)
    except Exception:  # no JSON, too large to be shown, or changed by another thread meanwhile
        return
    if builder.spend(len(json.dumps(default))):
        schema["default"] = default


def _dataclass_fields(cls: Any, bindings: dict[object, dict[str, Any]]) -> Iterator[Field]:
    texts = _field_texts(cls)
    for field in cls.__dataclass_fields__.values():
        # Class variables are kept among the fields, init-only variables too; only the latter are given by a caller.
        if not field.init or getattr(field._field_type, "name", None) == "_FIELD_CLASSVAR":
            continue
        default = NO_DEFAULT if field.default is dataclasses.MISSING else field.default
        required = default is NO_DEFAULT and field.default_factory is dataclasses.MISSING
        text = field.metadata.get("description") or texts.get(field.name)
        yield Field(field.name, field.type, _scope_of_field(cls, field.name, bindings), required, default, text)


def _attrs_fields(cls: Any, bindings: dict[object, dict[str, Any]]) -> Iterator[Field]:
    texts = _field_texts(cls)
    nothing = getattr(sys.modules.get("attr"), "NOTHING", None)
    for attribute in cls.__attrs_attrs__:
        if attribute.init:
            annotation = NO_DEFAULT if attribute.type is None else attribute.type
            text = attribute.metadata.get("description") or texts.get(attribute.name)
            required = attribute.default is nothing
            default = NO_DEFAULT if required else attribute.default
            scope = _scope_of_field(cls, attribute.name, bindings)
            yield Field(attribute.alias or attribute.name, annotation, scope, required, default, text)


def _is_named_tuple(cls: type) -> bool:
    return issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple)


def _schema_of_named_tuple(builder: SchemaBuilder, cls: Any, bindings: dict[object, dict[str, Any]]) -> dict[str, Any]:
    texts = _field_texts(cls)
    defaults = getattr(cls, "_field_defaults", {})
    items = []
    for name in cls._fields:
        annotation = next(
            (own_annotations(base)[name] for base in _bases(cls) if name in own_annotations(base)), NO_DEFAULT
        )
        scope = _scope_of_field(cls, name, bindings)
        field = Field(name, annotation, scope, True, defaults.get(name, NO_DEFAULT), texts.get(name))
        if builder.spend(len(name) + _NAME_CHARACTERS):
            items.append({"title": plain_text(name), **_schema_of_field(builder, field)})
    schema: dict[str, Any] = {"type": "array", "maxItems": len(cls._fields)}
    if len(cls._fields) > len(defaults):
        schema["minItems"] = len(cls._fields) - len(defaults)
    return {**schema, "prefixItems": items} if items else schema


def _is_required(annotation: Any, scope: Scope, listed: bool) -> bool:
    """Whether a key is required: as the annotation says, else as ``listed``."""
    try:
        for _ in range(10):
            form, parts = form_of(annotation)
            name = special_name(annotation)
            if name in ("Required", "NotRequired"):
                return name == "Required"
            if form in (Form.TEXT, Form.REFERENCE):
                annotation = scope.resolve(*parts)
            elif form is Form.ANNOTATED or name == "ReadOnly":
                annotation = parts[0]
            else:
                break
    except Exception:  # an annotation that cannot be read says nothing of the key
        return listed
    return listed


def _scope_of_field(cls: type, name: str, bindings: dict[object, dict[str, Any]]) -> Scope:
    """Where the annotation of a field finds its names: in the class that declared it, which may be a base."""
    owner = next((base for base in _bases(cls) if name in own_annotations(base)), cls)
    return scope_of_class(owner).bind(bindings)


def _bases(cls: type) -> Sequence[type]:
    return cls.__mro__[:_MAX_BASES]


def _bindings_of(builder: SchemaBuilder, cls: Any, bound: Sequence[dict[str, Any]]) -> dict[object, dict[str, Any]]:
    """The schemas of the type variables of ``cls`` and of the generic classes it is derived from."""
    parameters: tuple[object, ...] = getattr(cls, "__parameters__", ())
    bindings = dict(zip(parameters, bound, strict=False))
    for base in cls.__dict__.get("__orig_bases__", ()):
        origin = typing_extensions.get_origin(base)
        if isinstance(origin, type) and origin not in (typing_extensions.Generic, typing_extensions.Protocol):
            scope = scope_of_class(cls).bind(bindings)
            inherited = [builder.schema(argument, scope) for argument in typing_extensions.get_args(base)]
            bindings = {**_bindings_of(builder, origin, inherited), **bindings}
    return bindings


def _own_text(cls: Any) -> str | None:
    """The docstring written in ``cls``; not the signature that dataclasses and named tuples put there."""
    text = vars(cls).get("__doc__") if isinstance(cls, type) else None
    return None if type(text) is not str or text.startswith(f"{cls.__name__}(") else text


def _own_description(cls: type) -> str:
    return parse_docstring(_own_text(cls), attributes=True).description


def _field_texts(cls: type) -> dict[str, str]:
    """What the docstrings of ``cls`` and its bases say of its fields, the nearest first."""
    texts: dict[str, str] = {}
    # A typed dictionary is derived from dict alone; what it was written as is kept apart, where it is kept.
    for base in (*_bases(cls), *getattr(cls, "__orig_bases__", ())):
        texts = {**parse_docstring(_own_text(base), attributes=True).parameters, **texts}
    return texts
