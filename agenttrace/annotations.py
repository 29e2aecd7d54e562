"""``annotate()``: what a person, a model or a check thinks of a span, a trace or a session."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, SupportsFloat

from openinference.semconv.trace import OpenInferenceSpanKindValues, SpanAttributes
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from . import faults
from .context import attributes_from_context
from .current import get_current, is_suppressed
from .provider import find_source
from .semconv.masking import current_mask
from .semconv.types import Annotation
from .semconv.vocabulary import ANNOTATION_CARRIER
from .span import Span, current_span, write_attributes

__all__ = ["annotate"]

Scope = Literal["span", "trace", "session"]
Target = Span | SpanContext | tuple[str, str]

_PREFIXES: dict[str, str] = {
    "span": SpanAttributes.ANNOTATIONS,
    "trace": SpanAttributes.TRACE_ANNOTATIONS,
    "session": SpanAttributes.SESSION_ANNOTATIONS,
}
_BEYOND = 2**63  # the first number that OpenTelemetry can't send as an integer
_TEXTS = ("label", "explanation", "annotator_kind", "identifier")


def annotate(
    name: str,
    *,
    score: SupportsFloat | None = None,
    label: str | None = None,
    explanation: str | None = None,
    annotator_kind: str | None = None,
    identifier: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    scope: Scope = "span",
    target: Target | None = None,
    session_id: str | None = None,
) -> None:
    """Record a judgement: of the span that is running, or of one that has ended.

    On a span that is open it is recorded with that span. A span that has ended can't be changed, so a new one of kind
    EVALUATOR carries the annotation, with one link to the span it is about (OpenInference's post-hoc feedback). Where
    nothing is registered, or tracing is suppressed, nothing is recorded.

    Args:
        name: What is judged: ``"correctness"``, ``"helpfulness"``.
        score: The result as a number. At least one of score, label and explanation must be there.
        label: The result as a word: ``"correct"``.
        explanation: Why.
        annotator_kind: Who judges: ``"HUMAN"``, ``"LLM"``, ``"CODE"``, or a word of your own.
        identifier: Tells results of the same name and target apart, and a corrected one from a new one.
        metadata: More about the result.
        scope: What it is about: the span, its whole trace, or the session.
        target: The span it is about: a `Span`, an OpenTelemetry span context, or the two ids in hexadecimal, as
            `Span.trace_id` and `Span.span_id` give them. None for the span that is running.
        session_id: For a session: which one. None for the session in force, or the span's own.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If there is no result, no name, no span that is meant, or no session where the scope is one.

    Example:
        >>> @trace_agent
        ... def answer(question: str) -> str:
        ...     text = ask(question)
        ...     annotate("cites sources", label="yes" if "[1]" in text else "no", annotator_kind="CODE")
        ...     return text
        >>> annotate("helpful", score=1, annotator_kind="HUMAN", target=(trace_id, span_id))
    """
    annotation = _checked(
        name,
        metadata,
        score=score,
        label=label,
        explanation=explanation,
        annotator_kind=annotator_kind,
        identifier=identifier,
    )
    if scope not in _PREFIXES:
        raise ValueError(f'scope is {scope!r}: write "span", "trace" or "session"')
    meant = _meant(target)
    session = _session(session_id, meant) if scope == "session" else None
    try:
        _record(annotation, scope, meant, session)
    except BaseException as error:
        faults.contain(f"annotating {name}", error)


def _record(annotation: Annotation, scope: Scope, meant: Span | SpanContext | None, session: str | None) -> None:
    prefix = _PREFIXES[scope]
    if isinstance(meant, Span) and meant.otel_span.is_recording():
        if session is not None:
            write_attributes(meant.otel_span, {SpanAttributes.SESSION_ID: session})
        meant._append_annotation(prefix, annotation)
        return
    linked = meant.otel_span.get_span_context() if isinstance(meant, Span) else meant
    if linked is not None and not linked.is_valid:
        linked = None
    if linked is not None and not linked.trace_flags.sampled:
        return  # what it is about was never recorded
    if linked is None and session is None:
        if find_source(get_current()) is not None and not is_suppressed(get_current()):
            faults.warn_once(
                "agenttrace: annotate() outside any span records nothing: call it inside one, or name it with target=."
            )
        return
    _carry(annotation, prefix, linked, session)


def _carry(annotation: Annotation, prefix: str, linked: SpanContext | None, session: str | None) -> None:
    """Make the span that carries ``annotation`` of one that has ended."""
    context = get_current()
    source = None if is_suppressed(context) else find_source(context)
    if source is None:
        return
    attributes = {
        **attributes_from_context(context),
        SpanAttributes.OPENINFERENCE_SPAN_KIND: OpenInferenceSpanKindValues.EVALUATOR.value,
        ANNOTATION_CARRIER: True,
    }
    if session is not None:
        attributes[SpanAttributes.SESSION_ID] = session
    links = [] if linked is None else [Link(linked)]
    name = f"annotate {annotation['name']}"
    otel_span = source.start_span(name, context, SpanKind.INTERNAL, current_mask().attributes(attributes), links)
    try:
        Span(otel_span)._append_annotation(prefix, annotation)
        otel_span.set_status(Status(StatusCode.OK))
    finally:
        otel_span.end()


def _checked(name: str, metadata: object, *, score: object, **texts: object) -> Annotation:
    if not isinstance(name, str):
        raise TypeError(f"name is {type(name).__name__}: write what is judged, like 'correctness'")
    if not name:
        raise ValueError("name is empty: write what is judged, like 'correctness'")
    checked: dict[str, Any] = {"name": name}
    if score is not None:
        if isinstance(score, str) or not hasattr(type(score), "__float__"):
            raise TypeError(f"score is {type(score).__name__}: write a number, or give it as label")
        number = int(score) if isinstance(score, (bool, int)) else float(score)  # type: ignore[arg-type]
        if abs(number) < _BEYOND and math.isfinite(number):
            checked["score"] = number
    for field in _TEXTS:
        value = texts[field]
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{field} is {type(value).__name__}: write a string")
        if value:
            checked[field] = value
    if metadata is not None and not isinstance(metadata, Mapping):
        raise TypeError(f'metadata is {type(metadata).__name__}: write a mapping such as {{"rubric": 2}}')
    if metadata:
        checked["metadata"] = dict(metadata)
    if not checked.keys() & {"score", "label", "explanation"}:
        raise ValueError(
            f"the annotation {name!r} has no result: give score= (a finite number), label= or explanation="
        )
    return checked  # type: ignore[return-value]


def _meant(target: object) -> Span | SpanContext | None:
    """The span that an annotation is about; None where it is the running one and none runs."""
    if target is None:
        running = current_span()
        return running if running.otel_span.get_span_context().is_valid else None
    if isinstance(target, (Span, SpanContext)):
        return target
    if isinstance(target, (tuple, list)) and len(target) == 2 and all(isinstance(part, str) for part in target):
        return _context_of(*target)
    context = getattr(target, "get_span_context", None)  # a span of OpenTelemetry's own, ended or not
    if callable(context):
        found = context()
        if isinstance(found, SpanContext):
            return found
    raise TypeError(
        f"target is {type(target).__name__}: write a Span, an OpenTelemetry span context, or two ids in hexadecimal: "
        "target=(trace_id, span_id)"
    )


def _context_of(trace_id: str, span_id: str) -> SpanContext:
    try:
        numbers = int(trace_id, 16), int(span_id, 16)
    except ValueError:
        numbers = 0, 0
    context = SpanContext(numbers[0], numbers[1], is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    if not context.is_valid or len(trace_id) > 32 or len(span_id) > 16:
        raise ValueError(
            f"target=({trace_id!r}, {span_id!r}) names no span: write the trace's id (32 hexadecimal digits) "
            "and the span's (16), in this order"
        )
    return context


def _session(given: object, meant: Span | SpanContext | None) -> str:
    if given is not None and not isinstance(given, str):
        raise TypeError(f"session_id is {type(given).__name__}: write a string")
    own = meant._recorded(SpanAttributes.SESSION_ID) if isinstance(meant, Span) else None
    session = given or own or attributes_from_context(get_current()).get(SpanAttributes.SESSION_ID)
    if not isinstance(session, str) or not session:
        raise ValueError(
            'an annotation of a session needs its id: write session_id="…", or call it inside using_session("…")'
        )
    return session
