"""Ended spans made into payloads: what a destination is not to see left out, the rest encoded by OpenTelemetry."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from agenttrace import faults
from agenttrace.outbox.payloads import Payload, SizeLimit, pieces, spans_in

from .batch import Tally
from .copies import plain_attributes, plain_copy
from .options import DeliveryOptions
from .shortening import shorten

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.trace import Link, SpanContext

__all__ = ["SpanEncoder", "SpanView"]

_this_thread = threading.local()

ResourceAttributes = Mapping[str, Any]


class SpanView:
    """What one destination sees of the program's spans: all of them as they are.

    Others are made by giving other functions.

    Args:
        shown: The copy of a span to deliver, such as one that is masked, or None where it is to be left out.
        parent_of: The parent that a span is delivered under, or None for its own.
        added: Attributes that the destination wants in addition to those that the copy has.
        resource: Attributes of the resource; they win over the span's own.
        resource_defaults: Attributes of the resource where the span's own has none of that name.
    """

    def __init__(
        self,
        shown: Callable[[ReadableSpan], ReadableSpan | None] | None = None,
        parent_of: Callable[[ReadableSpan], SpanContext | None] | None = None,
        added: Callable[[ReadableSpan], Mapping[str, Any]] | None = None,
        resource: ResourceAttributes | None = None,
        resource_defaults: ResourceAttributes | None = None,
    ) -> None:
        self.shown = shown
        self.parent_of = parent_of
        self.added = added
        self.resource: ResourceAttributes = resource or {}
        self.resource_defaults: ResourceAttributes = resource_defaults or {}


class SpanEncoder:
    """Encodes spans for one destination, with OpenTelemetry's own encoder. Safe to use from several threads.

    Args:
        view: What the destination sees of them.
        options: How large a payload may be.
        limit: What the destination has been found to take in one request.
        tally: Counts the spans as lost that can't be masked or encoded.
    """

    def __init__(
        self,
        view: SpanView,
        options: DeliveryOptions,
        limit: SizeLimit | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._view = view
        self._options = options
        self._limit = limit or SizeLimit(options.batch_bytes)
        self._tally = tally or Tally()

    def encode(self, spans: Sequence[ReadableSpan]) -> Iterator[Payload]:
        """``spans`` in payloads that one request can carry, without those that the destination isn't to see."""
        # Once Python has taken itself apart that far, protobuf's memory management brings the process down.
        shown = [] if sys.version is None else self._shown(spans)
        if not shown:
            return
        options = self._options
        for payload in pieces(self._request(shown), options.batch_size, self._limit.size):
            is_too_large = len(payload.data) > options.batch_bytes
            yield self._shortened(payload) if is_too_large else payload

    def _shown(self, spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
        show = self._view.shown
        if show is None:
            return list(spans)
        shown = []
        for span in spans:
            try:
                copy = show(span)
            except BaseException as error:  # fails closed: what couldn't be masked isn't delivered
                faults.contain("preparing a span for its destination", error)
                self._tally.lost += 1
                continue
            if copy is not None:
                shown.append(copy)
        return shown

    def _request(self, spans: Sequence[ReadableSpan]) -> Any:
        try:
            request = _encode(spans)
        except BaseException as error:
            faults.contain("encoding a span", error)
            request = _encode_one_by_one(spans)
            self._tally.lost += len(spans) - sum(1 for _ in spans_in(request))
        try:
            self._adapt(request, spans)
        except BaseException as error:
            faults.contain("adapting spans to their destination", error)
        return request

    def _adapt(self, request: Any, spans: Sequence[ReadableSpan]) -> None:
        view = self._view
        for resource_spans in request.resource_spans:
            _merge(resource_spans.resource, view.resource, view.resource_defaults)
        parents = {} if view.parent_of is None else _new_parents(spans, view.parent_of)
        originals = {_span_id(span): span for span in spans}
        for span in spans_in(request):
            original = originals[span.span_id]
            _restore(span, original)
            for event, original_event in zip(span.events, original.events, strict=False):
                _restore(event, original_event)
            for link, original_link in zip(span.links, original.links, strict=False):
                _restore(link, original_link)
            # A clock that was put back in the meantime: no backend takes a span that ends before it starts.
            if 0 < span.end_time_unix_nano < span.start_time_unix_nano:
                span.end_time_unix_nano = span.start_time_unix_nano
            parent = parents.get(span.span_id)
            if parent is not None:
                span.parent_span_id = parent
            if view.added is not None:
                span.attributes.extend(_pairs(view.added(original)))

    def _shortened(self, payload: Payload) -> Payload:
        try:
            return shorten(payload, self._options.batch_bytes)
        except BaseException as error:
            faults.contain("shortening a span that is too large", error)
            return payload


def _restore(encoded: Any, original: ReadableSpan | Event | Link) -> None:
    """Give back what the encoder leaves out without a word to us: values that OTLP has no place for, as texts."""
    attributes = original.attributes or {}
    if len(encoded.attributes) < len(attributes):
        present = {pair.key for pair in encoded.attributes}
        for key, value in plain_attributes({k: v for k, v in attributes.items() if k not in present}).items():
            encoded.attributes.append(_pair(key, value))


def _new_parents(
    spans: Sequence[ReadableSpan], parent_of: Callable[[ReadableSpan], SpanContext | None]
) -> dict[bytes, bytes]:
    """The parents of those spans whose own parent isn't delivered, by span id; empty bytes for a root."""
    parents = {}
    for span in spans:
        if span.parent is None:
            continue
        parent = parent_of(span)
        if parent is None:
            parents[_span_id(span)] = b""
        elif parent.span_id != span.parent.span_id:
            parents[_span_id(span)] = parent.span_id.to_bytes(8, "big")
    return parents


def _span_id(span: ReadableSpan) -> bytes:
    context = span.get_span_context()
    assert context is not None, "every span of the SDK has a context"
    return context.span_id.to_bytes(8, "big")


def _merge(resource: Any, attributes: ResourceAttributes, defaults: ResourceAttributes) -> None:
    present = {pair.key: pair for pair in resource.attributes}
    for key, value in defaults.items():
        if key not in present and key not in attributes:
            resource.attributes.append(_pair(key, value))
    for key, value in attributes.items():
        if key in present:
            present[key].value.CopyFrom(_pair(key, value).value)
        else:
            resource.attributes.append(_pair(key, value))


def _pairs(attributes: Mapping[str, Any]) -> Iterator[KeyValue]:
    for key, value in attributes.items():
        yield _pair(key, value)


def _pair(key: str, value: Any) -> KeyValue:
    [(key, value)] = plain_attributes({key: value}).items()
    if isinstance(value, bool):
        return KeyValue(key=key, value=AnyValue(bool_value=value))
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    if isinstance(value, float):
        return KeyValue(key=key, value=AnyValue(double_value=value))
    if isinstance(value, (list, tuple)):
        pair = KeyValue(key=key)
        pair.value.array_value.values.extend(AnyValue(string_value=item) for item in value)
        return pair
    return KeyValue(key=key, value=AnyValue(string_value=str(value)))


def _encode_one_by_one(spans: Sequence[ReadableSpan]) -> Any:
    """Each span as it is where it can be encoded, else in plain texts and numbers: none keeps its neighbours out."""
    whole = _encode([])
    for span in spans:
        for candidate in (lambda span=span: span, lambda span=span: plain_copy(span)):
            try:
                whole.MergeFrom(_encode([candidate()]))
                break
            except BaseException as error:
                faults.contain("encoding a span", error)
    return whole


def _encode(spans: Sequence[ReadableSpan]) -> Any:
    _hush(encode_spans.__module__)
    _this_thread.is_encoding = True
    try:
        return encode_spans(spans)
    finally:
        _this_thread.is_encoding = False


class _NotOurs(logging.Filter):
    """Keeps out what the encoder logs on our behalf: a stack trace, with the attribute that it stumbled over.

    Records of everybody else who uses the encoder pass.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return not getattr(_this_thread, "is_encoding", False)


_not_ours = _NotOurs()


def _hush(encoder: str) -> None:
    # A logger's filters don't hold for its children, so each module of the encoder needs one.
    for name in (encoder, encoder.rpartition(".")[0]):
        encoder_logger = logging.getLogger(name)
        if _not_ours not in encoder_logger.filters:
            encoder_logger.addFilter(_not_ours)
