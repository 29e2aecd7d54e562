"""What a framework tells besides inputs and outputs, hidden where these are."""

from __future__ import annotations

from typing import Any

from ..semconv.masking import REDACTED, current_mask

__all__ = ["content"]


def content(value: Any) -> Any:
    """``value``, which may repeat what went in or came out, as an event may have it.

    Args:
        value: Anything that is no metadata of the framework's own.

    Returns:
        ``value``, or ``"__REDACTED__"`` where inputs or outputs are hidden.

    Example:
        >>> span.add_event("paused", {"message": content(event.message)})
    """
    return REDACTED if current_mask().hides_error_texts else value
