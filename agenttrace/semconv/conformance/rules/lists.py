"""Lists of objects are written out one attribute for each field of each object, and counted from 0 without a gap."""

from __future__ import annotations

from ..inspection import Findings, Inspection
from ..places import first_name_in
from ..values import is_hidden, shown
from ..violations import Rule

_DROPPED = "; attributes were dropped, so raise the limit of attributes for each span"


def check_lists(span: Inspection) -> Findings:
    """Flattened, zero-based, contiguous."""
    for key, value, place in span.placed:
        # A list that is hidden as a whole has one hidden value in its place.
        if place.is_list and not is_hidden(value):
            item = key if not place.leaf else f"{key}.0"
            yield span.violation(
                Rule.LIST_NOT_FLATTENED,
                key,
                f"it is {shown(value)}, which no reader of a list of objects takes apart",
                f"write each field of each object as an attribute of its own, such as {item}.{first_name_in(key)}",
            )
    hint = _DROPPED if span.view.dropped_attributes else ""
    for path, indexes in span.indexes.items():
        first, last = min(indexes), max(indexes)
        if first != 0:
            advice = f"count from 0: {path}.0{hint}"
            yield span.violation(Rule.LIST_NOT_ZERO_BASED, f"{path}.{first}", f"the list begins at {first}", advice)
        if last - first + 1 != len(indexes):
            missing = next(index for index in range(first, last) if index not in indexes)
            problem = f"the list has {len(indexes)} objects and none at {missing}, up to {last}"
            advice = f"number them one after the other{hint}"
            yield span.violation(Rule.LIST_GAP, f"{path}.{missing}", problem, advice)
