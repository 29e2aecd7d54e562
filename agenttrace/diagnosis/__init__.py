"""Whether spans would arrive, found out step by step: what ``agenttrace doctor`` does, and `auth_check` in code."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agenttrace.destinations import Destination

__all__ = ["auth_check"]


def auth_check(destination: Destination) -> bool:
    """Ask a destination whether it takes the credentials that it is configured with.

    It sends an empty batch, and asks Phoenix and Langfuse over their own API too. It takes a few seconds at most where
    the server answers, and about 20 where nothing does. The program waits for it, so it belongs where that does no
    harm, such as a health check or a test.

    Args:
        destination: Where to ask, made by one of the functions in `agenttrace.destinations`.

    Returns:
        True when the server takes them, or wants none. False when it refuses them, answers otherwise than an OTLP
        server, or doesn't answer; the reason is logged as a warning. For the local store and the console, whether they
        can be written to. Never raises.

    Example:
        >>> from agenttrace.destinations import local
        >>> auth_check(local())
        True
    """
    from .examination import is_accepted  # requests comes with it, which programs that don't ask need not load

    return is_accepted(destination)
