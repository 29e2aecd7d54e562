"""Annotations for Phoenix, which keeps them apart from spans and doesn't read ``annotations.*`` attributes.

After Phoenix has taken a batch over HTTP, the annotations in it are posted to its annotations API at the same place.
Sending one again overwrites it, so a batch that is sent twice does no harm.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from openinference.semconv.trace import AnnotationAttributes, OpenInferenceAnnotatorKindValues, SpanAttributes

from agenttrace import faults

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["JsonPoster", "annotations_in", "post_annotations"]

VERSION_HEADER = "x-phoenix-server-version"
"""What every answer of Phoenix has among its headers, and no other server's."""

Item = dict[str, Any]

_TIMEOUT_SECONDS = 1.0
_RESERVED_NAME = "note"  # Phoenix refuses a whole request with it
_KINDS = frozenset(kind.value for kind in OpenInferenceAnnotatorKindValues)
_OTHER_KIND = OpenInferenceAnnotatorKindValues.CODE.value
_RESULT = {
    "label": AnnotationAttributes.ANNOTATION_LABEL,
    "score": AnnotationAttributes.ANNOTATION_SCORE,
    "explanation": AnnotationAttributes.ANNOTATION_EXPLANATION,
}
_PATHS = {
    SpanAttributes.ANNOTATIONS: "/v1/span_annotations",
    SpanAttributes.TRACE_ANNOTATIONS: "/v1/trace_annotations",
    SpanAttributes.SESSION_ANNOTATIONS: "/v1/session_annotations",
}


class JsonPoster(Protocol):
    """Posts JSON to the server that the spans went to."""

    def post_json(self, path: str, value: object, timeout: float) -> int | None:
        """The HTTP status of the answer; None where there was none."""


def post_annotations(poster: JsonPoster, name: str, spans: Sequence[ReadableSpan]) -> bool:
    """Give Phoenix the annotations that ``spans``, which it has taken, carry. What it refuses is warned of once.

    Args:
        poster: The connection that the spans went over.
        name: Where they went, for messages.
        spans: The spans.

    Returns:
        False where the server didn't answer, and had better not be asked again soon.
    """
    for path, items in annotations_in(spans).items():
        status = poster.post_json(path, {"data": items}, _TIMEOUT_SECONDS)
        if status is None or not 200 <= status < 300:
            problem = "no answer" if status is None else f"HTTP {status}"
            faults.warn_once(
                f"agenttrace: {name} took the spans but not the annotations on them ({problem}); they are there as "
                "attributes. Further ones are not warned of."
            )
        if status is None:
            return False  # spans wait behind this: a server that doesn't answer isn't asked for each kind
    return True


def annotations_in(spans: Sequence[ReadableSpan]) -> dict[str, list[Item]]:
    """What ``spans`` say of themselves, or as carriers of the span they link to, by the path to post it to."""
    requests: dict[str, list[Item]] = {}
    for span in spans:
        attributes = span.attributes or {}
        for prefix, path in _PATHS.items():
            # Most spans have none, and asking for the first is the cheapest way to know.
            if f"{prefix}.0.{AnnotationAttributes.ANNOTATION_NAME}" in attributes:
                target = _target(prefix, span, attributes)
                items = [] if target is None else [{**target, **item} for item in _items(prefix, attributes)]
                if items:
                    requests.setdefault(path, []).extend(items)
    return requests


def _target(prefix: str, span: ReadableSpan, attributes: Mapping[str, Any]) -> Item | None:
    if prefix == SpanAttributes.SESSION_ANNOTATIONS:
        session = attributes.get(SpanAttributes.SESSION_ID)
        return {"session_id": session} if isinstance(session, str) and session else None
    context = span.links[0].context if len(span.links) == 1 and _is_carrier(attributes) else span.get_span_context()
    if context is None:
        return None
    if prefix == SpanAttributes.TRACE_ANNOTATIONS:
        return {"trace_id": f"{context.trace_id:032x}"}
    return {"span_id": f"{context.span_id:016x}"}


def _is_carrier(attributes: Mapping[str, Any]) -> bool:
    # OpenInference: feedback on an evaluator's span with a link describes the span that is linked, not the evaluator.
    return attributes.get(SpanAttributes.OPENINFERENCE_SPAN_KIND) == "EVALUATOR"


def _items(prefix: str, attributes: Mapping[str, Any]) -> list[Item]:
    items: list[Item] = []
    index = 0
    while (name := attributes.get(f"{prefix}.{index}.{AnnotationAttributes.ANNOTATION_NAME}")) is not None:
        start = f"{prefix}.{index}."
        index += 1
        if not isinstance(name, str) or name == _RESERVED_NAME:
            continue
        kind = attributes.get(start + AnnotationAttributes.ANNOTATION_ANNOTATOR_KIND)
        item: Item = {
            "name": name,
            "annotator_kind": kind if kind in _KINDS else _OTHER_KIND,
            "result": {
                field: value for field, key in _RESULT.items() if (value := attributes.get(start + key)) is not None
            },
        }
        metadata = _metadata(attributes.get(start + AnnotationAttributes.ANNOTATION_METADATA))
        if kind not in _KINDS and isinstance(kind, str):
            metadata = {**metadata, "annotator_kind": kind}
        if metadata:
            item["metadata"] = metadata
        identifier = attributes.get(start + AnnotationAttributes.ANNOTATION_IDENTIFIER)
        if isinstance(identifier, str):
            item["identifier"] = identifier
        items.append(item)
    return items


def _metadata(text: object) -> Item:
    try:
        loaded = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}
