"""Annotations are complete, and say whom they are about."""

from __future__ import annotations

from openinference.semconv.trace import (
    AnnotationAttributes,
    EvaluationAttributes,
    OpenInferenceSpanKindValues,
    SpanAttributes,
)

from ...vocabulary import ANNOTATION_CARRIER
from ..inspection import Findings, Inspection
from ..violations import Rule

_OF_SPAN_OR_TRACE = (
    *(SpanAttributes.ANNOTATIONS, SpanAttributes.TRACE_ANNOTATIONS),
    *(SpanAttributes.EVALUATIONS, SpanAttributes.TRACE_EVALUATIONS),
)
_OF_SESSION = (SpanAttributes.SESSION_ANNOTATIONS, SpanAttributes.SESSION_EVALUATIONS)
_EVALUATOR = OpenInferenceSpanKindValues.EVALUATOR.value

_NAMES = (AnnotationAttributes.ANNOTATION_NAME, EvaluationAttributes.EVALUATION_NAME)
_RESULTS = (
    *(AnnotationAttributes.ANNOTATION_SCORE, EvaluationAttributes.EVALUATION_SCORE),
    *(AnnotationAttributes.ANNOTATION_LABEL, EvaluationAttributes.EVALUATION_LABEL),
    *(AnnotationAttributes.ANNOTATION_EXPLANATION, EvaluationAttributes.EVALUATION_EXPLANATION),
)


def check_annotations(span: Inspection) -> Findings:
    """Each has a name and a result; what is about a session names it."""
    for item in span.items_of(*_OF_SPAN_OR_TRACE, *_OF_SESSION):
        is_annotation = item.list_name.endswith(SpanAttributes.ANNOTATIONS)
        if not any(item.has(name) for name in _NAMES):
            name = _NAMES[0 if is_annotation else 1]
            advice = "record the criterion that was judged, such as correctness"
            yield span.violation(Rule.ANNOTATION_NAME_MISSING, f"{item.prefix}.{name}", "it has no name", advice)
        if not any(item.has(name) for name in _RESULTS):
            name = _RESULTS[0 if is_annotation else 1]
            problem, advice = "it has no result", "record a score, a label or an explanation, or no annotation"
            yield span.violation(Rule.ANNOTATION_RESULT_MISSING, f"{item.prefix}.{name}", problem, advice)
    about_session = next(span.items_of(*_OF_SESSION), None)
    if about_session is not None and not span.has(SpanAttributes.SESSION_ID):
        problem = f"there is none, and {about_session.list_name} is about the session of that id"
        advice = "set the id of the session, as using_session() does"
        yield span.violation(Rule.SESSION_ID_MISSING, SpanAttributes.SESSION_ID, problem, advice)


def check_carrier(span: Inspection) -> Findings:
    """A span that carries another one's annotation links to that one, and to no other.

    Only an evaluator's span that says so is known to be a carrier without a link: with none, it may have been annotated
    itself.
    """
    links = span.view.link_count
    is_carrier = span.attributes.get(ANNOTATION_CARRIER) is True or (span.kind == _EVALUATOR and links > 0)
    feedback = next(span.items_of(*_OF_SPAN_OR_TRACE), None)
    if is_carrier and feedback is not None and links != 1:
        problem = f"the span carries it for another span and has {'no link' if not links else f'{links} links'}"
        advice = "give it exactly one link, to the span that is judged, and each judged span a carrier of its own"
        yield span.violation(Rule.CARRIER_LINKS, feedback.list_name, problem, advice)
