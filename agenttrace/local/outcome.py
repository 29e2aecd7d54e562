"""What there is to say in one line about how a span ended, when it didn't just return."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .records import SpanRecord


def error_text(span: SpanRecord) -> str:
    """What went wrong in ``span``: its status's description, else its last exception's."""
    if span.status_description:
        return span.status_description
    for event in reversed(span.events):
        if event.name == "exception":
            kind, message = (event.attributes.get(f"exception.{part}", "") for part in ("type", "message"))
            return f"{kind}: {message}"
    return "(no description)"


def stop_text(span: SpanRecord) -> str | None:
    """What stopped ``span`` without its having failed, as ``SystemExit: 1``; None when nothing did.

    SystemExit, KeyboardInterrupt and cancellation are no errors: they leave an event that is named for the exception's
    type, with OpenTelemetry's ``exception.*`` attributes, and no error status.
    """
    if span.is_error:
        return None
    for event in reversed(span.events):
        kind = event.attributes.get("exception.type")
        if isinstance(kind, str) and kind.rpartition(".")[2] == event.name:
            message = event.attributes.get("exception.message")
            return f"{event.name}: {message}" if message else event.name
    return None
