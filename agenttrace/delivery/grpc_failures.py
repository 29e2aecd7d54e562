"""Why gRPC couldn't connect, which it tells by words alone, and what to do about it."""

from __future__ import annotations

import re

from .endpoint import Endpoint
from .tls import NAME_CLIENT_CERTIFICATE
from .transport import TransportOptions

__all__ = ["connection_problem", "is_cut_off", "is_local_failure"]

# What gRPC's library says itself, in releases since 2023. Servers that answer "unavailable" say something else.
_LOCAL = re.compile(
    r"failed to connect|connect failed|connection refused|connections to all backends|dns|name resolution"
    r"|errors resolving|lookup failed|handshak|http/2|http1|socket closed|connection reset|broken pipe"
    r"|network is unreachable|no route to host",
    re.IGNORECASE,
)

_CUT_OFF = re.compile(r"socket closed|connection reset|broken pipe", re.IGNORECASE)

_INSECURE = "no secure connection to {name} can be made: "
_SPEAKS_HTTP = '{name} speaks HTTP, not gRPC: register(protocol="http/protobuf"), or use its gRPC port'
_UNTRUSTED = "its certificate isn't trusted here; name the authority's file in OTEL_EXPORTER_OTLP_CERTIFICATE"
_OTHER_HOST = "its certificate is for another host; write the endpoint with the host that the certificate names"
# The first that is found counts: what stands last is in many messages, with what stands above it as the reason.
_PROBLEMS = (
    (r"http1|parsing http/2|alpn", _SPEAKS_HTTP),
    (
        r"dns|name resolution|errors resolving|lookup failed",
        "the host {host} of {name} isn't known: is it spelled right?",
    ),
    (r"certificate has expired", f"{_INSECURE}its certificate has expired; whoever runs the server has to renew it"),
    (r"certificate.verify.failed", f"{_INSECURE}{_UNTRUSTED}"),
    (r"hostname verification", f"{_INSECURE}{_OTHER_HOST}"),
    (r"wrong.version.number", f"{_INSECURE}does it speak TLS? If not, write grpc:// instead of grpcs://"),
    (r"\bssl|\btls|certificate", f"{_INSECURE}does it speak TLS, and is its certificate trusted?"),
    (_CUT_OFF.pattern, "{name} breaks connections off without an answer{guess}"),
    (r"", "no server answers at {name}: is it running, and is the port right?"),
)


def is_local_failure(details: str) -> bool:
    """Whether nobody was there to answer ``UNAVAILABLE``, so that gRPC's library said it itself.

    Args:
        details: What came along with the status.
    """
    return _LOCAL.search(details) is not None


def is_cut_off(details: str) -> bool:
    """Whether a server was there and ended the connection in the middle of a call.

    Args:
        details: What came along with the status.
    """
    return _CUT_OFF.search(details) is not None and "failed to connect" not in details.lower()


def connection_problem(endpoint: Endpoint, details: str, options: TransportOptions) -> str:
    """What is wrong and what to do about it, as a sentence without a full stop.

    Args:
        endpoint: The server.
        details: What gRPC's library said.
        options: How it was tried.
    """
    sentence = next(sentence for words, sentence in _PROBLEMS if re.search(words, details, re.IGNORECASE))
    guess = ""
    if not endpoint.is_secure:
        guess = "; if it wants TLS, write grpcs:// instead of grpc://"
    elif not is_cut_off(details):  # it never took a connection
        guess = _guess_at_certificate(options)
    return sentence.format(name=endpoint, host=endpoint.host, guess=guess)


def _guess_at_certificate(options: TransportOptions) -> str:
    # gRPC's library keeps the server's alert to itself.
    if options.client_certificate:
        return "; does it trust the client certificate?"
    return f"; if it wants a client certificate, {NAME_CLIENT_CERTIFICATE}"
