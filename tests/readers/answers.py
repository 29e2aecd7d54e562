"""What the tests of traced calls share: what a span says of the answer, and what it ought to say."""

from __future__ import annotations

import json
from typing import Any

from openinference.semconv.trace import SpanAttributes
from opentelemetry.sdk.trace import ReadableSpan

from agenttrace.capture.reserved import encode_reserved
from agenttrace.semconv.attributes import model_call_attributes

_OF_THE_ANSWER = (
    SpanAttributes.LLM_MODEL_NAME,
    SpanAttributes.LLM_SYSTEM,
    SpanAttributes.LLM_PROVIDER,
    SpanAttributes.LLM_OUTPUT_MESSAGES,
    SpanAttributes.LLM_FINISH_REASON,
    "llm.token_count",
)


def answer_of(span: ReadableSpan) -> dict[str, Any]:
    """The attributes of ``span`` that come from the answer, JSON parsed."""
    return _parsed({key: value for key, value in (span.attributes or {}).items() if key.startswith(_OF_THE_ANSWER)})


def told(call: dict[str, Any]) -> dict[str, Any]:
    """The attributes that say what ``call`` says, JSON parsed."""
    return _parsed(encode_reserved(model_call_attributes(call)))  # type: ignore[arg-type]


def events_of(span: ReadableSpan) -> list[str]:
    """The names of the span's events."""
    return [event.name for event in span.events]


def _parsed(flat: dict[str, Any]) -> dict[str, Any]:
    """``flat`` with objects in place of their JSON, whose spacing and order say nothing."""
    return {
        key: json.loads(value) if isinstance(value, str) and value.startswith("{") and value.endswith("}") else value
        for key, value in flat.items()
    }
