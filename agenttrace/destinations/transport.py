"""Compression, timeout and certificates of one destination: arguments, else variables, checked before they are used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from agenttrace import environment, faults
from agenttrace.delivery.transport import TransportOptions

from .sources import Sources, check_text

__all__ = ["Transport", "choose_options"]

_FILES = ("certificate", "client_key", "client_certificate")
_LEAST_MILLISECONDS = 100.0


class Transport(TypedDict, total=False):
    """How to send, beside where: keywords of every maker of a server.

    Args:
        compression: ``"gzip"`` or ``"none"``.
        timeout: Seconds to wait for an answer.
        certificate: File with the certificates to trust, PEM, instead of those that the system trusts.
        client_key: File with this client's private key, PEM; None where ``client_certificate`` holds it too.
        client_certificate: File with this client's certificate, PEM.
    """

    compression: str | None
    timeout: float | None
    certificate: str | Path | None
    client_key: str | Path | None
    client_certificate: str | Path | None


def choose_options(
    given: Mapping[str, Any], sources: Sources, *, is_secure: bool, from_environment: bool = False
) -> TransportOptions:
    """The options of one destination.

    Args:
        given: The keywords of `Transport`.
        sources: Where to note what was set.
        is_secure: Whether the connection is encrypted. Where it isn't, a variable that names a certificate is meant for
            another server.
        from_environment: Whether the variables of the OTLP server hold for what isn't given.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If an argument has an impossible value, or a file can't be read. The argument or variable is named.
    """
    files = {name: _file(name, given.get(name), sources, from_environment and is_secure) for name in _FILES}
    if files["client_key"] and not files["client_certificate"]:
        raise ValueError(_without_certificate(dict(sources.noted)["client_key"]))
    return TransportOptions(
        compression=_compression(given.get("compression"), sources, from_environment),
        timeout=_timeout(given.get("timeout"), sources, from_environment),
        **files,
    )


def _without_certificate(source: str) -> str:
    if source == "argument":
        return "client_key is given without client_certificate: name the certificate that belongs to it"
    certificate = source.replace("CLIENT_KEY", "CLIENT_CERTIFICATE")
    return f"{source} is set without {certificate}: name the certificate that belongs to the key there"


def _compression(given: object, sources: Sources, from_environment: bool) -> str | None:
    word = check_text("compression", given).lower()
    if word:
        if word not in ("gzip", "none"):
            raise ValueError(f'compression is {word[:20]!r}: write "gzip" or "none"')
        sources.note("compression", "argument")
    found = environment.otlp_setting("COMPRESSION") if from_environment and not word else None
    if found is not None:
        word = found.value.lower()
        if word not in ("gzip", "none"):
            if found.is_ours:
                raise ValueError(f'{found.name} is {word[:20]!r}: write "gzip" or "none"')
            faults.warn_once(f"agenttrace: unknown OTLP compression {word!r}; sending without. Write gzip or none.")
        sources.note("compression", found.name)
    return "gzip" if word == "gzip" else None


def _timeout(given: object, sources: Sources, from_environment: bool) -> float:
    default = TransportOptions().timeout
    if given is not None:
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise TypeError(f"timeout is {type(given).__name__}: write a number of seconds, like 10")
        if not 0 < given < math.inf:
            raise ValueError(f"timeout is {given}: write a number of seconds above 0, like 10")
        sources.note("timeout", "argument")
        return float(given)
    found = environment.otlp_setting("TIMEOUT") if from_environment else None
    if found is None:
        return default
    sources.note("timeout", found.name)
    try:
        number = float(found.value)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        if found.is_ours:
            raise ValueError(f"{found.name} is {found.value[:20]!r}: write a number of seconds above 0, like 10")
        faults.warn_once(f"agenttrace: the OTLP timeout {found.value!r} is no number of seconds; using {default:g}.")
        return default
    # OpenTelemetry's specification means milliseconds, its SDK for Python seconds. Nobody waits for a minute and a half
    # for an answer, nor for less than a tenth of a second.
    is_milliseconds = number >= _LEAST_MILLISECONDS and not found.is_ours
    return number / 1000 if is_milliseconds else number


def _file(name: str, given: object, sources: Sources, from_environment: bool) -> str | None:
    if given is not None:
        if not isinstance(given, str | Path):
            raise TypeError(f"{name} is {type(given).__name__}: write a file's path")
        if str(given):
            sources.note(name, "argument")
            return _readable(name, str(given))
    found = environment.otlp_setting(name.upper()) if from_environment else None
    if found is None:
        return None
    sources.note(name, found.name)
    return _readable(found.name, found.value)


def _readable(name: str, path: str) -> str:
    """``path``, if it names a file that can be read: the worker would find that out when the program is running."""
    try:
        with Path(path).expanduser().open("rb") as file:
            file.read(1)
    except OSError as error:
        raise ValueError(f"{name} names {path!r}, which can't be read ({type(error).__name__})") from None
    return str(Path(path).expanduser())
