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
        can be written to. No fault on the way raises.

    Raises:
        TypeError: If ``destination`` is no destination, such as an address or a maker that wasn't called.

    Example:
        >>> from agenttrace.destinations import local
        >>> auth_check(local())
        True
    """
    from agenttrace.destinations import Destination  # here, since it brings what programs that don't ask need not load

    if not isinstance(destination, Destination):
        raise TypeError(_what_to_write(destination))
    from .examination import is_accepted  # requests comes with it

    return is_accepted(destination)


def _what_to_write(argument: object) -> str:
    # Not quoted: an address may have a password in it.
    start = f"auth_check() takes a destination, not {type(argument).__name__}"
    if isinstance(argument, str):
        return f"{start}: write auth_check(otlp(...)), with otlp from agenttrace.destinations, or another maker there"
    if callable(argument) and getattr(argument, "__module__", "").startswith("agenttrace.destinations"):
        return f"{start}: call it, as in auth_check({getattr(argument, '__name__', '')}())"
    return f"{start}: write auth_check(phoenix()), with phoenix from agenttrace.destinations"
