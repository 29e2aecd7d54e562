"""Encoded spans back into spans of OpenTelemetry's SDK, for destinations that aren't servers."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

__all__ = ["decode_spans"]

# In one number OTLP has the 8 bits of W3C's trace flags, and what else is known of a span's parent or a link's target.
_W3C_FLAGS = 0xFF
_IS_REMOTE = 0x200
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_UNSET = Status()
_KINDS = {kind.value + 1: kind for kind in SpanKind}  # OTLP's 0 is a kind that wasn't said
_CODES = {code.value: code for code in StatusCode}
_Gone = RuntimeError  # by a name of ours, since the builtins go first


def decode_spans(payload: bytes) -> list[ReadableSpan]:
    """The spans in ``payload``, in order, as the SDK's encoder was given them.

    Spans whose resources are equal share one `Resource`. Arrays come back as tuples and maps as dictionaries; a span
    that has not ended has no end time. What the SDK's encoder leaves out is taken to be so: the span and its parent
    were sampled, as all are that get here, and a parent and a link have no trace state.

    Args:
        payload: A serialised ``ExportTraceServiceRequest``, or several behind each other.

    Raises:
        google.protobuf.message.DecodeError: If it is none.
        RuntimeError: If the interpreter has come so far in taking itself apart that protobuf is gone.

    Example:
        >>> [span.name for span in decode_spans(encode_spans(spans).SerializeToString())]
        ['search', 'plan']
    """
    # A finalizer may run even after the interpreter emptied `sys`. Protobuf's compiled part then crashes the process.
    if sys.version is None:
        raise _Gone("the interpreter is all but gone")
    spans: list[ReadableSpan] = []
    resources: dict[tuple[bytes, str], Resource] = {}
    for group in ExportTraceServiceRequest.FromString(payload).resource_spans:
        key = (group.resource.SerializeToString(), group.schema_url)
        resource = resources.get(key)
        if resource is None:
            resource = resources[key] = Resource(_attributes(group.resource.attributes), group.schema_url)
        for part in group.scope_spans:
            scope = _scope(part)
            spans.extend([_span(span, resource, scope) for span in part.spans])
    return spans


class _DecodedSpan(ReadableSpan):
    """A span that says how much the original had dropped at its limits."""

    _dropped: tuple[int, int, int] = (0, 0, 0)

    @property
    def dropped_attributes(self) -> int:
        return self._dropped[0]

    @property
    def dropped_events(self) -> int:
        return self._dropped[1]

    @property
    def dropped_links(self) -> int:
        return self._dropped[2]


class _DecodedEvent(Event):
    """An event that has dropped attributes."""

    _dropped = 0

    @property
    def dropped_attributes(self) -> int:
        return self._dropped


class _DecodedLink(Link):
    """A link that has dropped attributes."""

    _dropped = 0

    @property
    def dropped_attributes(self) -> int:
        return self._dropped


def _scope(part: Any) -> InstrumentationScope | None:
    scope = part.scope
    if not (scope.name or scope.version or scope.attributes or part.schema_url):
        return None
    return InstrumentationScope(scope.name, scope.version, part.schema_url, _attributes(scope.attributes))


def _span(message: Any, resource: Resource, scope: InstrumentationScope | None) -> ReadableSpan:
    trace_id = int.from_bytes(message.trace_id, "big")
    flags = message.flags
    trace_flags = _trace_flags(flags)
    parent_id = message.parent_span_id
    span = _DecodedSpan(
        name=message.name,
        context=SpanContext(
            trace_id,
            int.from_bytes(message.span_id, "big"),
            False,
            trace_flags,
            _trace_state(message.trace_state),
        ),
        parent=SpanContext(trace_id, int.from_bytes(parent_id, "big"), bool(flags & _IS_REMOTE), trace_flags)
        if parent_id
        else None,
        resource=resource,
        attributes=_attributes(message.attributes),
        events=[_event(event) for event in message.events],
        links=[_link(link) for link in message.links],
        kind=_KINDS.get(message.kind, SpanKind.INTERNAL),
        status=_status(message.status) if message.HasField("status") else _UNSET,
        start_time=message.start_time_unix_nano,
        end_time=message.end_time_unix_nano or None,
        instrumentation_scope=scope,
    )
    dropped = (message.dropped_attributes_count, message.dropped_events_count, message.dropped_links_count)
    if any(dropped):
        span._dropped = dropped
    return span


def _status(message: Any) -> Status:
    code = _CODES.get(message.code, StatusCode.UNSET)
    # The SDK warns of a description that stands beside another code, and drops it.
    return Status(code, message.message or None) if code is StatusCode.ERROR else Status(code)


def _event(message: Any) -> Event:
    event = _DecodedEvent(message.name, _attributes(message.attributes), message.time_unix_nano)
    event._dropped = message.dropped_attributes_count
    return event


def _link(message: Any) -> Link:
    context = SpanContext(
        int.from_bytes(message.trace_id, "big"),
        int.from_bytes(message.span_id, "big"),
        bool(message.flags & _IS_REMOTE),
        TraceFlags(message.flags & _W3C_FLAGS),
        _trace_state(message.trace_state),
    )
    link = _DecodedLink(context, _attributes(message.attributes))
    link._dropped = message.dropped_attributes_count
    return link


def _trace_flags(flags: int) -> TraceFlags:
    # The SDK's encoder leaves these 8 bits empty. Only sampled spans are exported.
    known = flags & _W3C_FLAGS
    return TraceFlags(known | TraceFlags.SAMPLED) if known else _SAMPLED


@lru_cache(maxsize=128)
def _trace_state(text: str) -> TraceState:
    return TraceState.from_header([text]) if text else TraceState()


def _attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    # Recursion ends where protobuf's own does, which reads no more than 100 levels from the wire.
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    content = getattr(value, kind)
    if kind == "array_value":
        return tuple([_value(item) for item in content.values])
    if kind == "kvlist_value":
        return _attributes(content.values)
    return content
