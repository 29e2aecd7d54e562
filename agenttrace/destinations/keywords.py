"""The one server that `register`'s keywords describe, as those of ``phoenix.otel.register`` do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agenttrace import environment
from agenttrace.delivery.endpoint import check_protocol, parse_endpoint

from .configured import tell_of_settings_without_endpoint
from .destination import Destination
from .langfuse_server import check_not_langfuse
from .otlp_server import otlp
from .phoenix_server import phoenix, with_bearer
from .sources import Sources, check_spans
from .transport import choose_options

__all__ = ["server_of_keywords"]


def server_of_keywords(
    endpoint: str | None, headers: Mapping[str, str] | str | None, protocol: str | None, api_key: str | None
) -> Destination:
    """The server that is given; else the one that the environment names; else Phoenix on this machine.

    Phoenix's variables come before OpenTelemetry's, for the endpoint as for headers. ``PHOENIX_API_KEY`` and
    ``PHOENIX_CLIENT_HEADERS`` go to an endpoint that is given too, as with Phoenix's own client; OpenTelemetry's
    headers and certificates do unless the environment names the server that they are meant for.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If an argument, or a variable, has an impossible value.
    """
    chosen = check_protocol(protocol)
    tell_of_settings_without_endpoint()
    if endpoint is None:
        names_phoenix = environment.find(environment.PHOENIX_ENDPOINT) is not None
        if names_phoenix or not environment.sends_to_otlp():
            return phoenix(headers=headers, protocol=protocol, api_key=api_key)
        server = otlp(headers=headers, protocol=protocol)
        return server if not api_key else _with_key(server, api_key)
    sources = Sources()
    where = parse_endpoint(endpoint, chosen, grpc_port=environment.grpc_port())
    check_not_langfuse(where, "argument")
    sources.note("endpoint", "argument")
    owns_otlp_settings = not environment.has_otlp_endpoint()
    found = environment.find(environment.PHOENIX_HEADERS)
    if found is None and owns_otlp_settings:
        found = environment.otlp_setting("HEADERS")
    return Destination(
        kind="otlp",
        endpoint=where,
        headers=with_bearer(sources.headers(headers, found), where, api_key, sources),
        options=choose_options({}, sources, is_secure=where.is_secure, from_environment=owns_otlp_settings),
        spans=check_spans(None),
        origin=sources.noted,
    )


def _with_key(server: Destination, api_key: str) -> Destination:
    sources = Sources()
    headers = with_bearer(server.headers, server.endpoint, api_key, sources)
    return replace(server, headers=headers, origin=(*server.origin, *sources.noted))
