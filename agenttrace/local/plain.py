"""A trace as plain text, for where there is no rich: what called what, how long it took, and what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .figures import count_text, duration_text
from .outcome import error_text, stop_text
from .records import summarise
from .text import one_line
from .tree import PARENT_NOT_RECORDED, arrange, label, walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .records import SpanRecord


def plain_picture(spans: Sequence[SpanRecord], missing_parent: str = PARENT_NOT_RECORDED) -> str:
    r"""``spans`` in a line each below a line about all of them, a line feed at the end of each.

    Args:
        spans: Spans of one trace, at least one, in the order they started.
        missing_parent: What is said above spans whose parent isn't among them.

    Example:
        >>> plain_picture(store.spans("4bf92f35"))
        'trace 4bf92f3577b34da6a3ce929d0e0e4736  weather  2 spans\nAGENT plan  1.24 s\n  TOOL search  12.0 ms\n'
    """
    summary = summarise(spans)
    parts = [f"trace {summary.trace_id}", one_line(summary.project), count_text(summary.span_count, "span")]
    if summary.error_count:
        parts.append(count_text(summary.error_count, "error"))
    if summary.tokens.total is not None:
        parts.append(count_text(summary.tokens.total, "token"))
    lines = ["  ".join(parts)]
    present = {span.span_id for span in spans}
    missing = None
    for node, guides in walk(arrange(spans)):
        parent_id = node.span.parent_id
        if not guides and parent_id and parent_id != missing and parent_id not in present:
            missing = parent_id
            lines.append(missing_parent)
        lines.append(f"{'  ' * len(guides)}{_line(node.span)}")
    return "".join(f"{line}\n" for line in lines)


def _line(span: SpanRecord) -> str:
    stopped = stop_text(span)
    ending = f"error: {error_text(span)}" if span.is_error else f"stopped: {stopped}" if stopped is not None else ""
    return "  ".join(part for part in (label(span), duration_text(span.duration), one_line(ending)) if part)
