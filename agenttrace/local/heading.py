"""What stands above the picture of a trace: which run it is, when it was, and whose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openinference.semconv.trace import SpanAttributes
from rich.text import Text

from .documents import jsonable
from .figures import ago_text, count_text, local_time_text
from .text import one_line, safe_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .records import SpanRecord, TraceSummary

SHORT_ID = 8
"""How many digits of a trace's id are shown where there is little room."""

_LABELS = (
    ("session", SpanAttributes.SESSION_ID),
    ("user", SpanAttributes.USER_ID),
    ("tags", SpanAttributes.TAG_TAGS),
)


def heading(summary: TraceSummary, width: int, now: int) -> Text:
    """One line about the whole trace.

    Where ``width`` cells don't take it all, the id is cut to as much as tells it, then the age goes.

    Args:
        summary: The trace.
        width: How many cells there are.
        now: The moment that the age is counted to, in nanoseconds since 1970.
    """
    started, age = local_time_text(summary.start_time), ago_text(summary.start_time, now)
    # Beyond a week the age is the date, which stands there already.
    aged = started if started.startswith(age) else f"{started} ({age})"
    short = summary.trace_id[:SHORT_ID]
    line = _heading(summary, summary.trace_id, aged)
    for trace_id, moment in ((short, aged), (short, started)):
        if line.cell_len > width:
            line = _heading(summary, trace_id, moment)
    return line


def label_line(spans: Sequence[SpanRecord]) -> Text | None:
    """The sessions, users and tags that ``spans`` name, each once; None when they name none."""
    parts = []
    for name, key in _LABELS:
        values = dict.fromkeys(text for span in spans for text in _texts(span.attributes.get(key)))
        if values:
            parts.append(Text.assemble((f"{name} ", "dim"), ", ".join(values)))
    return Text("  ").join(parts) if parts else None


def _heading(summary: TraceSummary, trace_id: str, moment: str) -> Text:
    parts = [
        Text.assemble("trace ", (trace_id, "bold")),
        Text(one_line(summary.project)),
        Text(moment),
        Text(count_text(summary.span_count, "span")),
    ]
    if summary.error_count:
        parts.append(Text(count_text(summary.error_count, "error"), "bold red"))
    if summary.tokens.total is not None:
        parts.append(Text(count_text(summary.tokens.total, "token"), "cyan"))
    return Text("  ").join(parts)


def _texts(value: object) -> Iterator[str]:
    for item in value if isinstance(value, (list, tuple)) else (value,):
        if item not in (None, ""):
            yield one_line(item if isinstance(item, str) else safe_json(jsonable(item)))
