"""The destinations that the environment configures: all of them, or those that ``AGENTTRACE_DESTINATIONS`` names."""

from __future__ import annotations

import re
from collections.abc import Callable

from agenttrace import environment, faults

from .arize_server import ARIZE_KEYS, arize
from .destination import Destination
from .here import console, local
from .langfuse_server import LANGFUSE_HOSTS, LANGFUSE_KEYS, langfuse
from .mistakes import meant_by
from .otlp_server import otlp
from .phoenix_server import phoenix

__all__ = ["configured_destinations", "tell_of_settings_without_endpoint"]

_CHOICE = "AGENTTRACE_DESTINATIONS"
_WORD = re.compile(r"[a-z]{1,16}([ _-][a-z]{1,16})?")
_LANGFUSE_SWITCH = "LANGFUSE_TRACING_ENABLED"


def configured_destinations() -> tuple[Destination, ...]:
    """Every destination that the environment configures, each address once; the local store where there is none.

    A backend that is configured by half is no reason to stop a program, since its variables may be there for something
    else; one warning says what is missing. One that ``AGENTTRACE_DESTINATIONS`` names has to be complete.

    Raises:
        ValueError: If a variable has an impossible value; it is named.
    """
    tell_of_settings_without_endpoint()
    chosen = environment.find(_CHOICE)
    if chosen is not None:
        return _distinct([_maker(word)() for word in _words(chosen.value)])
    found: list[Destination] = []
    if environment.find(environment.PHOENIX_ENDPOINT) is not None:
        found.append(phoenix())
    if _is_langfuse_complete():
        found.append(langfuse())
    if _is_complete("Arize", ARIZE_KEYS):
        found.append(arize())
    if environment.sends_to_otlp():
        found.append(otlp())
    _tell_of_phoenix_without_endpoint()
    _tell_of_headers_without_endpoint()
    return _distinct(found) or (local(),)


def tell_of_settings_without_endpoint() -> None:
    """Warn of variables of ours that say how to send where ``AGENTTRACE_ENDPOINT``, which they are for, isn't set."""
    present = environment.settings_without_endpoint()
    if present:
        they, it = ("it isn't", "neither") if len(present) == 1 else ("they aren't", "none of them")
        faults.warn_once(
            f"agenttrace: {' and '.join(present)} {_are(present)} set but {environment.OWN_ENDPOINT} isn't, so {they} "
            f"used: set that one too, or {it}."
        )


def _makers() -> dict[str, Callable[[], Destination]]:
    return {
        "phoenix": phoenix,
        "langfuse": langfuse,
        "arize": arize,
        "otlp": otlp,
        "local": local,
        "console": console,
    }


def _words(text: str) -> list[str]:
    words = [word for word in (part.strip().lower() for part in text.split(",")) if word]
    if not words:
        # As a template makes of two variables that aren't set: somebody chose, and what they chose is missing.
        raise ValueError(f"{_CHOICE} names no destination: write some of {_names()}, with commas, or leave it unset")
    return words


def _names() -> str:
    return ", ".join(_makers())


def _maker(word: str) -> Callable[[], Destination]:
    makers = _makers()
    if word not in makers:
        near = meant_by(word, makers)
        meant = f"did you mean {near}? Write" if near else "write"
        # Quoted only where it looks like a word: somebody may have put an address there, and a password with it.
        shown = f" {word!r}" if _WORD.fullmatch(word) else ""
        raise ValueError(f"{_CHOICE} names an unknown destination{shown}: {meant} some of {_names()}, with commas")
    return makers[word]


def _distinct(destinations: list[Destination]) -> tuple[Destination, ...]:
    # The first variable to name an address is the one that knows most about the server.
    by_place: dict[object, Destination] = {}
    for destination in destinations:
        endpoint = destination.endpoint
        place = destination if endpoint is None else (endpoint.protocol, endpoint.address)
        by_place.setdefault(place, destination)
    return tuple(by_place.values())


def _is_langfuse_complete() -> bool:
    if environment.is_false(_LANGFUSE_SWITCH):
        return False
    return _is_complete("Langfuse", LANGFUSE_KEYS, LANGFUSE_HOSTS)


def _is_complete(backend: str, needed: tuple[str, ...], others: tuple[str, ...] = ()) -> bool:
    """Whether all that a backend needs is set. Where only some of it is, that is said."""
    missing = [name for name in needed if environment.find(name) is None]
    present = [name for name in (*needed, *others) if environment.find(name) is not None]
    if missing and present:
        _tell(present, f"{_listed(missing)} {_are(missing)}n't", backend, f"set {_listed(missing)} too")
    return not missing


def _tell_of_phoenix_without_endpoint() -> None:
    found = environment.find(environment.PHOENIX_KEY, environment.PHOENIX_HEADERS)
    if found is not None and environment.find(environment.PHOENIX_ENDPOINT) is None:
        missing = environment.PHOENIX_ENDPOINT
        _tell([found.name], f"{missing} isn't", "Phoenix", f"set {missing} too")


def _tell_of_headers_without_endpoint() -> None:
    found = environment.otlp_setting("HEADERS")
    is_used = environment.has_otlp_endpoint() or environment.find(environment.PHOENIX_ENDPOINT) is not None
    if found is not None and not is_used:
        _tell([found.name], "no endpoint is", "an OTLP server", "set one, such as OTEL_EXPORTER_OTLP_ENDPOINT")


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _tell(present: list[str], what_is_missing: str, backend: str, remedy: str) -> None:
    faults.warn_once(
        f"agenttrace: {_listed(present)} {_are(present)} set but {what_is_missing}, so nothing is sent to {backend}: "
        f"{remedy}, or unset {_listed(present)}."
    )
