"""Session and user in W3C baggage: into it where a block says ``propagate=True``, out of it where a span starts.

Nothing on the wire is of this project's making: OpenTelemetry's propagators write and read the header ``baggage``, and
the entries have the attributes' own names, ``session.id`` and ``user.id``, which other libraries go by as well.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from openinference.semconv.trace import SpanAttributes
from opentelemetry.baggage import set_baggage

from . import faults
from .current import Context

__all__ = ["BAGGAGE_KEY", "PROPAGATED", "add_to_baggage", "attributes_from_baggage"]

PROPAGATED = (SpanAttributes.SESSION_ID, SpanAttributes.USER_ID)
"""What may travel. Metadata and tags have no form that other libraries would read, and may be large and private."""

# The context that holds baggage and nothing else tells the key under which OpenTelemetry keeps it, without reaching for
# its private name.
[BAGGAGE_KEY] = set_baggage("name", "value", Context())

_VARIABLE = "AGENTTRACE_READ_BAGGAGE"
_TRUE = {"", "1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}

# The sizes that W3C lets every receiver count on.
_MOST_ENTRIES = 180
_LONGEST_ENTRY = 4096
_LONGEST_HEADER = 8192


def add_to_baggage(context: Context, entries: Mapping[str, str]) -> dict[str, object]:
    """What ``context`` is to hold in addition for ``entries`` to be in its baggage.

    An entry that W3C's limits leave no room for is left out, with a warning: receivers drop a header that is too long
    as a whole, and with it what the program itself put there.

    Args:
        context: The context; its own baggage stays as it is.
        entries: Names out of `PROPAGATED` and their values.

    Returns:
        The value of one context key; nothing where that failed.
    """
    try:
        baggage = _baggage_of(context)
        for name, value in entries.items():
            baggage = _with_entry(baggage, name, value)
        return {BAGGAGE_KEY: baggage}
    except BaseException as error:  # the program may have put any object into its baggage
        faults.contain("propagating session and user", error)
        return {}


def attributes_from_baggage(context: Context) -> dict[str, Any]:
    """Session and user in the baggage of ``context``, as the attributes that a span starting in it carries.

    Anybody who can send this program a request can write its baggage, so only these two are read, as texts of a bounded
    length, and not at all with ``AGENTTRACE_READ_BAGGAGE=false``.
    """
    baggage = _baggage_of(context)
    found: dict[str, Any] = {}
    for name in PROPAGATED:
        value = baggage.get(name)
        if type(value) is str and 0 < len(value) <= _LONGEST_ENTRY:
            found[name] = value
    return found if found and _may_read() else {}


def _with_entry(baggage: Mapping[str, object], name: str, value: str) -> Mapping[str, object]:
    others = {key: present for key, present in baggage.items() if key != name}
    # A lone surrogate would make OpenTelemetry's propagator raise in the middle of the program's own request.
    text = str.encode(value, "utf-8", "backslashreplace").decode("utf-8")
    if _has_room(others, name, text):
        return {**others, name: text}
    faults.warn_once(
        f"agenttrace: {name} is not propagated: with it, the baggage would be longer than the 4096 bytes an entry, or "
        "8192 bytes and 180 entries in all, that receivers take. Use a shorter one."
    )
    return others  # without that of the block around this one, too, which would be wrong


def _baggage_of(context: Context) -> Mapping[str, object]:
    baggage = context.get(BAGGAGE_KEY)
    return baggage if isinstance(baggage, dict) else {}


def _has_room(others: Mapping[str, object], name: str, value: str) -> bool:
    entry = _encoded_length(name, value)
    total = entry + sum(1 + _encoded_length(key, present) for key, present in others.items())
    return entry <= _LONGEST_ENTRY and total <= _LONGEST_HEADER and len(others) < _MOST_ENTRIES


def _encoded_length(name: str, value: object) -> int:
    """Bytes of one entry as OpenTelemetry's propagator writes it."""
    from urllib.parse import quote_plus

    return len(quote_plus(name, errors="replace")) + 1 + len(quote_plus(str(value), errors="replace"))


def _may_read() -> bool:
    word = os.environ.get(_VARIABLE, "").strip().lower()
    if word not in _TRUE and word not in _FALSE:
        faults.warn_once(
            f"agenttrace: {_VARIABLE} is {word[:20]!r}, which is neither true nor false: baggage isn't read. "
            "Set it to true, or leave it out, to have session and user read."
        )
    return word in _TRUE
