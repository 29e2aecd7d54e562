"""What a call's describer says of it, gathered while the call runs and written when it ends."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from openinference.semconv.trace import (
    MessageAttributes,
    OpenInferenceMimeTypeValues,
    OpenInferenceSpanKindValues,
    RerankerAttributes,
    SpanAttributes,
)
from opentelemetry.trace import Span as OtelSpan

from .capture.reserved import encode_reserved
from .span import Lists, Span, split_lists, write_attributes, write_lists

__all__ = ["Details", "content_left_out"]

_OUTPUT_MESSAGE = f"{SpanAttributes.LLM_OUTPUT_MESSAGES}.0."


class Details:
    """The lists of one call, which are written at its end: as a whole, so that they fit, and the user's set over ours.

    Args:
        lists: What the arguments said, encoded.
        start_keys: The attributes that the span started with.
        given: The names of attributes that the mark was given, which nothing read from the call replaces.
    """

    __slots__ = ("_given", "_lists", "_start_keys")

    def __init__(self, lists: Lists, start_keys: Collection[str], given: Collection[str]) -> None:
        self._lists = lists
        self._start_keys = start_keys
        self._given = given

    def recorded(self, otel_span: OtelSpan) -> dict[str, Any]:
        """What is known of the call so far, by attribute."""
        attributes = getattr(otel_span, "attributes", None)
        known = dict(attributes) if isinstance(attributes, Mapping) else {}
        for flat in self._lists.values():
            known.update(flat)
        return known

    def add(self, flat: Mapping[str, Any], otel_span: OtelSpan, handle: Span | None) -> None:
        """Record ``flat``, except for what the user has set."""
        present = getattr(otel_span, "attributes", None) or {}
        single, lists = split_lists(encode_reserved(flat))
        self._lists.update(lists)
        own = handle._own if handle is not None else ()
        kept = {
            key: value
            for key, value in single.items()
            if key not in own and key not in self._given and (key not in present or key in self._start_keys)
        }
        if SpanAttributes.LLM_MODEL_NAME not in kept:
            # Whoever named the model has said all there is to say of which was asked for and which answered.
            kept.pop(SpanAttributes.LLM_REQUEST_MODEL_NAME, None)
            kept.pop(SpanAttributes.LLM_RESPONSE_MODEL_NAME, None)
        write_attributes(otel_span, kept)

    def lists(self, otel_span: OtelSpan, handle: Span | None) -> Lists:
        """What there is to write of lists that nobody else has written."""
        own = handle._own if handle is not None else ()
        # Somebody may have set a list on the OpenTelemetry span itself, flattened by hand.
        present = {key.partition(".0.")[0] for key in getattr(otel_span, "attributes", None) or () if ".0." in key}
        return {name: flat for name, flat in self._lists.items() if name not in own and name not in present}


def write_late(otel_span: OtelSpan, handle: Span | None, details: Details | None) -> None:
    """Write all lists of a span that is about to end."""
    lists = {} if details is None else details.lists(otel_span, handle)
    if handle is not None and handle._lists:
        lists.update(handle._lists)
    if lists:
        write_lists(otel_span, lists)


def content_left_out(flat: Mapping[str, Any], kind: str, recorded: Mapping[str, Any]) -> dict[str, Any]:
    """``flat`` without what was said in the call, for a mark that records something else in its place, or nothing.

    Args:
        flat: What was read from the result.
        kind: The OpenInference kind.
        recorded: What is on the span: of an LLM span a text that was recorded in the result's place is its answer.
    """
    single, _ = split_lists(flat)
    single.pop(RerankerAttributes.RERANKER_QUERY, None)
    text = recorded.get(SpanAttributes.OUTPUT_VALUE)
    is_text = recorded.get(SpanAttributes.OUTPUT_MIME_TYPE) == OpenInferenceMimeTypeValues.TEXT.value
    if kind == OpenInferenceSpanKindValues.LLM.value and is_text and isinstance(text, str):
        single[_OUTPUT_MESSAGE + MessageAttributes.MESSAGE_ROLE] = "assistant"
        single[_OUTPUT_MESSAGE + MessageAttributes.MESSAGE_CONTENT] = text
    return single
