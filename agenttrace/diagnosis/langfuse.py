"""Langfuse's own API: whether it takes a pair of keys, and whether a trace has arrived."""

from __future__ import annotations

from urllib.parse import quote

from agenttrace.delivery.endpoint import Endpoint

from .api import Api
from .findings import Finding, failed, ok, skipped

__all__ = ["LangfuseApi", "langfuse_address"]

_OTEL_PATH = "/api/public/otel"
_ADVICE = (
    "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY must be a pair from one project's settings, and LANGFUSE_HOST the "
    "region or server that it is on"
)


def langfuse_address(endpoint: Endpoint) -> str | None:
    """Where Langfuse's API is; None where spans don't go to Langfuse's path."""
    base, separator, _ = endpoint.address.partition(_OTEL_PATH)
    return base if separator else None


class LangfuseApi:
    """What can be asked of Langfuse.

    Args:
        api: Asks with the destination's headers.
    """

    patience: float = 30.0
    """Seconds within which a span shows up there. A server's queue is in between, and Langfuse promises no time."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def credentials(self) -> Finding:
        """Whether it takes the keys, and which project they belong to."""
        answer = self._api.get("/api/public/projects")
        if answer.status == 200:
            names = [str(row.get("name", "")) for row in answer.rows[:1]]
            of = f' of the project "{names[0][:60]}"' if names and names[0].isprintable() and names[0] else ""
            return ok("credentials", f"Langfuse accepts the keys{of}")
        if answer.status in (401, 403):
            quoted = f"; it says: {answer.words}" if answer.words else ""
            return failed("credentials", f"Langfuse refuses the keys (HTTP {answer.status}): {_ADVICE}{quoted}")
        if answer.status in (404, 405):
            return skipped("credentials", "this server has no /api/public/projects to ask at: is it Langfuse?")
        return failed(
            "credentials", f"Langfuse fails when it is asked (HTTP {answer.status}): see its status page or log"
        )

    def has(self, trace_id: str, project: str) -> bool:
        """Whether the trace has arrived. The keys decide on the project.

        Raises:
            SilentError: If there was no answer.
        """
        # Of the two, Langfuse from version 4 on answers the first at once and the second minutes later; version 3 has
        # the second only.
        observations = self._api.get("/api/public/v2/observations", traceId=trace_id, limit="1")
        if observations.status == 200:
            return any(row.get("traceId") == trace_id for row in observations.rows)
        trace = self._api.get(f"/api/public/traces/{quote(trace_id)}")
        return trace.status == 200 and isinstance(trace.value, dict) and trace.value.get("id") == trace_id
