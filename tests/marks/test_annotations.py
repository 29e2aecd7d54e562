"""`annotate`: inline on the open span, on a carrier for one that has ended, and what it refuses."""

from __future__ import annotations

import math
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, TraceFlags

from agenttrace import (
    Span,
    annotate,
    current_span,
    suppress_tracing,
    trace_agent,
    trace_step,
    using_session,
)

from .conftest import LogCatcher, Spans

KIND = {"openinference.span.kind": "CHAIN"}


def feedback(span: ReadableSpan) -> dict[str, Any]:
    """The annotations on ``span``."""
    return {key: value for key, value in (span.attributes or {}).items() if "annotations." in key}


def test_an_annotation_of_the_open_span_is_on_that_span(spans: Spans) -> None:
    """Inline, every field is recorded under ``annotations.0``, and no other span is made."""

    @trace_agent
    def agent() -> None:
        annotate(
            "correctness",
            score=0.5,
            label="partly",
            explanation="One of two.",
            annotator_kind="CODE",
            identifier="judge-2",
            metadata={"rubric": 2},
        )

    agent()
    assert feedback(spans.only()) == {
        "annotations.0.annotation.name": "correctness",
        "annotations.0.annotation.score": 0.5,
        "annotations.0.annotation.label": "partly",
        "annotations.0.annotation.explanation": "One of two.",
        "annotations.0.annotation.annotator_kind": "CODE",
        "annotations.0.annotation.identifier": "judge-2",
        "annotations.0.annotation.metadata": '{"rubric":2}',
    }
    assert spans.only().links == ()


def test_several_annotations_are_numbered(spans: Spans) -> None:
    """Each scope's list counts from zero without gaps, on spans of marks and of other libraries."""
    for open_span in (
        lambda: trace_step("ours"),
        lambda: spans.tracer.start_as_current_span("theirs", attributes=KIND),
    ):
        with using_session("s1"), open_span():
            annotate("a", score=1)
            annotate("b", label="yes")
            annotate("c", score=True, scope="trace")
            annotate("d", label="fine", scope="session")
    for span in spans.all():
        assert feedback(span) == {
            "annotations.0.annotation.name": "a",
            "annotations.0.annotation.score": 1,
            "annotations.1.annotation.name": "b",
            "annotations.1.annotation.label": "yes",
            "trace.annotations.0.annotation.name": "c",
            "trace.annotations.0.annotation.score": 1,
            "session.annotations.0.annotation.name": "d",
            "session.annotations.0.annotation.label": "fine",
        }
        assert (span.attributes or {})["session.id"] == "s1"


@pytest.mark.parametrize("form", ["span", "span context", "ids", "sdk span"])
@pytest.mark.parametrize("scope", ["span", "trace"])
def test_an_ended_span_is_annotated_by_a_carrier_with_one_link(form: str, scope: Any, spans: Spans) -> None:
    """The carrier is an EVALUATOR span of its own trace with exactly one link, to the span that is meant."""
    with trace_step("judged") as span:
        pass
    judged = spans.only("judged")
    assert judged.context is not None
    target: Any = {
        "span": span,
        "span context": judged.context,
        "ids": (span.trace_id, span.span_id),
        "sdk span": span.otel_span,
    }[form]
    annotate("helpful", score=1, annotator_kind="HUMAN", target=target, scope=scope)
    carrier = spans.only("annotate helpful")
    prefix = "annotations" if scope == "span" else "trace.annotations"
    assert dict(carrier.attributes or {}) == {
        "openinference.span.kind": "EVALUATOR",
        "agenttrace.annotation.carrier": True,
        f"{prefix}.0.annotation.name": "helpful",
        f"{prefix}.0.annotation.score": 1,
        f"{prefix}.0.annotation.annotator_kind": "HUMAN",
    }
    assert [(link.context.trace_id, link.context.span_id) for link in carrier.links] == [
        (judged.context.trace_id, judged.context.span_id)
    ]
    assert carrier.parent is None
    assert carrier.status.is_ok


