"""What the environment says: Phoenix's, Langfuse's and Arize's variables, OpenTelemetry's own, and ours.

Every function reads it anew, so that a program may set variables until it calls `register`. What is read here are
settings; what they make of a server is said in `destinations`.
"""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import unquote

from . import faults
from .delivery.endpoint import (
    GRPC_PORT,
    PHOENIX_PORT,
    Endpoint,
    Protocol,
    check_protocol,
    parse_endpoint,
)

__all__ = [
    "OTLP_HTTP_PORT",
    "OWN_ENDPOINT",
    "PHOENIX_ENDPOINT",
    "PHOENIX_HEADERS",
    "PHOENIX_KEY",
    "FoundEndpoint",
    "Named",
    "Variable",
    "find",
    "grpc_port",
    "has_otlp_endpoint",
    "is_false",
    "is_otel_disabled",
    "otlp_endpoint",
    "otlp_protocol",
    "otlp_setting",
    "parse_headers",
    "phoenix_endpoint",
    "project_name",
    "project_name_of",
    "sends_to_otlp",
    "settings_without_endpoint",
]

PHOENIX_ENDPOINT = "PHOENIX_COLLECTOR_ENDPOINT"
PHOENIX_HEADERS = "PHOENIX_CLIENT_HEADERS"
PHOENIX_KEY = "PHOENIX_API_KEY"
OTLP_HTTP_PORT = 4318
"""The port that OTLP over HTTP is registered for."""

_OTLP = "OTEL_EXPORTER_OTLP_"
_OTLP_TRACES = "OTEL_EXPORTER_OTLP_TRACES_"
_OWN = "AGENTTRACE_"
OWN_ENDPOINT = _OWN + "ENDPOINT"
_ENDPOINT_SETTINGS = (
    "HEADERS",
    "PROTOCOL",
    "COMPRESSION",
    "TIMEOUT",
    "CERTIFICATE",
    "CLIENT_KEY",
    "CLIENT_CERTIFICATE",
)
_OTLP_EXPORTERS: dict[str, Protocol | None] = {
    "otlp": None,
    "otlp_proto_http": "http/protobuf",
    "otlp_proto_grpc": "grpc",
}
"""What ``OTEL_TRACES_EXPORTER`` calls OTLP, with the protocol that each word says; the longer ones are Python's."""
_PHOENIX_PROJECTS = ("PHOENIX_PROJECT", "PHOENIX_PROJECT_NAME")
_PROJECTS: dict[str, tuple[str, ...]] = {"phoenix": _PHOENIX_PROJECTS, "arize": ("ARIZE_PROJECT_NAME",)}


class Variable(NamedTuple):
    """A variable that is set.

    Args:
        name: Its name.
        value: Its value, without white space around it.
    """

    name: str
    value: str

    @property
    def is_ours(self) -> bool:
        """Whether it is of agenttrace's own, so that nobody set it for something else."""
        return self.name.startswith(_OWN)


class FoundEndpoint(NamedTuple):
    """A server, and where it was found.

    Args:
        endpoint: The server.
        source: The variable that names it, or "default".
    """

    endpoint: Endpoint
    source: str


class Named:
    """Puts a variable's name in front of what is wrong with its value.

    Args:
        name: The variable; None where the value is no variable's.

    Example:
        >>> with Named("LANGFUSE_HOST"):
        ...     parse_endpoint("ftp://host")
        ValueError: LANGFUSE_HOST: endpoint 'ftp://host' has the unknown scheme 'ftp': …
    """

    def __init__(self, name: str | None) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self._name is not None and isinstance(error, ValueError):
            raise ValueError(f"{self._name}: {error}") from None


def find(*names: str) -> Variable | None:
    """The first of these variables that is set; one with nothing but white space in it isn't."""
    for name in names:
        value = os.environ.get(name, "").strip()
        if value:
            return Variable(name, value)
    return None


def is_otel_disabled() -> bool:
    """Whether ``OTEL_SDK_DISABLED`` does. Only ``true`` counts, in any case, as its specification says."""
    return _read("OTEL_SDK_DISABLED").lower() == "true"


def is_false(name: str) -> bool:
    """Whether a variable says no: false, 0, no or off, in any case."""
    return _read(name).lower() in ("false", "0", "no", "off")


def project_name() -> str | None:
    """The project that every destination files spans under, where it isn't told another one."""
    found = find("AGENTTRACE_PROJECT_NAME", *_PHOENIX_PROJECTS)
    return None if found is None else found.value


def project_name_of(kind: str) -> str | None:
    """The project that the variables of one kind of destination name."""
    found = find(*_PROJECTS.get(kind, ()))
    return None if found is None else found.value


def grpc_port() -> int:
    """The port that Phoenix serves gRPC at.

    Raises:
        ValueError: If ``PHOENIX_GRPC_PORT`` is no port.
    """
    text = _read("PHOENIX_GRPC_PORT")
    if not text:
        return GRPC_PORT
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise ValueError(f"PHOENIX_GRPC_PORT is {text!r}: set it to a number from 1 to 65535")
    return int(text)


