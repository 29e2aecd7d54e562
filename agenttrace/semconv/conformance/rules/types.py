"""Each reserved attribute is of the type that the specification gives it, and JSON in it is JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openinference.semconv.trace import (
    AnnotationAttributes,
    DocumentAttributes,
    EvaluationAttributes,
    SpanAttributes,
    ToolAttributes,
)

from ...vocabulary import ValueType
from ..inspection import Findings, Inspection
from ..values import is_hidden, is_json_object, json_fault, shown
from ..violations import Rule

__all__ = ["check_types", "is_of_type", "type_advice"]

_OBJECTS = frozenset(
    {
        *(SpanAttributes.METADATA, SpanAttributes.LLM_INVOCATION_PARAMETERS, SpanAttributes.TOOL_PARAMETERS),
        *(SpanAttributes.EMBEDDING_INVOCATION_PARAMETERS, ToolAttributes.TOOL_JSON_SCHEMA),
        *(AnnotationAttributes.ANNOTATION_METADATA, EvaluationAttributes.EVALUATION_METADATA),
        DocumentAttributes.DOCUMENT_METADATA,
    }
)
"""Those whose JSON is to be an object."""


def check_types(span: Inspection) -> Findings:
    """Types, JSON, and JSON objects."""
    for key, value, place in span.placed:
        kind = place.type
        if kind is None or key == SpanAttributes.OPENINFERENCE_SPAN_KIND or is_hidden(value):
            continue
        if not is_of_type(value, kind):
            problem = f"it is {shown(value)}, not {_article(kind)} {kind.value}"
            yield span.violation(Rule.WRONG_TYPE, key, problem, type_advice(kind))
        elif kind is ValueType.JSON:
            yield from _check_json(span, key, value, is_object=place.leaf in _OBJECTS)


def is_of_type(value: Any, kind: ValueType) -> bool:
    """Whether ``value`` is what an attribute of this type holds."""
    return _FITS[kind](value)


def type_advice(kind: ValueType) -> str:
    """How to write a value of this type in Python."""
    return _ADVICE[kind]


def _check_json(span: Inspection, key: str, value: str, *, is_object: bool) -> Findings:
    fault = json_fault(value)
    if fault is not None:
        advice = "record json.dumps(value); cut values shorter than the JSON is written, not the JSON itself"
        yield span.violation(Rule.JSON_INVALID, key, f"{shown(value)} is no JSON ({fault})", advice)
    elif is_object and not is_json_object(value):
        yield span.violation(
            Rule.JSON_NOT_OBJECT, key, f"its JSON {shown(value)} is no object", "record json.dumps() of a mapping"
        )


def _article(kind: ValueType) -> str:
    return "an" if kind is ValueType.INTEGER or kind is ValueType.NUMBER else "a"


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_float(value: Any) -> bool:
    return isinstance(value, float)


def _is_list_of(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, (list, tuple)) and all(isinstance(item, kind) for item in value)


_FITS: dict[ValueType, Callable[[Any], bool]] = {
    ValueType.STRING: _is_text,
    ValueType.JSON: _is_text,
    ValueType.INTEGER: _is_integer,
    ValueType.FLOAT: _is_float,
    ValueType.NUMBER: lambda value: _is_integer(value) or _is_float(value),
    ValueType.BOOLEAN: lambda value: isinstance(value, bool),
    ValueType.STRINGS: _is_list_of(str),
    ValueType.FLOATS: _is_list_of(float),
    ValueType.IDENTIFIER: lambda value: _is_text(value) or _is_integer(value),
}
_ADVICE = {
    ValueType.STRING: "record str(value)",
    ValueType.JSON: "record json.dumps(value)",
    ValueType.INTEGER: "record int(value)",
    ValueType.FLOAT: "record float(value)",
    ValueType.NUMBER: "record a number: int(value) or float(value)",
    ValueType.BOOLEAN: "record True or False",
    ValueType.STRINGS: "record [str(item) for item in value]",
    ValueType.FLOATS: "record [float(item) for item in value]",
    ValueType.IDENTIFIER: "record str(value)",
}