def test_a_target_that_is_still_open_is_annotated_itself(spans: Spans) -> None:
    """From inside a step, the agent's span is reached by its handle, without a carrier."""

    @trace_agent
    def agent() -> None:
        handle = current_span()
        with trace_step("step"):
            annotate("planned", label="yes", target=handle)

    agent()
    assert feedback(spans.only("agent")) == {
        "annotations.0.annotation.name": "planned",
        "annotations.0.annotation.label": "yes",
    }
    assert spans.names() == ["step", "agent"]


def test_a_session_is_annotated_without_any_span(spans: Spans) -> None:
    """A session's judgement, made after all is over, is carried with the session's id and without a link."""
    annotate("coherent", label="yes", scope="session", session_id="s7")
    with using_session("s8"):
        annotate("coherent", label="no", scope="session")
    assert [(span.attributes or {})["session.id"] for span in spans.all()] == ["s7", "s8"]
    assert [span.links for span in spans.all()] == [(), ()]
    assert all("session.annotations.0.annotation.name" in (span.attributes or {}) for span in spans.all())


def test_a_session_that_nobody_named_is_an_error() -> None:
    """Session scope without a session's id is a ValueError that says how to name one."""
    with pytest.raises(ValueError, match=r"write session_id="):
        annotate("coherent", label="yes", scope="session")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "has no result"),
        ({"score": math.nan}, ValueError, "has no result"),
        ({"label": ""}, ValueError, "has no result"),
        ({"metadata": {"a": 1}}, ValueError, "has no result"),
        ({"score": "0.5"}, TypeError, "score is str"),
        ({"label": 1}, TypeError, "label is int"),
        ({"score": 1, "metadata": [1]}, TypeError, "metadata is list"),
        ({"score": 1, "scope": "document"}, ValueError, "scope is 'document'"),
        ({"score": 1, "target": 7}, TypeError, "target is int"),
        ({"score": 1, "target": ("x", "y")}, ValueError, "names no span"),
        ({"score": 1, "target": ("0" * 32, "0" * 16)}, ValueError, "names no span"),
        ({"score": 1, "target": ("1" * 16, "1" * 32)}, ValueError, "names no span"),
        ({"score": 1, "scope": "session", "session_id": 5}, TypeError, "session_id is int"),
    ],
    ids=str,
)
def test_a_mistake_is_said_at_once(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    """What can't be an annotation is refused, with what to write, whether or not anything is recorded."""
    with pytest.raises(error, match=message):
        annotate("x", **arguments)


def test_a_name_is_a_text_that_is_not_empty() -> None:
    """An annotation is of something."""
    with pytest.raises(ValueError, match="name is empty"):
        annotate("", score=1)
    with pytest.raises(TypeError, match="name is int"):
        annotate(5, score=1)  # type: ignore[arg-type]


def test_nothing_is_recorded_where_nothing_is_traced(spans: Spans, log: LogCatcher) -> None:
    """Suppressed, about a span that was sampled out, or outside any span: no carrier is made."""
    unsampled = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(TraceFlags.DEFAULT))
    with suppress_tracing():
        annotate("x", score=1)
        annotate("x", score=1, target=("1" * 32, "2" * 16))
    annotate("x", score=1, target=unsampled)
    assert spans.all() == []
    annotate("x", score=1)
    assert spans.all() == []
    log.expect("annotate() outside any span records nothing")


def test_a_numpy_score_is_a_number(spans: Spans) -> None:
    """What evaluation libraries return as a number is one."""
    import numpy as np

    with trace_step("step"):
        annotate("x", score=np.float32(0.5))
    assert feedback(spans.only())["annotations.0.annotation.score"] == 0.5


def test_a_handle_of_no_span_is_no_target(spans: Spans, log: LogCatcher) -> None:
    """What `current_span` gives outside any span names none, so that nothing is recorded of it."""
    handle = current_span()
    assert isinstance(handle, Span)
    annotate("x", score=1, target=handle)
    assert spans.all() == []
    log.expect("annotate() outside any span records nothing")
