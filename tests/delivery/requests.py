"""Requests of any shape for property tests, and what is in them, as values to compare."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agenttrace.outbox.payloads import Payload, spans_in

__all__ = ["any_attributes", "any_request", "any_span", "any_text", "payload_of", "spans_with_groups"]


@st.composite
def any_text(draw: st.DrawFn, most: int = 60) -> str:
    """A text of up to ``most`` characters of one to four bytes. Long ones repeat: what is in them is of no account."""
    part = draw(st.text("aZ ü€🙂", min_size=1, max_size=4))
    return (part * most)[: draw(st.integers(0, most))]


def any_value(most: int) -> st.SearchStrategy[AnyValue]:
    """Any value that OTLP has, one in another too."""
    plain = st.one_of(
        any_text(most).map(lambda text: AnyValue(string_value=text)),
        st.integers(0, most).map(lambda size: AnyValue(bytes_value=b"\xff" * size)),
        st.integers(-(2**63), 2**63 - 1).map(lambda number: AnyValue(int_value=number)),
        st.booleans().map(lambda flag: AnyValue(bool_value=flag)),
        st.floats(allow_nan=False).map(lambda number: AnyValue(double_value=number)),
        st.just(AnyValue()),
    )
    return st.recursive(
        plain, lambda inner: st.lists(inner, max_size=3).map(_array) | any_pairs(inner).map(_map), max_leaves=5
    )


def any_pairs(values: st.SearchStrategy[AnyValue], most: int = 3) -> st.SearchStrategy[list[KeyValue]]:
    """Attributes with these values."""
    return st.dictionaries(any_text(20).filter(bool), values, max_size=most).map(
        lambda pairs: [KeyValue(key=key, value=value) for key, value in pairs.items()]
    )


def any_attributes(most: int, count: int = 3) -> st.SearchStrategy[list[KeyValue]]:
    """Up to ``count`` attributes whose texts have up to ``most`` characters."""
    return any_pairs(any_value(most), count)


@st.composite
def any_span(draw: st.DrawFn, most: int = 60) -> Span:
    """A span with anything on it; ids and times it has always."""
    span = Span(
        trace_id=draw(st.binary(min_size=16, max_size=16)),
        span_id=draw(st.binary(min_size=8, max_size=8)),
        name=draw(any_text(most)),
        start_time_unix_nano=1,
        end_time_unix_nano=2**63,
        attributes=draw(any_attributes(most, 5)),
    )
    for name, attributes in draw(st.lists(st.tuples(any_text(most), any_attributes(most)), max_size=3)):
        span.events.add(name=name, time_unix_nano=1, attributes=attributes)
    for attributes in draw(st.lists(any_attributes(most), max_size=2)):
        span.links.add(trace_id=b"t" * 16, span_id=b"s" * 8, attributes=attributes)
    span.status.message = draw(any_text(most))
    return span


sizes = st.integers(0, 300)
shapes = st.lists(st.tuples(sizes, st.lists(st.tuples(sizes, st.lists(sizes, max_size=6)), max_size=3)), max_size=3)


@st.composite
def any_request(draw: st.DrawFn) -> ExportTraceServiceRequest:
    """A request with spans of any size under resources and scopes of any size, empty groups among them."""
    request = ExportTraceServiceRequest()
    number = 0
    for resource_size, scopes in draw(shapes):
        group = request.resource_spans.add(schema_url="u" * (resource_size % 7))
        group.resource.attributes.add(key="about").value.string_value = "r" * resource_size
        for scope_size, sizes_of_spans in scopes:
            part = group.scope_spans.add(schema_url="u" * (scope_size % 5))
            part.scope.name = "s" * scope_size
            for size in sizes_of_spans:
                number += 1
                ids = {"trace_id": b"t" * 16, "span_id": number.to_bytes(8, "big")}
                part.spans.add(**ids, name="n" * size, start_time_unix_nano=1, end_time_unix_nano=2**63)
    return request


def payload_of(request: ExportTraceServiceRequest) -> Payload:
    """``request``, serialised."""
    return Payload(request.SerializeToString(), sum(1 for _ in spans_in(request)))


def spans_with_groups(data: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """Each span in a payload, with the resource and the scope that it stands under, as bytes."""
    found = []
    for group in ExportTraceServiceRequest.FromString(data).resource_spans:
        resource = group.resource.SerializeToString(deterministic=True) + group.schema_url.encode()
        for part in group.scope_spans:
            scope = part.scope.SerializeToString(deterministic=True) + part.schema_url.encode()
            found += [(resource, scope, span.SerializeToString(deterministic=True)) for span in part.spans]
    return found


def _array(values: list[AnyValue]) -> AnyValue:
    value = AnyValue()
    value.array_value.values.extend(values)
    return value


def _map(pairs: list[Any]) -> AnyValue:
    value = AnyValue()
    value.kvlist_value.values.extend(pairs)
    return value
