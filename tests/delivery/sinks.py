"""What stands for a destination in tests of what leads to it: a sink in memory, and spans to give it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agenttrace.delivery.decoding import decode_spans
from agenttrace.delivery.sink import ACCEPTED, Answer, Verdict
from agenttrace.outbox.payloads import Payload
from tests.servers import PATIENCE_SECONDS

__all__ = ["MemorySink", "make_payload", "make_spans", "names_in"]


class MemorySink:
    """A sink that keeps the spans it is sent, answers as told, and can be held up.

    Args:
        answers: What it answers to the first requests. It takes those that come after.
    """

    name = "memory"

    def __init__(self, *answers: Answer) -> None:
        self.spans: list[ReadableSpan] = []
        """What it has taken, in order."""
        self.batches: list[list[str]] = []
        """The names of the same, by request."""
        self.payloads: list[bytes] = []
        """Every request, whatever it was answered."""
        self.answers = list(answers)
        self.always: Answer | None = None
        """What it answers when no other answer is left; None takes everything."""
        self.gate = threading.Event()
        """While it is not set, no request is answered."""
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.closed = 0
        self.forgotten = 0
        self.poison: str | None = None
        """The name of a span that it fails over, whatever else is in the request."""
        self.during: Callable[[], object] | None = None
        """Called in the middle of each request."""

    def send(self, payload: bytes, timeout: float) -> Answer:
        self.payloads.append(payload)
        self.entered.release()
        assert self.gate.wait(PATIENCE_SECONDS)
        if self.during is not None:
            self.during()
        if self.poison is not None and self.poison in names_in(payload):
            return Answer(Verdict.FAULTY, "the server failed")
        answer = self.answers.pop(0) if self.answers else self.always or ACCEPTED
        if answer.verdict is Verdict.ACCEPTED:
            spans = decode_spans(payload)
            self.spans.extend(spans)
            self.batches.append([span.name for span in spans])
        return answer

    def close(self) -> None:
        self.closed += 1

    def forget(self) -> None:
        self.forgotten += 1

    @property
    def names(self) -> list[str]:
        return [name for batch in self.batches for name in batch]

    def wait_until_entered(self) -> None:
        assert self.entered.acquire(timeout=PATIENCE_SECONDS)


def names_in(payload: bytes) -> list[str]:
    """The names of the spans in a payload."""
    return [span.name for span in decode_spans(payload)]


def make_spans(*names: str, attributes: dict[str, Any] | None = None) -> list[ReadableSpan]:
    """Ended spans of these names, in one trace of two levels: the first one is the root, and ends last."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "tests"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("scope")
    with tracer.start_as_current_span(names[0], attributes=attributes):
        for name in names[1:]:
            tracer.start_span(name, attributes=attributes).end()
    return list(exporter.get_finished_spans())


def make_payload(*names: str, attributes: dict[str, Any] | None = None) -> Payload:
    """The spans of `make_spans`, encoded as OpenTelemetry does."""
    return Payload(encode_spans(make_spans(*names, attributes=attributes)).SerializeToString(), len(names))
