"""Every span of OpenInference's says what kind of step it is."""

from __future__ import annotations

from openinference.semconv.trace import SpanAttributes

from ..inspection import KINDS, Findings, Inspection
from ..values import shown
from ..violations import Rule

_KIND = SpanAttributes.OPENINFERENCE_SPAN_KIND


def check_kind(span: Inspection) -> Findings:
    """``openinference.span.kind`` is there and is one of the specification's, in capitals."""
    if span.kind is not None:
        return
    if _KIND not in span.attributes:
        first = next((key for key, _, place in span.placed if place.is_known), None)
        problem = "there is none" if first is None else f"there is none beside {first}"
        yield span.violation(Rule.KIND_MISSING, _KIND, problem, f"set it to one of {', '.join(sorted(KINDS))}")
        return
    kind = span.attributes[_KIND]
    capitals = kind.upper() if isinstance(kind, str) else ""
    advice = f"set it to {capitals!r}" if capitals in KINDS else f"set it to one of {', '.join(sorted(KINDS))}"
    yield span.violation(Rule.KIND_INVALID, _KIND, f"it is {shown(kind)}", advice)
