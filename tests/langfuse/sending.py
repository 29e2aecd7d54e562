"""How the tests send to Langfuse: as a program does, by its destination."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.trace import TracerProvider

from agenttrace import register
from agenttrace.destinations import langfuse
from tests.langfuse.server import PUBLIC_KEY, SECRET_KEY, LangfuseServer

__all__ = ["register_with"]


def register_with(
    server: LangfuseServer, secret_key: str = SECRET_KEY, compression: str | None = None, **settings: Any
) -> TracerProvider:
    """Send spans to ``server``, without touching OpenTelemetry's global provider."""
    destination = langfuse(public_key=PUBLIC_KEY, secret_key=secret_key, host=server.url, compression=compression)
    return register(destination, **{"set_global_tracer_provider": False, "verbose": False, **settings})
