"""Spans as OTLP/JSON has them → the checker's view.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: names in lowerCamelCase, identifiers in hexadecimal,
64-bit integers as decimal strings. Files have one document, a list of them, or one on each line.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .views import EventView, SpanView

__all__ = ["read_otlp_json", "views_of_json"]

_DEEPEST = 100
"""Levels of lists and maps in a value, as for protobuf."""
_EXPECTED = 'OTLP/JSON is {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": …}]}]}]}'


def read_otlp_json(text: str) -> list[SpanView]:
    """The spans in the text of an OTLP/JSON file.

    Args:
        text: One ``ExportTraceServiceRequest`` as OTLP/JSON, a list of them, or one on each line.

    Raises:
        ValueError: If it isn't OTLP/JSON.

    Example:
        >>> check(read_otlp_json(Path("spans.json").read_text()))
        []
    """
    return [
        view
        for document in _documents(text)
        for part in (document if isinstance(document, list) else [document])
        for view in views_of_json(part)
    ]


def views_of_json(document: object) -> Iterator[SpanView]:
    """The spans in an ``ExportTraceServiceRequest``, ``ResourceSpans``, ``ScopeSpans`` or ``Span`` as parsed JSON.

    Raises:
        ValueError: If it is none of these.
    """
    if not isinstance(document, Mapping):
        raise ValueError(f"{_EXPECTED}, and no {type(document).__name__} stands there")  # noqa: TRY004 - a file's fault
    for name in ("resourceSpans", "scopeSpans", "spans"):
        if name in document:
            for item in _list(document, name):
                yield from views_of_json(item)
            return
    if "traceId" in document:
        yield _view(document)
    elif not _is_empty(document):
        raise ValueError(f"{_EXPECTED}; what stands there has {', '.join(map(repr, list(document)[:5]))}")


def _documents(text: str) -> Iterator[Any]:
    text = text.removeprefix("\ufeff")
    try:
        yield json.loads(text)
        return
    except RecursionError:
        raise ValueError("its values are nested too deep to be read") from None
    except ValueError as error:
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        if len(lines) < 2:
            raise ValueError(f"it is no JSON: {error}") from error
    for number, line in lines:
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"it is neither one JSON document nor one on each line: line {number}: {error}") from error


def _view(span: Mapping[str, Any]) -> SpanView:
    return SpanView(
        trace_id=_text(span.get("traceId")).lower(),
        span_id=_text(span.get("spanId")).lower(),
        name=_text(span.get("name")),
        attributes=_attributes(_list(span, "attributes")),
        events=tuple(
            EventView(_text(event.get("name")), _attributes(_list(event, "attributes")))
            for event in _list(span, "events")
            if isinstance(event, Mapping)
        ),
        link_count=len(_list(span, "links")),
        dropped_attributes=_integer(span.get("droppedAttributesCount")) or 0,
    )


def _list(holder: Mapping[str, Any], name: str) -> list[Any]:
    items = holder.get(name)
    if items is None:
        return []
    if not isinstance(items, list):
        raise ValueError(f"{_EXPECTED}; {name!r} is to be a list there, not {type(items).__name__}")  # noqa: TRY004
    return items


def _is_empty(document: Mapping[str, Any]) -> bool:
    """Whether it is a request, or a resource or scope, without a span, whose empty lists JSON writers leave out."""
    return document.keys() <= {"resource", "scope", "schemaUrl", "partialSuccess"}


def _attributes(pairs: list[Any], depth: int = 0) -> dict[str, Any]:
    return {
        pair["key"]: _value(pair.get("value"), depth)
        for pair in pairs
        if isinstance(pair, Mapping) and isinstance(pair.get("key"), str)
    }


def _value(value: Any, depth: int) -> Any:
    """An attribute's value; what isn't as OTLP has it is None, which no rule takes for a value."""
    if not isinstance(value, Mapping) or depth > _DEEPEST:
        return None
    for name, read in _READERS.items():
        if name in value:
            return read(value[name], depth + 1)
    return None


def _array(content: Any, depth: int) -> Any:
    items = content.get("values", []) if isinstance(content, Mapping) else None
    return tuple(_value(item, depth) for item in items) if isinstance(items, list) else None


def _map(content: Any, depth: int) -> Any:
    pairs = content.get("values", []) if isinstance(content, Mapping) else None
    return _attributes(pairs, depth) if isinstance(pairs, list) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _integer(value: object) -> int | None:
    try:
        return int(value) if isinstance(value, (str, int)) else None
    except ValueError:
        return None


def _float(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, (str, int, float)) else None
    except (ValueError, OverflowError):
        return None


def _bytes(value: object) -> bytes | None:
    try:
        return base64.b64decode(value) if isinstance(value, str) else None
    except ValueError:
        return None


_READERS: dict[str, Callable[[Any, int], Any]] = {
    "stringValue": lambda content, _: content if isinstance(content, str) else None,
    "boolValue": lambda content, _: content if isinstance(content, bool) else None,
    "intValue": lambda content, _: _integer(content),
    "doubleValue": lambda content, _: _float(content),
    "arrayValue": _array,
    "kvlistValue": _map,
    "bytesValue": lambda content, _: _bytes(content),
}
