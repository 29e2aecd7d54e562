"""Phoenix's own API: whether it takes a key, and whether a trace has arrived."""

from __future__ import annotations

from urllib.parse import quote

from agenttrace.delivery.endpoint import PHOENIX_PORT, TRACES_PATH, Endpoint
from agenttrace.delivery.phoenix import VERSION_HEADER

from .api import Api, SilentError
from .findings import Finding, failed, ok, skipped

__all__ = ["PhoenixApi", "phoenix_address"]

_PROJECTS = "/v1/projects"
_ADVICE = "set PHOENIX_API_KEY to a key from Phoenix's settings"


def phoenix_address(endpoint: Endpoint) -> str | None:
    """Where Phoenix's API is; None where nobody can tell.

    Args:
        endpoint: Where spans go. Over gRPC that is another port than the API's, which is the usual one on this machine;
            on others it isn't guessed, since a key would be sent there.
    """
    if endpoint.protocol == "grpc":
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        scheme = "https" if endpoint.is_secure else "http"
        return f"{scheme}://{host}:{PHOENIX_PORT}" if endpoint.is_loopback else None
    base, separator, rest = endpoint.address.rpartition(TRACES_PATH)
    return base if separator and not rest else None


class PhoenixApi:
    """What can be asked of Phoenix.

    Args:
        api: Asks with the destination's headers.
        anonymous: Asks the same server without any.
    """

    patience: float = 15.0
    """Seconds within which a span shows up there. It takes one or two."""

    def __init__(self, api: Api, anonymous: Api) -> None:
        self._api = api
        self._anonymous = anonymous

    def is_there(self) -> bool:
        """Whether it is Phoenix that answers. Nothing secret is sent to find out."""
        try:
            return VERSION_HEADER in self._anonymous.get(_PROJECTS, limit="1").headers
        except SilentError:
            return False

    def credentials(self) -> Finding:
        """Whether it takes the key."""
        answer = self._api.get(_PROJECTS, limit="1")
        version = answer.headers.get(VERSION_HEADER)
        name = f"Phoenix {version}" if version else "Phoenix"
        if answer.status == 200:
            if self._anonymous.get(_PROJECTS, limit="1").status == 200:
                return ok("credentials", f"{name} asks for none")
            return ok("credentials", f"{name} accepts them")
        if answer.status in (401, 403):
            does = "refuses them" if self._api.has_credentials else "wants some, and none are sent"
            quoted = f"; it says: {answer.words}" if answer.words else ""
            return failed("credentials", f"{name} {does} (HTTP {answer.status}): {_ADVICE}{quoted}")
        if answer.status in (404, 405):
            return skipped("credentials", f"{name} has no {_PROJECTS} to ask at")
        return failed("credentials", f"{name} fails when it is asked (HTTP {answer.status}): see its log")

    def has(self, trace_id: str, project: str) -> bool:
        """Whether the trace has arrived in the project.

        Raises:
            SilentError: If there was no answer.
        """
        identifier = self._identifier(project)
        if identifier is None:
            return False
        # Releases before 13.9 don't know trace_id here, and answer with the newest spans, among which it is too.
        answer = self._api.get(f"{_PROJECTS}/{quote(identifier, safe='')}/spans", trace_id=trace_id, limit="100")
        contexts = (row.get("context") for row in answer.rows)
        return any(isinstance(context, dict) and context.get("trace_id") == trace_id for context in contexts)

    def _identifier(self, project: str) -> str | None:
        """What stands for the project in a path: its name, or its id where Phoenix takes no such name there."""
        if not set(project) & set("/?#"):
            return project
        rows = self._api.get(_PROJECTS, limit="1000").rows
        return next((str(row.get("id")) for row in rows if row.get("name") == project), None)
