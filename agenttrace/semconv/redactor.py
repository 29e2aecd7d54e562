"""Calling the user's ``redact``: whatever it does, what it was to redact is not recorded as it was."""

from __future__ import annotations

from collections.abc import Callable

from .. import faults
from .masking import REDACTED

__all__ = ["Redactor"]


class Redactor:
    """A user's function over a key and a text, whose faults redact.

    Args:
        redact: The function.
    """

    __slots__ = ("_redact",)

    def __init__(self, redact: Callable[[str, str], str]) -> None:
        self._redact = redact

    def __call__(self, key: str, text: str) -> str:
        """What is to be recorded of ``text``. To be called with tracing suppressed.

        Raises:
            BaseException: Only what a signal meant for the program (:mod:`agenttrace.blame`).
        """
        if text == REDACTED:
            return text
        try:
            redacted = self._redact(key, text)
            if not isinstance(redacted, str):
                faults.warn_once(
                    f"agenttrace: redact returned {type(redacted).__name__} and not a string; such texts are recorded "
                    f"as {REDACTED}"
                )
                return REDACTED
            # What one of a subclass says by its own methods could be anything; what can't be encoded, nobody can send.
            exact = str.__getitem__(redacted, slice(None))
            return exact if exact.isascii() else exact.encode("utf-8", "backslashreplace").decode("utf-8")
        except BaseException as error:
            faults.contain("calling redact", error)
            return REDACTED
