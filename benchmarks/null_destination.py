"""agenttrace's own provider, processor and queue, as ``register()`` puts them together, with nothing at their end."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from agenttrace.delivery.own_provider import OwnProvider, default_span_limits
from agenttrace.delivery.pipeline import Pipeline
from agenttrace.delivery.processor import DeliveryProcessor
from agenttrace.delivery.sampling import default_sampler
from agenttrace.delivery.sink import ACCEPTED, Answer
from agenttrace.provider import set_registered_provider


class NullSink:
    """Drops what it gets."""

    name = "nowhere"

    def deliver(self, spans: Sequence[ReadableSpan], timeout: float) -> Answer:
        return ACCEPTED

    def close(self) -> None:
        """There is nothing to close."""

    def forget(self) -> None:
        """There is nothing to forget."""


def register_null(*, sampled: bool = True) -> None:
    """Register a provider whose spans go nowhere."""
    pipeline = Pipeline([DeliveryProcessor(NullSink(), capacity=200_000)])
    sampler = default_sampler() if sampled else ALWAYS_OFF
    set_registered_provider(OwnProvider(pipeline, sampler=sampler, span_limits=default_span_limits()))
