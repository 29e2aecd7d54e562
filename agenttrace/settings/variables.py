"""The variables that are agenttrace's own, and what is said of those that only look like it."""

from __future__ import annotations

import os

from agenttrace import faults
from agenttrace.destinations.mistakes import REGISTER_KEYWORDS, meant_by

__all__ = ["OWN_VARIABLES", "PREFIX", "tell_of_unknown_variables"]

PREFIX = "AGENTTRACE_"

OWN_VARIABLES = (
    "AGENTTRACE_BATCH_MB",
    "AGENTTRACE_CERTIFICATE",
    "AGENTTRACE_CLIENT_CERTIFICATE",
    "AGENTTRACE_CLIENT_KEY",
    "AGENTTRACE_COMPRESSION",
    "AGENTTRACE_DESTINATIONS",
    "AGENTTRACE_DISABLED",
    "AGENTTRACE_DURABILITY",
    "AGENTTRACE_ENDPOINT",
    "AGENTTRACE_EXPORT_INTERVAL",
    "AGENTTRACE_FLUSH_ON_ROOT",
    "AGENTTRACE_HEADERS",
    "AGENTTRACE_HOME",
    "AGENTTRACE_MAX_VALUE_BYTES",
    "AGENTTRACE_OUTBOX_DAYS",
    "AGENTTRACE_OUTBOX_MB",
    "AGENTTRACE_OVERFLOW",
    "AGENTTRACE_OVERFLOW_TIMEOUT",
    "AGENTTRACE_PROJECT_NAME",
    "AGENTTRACE_PROTOCOL",
    "AGENTTRACE_READ_BAGGAGE",
    "AGENTTRACE_SHUTDOWN_TIMEOUT",
    "AGENTTRACE_SPANS",
    "AGENTTRACE_TIMEOUT",
)
"""All that are read, wherever in the package."""

_MOST_TOLD = 5
_KEY_ADVICE = (
    'set AGENTTRACE_HEADERS="authorization=Bearer …" beside AGENTTRACE_ENDPOINT, or the key of a backend, like '
    "PHOENIX_API_KEY"
)


def tell_of_unknown_variables() -> None:
    """Warn once of variables that look like ours and aren't read, with those that were meant. No value is quoted."""
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in OWN_VARIABLES)
    if not unknown:
        return
    told = [f"{name} is no variable that is read: {_advice_on(name)}" for name in unknown[:_MOST_TOLD]]
    if len(unknown) > _MOST_TOLD:
        told.append(f"{len(unknown) - _MOST_TOLD} more aren't read either.")
    faults.warn_once(f"agenttrace: {' '.join(told)}")


def _advice_on(name: str) -> str:
    known = {own.removeprefix(PREFIX).lower(): own for own in OWN_VARIABLES}
    keyword = name.removeprefix(PREFIX).lower()
    meant = meant_by(keyword, [*known, *REGISTER_KEYWORDS])
    if meant == "api_key":
        return f"{_KEY_ADVICE}."
    if meant in known:
        return f"did you mean {known[meant]}?"
    if meant is not None:
        return f"write register({meant}=…)."
    return 'the page "Where spans go" lists all that are.'
