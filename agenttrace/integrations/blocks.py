"""Opening a span for something that is neither a decorated function nor a ``with`` block."""

from __future__ import annotations

from typing import Any

from ..openers import BlockOpener
from ..running import RunningSpan
from ..tracing import Mark

__all__ = ["open_block"]


def open_block(mark: Mark, name: str, *, started_at: int | None = None, **options: Any) -> RunningSpan | None:
    """The span of a block that begins here, entered already; None where nothing is recorded.

    Args:
        mark: The mark whose kind it has.
        name: Its name.
        started_at: When it began, in nanoseconds since 1970; None for now.
        **options: What the mark takes for a ``with`` block; those that are None are left out.

    Raises:
        TypeError: As the mark does, for options that it doesn't take.
    """
    known = mark(name, **{option: value for option, value in options.items() if value is not None})
    opener = BlockOpener(known.kind, name, known.options)
    opener.started_at = started_at
    return opener.open((), {})
