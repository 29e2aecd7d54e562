"""What the environment says about where spans go: Phoenix's variables first, then OpenTelemetry's own.

Every function reads it anew, so that a program may set variables until it calls `register`.
"""

from __future__ import annotations

import os
from urllib.parse import unquote

from . import faults
from .delivery.endpoint import GRPC_PORT, PHOENIX_PORT, Endpoint, Protocol, check_protocol, parse_endpoint
from .delivery.transport import TransportOptions

__all__ = [
    "api_key",
    "client_headers",
    "configured_endpoint",
    "default_server",
    "grpc_port",
    "is_otel_disabled",
    "parse_headers",
    "project_name",
    "transport_options",
]

PHOENIX_ENDPOINT = "PHOENIX_COLLECTOR_ENDPOINT"
PHOENIX_HEADERS = "PHOENIX_CLIENT_HEADERS"
OTLP = "OTEL_EXPORTER_OTLP_"
OTLP_TRACES = "OTEL_EXPORTER_OTLP_TRACES_"


def is_otel_disabled() -> bool:
    """Whether ``OTEL_SDK_DISABLED`` does. Only ``true`` counts, in any case, as its specification says."""
    return _read("OTEL_SDK_DISABLED").lower() == "true"


def project_name() -> str | None:
    """The project that Phoenix's variables name."""
    return _read("PHOENIX_PROJECT") or _read("PHOENIX_PROJECT_NAME") or None


def api_key() -> str | None:
    """Phoenix's API key."""
    return _read("PHOENIX_API_KEY") or None


def client_headers() -> dict[str, str] | None:
    """The headers that ``PHOENIX_CLIENT_HEADERS`` names, else OpenTelemetry's; None where neither is set."""
    for variable in (PHOENIX_HEADERS, OTLP_TRACES + "HEADERS", OTLP + "HEADERS"):
        text = _read(variable)
        if text:
            return _environment_headers(text, variable)
    return None


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


def configured_endpoint(protocol: Protocol | None) -> Endpoint | None:
    """The server that the environment names, or None.

    ``PHOENIX_COLLECTOR_ENDPOINT``, then ``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT``, whose path is taken as it is, then
    ``OTEL_EXPORTER_OTLP_ENDPOINT``.

    Args:
        protocol: What `register` was told; None for what the environment says, or the endpoint lets infer.

    Raises:
        ValueError: If a variable can't be an address; it is named.
    """
    text = _read(PHOENIX_ENDPOINT)
    if text:
        return _phoenix_server(text, protocol)
    for prefix in (OTLP_TRACES, OTLP):
        text = _read(prefix + "ENDPOINT")
        if text:
            with _Named(prefix + "ENDPOINT"):
                chosen = protocol or _otlp_protocol()
                return parse_endpoint(text, chosen, grpc_port=grpc_port(), is_exact=prefix == OTLP_TRACES)
    return None


def default_server(protocol: Protocol | None) -> Endpoint:
    """Where Phoenix listens when nobody says otherwise."""
    if protocol == "grpc":
        return parse_endpoint(f"grpc://localhost:{grpc_port()}")
    return parse_endpoint(f"http://localhost:{PHOENIX_PORT}")


def transport_options() -> TransportOptions:
    """Compression, timeout and certificates, from the ``OTEL_EXPORTER_OTLP_…`` variables, those for traces first."""
    compression = _otlp("COMPRESSION").lower()
    if compression not in ("", "none", "gzip"):
        faults.warn_once(f"agenttrace: unknown OTLP compression {compression!r}; sending without. Write gzip or none.")
    return TransportOptions(
        compression="gzip" if compression == "gzip" else None,
        timeout=_timeout(_otlp("TIMEOUT")),
        certificate=_otlp("CERTIFICATE") or None,
        client_key=_otlp("CLIENT_KEY") or None,
        client_certificate=_otlp("CLIENT_CERTIFICATE") or None,
    )


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


def _environment_headers(text: str, variable: str) -> dict[str, str]:
    # A variable that others set for others is no reason to stop a program: what can't be read is left out.
    headers: dict[str, str] = {}
    for part in text.split(","):
        try:
            headers |= parse_headers(part)
        except ValueError:
            faults.warn_once(f'agenttrace: {variable} can\'t be read in full: write "name=value,name=value"')
    return headers


def _phoenix_server(text: str, protocol: Protocol | None) -> Endpoint:
    with _Named(PHOENIX_ENDPOINT):
        endpoint = parse_endpoint(text, protocol, grpc_port=grpc_port())
        if protocol != "grpc" or text.lower().startswith(("grpc://", "grpcs://")):
            return endpoint
        # The variable names Phoenix's web address; its gRPC server is at another port of that host.
        scheme = "grpcs" if endpoint.is_secure else "grpc"
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        return parse_endpoint(f"{scheme}://{host}:{grpc_port()}")


def _otlp_protocol() -> Protocol | None:
    word = _otlp("PROTOCOL").lower()
    if not word:
        return None
    if word == "http/json":
        faults.warn_once(
            "agenttrace: OTLP in JSON isn't spoken here; sending http/protobuf, which servers take as well."
        )
        return "http/protobuf"
    return check_protocol(word)


def _otlp(name: str) -> str:
    return _read(OTLP_TRACES + name) or _read(OTLP + name)


def _read(variable: str) -> str:
    return os.environ.get(variable, "").strip()


def _timeout(text: str) -> float:
    default = TransportOptions().timeout
    try:
        seconds = float(text or default)
    except ValueError:
        seconds = 0.0
    if 0 < seconds < float("inf"):
        return seconds
    faults.warn_once(f"agenttrace: the OTLP timeout {text!r} is no number of seconds; using {default:g}.")
    return default


class _Named:
    """Puts a variable's name in front of what is wrong with its value."""

    def __init__(self, variable: str) -> None:
        self._variable = variable

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, ValueError):
            raise ValueError(f"{self._variable}: {error}") from None  # noqa: TRY004 - the same error, with the name
