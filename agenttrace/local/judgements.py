"""Annotations in a line each: those on a span itself, and those that carriers have of it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from openinference.semconv.trace import AnnotationAttributes, SpanAttributes

from .carriers import is_carrier, judged_by
from .documents import jsonable
from .flattened import items_of
from .text import one_line, safe_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .records import SpanRecord

_SCOPES = {
    SpanAttributes.ANNOTATIONS: "",
    SpanAttributes.TRACE_ANNOTATIONS: " (trace)",
    SpanAttributes.SESSION_ANNOTATIONS: " (session)",
}


class Judgements:
    """What is thought of the spans of a trace.

    Args:
        spans: All spans of the trace, at least one, in the order they started.
        carriers: The spans of other traces that carry annotations of these.
    """

    def __init__(self, spans: Sequence[SpanRecord], carriers: Sequence[SpanRecord] = ()) -> None:
        self._trace_id = spans[0].trace_id
        self._carried: dict[str, list[str]] = defaultdict(list)
        present = {span.span_id for span in spans}
        root = next((span for span in spans if span.parent_id not in present), spans[0]).span_id
        for carrier in (*filter(self._is_about_this, spans), *carriers):
            link = judged_by(carrier)
            self._carried[link.span_id if link and link.span_id in present else root].extend(judgement_texts(carrier))

    def carried(self, span: SpanRecord) -> Sequence[str]:
        """What carriers say of ``span``. What they say of a span that isn't there, or of a session, is the root's."""
        return self._carried.get(span.span_id, ())

    def given(self, span: SpanRecord) -> tuple[str, Sequence[str]]:
        """The annotations on ``span`` itself: ``judged``, or on a carrier ``judges``, and what they say."""
        texts = judgement_texts(span)
        if not is_carrier(span):
            return "judged", texts
        link = judged_by(span)
        if link is not None:
            place = "" if link.trace_id == self._trace_id else f" of trace {link.trace_id}"
            texts = [f"{text}  (span {link.span_id}{place})" for text in texts]
        return "judges", texts

    def _is_about_this(self, span: SpanRecord) -> bool:
        link = judged_by(span)
        return is_carrier(span) and link is not None and link.trace_id == self._trace_id


def judgement_texts(span: SpanRecord) -> list[str]:
    """The annotations among ``span``'s attributes, as ``helpful: 0 thumbs-down, HUMAN: wrong``.

    That is the name, the score and the label, who judged, and why, as far as they are there.
    """
    items = ((item, scope) for prefix, scope in _SCOPES.items() for item in items_of(span.attributes, prefix))
    return [text for text in (_text(item, scope) for item, scope in items) if text]


def _text(item: Mapping[str, Any], scope: str) -> str:
    name, score, label, kind, explanation = (
        _word(item.get(key))
        for key in (
            AnnotationAttributes.ANNOTATION_NAME,
            AnnotationAttributes.ANNOTATION_SCORE,
            AnnotationAttributes.ANNOTATION_LABEL,
            AnnotationAttributes.ANNOTATION_ANNOTATOR_KIND,
            AnnotationAttributes.ANNOTATION_EXPLANATION,
        )
    )
    result = " ".join(part for part in (score, label) if part)
    judged = ", ".join(part for part in (result, kind) if part)
    return ": ".join(part for part in (f"{name}{scope}".strip(), judged, explanation) if part)


def _word(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return one_line(value if isinstance(value, str) else safe_json(jsonable(value))) if value is not None else ""
