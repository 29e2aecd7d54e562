"""How long a destination is left alone after it has failed."""

from __future__ import annotations

import random

__all__ = ["pause_after"]

_FIRST_SECONDS = 0.25
_LONGEST_SECONDS = 5.0
_LONGEST_WISH_SECONDS = 60.0


def pause_after(failures: int, wish: float | None) -> float:
    """The seconds until it is asked again: about twice as many each time.

    Args:
        failures: How often it has failed in turn, at least once.
        wish: Seconds that it asked to be left alone for.
    """
    pause = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0 ** min(failures - 1, 10))
    pause *= random.uniform(0.5, 1.0)  # noqa: S311 - so that many processes do not come back in step
    return pause if wish is None else max(pause, min(wish, _LONGEST_WISH_SECONDS))
