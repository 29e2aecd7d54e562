"""What the diagnosis reads off a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agenttrace.destinations import Destination

__all__ = ["headers_of", "origin_of", "sources"]


def headers_of(destination: Destination) -> dict[str, str]:
    """What is sent along, names in lower case; a user name and password in the endpoint among it."""
    headers = {name.lower(): value for name, value in destination.headers}
    if destination.endpoint is not None and destination.endpoint.authorization is not None:
        headers.setdefault("authorization", destination.endpoint.authorization)
    return headers


def origin_of(destination: Destination) -> tuple[tuple[str, str], ...]:
    """Which setting came from where, as pairs."""
    return tuple(getattr(destination, "origin", ()))


def sources(destination: Destination) -> str:
    """Which setting came from where, in one line: ``endpoint from PHOENIX_COLLECTOR_ENDPOINT, …``."""
    return ", ".join(f"{what} from {source}" for what, source in origin_of(destination))