def phoenix_endpoint(protocol: Protocol | None) -> FoundEndpoint:
    """Where ``PHOENIX_COLLECTOR_ENDPOINT`` says that Phoenix is; else where it listens when nobody says otherwise.

    Args:
        protocol: What the caller was told; None for what the endpoint lets infer.

    Raises:
        ValueError: If the variable can't be an address; it is named.
    """
    found = find(PHOENIX_ENDPOINT)
    port = grpc_port()
    if found is None:
        server = f"grpc://localhost:{port}" if protocol == "grpc" else f"http://localhost:{PHOENIX_PORT}"
        return FoundEndpoint(parse_endpoint(server), "default")
    with Named(PHOENIX_ENDPOINT):
        endpoint = parse_endpoint(found.value, protocol, grpc_port=port)
        if protocol == "grpc" and not found.value.lower().startswith(("grpc://", "grpcs://")):
            # The variable names Phoenix's web address; its gRPC server is at another port of that host.
            scheme = "grpcs" if endpoint.is_secure else "grpc"
            host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
            endpoint = parse_endpoint(f"{scheme}://{host}:{port}")
    return FoundEndpoint(endpoint, PHOENIX_ENDPOINT)


def has_otlp_endpoint() -> bool:
    """Whether the environment names an OTLP server, which its headers and certificates are then meant for."""
    return find(OWN_ENDPOINT, _OTLP_TRACES + "ENDPOINT", _OTLP + "ENDPOINT") is not None


def sends_to_otlp() -> bool:
    """Whether the environment says to send traces to an OTLP server that it names.

    ``OTEL_TRACES_EXPORTER`` without ``otlp`` in it says that OpenTelemetry's server isn't meant for traces.
    """
    exporters = _exporters()
    if exporters and not any(word in _OTLP_EXPORTERS for word in exporters):
        return find(OWN_ENDPOINT) is not None
    return has_otlp_endpoint()


def settings_without_endpoint() -> list[str]:
    """The variables of ours that say how to send to ``AGENTTRACE_ENDPOINT`` while that isn't set."""
    if find(OWN_ENDPOINT) is not None:
        return []
    return [_OWN + name for name in _ENDPOINT_SETTINGS if find(_OWN + name) is not None]


def otlp_setting(name: str) -> Variable | None:
    """One setting of the OTLP server that the environment describes.

    ``AGENTTRACE_…`` where ``AGENTTRACE_ENDPOINT`` is set, so that nothing of what belongs to another server, such as a
    key, goes there; else ``OTEL_EXPORTER_OTLP_TRACES_…``, else ``OTEL_EXPORTER_OTLP_…``.

    Args:
        name: The end of the variable's name, such as ``"HEADERS"``.
    """
    if find(OWN_ENDPOINT) is not None:
        return find(_OWN + name)
    return find(_OTLP_TRACES + name, _OTLP + name)


def otlp_endpoint(protocol: Protocol | None) -> FoundEndpoint:
    """The OTLP server that the environment names, else this machine at OTLP's own port.

    ``AGENTTRACE_ENDPOINT``, then ``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT``, whose path is taken as it is, then
    ``OTEL_EXPORTER_OTLP_ENDPOINT``.

    Args:
        protocol: What the caller was told; None for what the environment says, or the endpoint lets infer.

    Raises:
        ValueError: If a variable can't be an address, or names an unknown protocol; it is named.
    """
    found = otlp_setting("ENDPOINT")
    chosen = protocol or otlp_protocol()
    if found is None:
        port = GRPC_PORT if chosen == "grpc" else OTLP_HTTP_PORT
        return FoundEndpoint(parse_endpoint(f"http://localhost:{port}", chosen), "default")
    port = grpc_port()
    with Named(found.name):
        is_exact = found.name == _OTLP_TRACES + "ENDPOINT"
        endpoint = parse_endpoint(found.value, chosen, grpc_port=port, is_exact=is_exact)
        if endpoint.protocol == "grpc" and "://" not in found.value and _is_meant_secure(endpoint, found.name):
            endpoint = parse_endpoint(f"grpcs://{found.value.lstrip('/')}", grpc_port=port)
    return FoundEndpoint(endpoint, found.name)


def _is_meant_secure(endpoint: Endpoint, variable: str) -> bool:
    # OpenTelemetry means a gRPC endpoint without a scheme to be secure; on this machine nobody's is.
    if variable == OWN_ENDPOINT:
        return False
    insecure = find(_OTLP_TRACES + "INSECURE", _OTLP + "INSECURE")
    return not endpoint.is_loopback if insecure is None else insecure.value.lower() != "true"


def otlp_protocol() -> Protocol | None:
    """The protocol that the environment says to speak to its OTLP server; None where it says nothing.

    Where no variable for the protocol is set, the exporter that ``OTEL_TRACES_EXPORTER`` names may say it.

    Raises:
        ValueError: If it is unknown; the variable is named.
    """
    found = otlp_setting("PROTOCOL")
    if found is None:
        named = [_OTLP_EXPORTERS[word] for word in _exporters() if word in _OTLP_EXPORTERS]
        return named[0] if named and find(OWN_ENDPOINT) is None else None
    if found.value.lower() == "http/json":
        faults.warn_once(
            "agenttrace: OTLP in JSON isn't spoken here; sending http/protobuf, which servers take as well."
        )
        return "http/protobuf"
    with Named(found.name):
        return check_protocol(found.value.lower())


def parse_headers(text: str) -> dict[str, str]:
    """Headers as OpenTelemetry writes them in one string: ``name=value,name=value``, values URL-encoded.

    Raises:
        ValueError: If a part has no name or no ``=``. The part isn't quoted, as it may be secret.
    """
    headers: dict[str, str] = {}
    for part in text.split(","):
        if part.strip():
            name, equals, value = part.partition("=")
            if not equals or not name.strip():
                raise ValueError('headers can\'t be read: write "name=value,name=value", or a dict')
            headers[unquote(name).strip().lower()] = unquote(value).strip()
    return headers


def _exporters() -> list[str]:
    words = (word.strip() for word in _read("OTEL_TRACES_EXPORTER").lower().split(","))
    return [word for word in words if word]


def _read(variable: str) -> str:
    return os.environ.get(variable, "").strip()
