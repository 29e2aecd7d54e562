"""Classes to schemas: what each builtin and standard class is in JSON, and who reads the others."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from enum import Enum, Flag
from typing import TYPE_CHECKING, Any

from .pydantic_models import is_pydantic_type, schema_of_pydantic_type
from .records import is_record, schema_of_record
from .special import Form, form_of, special_name
from .values import is_plain_scalar

if TYPE_CHECKING:
    from .builder import SchemaBuilder
    from .scope import Scope

# By name and not by class: none of these modules is imported for a program that does not use it.
_SCALARS: dict[str, dict[str, str]] = {
    "builtins.NoneType": {"type": "null"},
    "builtins.bool": {"type": "boolean"},
    "builtins.int": {"type": "integer"},
    "builtins.float": {"type": "number"},
    "builtins.complex": {"type": "string"},
    "builtins.str": {"type": "string"},
    "builtins.bytes": {"type": "string", "format": "binary"},
    "builtins.bytearray": {"type": "string", "format": "binary"},
    "builtins.memoryview": {"type": "string", "format": "binary"},
    "collections.UserString": {"type": "string"},
    "datetime.date": {"type": "string", "format": "date"},
    "datetime.datetime": {"type": "string", "format": "date-time"},
    "datetime.time": {"type": "string", "format": "time"},
    "datetime.timedelta": {"type": "string", "format": "duration"},
    "decimal.Decimal": {"type": "string", "format": "decimal"},
    "fractions.Fraction": {"type": "string"},
    "ipaddress.IPv4Address": {"type": "string", "format": "ipv4"},
    "ipaddress.IPv4Interface": {"type": "string", "format": "ipv4interface"},
    "ipaddress.IPv4Network": {"type": "string", "format": "ipv4network"},
    "ipaddress.IPv6Address": {"type": "string", "format": "ipv6"},
    "ipaddress.IPv6Interface": {"type": "string", "format": "ipv6interface"},
    "ipaddress.IPv6Network": {"type": "string", "format": "ipv6network"},
    "numbers.Integral": {"type": "integer"},
    "numbers.Number": {"type": "number"},
    "numbers.Rational": {"type": "number"},
    "numbers.Real": {"type": "number"},
    "os.PathLike": {"type": "string", "format": "path"},
    "pathlib.PurePath": {"type": "string", "format": "path"},
    "pathlib._local.PurePath": {"type": "string", "format": "path"},
    "re.Pattern": {"type": "string", "format": "regex"},
    "uuid.UUID": {"type": "string", "format": "uuid"},
    "zoneinfo.ZoneInfo": {"type": "string"},
}
_ABSTRACT = "collections.abc."
_ARRAYS = frozenset(
    {"builtins.list", "collections.deque", "collections.UserList"}
    | {_ABSTRACT + name for name in ("AsyncGenerator", "AsyncIterable", "AsyncIterator", "Collection", "Container")}
    | {_ABSTRACT + name for name in ("Generator", "Iterable", "Iterator", "MutableSequence", "Reversible", "Sequence")}
)
_SETS = frozenset(
    {"builtins.frozenset", "builtins.set"} | {_ABSTRACT + name for name in ("KeysView", "MutableSet", "Set")}
)
_MAPPINGS = frozenset(
    {"builtins.dict", "builtins.mappingproxy", "collections.ChainMap", "collections.OrderedDict"}
    | {"collections.UserDict", "collections.defaultdict", _ABSTRACT + "Mapping", _ABSTRACT + "MutableMapping"}
)
_COUNTER = "collections.Counter"
_BUFFERS = frozenset({_ABSTRACT + "Buffer", _ABSTRACT + "ByteString"})
_MAX_BASES = 50


def schema_of_class(builder: SchemaBuilder, cls: type, arguments: Sequence[Any], scope: Scope) -> dict[str, Any]:
    """The schema of the values of ``cls``.

    Args:
        builder: Whose budget and definitions are used.
        cls: Any class.
        arguments: What it was given in brackets.
        scope: Where names in ``arguments`` are looked up.

    Raises:
        Exception: Whatever the class raises when it is looked at; the builder's to catch.
    """
    known = _schema_of_known(builder, _full_name(cls), arguments, scope)
    if known is not None:
        return known
    if issubclass(cls, Enum):
        return _schema_of_enum(builder, cls)
    if is_pydantic_type(cls):
        from_pydantic = schema_of_pydantic_type(builder, cls)
        if from_pydantic is not None:
            return from_pydantic
    if is_record(cls):
        return schema_of_record(builder, cls, arguments, scope)
    for base in cls.__mro__[1:_MAX_BASES]:
        name = _full_name(base)
        # What merely can be iterated over is no array; what is a list is one.
        inherited = None if name.startswith(_ABSTRACT) else _schema_of_known(builder, name, (), scope)
        if inherited is not None:
            return inherited
    if issubclass(cls, numbers.Real):  # numpy's numbers are registered as such
        return {"type": "integer" if issubclass(cls, numbers.Integral) else "number"}
    title = builder.text(cls.__name__)
    return {} if title is None else {"title": title}


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _schema_of_known(
    builder: SchemaBuilder, name: str, arguments: Sequence[Any], scope: Scope
) -> dict[str, Any] | None:
    if name in _SCALARS:
        return dict(_SCALARS[name])
    if name in _BUFFERS:
        return dict(_SCALARS["builtins.bytes"])
    if name == "builtins.tuple":
        return _schema_of_tuple(builder, arguments, scope)
    if name in _ARRAYS or name in _SETS:
        schema: dict[str, Any] = {"type": "array"}
        items = builder.schema(arguments[0], scope) if arguments else {}
        if items:
            schema["items"] = items
        if name in _SETS:
            schema["uniqueItems"] = True
        return schema
    if name == _COUNTER:
        return {"type": "object", "additionalProperties": {"type": "integer"}}
    return _schema_of_mapping(builder, arguments, scope) if name in _MAPPINGS else None


def _schema_of_mapping(builder: SchemaBuilder, arguments: Sequence[Any], scope: Scope) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    if len(arguments) == 2:
        names, values = (builder.schema(argument, scope) for argument in arguments)
        # JSON has no keys but texts: only what a text key is bounded to can be said.
        if names.get("type") == "string" and len(names) > 1:
            schema["propertyNames"] = names
        if values:
            schema["additionalProperties"] = values
    return schema


def _schema_of_tuple(builder: SchemaBuilder, arguments: Sequence[Any], scope: Scope) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "array"}
    if not arguments:
        return schema
    if arguments[0] == ():
        return {**schema, "maxItems": 0}
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        items = builder.schema(arguments[0], scope)
        return {**schema, "items": items} if items else schema
    fixed = [argument for argument in arguments if not _is_unpacked(argument)]
    leading = next((place for place, argument in enumerate(arguments) if _is_unpacked(argument)), len(arguments))
    if leading:
        schema["prefixItems"] = [builder.schema(argument, scope) for argument in arguments[:leading]]
    if fixed:
        schema["minItems"] = len(fixed)
    if leading == len(arguments):
        schema["maxItems"] = len(arguments)
    elif leading == len(arguments) - 1:  # tuple[int, *tuple[str, ...]]: what comes after the first
        schema.update(_items_of_rest(builder, arguments[-1], scope))
    return schema


def _is_unpacked(argument: object) -> bool:
    return getattr(argument, "__unpacked__", False) is True or special_name(argument) == "Unpack"


def _items_of_rest(builder: SchemaBuilder, unpacked: Any, scope: Scope) -> dict[str, Any]:
    form, parts = form_of(unpacked)
    if form is Form.SAME_AS:
        form, parts = form_of(parts[0])
    if form is Form.CLASS and len(parts[1]) == 2 and parts[1][1] is Ellipsis:
        items = builder.schema(parts[1][0], scope)
        return {"items": items} if items else {}
    return {}


def _schema_of_enum(builder: SchemaBuilder, cls: type[Enum]) -> dict[str, Any]:
    """The members' values; the names of those whose value JSON cannot hold."""
    if issubclass(cls, Flag):
        return {"type": "integer"}
    members: dict[str, Enum] = {**cls.__members__}
    values = [member if is_plain_scalar(member) else name for name, member in members.items()]
    return builder.enumeration(values)
