"""The checker: does a trace say what the OpenInference specification says it should?

It reads spans of OpenTelemetry's SDK, OTLP data and the records of the local store, and changes none of them.
"""

from __future__ import annotations

from .inspection import Inspection
from .otlp_json import read_otlp_json
from .reporting import report
from .rules import RULES
from .views import EventView, SpanView, views_of
from .violations import Rule, Severity, SpanReference, Violation

__all__ = [
    "EventView",
    "Rule",
    "Severity",
    "SpanReference",
    "SpanView",
    "Violation",
    "check",
    "is_openinference",
    "read_otlp_json",
    "report",
    "views_of",
]


def check(spans: object) -> list[Violation]:
    """Hold spans to the OpenInference specification.

    Spans of other libraries (HTTP clients, databases), which have neither a kind nor another reserved attribute of
    OpenInference's, are passed over.

    Args:
        spans: A span of OpenTelemetry's SDK, a record of the local store, OTLP/JSON as `json.loads` gives it, an
            ``ExportTraceServiceRequest`` or ``ResourceSpans`` of OTLP's protobuf, or an iterable of any of these.

    Returns:
        What is wrong or doubtful, in the order of the spans; empty where nothing is.

    Raises:
        TypeError: If ``spans`` is something else.
        ValueError: If it is JSON and not OTLP's.

    Example:
        >>> with capture_spans() as spans:
        ...     plan("a question")
        >>> assert not [violation for violation in check(spans) if violation.is_error]
    """
    violations: list[Violation] = []
    for view in views_of(spans):
        span = Inspection(view)
        if span.is_openinference:
            for rule in RULES:
                violations.extend(rule(span))
    return violations


def is_openinference(span: SpanView) -> bool:
    """Whether ``span`` is one that `check` looks at: it has a kind or another reserved attribute of OpenInference's.

    Session, user, metadata, tags and the prompt's template don't count, which every span of a run may carry.
    """
    return Inspection(span).is_openinference
