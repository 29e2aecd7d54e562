"""The variable that switches all of agenttrace off, for ``register()`` and for marks that nobody registered for."""

from __future__ import annotations

import os

from . import faults

__all__ = ["is_disabled"]

_VARIABLE = "AGENTTRACE_DISABLED"
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"", "0", "false", "no", "off"}


def is_disabled() -> bool:
    """Whether ``AGENTTRACE_DISABLED`` switches tracing off: 1, true, yes or on, in any case.

    0, false, no and off leave it on, and so does any other word, with a warning.
    """
    word = os.environ.get(_VARIABLE, "").strip().lower()
    if word not in _TRUE and word not in _FALSE:
        faults.warn_once(
            f"agenttrace: {_VARIABLE} is {word[:20]!r}, which is neither true nor false: "
            "tracing stays on. Set it to true to switch it off."
        )
    return word in _TRUE
