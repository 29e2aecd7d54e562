"""What the diagnosis reads off a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agenttrace.destinations import Destination

__all__ = ["headers_of", "sources"]

# What destinations note as the source where it was no variable.
_ARGUMENT = "argument"
_DEFAULT = "default"


def headers_of(destination: Destination) -> dict[str, str]:
    """What is sent along, names in lower case; a user name and password in the endpoint among it."""
    headers = {name.lower(): value for name, value in destination.headers}
    if destination.endpoint is not None and destination.endpoint.authorization is not None:
        headers.setdefault("authorization", destination.endpoint.authorization)
    return headers


def sources(destination: Destination, *, from_environment_only: bool = False) -> str:
    """Which setting came from where, in one line: ``endpoint from PHOENIX_COLLECTOR_ENDPOINT, …``.

    Args:
        destination: The destination.
        from_environment_only: Whether what the program said itself, and what nobody said, is left out.
    """
    words = {_ARGUMENT: "as given", _DEFAULT: "by default"}
    return ", ".join(
        f"{what} {words.get(source, f'from {source}')}"
        for what, source in destination.origin
        if not (from_environment_only and source in words)
    )
