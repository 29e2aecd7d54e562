"""Arguments and, where they are left out, variables: which of the two a destination's settings came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from agenttrace import environment

from .destination import Spans
from .headers import Headers, check_header_value, check_headers, headers_of_variable

__all__ = ["Sources", "check_spans", "check_text"]

_ARGUMENT = "argument"
_SPANS = "AGENTTRACE_SPANS"


class Sources:
    """Picks each setting and notes where it was found. Only names are noted, never values."""

    def __init__(self) -> None:
        self._noted: list[tuple[str, str]] = []

    @property
    def noted(self) -> tuple[tuple[str, str], ...]:
        """What was set, and the variable or "argument" that set it."""
        return tuple(self._noted)

    def note(self, what: str, source: str | None) -> None:
        """Note that ``what`` came from ``source``; None came from nowhere."""
        if source is not None:
            self._noted.append((what, source))

    def text(self, what: str, given: object, *variables: str) -> str | None:
        """The argument, else the first of ``variables`` that is set, else None. An empty argument is none."""
        text = check_text(what, given)
        if text:
            self.note(what, _ARGUMENT)
            return text
        found = environment.find(*variables)
        self.note(what, None if found is None else found.name)
        return None if found is None else found.value

    def credential(self, what: str, given: object, variable: str) -> str | None:
        """As `text`, for what is sent in a header: what can't be is refused, and never quoted."""
        value = self.text(what, given, variable)
        if value is not None:
            check_header_value(what if check_text(what, given) else variable, value)
        return value

    def headers(self, given: Mapping[str, str] | str | None, found: environment.Variable | None) -> Headers:
        """The argument, else the variable's. Pairs in one order, names in lower case."""
        if given is not None:
            self.note("headers", _ARGUMENT)
            return check_headers(given)
        if found is None:
            return ()
        self.note("headers", found.name)
        return headers_of_variable(found)


def check_text(what: str, value: object) -> str:
    """``value`` without white space around it; empty for None.

    Raises:
        TypeError: If it is no string.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"{what} is {type(value).__name__}: it must be a string")
    return value.strip()


def check_spans(value: object) -> Spans:
    """Which spans go to a destination: the argument, else ``AGENTTRACE_SPANS``, else ``"agent"``.

    Raises:
        TypeError: If it is no string.
        ValueError: If it is another word than ``"agent"`` and ``"all"``.
    """
    word = check_text("spans", value)
    found = environment.find(_SPANS)
    if not word and found is not None:
        word = found.value.lower()
    if word not in ("", "agent", "all"):
        name = "spans" if value else _SPANS
        raise ValueError(f'{name} is {word[:20]!r}: write "agent" (agents and model calls) or "all"')
    return cast("Spans", word or "agent")
