"""What the tests of the marks share: a place where spans land, and a log that has to stay empty."""

from __future__ import annotations

import gc
import itertools
import logging
from collections import Counter
from collections.abc import Iterator

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace as otel_trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator

from agenttrace import faults
from agenttrace.provider import use_provider


class CountedIds(IdGenerator):
    """Ids that are never given twice, whatever a test does to the random numbers."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)

    def generate_span_id(self) -> int:
        """The next number."""
        return next(self._ids)

    def generate_trace_id(self) -> int:
        """The next number."""
        return next(self._ids)


class Spans(SpanProcessor):
    """The spans of one test: which were started, which ended and how often, and what is on them."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False, id_generator=CountedIds())
        self.provider.add_span_processor(self)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("another-library")
        self._started: list[int] = []
        self._ended: list[int] = []

    def on_start(self, span: SdkSpan, parent_context: otel_context.Context | None = None) -> None:
        """Count it."""
        self._started.append(span.get_span_context().span_id)

    def on_end(self, span: ReadableSpan) -> None:
        """Count it."""
        assert span.context is not None
        self._ended.append(span.context.span_id)

    def all(self) -> list[ReadableSpan]:
        """What ended, in the order of the ends."""
        return list(self.exporter.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        """What ended and has this name."""
        return [span for span in self.all() if span.name == name]

    def only(self, name: str | None = None) -> ReadableSpan:
        """The one span (of this name) there is."""
        [span] = self.all() if name is None else self.named(name)
        return span

    def names(self) -> list[str]:
        """The names of what ended, in the order of the ends."""
        return [span.name for span in self.all()]

    def parent_of(self, name: str) -> str | None:
        """The name of the parent of the one span with this name, or None for a root."""
        parent = self.only(name).parent
        if parent is None:
            return None
        return next(span.name for span in self.all() if span.context and span.context.span_id == parent.span_id)

    def clear(self) -> None:
        """Forget everything."""
        self.exporter.clear()
        self._started.clear()
        self._ended.clear()

    def assert_each_ended_once(self) -> None:
        """Every span that was started has ended, and only once."""
        assert Counter(self._ended) == Counter(self._started)
        assert max(Counter(self._started).values(), default=1) == 1


class LogCatcher(logging.Handler):
    """Keeps what tracing and OpenTelemetry log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.lines.append(f"{record.name}: {record.getMessage()}")

    def expect(self, *parts: str) -> None:
        """Nothing was logged but one line with each of ``parts`` in it, in this order; forget them."""
        lines, self.lines = self.lines, []
        assert len(lines) == len(parts), lines
        for line, part in zip(lines, parts, strict=True):
            assert part in line


@pytest.fixture(scope="session", autouse=True)
def _collecting_garbage_is_quick() -> Iterator[None]:
    """What the imports made is left out of each test's collection, which has a hundred thousand objects less to see."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def _frozen() -> Iterator[None]:
    """Leave what was imported out of the garbage collections that end each test: they take a tenth of the time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def spans() -> Iterator[Spans]:
    """Where the spans of the test land; at its end all must have ended, once."""
    recorded = Spans()
    with use_provider(recorded.provider):
        yield recorded
        gc.collect()
    recorded.assert_each_ended_once()


@pytest.fixture(autouse=True)
def log() -> Iterator[LogCatcher]:
    """What was logged; at the test's end it must be nothing that the test didn't `expect`."""
    faults.forget()
    catcher = LogCatcher()
    loggers = [logging.getLogger(name) for name in ("agenttrace", "opentelemetry", "asyncio")]
    for logger in loggers:
        logger.addHandler(catcher)
    yield catcher
    for logger in loggers:
        logger.removeHandler(catcher)
    assert catcher.lines == []


@pytest.fixture(autouse=True)
def _context_is_left_as_it_was() -> Iterator[None]:
    """No test leaves a span behind as the current one."""
    before = otel_context.get_current()
    yield
    assert otel_trace.get_current_span() is otel_trace.INVALID_SPAN
    assert dict(otel_context.get_current()) == dict(before)
