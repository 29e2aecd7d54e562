"""agenttrace's own provider, processor and queue, as ``register()`` puts them together, with nothing at their end."""

from __future__ import annotations

import atexit
import tempfile
from pathlib import Path

from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from agenttrace.delivery.encoding import SpanView
from agenttrace.delivery.lineage import Lineage
from agenttrace.delivery.options import DeliveryOptions
from agenttrace.delivery.own_provider import OwnProvider, default_span_limits
from agenttrace.delivery.pipeline import Pipeline
from agenttrace.delivery.processor import DeliveryProcessor
from agenttrace.delivery.sampling import default_sampler
from agenttrace.delivery.sink import ACCEPTED, Answer
from agenttrace.outbox.outbox import Outbox
from agenttrace.provider import set_registered_provider


class NullSink:
    """Drops what it gets."""

    name = "nowhere"

    def send(self, payload: bytes, timeout: float) -> Answer:
        return ACCEPTED

    def close(self) -> None:
        """There is nothing to close."""

    def forget(self) -> None:
        """There is nothing to forget."""


def register_null(*, sampled: bool = True) -> None:
    """Register a provider whose spans go nowhere: none is encoded, as no other contender's are."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    options = DeliveryOptions(capacity=200_000)
    outbox = Outbox(Path(folder.name) / "outbox" / "nowhere", {}, options.outbox_bytes, options.outbox_seconds)
    delivery = DeliveryProcessor(NullSink(), options, SpanView(shown=lambda span: None), outbox)
    pipeline = Pipeline([delivery], lineage=Lineage())
    sampler = default_sampler() if sampled else ALWAYS_OFF
    set_registered_provider(OwnProvider(pipeline, sampler=sampler, span_limits=default_span_limits()))
