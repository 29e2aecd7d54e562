"""JSON Schemas that stand under a secret's name: ``{"password": {"type": "string"}}`` declares one and tells none."""

from __future__ import annotations

from operator import is_
from typing import Any

from .masking import REDACTED

__all__ = ["schema_without_values"]

_DEEPEST = 6
_MOST_KEYS = 64
_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
# Whose values are the schema's own words.
_DECLARING = frozenset(
    {
        *("$ref", "contentEncoding", "deprecated", "description", "exclusiveMaximum", "exclusiveMinimum", "format"),
        *("maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum", "nullable", "pattern", "readOnly"),
        *("required", "title", "type", "uniqueItems", "writeOnly"),
    }
)
# Whose values may be the secret's.
_GIVING = frozenset({"const", "default", "enum", "example", "examples"})
# Whose values are a schema, a list of schemas, schemas by name.
_SCHEMA = frozenset({"additionalProperties", "items"})
_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED_SCHEMAS = frozenset({"properties"})


def schema_without_values(value: object) -> dict[str, Any] | None:
    """``value`` without the values that a schema may give (``default``, ``const``, ``enum``, ``examples``).

    Args:
        value: Anything.

    Returns:
        ``value`` itself where it gives none, else a new dictionary with `REDACTED` in their place; None where it is no
        schema, be it only by one key.

    Example:
        >>> schema_without_values({"type": "string", "default": "hunter2"})
        {'type': 'string', 'default': '__REDACTED__'}
    """
    return _cleaned(value, _DEEPEST)


def _cleaned(value: Any, levels: int) -> dict[str, Any] | None:
    if type(value) is not dict or len(value) > _MOST_KEYS or not levels:
        return None
    cleaned: dict[str, Any] = {}
    changed = False
    for key, item in [*value.items()]:
        if type(key) is not str:
            return None
        if key in _GIVING:
            inner = None if item is None else REDACTED
        elif key in _DECLARING:
            inner = item
        else:
            inner = _inner(key, item, levels - 1)
            if inner is None:
                return None
        cleaned[key] = inner
        changed = changed or inner is not item
    if not _is_declared(cleaned):
        return None
    return cleaned if changed else value


def _inner(key: str, item: Any, levels: int) -> Any:
    if key in _SCHEMA:
        return item if type(item) is bool else _cleaned(item, levels)
    if key in _SCHEMAS and type(item) is list and len(item) <= _MOST_KEYS:
        schemas = [_cleaned(each, levels) for each in item]
        if any(schema is None for schema in schemas):
            return None
        return item if all(map(is_, schemas, item)) else schemas
    if key in _NAMED_SCHEMAS and type(item) is dict and len(item) <= _MOST_KEYS:
        named = {name: _cleaned(each, levels) for name, each in [*item.items()] if type(name) is str}
        if any(schema is None for schema in named.values()):
            return None
        return item if all(map(is_, named.values(), item.values())) else named
    return None


def _is_declared(schema: dict[str, Any]) -> bool:
    """Whether what stands under the declaring keys is of the types that it has in a schema."""
    for key in _DECLARING & schema.keys():
        item = schema[key]
        items = item if type(item) is list and key in ("type", "required") else [item]
        if not all(
            type(each) is str or type(each) is int or type(each) is float or type(each) is bool for each in items
        ):
            return False
        if key == "type" and not _TYPES.issuperset(items):
            return False
    # A lone description could be anything.
    return not schema or not schema.keys().isdisjoint({"type", "$ref"} | _SCHEMAS)


def _is_scalar(value: object) -> bool:
    # Not by membership, which would ask a metaclass whether it equals.
    kind = type(value)
    return kind is str or kind is bool or kind is int or kind is float
