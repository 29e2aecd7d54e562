"""Spans that were made for nothing but to carry an annotation of another one, which had ended: finding them.

The store has no index by what a span is linked to, and needs none: a carrier started after what it is about, and by
trace the spans that started after a moment are found quickly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openinference.semconv.trace import OpenInferenceSpanKindValues, SpanAttributes

from agenttrace.semconv.vocabulary import ANNOTATION_CARRIER

from . import rows
from .values import dump_json

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from .records import LinkRecord, SpanRecord

IS_CARRIER = f"""kind IS '{OpenInferenceSpanKindValues.EVALUATOR.value}'
    AND instr(spans.attributes, '"{ANNOTATION_CARRIER}":true') > 0"""
"""Whether a row of ``spans`` is a carrier. Inside a JSON string the quotes would have backslashes before them."""

MOST_TRACES = 5_000
"""So many traces right after a trace are searched for its annotations, and so many of the newest."""

_MOST_SESSIONS = 20
_LATER_TRACES = """
    SELECT trace_id FROM (SELECT trace_id FROM traces WHERE start_time >= :start ORDER BY start_time LIMIT :most)
    UNION
    SELECT trace_id FROM
        (SELECT trace_id FROM traces WHERE start_time >= :start ORDER BY start_time DESC LIMIT :most)
"""


def find(connection: sqlite3.Connection, spans: Sequence[SpanRecord]) -> list[SpanRecord]:
    """The carriers in other traces that are about ``spans``, all of one trace, or about their sessions."""
    trace_id = spans[0].trace_id
    sessions = _sessions_of(spans)
    parameters: dict[str, object] = {
        "start": min(span.start_time for span in spans),
        "most": MOST_TRACES,
        "trace": trace_id,
    }
    wanted = ["instr(spans.links, :trace) > 0"]
    for number, session in enumerate(sessions):
        wanted.append(f"instr(spans.attributes, :session{number}) > 0")
        parameters[f"session{number}"] = dump_json({SpanAttributes.SESSION_ID: session})[1:-1]
    # CROSS JOIN has SQLite begin with the traces.
    found = connection.execute(
        f"""
        SELECT {rows.READ_COLUMNS} FROM ({_LATER_TRACES}) AS later
        CROSS JOIN spans ON spans.trace_id = later.trace_id {rows.JOIN_RESOURCES}
        WHERE {IS_CARRIER} AND spans.trace_id != :trace AND ({" OR ".join(wanted)})
        ORDER BY spans.start_time, spans.id
        """,  # noqa: S608 - made of the names above
        parameters,
    )
    carriers = [rows.read_span(row) for row in found]
    return [carrier for carrier in carriers if _is_about(carrier, trace_id, sessions)]


def is_carrier(span: SpanRecord) -> bool:
    """Whether ``span`` was made for nothing but to carry an annotation."""
    is_evaluator = span.kind == OpenInferenceSpanKindValues.EVALUATOR.value
    return is_evaluator and span.attributes.get(ANNOTATION_CARRIER) is True


def judged_by(carrier: SpanRecord) -> LinkRecord | None:
    """The span that ``carrier`` is about: that of its one link."""
    return carrier.links[0] if len(carrier.links) == 1 else None


def _sessions_of(spans: Sequence[SpanRecord]) -> list[str]:
    """The sessions that ``spans`` ran in, each once."""
    ran = (span for span in spans if not is_carrier(span))
    named = dict.fromkeys(span.attributes.get(SpanAttributes.SESSION_ID) for span in ran)
    return [session for session in named if isinstance(session, str)][:_MOST_SESSIONS]


def _is_about(carrier: SpanRecord, trace_id: str, sessions: Sequence[str]) -> bool:
    link = judged_by(carrier)
    if link is not None:
        return link.trace_id == trace_id
    return not carrier.links and carrier.attributes.get(SpanAttributes.SESSION_ID) in sessions
