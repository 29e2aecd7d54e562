"""Under the beginnings that the specification reserves stand its own names only."""

from __future__ import annotations

from ..inspection import Findings, Inspection
from ..places import nearest_name
from ..violations import Rule


def check_names(span: Inspection) -> Findings:
    """No unknown name where a reader looks for known ones."""
    for key, _, place in span.placed:
        if place.is_known:
            continue
        nearest = nearest_name(key)
        meant = "" if nearest is None else f"{nearest} may be what is meant; "
        advice = f"{meant}what is your own goes into metadata or under a first word of your own"
        yield span.violation(Rule.UNKNOWN_ATTRIBUTE, key, "OpenInference has no attribute of this name", advice)
