"""What is so large that receivers refuse it, and what was lost to limits already."""

from __future__ import annotations

from ..inspection import Findings, Inspection
from ..values import size_of
from ..violations import Rule

_MIB = 2**20
LARGEST_ATTRIBUTE = _MIB
"""Bytes; beyond it, readers take long to show a span."""
LARGEST_SPAN = 3_500_000
"""Bytes; gRPC refuses messages beyond 4 MiB where nothing else is set, and a resource stands beside the span."""
MOST_ATTRIBUTES = 10_000
"""As many as agenttrace's own provider keeps."""


def check_sizes(span: Inspection) -> Findings:
    """Bytes and numbers of attributes."""
    total = 0
    for key, value in span.attributes.items():
        size = size_of(value)
        total += size + len(key)
        if size > LARGEST_ATTRIBUTE:
            problem = f"it has {size / _MIB:.1f} MiB"
            advice = "record a shorter text, or where the data is to be found (AGENTTRACE_MAX_VALUE_BYTES sets a limit)"
            yield span.violation(Rule.ATTRIBUTE_LARGE, key, problem, advice)
    if total > LARGEST_SPAN:
        problem = f"the span's attributes have {total / 1_000_000:.1f} MB, near the 4 MiB that many receivers refuse"
        yield span.violation(Rule.SPAN_LARGE, "*", problem, "record less on one span")
    count = len(span.attributes)
    if count > MOST_ATTRIBUTES:
        problem = f"the span has {count:,} attributes, more than the {MOST_ATTRIBUTES:,} that agenttrace keeps"
        yield span.violation(Rule.ATTRIBUTES_MANY, "*", problem, "record less on one span")
    dropped = span.view.dropped_attributes
    if dropped > 0:
        problem = f"{dropped:,} of the span's attributes were dropped by the limit of its provider"
        advice = f"raise the limit (OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT={MOST_ATTRIBUTES})"
        yield span.violation(Rule.ATTRIBUTES_DROPPED, "*", problem, advice)
