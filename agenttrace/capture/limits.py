"""How large one recorded value may get: read once from the environment, then a constant."""

from __future__ import annotations

import os
import sys

from .. import faults

VARIABLE = "AGENTTRACE_MAX_VALUE_BYTES"
LENGTH_VARIABLES = ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT")
"""By these the SDK cuts texts, after so many characters."""
DEFAULT_MAX_VALUE_BYTES = 1_048_576
SMALLEST_MAX_VALUE_BYTES = 64
"""Below this not even the mark that says what was cut would fit."""

cached: int = 0
"""What :func:`max_value_bytes` found, 0 before its first call. Read it directly only where a call is too slow."""


def max_value_bytes() -> int:
    """The most bytes of UTF-8 that one recorded value may take.

    Returns:
        The number in ``AGENTTRACE_MAX_VALUE_BYTES``, read at the first call; 1,048,576 (1 MiB) where that is unset, no
        whole number, or below 64, the latter two with one warning. Where ``OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`` or
        ``OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT`` (OpenTelemetry's attribute limits, in characters) is a smaller whole
        number of 64 or more, that: a text of so many bytes has no more characters, so that the SDK never cuts the JSON
        in the middle. Below 64 they are not heeded, and the SDK cuts.

    Example:
        >>> max_value_bytes()
        1048576
    """
    global cached
    if not cached:
        cached = min(_own_limit(), *(_length_limit(variable) for variable in LENGTH_VARIABLES))
    return cached


def reread_limits() -> None:
    """Forget what was read, so that the next value reads the environment again (for tests)."""
    global cached
    cached = 0


def _own_limit() -> int:
    setting = os.environ.get(VARIABLE, "").strip()
    if not setting:
        return DEFAULT_MAX_VALUE_BYTES
    limit = _whole_number(setting)
    if limit >= SMALLEST_MAX_VALUE_BYTES:
        return limit
    faults.warn_once(
        f"agenttrace: {VARIABLE} must be a whole number of bytes, {SMALLEST_MAX_VALUE_BYTES} or more, "
        f"for example {VARIABLE}={DEFAULT_MAX_VALUE_BYTES}; using {DEFAULT_MAX_VALUE_BYTES}"
    )
    return DEFAULT_MAX_VALUE_BYTES


def _length_limit(variable: str) -> int:
    # The SDK complains of what is no number itself.
    limit = _whole_number(os.environ.get(variable, ""))
    return limit if limit >= SMALLEST_MAX_VALUE_BYTES else sys.maxsize


def _whole_number(setting: str) -> int:
    try:
        return int(setting)
    except ValueError:
        return 0
