"""How large one recorded value may get: read once from the environment, then a constant."""

from __future__ import annotations

import os

from .. import faults

VARIABLE = "AGENTTRACE_MAX_VALUE_BYTES"
DEFAULT_MAX_VALUE_BYTES = 1_048_576
SMALLEST_MAX_VALUE_BYTES = 64
"""Below this not even the mark that says what was cut would fit."""

cached: int = 0
"""What :func:`max_value_bytes` found, 0 before its first call. Read it directly only where a call is too slow."""


def max_value_bytes() -> int:
    """The most bytes of UTF-8 that one recorded value may take.

    Returns:
        The number in ``AGENTTRACE_MAX_VALUE_BYTES``, read at the first call; 1,048,576 (1 MiB) where that is unset, no
        whole number, or below 64, the latter two with one warning.

    Example:
        >>> max_value_bytes()
        1048576
    """
    global cached
    if not cached:
        cached = _read()
    return cached


def reread_limits() -> None:
    """Forget what was read, so that the next value reads the environment again (for tests)."""
    global cached
    cached = 0


def _read() -> int:
    setting = os.environ.get(VARIABLE, "").strip()
    if not setting:
        return DEFAULT_MAX_VALUE_BYTES
    try:
        limit = int(setting)
    except ValueError:
        limit = 0
    if limit >= SMALLEST_MAX_VALUE_BYTES:
        return limit
    faults.warn_once(
        f"agenttrace: {VARIABLE} must be a whole number of bytes, {SMALLEST_MAX_VALUE_BYTES} or more, "
        f"for example {VARIABLE}={DEFAULT_MAX_VALUE_BYTES}; using {DEFAULT_MAX_VALUE_BYTES}"
    )
    return DEFAULT_MAX_VALUE_BYTES
