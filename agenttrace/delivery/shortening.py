"""One span that is too large for any request, made to fit: its longest values are cut, and say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from openinference.semconv.trace import OpenInferenceMimeTypeValues, SpanAttributes
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agenttrace.outbox.payloads import Payload, spans_in

__all__ = ["SHORTENED", "shorten"]

SHORTENED = "agenttrace.shortened"
"""The attribute that names what of a span was cut to make it fit into a request."""

_MARK = "… [shortened: {} bytes]"
_MARK_BYTES = 48
_BETWEEN = ", "
_MOST_NAMES = 20
_ENVELOPE_BYTES = 512  # what the mark's attribute, and the lengths around the values, may add
# At first a value keeps at least this much of itself; where that isn't enough, only the second figure.
_KEPT_BYTES = (4_096, 256)
_MIME_TYPES = {
    SpanAttributes.INPUT_VALUE: SpanAttributes.INPUT_MIME_TYPE,
    SpanAttributes.OUTPUT_VALUE: SpanAttributes.OUTPUT_MIME_TYPE,
}
# What a span can't do without.
_ESSENTIAL = frozenset(
    {
        SpanAttributes.OPENINFERENCE_SPAN_KIND,
        SpanAttributes.SESSION_ID,
        SpanAttributes.USER_ID,
        SpanAttributes.LLM_MODEL_NAME,
        SpanAttributes.LLM_TOKEN_COUNT_PROMPT,
        SpanAttributes.LLM_TOKEN_COUNT_COMPLETION,
        SpanAttributes.LLM_TOKEN_COUNT_TOTAL,
        SHORTENED,
    }
)


def shorten(payload: Payload, most_bytes: int) -> Payload:
    """``payload``, which holds one span, in no more than ``most_bytes`` bytes.

    Its longest values are cut first, each no further than it takes. Where a span has so many values that this is not
    enough, those that say the least about it are left out and counted as dropped, as at OpenTelemetry's limits.

    Args:
        payload: One encoded span.
        most_bytes: Bytes of a request at most; at least a few thousand.
    """
    request = ExportTraceServiceRequest.FromString(payload.data)
    span = next(spans_in(request))
    limit = most_bytes - _ENVELOPE_BYTES
    cut: list[str] = []
    for kept in _KEPT_BYTES:
        excess = request.ByteSize() - limit
        for text in sorted(_texts(request, span), key=lambda text: -text.size):
            if excess <= 0:
                break
            excess -= text.cut(max(kept, text.size - excess - _MARK_BYTES), cut)
    _leave_out(request, span, limit)
    _tell(span, cut)
    return Payload(request.SerializeToString(), payload.count)


@dataclass
class _Text:
    """One text in a span, wherever it is.

    Args:
        name: The attribute that it belongs to, or what else it is.
        size: Its length in bytes.
        read: Gives the text.
        write: Puts another in its place.
    """

    name: str
    size: int
    read: Callable[[], str | bytes]
    write: Callable[[Any], None]

    def cut(self, kept: int, names: list[str]) -> int:
        """Keep the first ``kept`` bytes; how many bytes that saves."""
        if self.size <= kept + _MARK_BYTES:
            return 0
        value = self.read()
        if isinstance(value, bytes):
            self.write(value[:kept])
            saved = self.size - kept
        else:
            head = value.encode()[:kept].decode(errors="ignore") + _MARK.format(f"{self.size:,}")
            self.write(head)
            saved = self.size - len(head.encode())
        if self.name not in names:
            names.append(self.name)
        self.size -= saved
        return saved


def _texts(request: Any, span: Any) -> Iterator[_Text]:
    yield from _texts_of_pairs("", span.attributes)
    for event in span.events:
        yield _field(event.name, event, "name")
        yield from _texts_of_pairs(f"{event.name[:100]}/", event.attributes)
    for link in span.links:
        yield from _texts_of_pairs("link/", link.attributes)
    yield _field("status", span.status, "message")
    yield _field("name", span, "name")
    for resource_spans in request.resource_spans:
        yield from _texts_of_pairs("resource/", resource_spans.resource.attributes)


def _texts_of_pairs(prefix: str, pairs: Iterable[Any]) -> Iterator[_Text]:
    for pair in pairs:
        yield from _texts_of_value(prefix + pair.key[:200], pair.value)


def _texts_of_value(name: str, value: Any) -> Iterator[_Text]:
    waiting = [value]
    while waiting:
        current = waiting.pop()
        kind = current.WhichOneof("value")
        if kind in ("string_value", "bytes_value"):
            yield _field(name, current, kind)
        elif kind == "array_value":
            waiting.extend(current.array_value.values)
        elif kind == "kvlist_value":
            waiting.extend(pair.value for pair in current.kvlist_value.values)


def _field(name: str, message: Any, field: str) -> _Text:
    value = getattr(message, field)
    size = len(value) if isinstance(value, bytes) else len(value.encode())
    return _Text(name[:200], size, lambda: getattr(message, field), lambda text: setattr(message, field, text))


def _leave_out(request: Any, span: Any, limit: int) -> None:
    """Drop events, links and attributes, the largest first, until the request fits. Most spans never get here."""
    excess = request.ByteSize() - limit
    if excess <= 0:
        return
    candidates = [
        *(("events", event) for event in span.events),
        *(("links", link) for link in span.links),
        *(("attributes", pair) for pair in span.attributes if pair.key not in _ESSENTIAL),
    ]
    doomed: dict[str, set[int]] = {}
    for field, part in sorted(candidates, key=lambda candidate: -candidate[1].ByteSize()):
        if excess <= 0:
            break
        excess -= part.ByteSize()
        doomed.setdefault(field, set()).add(id(part))  # `candidates` keeps the parts, so none of the ids is used again
    for field, gone in doomed.items():
        parts, counter = getattr(span, field), f"dropped_{field}_count"
        kept = [type(part).FromString(part.SerializeToString()) for part in parts if id(part) not in gone]
        setattr(span, counter, getattr(span, counter) + len(gone))
        del parts[:]
        parts.extend(kept)


def _tell(span: Any, cut: list[str]) -> None:
    for key, mime_type in _MIME_TYPES.items():
        if key in cut:
            for pair in span.attributes:
                if pair.key == mime_type:  # half a JSON text is none
                    pair.value.string_value = OpenInferenceMimeTypeValues.TEXT.value
    marks = [
        pair for pair in span.attributes if pair.key == SHORTENED
    ]  # of an earlier time, for a server that took more
    mark = marks[0] if marks else span.attributes.add(key=SHORTENED)
    before = mark.value.string_value.split(_BETWEEN) if marks else []
    names = [*before, *(name for name in cut if name not in before)][:_MOST_NAMES]
    shown = _BETWEEN.join(names).encode()[: _ENVELOPE_BYTES // 2].decode(errors="ignore")
    mark.value.string_value = shown or "attributes left out"
