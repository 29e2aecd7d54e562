"""`otlp`: a server that speaks OpenTelemetry's protocol, such as a collector."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agenttrace import environment
from agenttrace.delivery.endpoint import Protocol, check_protocol, parse_endpoint

from .destination import Destination, Spans
from .langfuse_server import check_not_langfuse
from .mistakes import explain_mistakes
from .sources import Sources, check_spans, check_text
from .transport import choose_options

__all__ = ["otlp"]


@explain_mistakes(api_key='write headers={"authorization": "Bearer …"}')
def otlp(
    endpoint: str | None = None,
    *,
    headers: Mapping[str, str] | str | None = None,
    protocol: str | None = None,
    compression: str | None = None,
    timeout: float | None = None,
    certificate: str | Path | None = None,
    client_key: str | Path | None = None,
    client_certificate: str | Path | None = None,
    project_name: str | None = None,
    account: str | None = None,
    spans: Spans | None = None,
) -> Destination:
    """A server that speaks OTLP: an OpenTelemetry collector, and most others.

    What isn't given comes from the ``OTEL_EXPORTER_OTLP_TRACES_…`` and ``OTEL_EXPORTER_OTLP_…`` variables, or from
    ``AGENTTRACE_ENDPOINT``, ``AGENTTRACE_HEADERS`` and so on where the first of these is set. Where the environment
    names an endpoint, its headers and certificates go to that one and to no other.

    Args:
        endpoint: ``http://host:4318``, ``host:4317``, ``grpc://host:4317`` and the like. None for what the environment
            says, else ``http://localhost:4318``, or ``localhost:4317`` for gRPC.
        headers: Headers to send along, such as ``authorization``.
        protocol: ``"http/protobuf"`` or ``"grpc"``; None infers it from the endpoint.
        compression: ``"gzip"`` or ``"none"``.
        timeout: Seconds to wait for an answer.
        certificate: File with the certificates to trust, PEM, instead of those that the system trusts.
        client_key: File with this client's private key, PEM; None where ``client_certificate`` holds it too.
        client_certificate: File with this client's certificate, PEM.
        project_name: The project to file spans under there; None for the one that `register` knows.
        account: Whose spans these are, where an address serves several tenants that headers tell apart: a name of
            yours, which tells what waits on disk for the one from what waits for the other. It isn't sent.
        spans: ``"agent"`` sends the spans of agents and model calls, ``"all"`` those of web frameworks and databases
            too. None for ``AGENTTRACE_SPANS``, else ``"agent"``.

    Raises:
        TypeError: If an argument has the wrong type or isn't known.
        ValueError: If the endpoint can't be an address, the protocol is unknown, or a file can't be read.

    Example:
        >>> str(otlp("http://localhost:4318"))
        'http://localhost:4318/v1/traces'
    """
    sources = Sources()
    chosen: Protocol | None = check_protocol(protocol)
    owns_settings = endpoint is None or not environment.has_otlp_endpoint()
    if endpoint is None:
        where, source = environment.otlp_endpoint(chosen)
    else:
        where, source = parse_endpoint(endpoint, chosen, grpc_port=environment.grpc_port()), "argument"
    check_not_langfuse(where, source)
    sources.note("endpoint", source)
    given = {
        "compression": compression,
        "timeout": timeout,
        "certificate": certificate,
        "client_key": client_key,
        "client_certificate": client_certificate,
    }
    return Destination(
        kind="otlp",
        endpoint=where,
        headers=sources.headers(headers, environment.otlp_setting("HEADERS") if owns_settings else None),
        options=choose_options(given, sources, is_secure=where.is_secure, from_environment=owns_settings),
        spans=check_spans(spans),
        project=check_text("project_name", project_name) or None,
        account=check_text("account", account) or None,
        origin=sources.noted,
    )
