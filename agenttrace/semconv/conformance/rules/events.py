"""What events say of exceptions is of the type that the specification gives it."""

from __future__ import annotations

from ...vocabulary import TYPES
from ..inspection import Findings, Inspection
from ..values import is_hidden, shown
from ..violations import Rule
from .types import is_of_type, type_advice

_EXCEPTION = {name: kind for name, kind in TYPES.items() if name.startswith("exception.")}
# What OpenTelemetry's SDK for Python writes for exception.escaped, which nobody who uses it can change.
_AS_THE_SDK_WRITES = ("True", "False")


def check_events(span: Inspection) -> Findings:
    """``exception.*`` on the span's events."""
    for event in span.view.events:
        for name, kind in _EXCEPTION.items():
            value = event.attributes.get(name)
            if value is None or is_of_type(value, kind) or is_hidden(value):
                continue
            if not (isinstance(value, str) and value in _AS_THE_SDK_WRITES):
                problem = f"on the event {shown(event.name)} it is {shown(value)}, not a {kind.value}"
                yield span.violation(Rule.WRONG_TYPE, name, problem, type_advice(kind))
