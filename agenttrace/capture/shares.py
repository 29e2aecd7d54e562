"""Dividing what is left of a budget fairly."""

from __future__ import annotations

from collections.abc import Iterable


def fair_share(wants: Iterable[float], available: float) -> float:
    """The largest share for which everyone who wants no more gets all and the others that share.

    Args:
        wants: What each asks for.
        available: What there is for all together.

    Returns:
        The share; infinity where there is enough for all, 0 where there is nothing.

    Example:
        >>> fair_share([5, 1000, 300], 605)
        300.0
    """
    ordered = sorted(wants)
    for index, want in enumerate(ordered):
        share = available / (len(ordered) - index)
        if want > share:
            return max(0.0, share)
        available -= want
    return float("inf")
