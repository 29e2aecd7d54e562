"""`phoenix`: a Phoenix server, with the variables that Phoenix's own client reads."""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import Unpack

from agenttrace import environment
from agenttrace.delivery.endpoint import Endpoint, check_protocol, parse_endpoint

from .destination import Destination, Spans
from .headers import Headers
from .langfuse_server import check_not_langfuse
from .mistakes import explain_mistakes
from .sources import Sources, check_spans, check_text
from .transport import Transport, choose_options

__all__ = ["phoenix", "with_bearer"]


@explain_mistakes()
def phoenix(
    endpoint: str | None = None,
    *,
    api_key: str | None = None,
    headers: Mapping[str, str] | str | None = None,
    protocol: str | None = None,
    project_name: str | None = None,
    spans: Spans | None = None,
    **transport: Unpack[Transport],
) -> Destination:
    """A Phoenix server.

    Where the environment names no OTLP server of its own, the ``OTEL_EXPORTER_OTLP_…`` variables for headers,
    compression, timeout and certificates hold for Phoenix, as they do for Phoenix's own client.

    Args:
        endpoint: ``http://localhost:6006``, or ``localhost:4317`` for gRPC. None for ``PHOENIX_COLLECTOR_ENDPOINT``,
            else Phoenix on this machine.
        api_key: Sent as bearer token. None for ``PHOENIX_API_KEY``.
        headers: Headers to send along. None for ``PHOENIX_CLIENT_HEADERS``.
        protocol: ``"http/protobuf"`` or ``"grpc"``; None infers it from the endpoint.
        project_name: The project to file spans under there; None for the one that `register` knows.
        spans: ``"agent"`` sends the spans of agents and model calls, ``"all"`` those of web frameworks and databases
            too. None for ``AGENTTRACE_SPANS``, else ``"agent"``.
        transport: ``compression``, ``timeout``, ``certificate``, ``client_key`` and ``client_certificate``, as for
            `otlp`.

    Raises:
        TypeError: If an argument has the wrong type or isn't known.
        ValueError: If the endpoint can't be an address, the protocol is unknown, or a file can't be read.

    Example:
        >>> str(phoenix())
        'http://localhost:6006/v1/traces'
    """
    sources = Sources()
    chosen = check_protocol(protocol)
    if endpoint is None:
        where, source = environment.phoenix_endpoint(chosen)
    else:
        where, source = parse_endpoint(endpoint, chosen, grpc_port=environment.grpc_port()), "argument"
    check_not_langfuse(where, source)
    sources.note("endpoint", source)
    owns_otlp_settings = not environment.has_otlp_endpoint()
    found = environment.find(environment.PHOENIX_HEADERS)
    if found is None and owns_otlp_settings:
        found = environment.otlp_setting("HEADERS")
    return Destination(
        kind="phoenix",
        endpoint=where,
        headers=with_bearer(sources.headers(headers, found), where, api_key, sources),
        options=choose_options(transport, sources, is_secure=where.is_secure, from_environment=owns_otlp_settings),
        spans=check_spans(spans),
        project=check_text("project_name", project_name) or None,
        origin=sources.noted,
    )


def with_bearer(headers: Headers, endpoint: Endpoint | None, api_key: str | None, sources: Sources) -> Headers:
    """``headers`` with Phoenix's key as bearer token.

    A key that is given wins over an ``authorization`` header, and that, or a user name in the endpoint, over
    ``PHOENIX_API_KEY``, which may be meant for another server.
    """
    pairs = dict(headers)
    is_authorized = "authorization" in pairs or (endpoint is not None and endpoint.authorization is not None)
    if is_authorized and not check_text("api_key", api_key):
        return headers
    key = sources.credential("api_key", api_key, environment.PHOENIX_KEY)
    if key is not None:
        pairs["authorization"] = f"Bearer {key}"
    return tuple(sorted(pairs.items()))
