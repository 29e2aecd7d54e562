"""What ``Annotated[...]`` and pydantic's ``Field`` add to a type: a description, examples, bounds.

Read by the names of attributes and not by type, so that pydantic, annotated-types, msgspec and typing_extensions.Doc
all count and none is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from .values import plain_text, plain_value

_NUMBER_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}
_LENGTHS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}
_MAX_ITEMS = 50


def read_attribute(item: object, name: str) -> object:
    """The attribute ``name`` of ``item``, or None when it has none or reading it raises."""
    try:
        return getattr(item, name, None)
    except Exception:  # an object of the user's that refuses says nothing about the type
        return None


def description_of(metadata: Iterable[object]) -> str | None:
    """The first description in ``metadata``: a text, or the text that an object carries as one."""
    for item in metadata:
        candidates = (item, read_attribute(item, "documentation"), read_attribute(item, "description"))
        for text in candidates:
            if issubclass(type(text), str) and text:
                return plain_text(text)  # type: ignore[arg-type]  # issubclass tells mypy nothing of `text`
    return None


def apply_metadata(schema: dict[str, Any], metadata: Iterable[object]) -> None:
    """Add to ``schema`` what ``metadata`` says; what does not fit its type is left out."""
    items = list(_flatten(metadata))
    for item in items:
        if issubclass(type(item), str):
            continue
        for part in (schema, *_alternatives(schema)):
            _apply_bounds(part, item)
        examples = read_attribute(item, "examples")
        if type(examples) is list:
            _set_plain(schema, "examples", examples)
    description = description_of(items)
    if description is not None:
        schema["description"] = description


def is_field(value: object) -> bool:
    """Whether ``value`` is what pydantic's ``Field(...)`` returns, as it stands for a parameter's default."""
    fields = sys.modules.get("pydantic.fields")
    field_info = getattr(fields, "FieldInfo", None)
    return isinstance(field_info, type) and issubclass(type(value), field_info)


def _flatten(metadata: Iterable[object]) -> Iterator[object]:
    for count, item in enumerate(metadata):
        if count >= _MAX_ITEMS:
            return
        yield item
        # pydantic's Field keeps its bounds in a list of its own.
        inner = None if issubclass(type(item), str) else read_attribute(item, "metadata")
        if type(inner) is list:
            yield from inner[:_MAX_ITEMS]


def _alternatives(schema: dict[str, Any]) -> list[dict[str, Any]]:
    alternatives = schema.get("anyOf")
    return alternatives if isinstance(alternatives, list) else []


def _apply_bounds(schema: dict[str, Any], item: object) -> None:
    kind = schema.get("type")
    if kind in ("integer", "number"):
        for name, keyword in _NUMBER_BOUNDS.items():
            bound = read_attribute(item, name)
            if type(bound) in (int, float) and (name != "multiple_of" or bound > 0):  # type: ignore[operator]  # a number
                _set_plain(schema, keyword, bound)
    elif isinstance(kind, str) and kind in _LENGTHS:
        for name, keyword in zip(("min_length", "max_length"), _LENGTHS[kind], strict=True):
            length = read_attribute(item, name)
            if type(length) is int and length >= 0:
                _set_plain(schema, keyword, length)
        pattern = read_attribute(item, "pattern")
        text = pattern if type(pattern) is str else read_attribute(pattern, "pattern")
        if kind == "string" and type(text) is str:
            _set_plain(schema, "pattern", text)


def _set_plain(schema: dict[str, Any], keyword: str, value: object) -> None:
    try:
        schema[keyword] = plain_value(value)
    except ValueError:  # NaN, infinity, a thousand digits: no bound is better than a wrong one
        return
