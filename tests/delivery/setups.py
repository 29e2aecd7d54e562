"""A whole way of delivery for a test: a provider, a processor on it, an outbox if wanted, and a sink in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer

from agenttrace import faults
from agenttrace.delivery.encoding import SpanView
from agenttrace.delivery.flush_report import FlushReport
from agenttrace.delivery.options import DeliveryOptions
from agenttrace.delivery.processor import DeliveryProcessor
from agenttrace.delivery.sink import Answer, Verdict
from agenttrace.outbox.files import read_file
from agenttrace.outbox.folder import stored_files
from agenttrace.outbox.outbox import Outbox
from tests.delivery.sinks import MemorySink, names_in
from tests.servers import PATIENCE_SECONDS

__all__ = ["NEVER", "UNREACHABLE", "MakeSetup", "Setup", "setups"]

NEVER = 3600.0
UNREACHABLE = Answer(Verdict.UNREACHABLE, "no server answers")


class Setup:
    """One processor with an outbox, on a provider of its own.

    Args:
        path: Where the outbox is.
        sink: Where the spans go.
        view: What the sink sees of them.
        options: How they are delivered.
    """

    def __init__(self, path: Path, sink: MemorySink, view: SpanView | None, options: DeliveryOptions) -> None:
        self.sink = sink
        self.outbox = Outbox(path, {}, options.outbox_bytes, options.outbox_seconds)
        self.processor = DeliveryProcessor(sink, options, view, self.outbox)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(self.processor)
        self.tracer: Tracer = provider.get_tracer("test")

    def end_spans(self, *names: str) -> None:
        for name in names:
            self.tracer.start_span(name).end()

    def flush(self, timeout: float = PATIENCE_SECONDS) -> FlushReport:
        """What a flush says."""
        return self.processor.end_flush(self.processor.begin_flush(timeout))

    @property
    def on_disk(self) -> list[str]:
        """The names of all spans on disk, in order."""
        path = self.outbox.path
        folders = sorted(folder for folder in path.iterdir() if folder.is_dir()) if path.is_dir() else []
        files = [file for folder in folders for file in stored_files(folder)]
        return [name for file in files for name in names_in(read_file(file.path)[0])]


MakeSetup = Callable[..., Setup]


@pytest.fixture
def setups(tmp_path: Path) -> Iterator[MakeSetup]:
    """Makes processors that share an outbox, and stops them afterwards. Takes a sink, a view, and options by name."""
    made: list[Setup] = []
    faults.forget()

    def make(
        sink: MemorySink | None = None, view: SpanView | None = None, *, interval: float = NEVER, **options: Any
    ) -> Setup:
        delivery = DeliveryOptions(interval=interval, **options)
        made.append(Setup(tmp_path / "outbox", sink or MemorySink(), view, delivery))
        return made[-1]

    yield make
    for setup in made:
        setup.sink.during = None
        setup.sink.gate.set()
        setup.processor.stop(PATIENCE_SECONDS)
    faults.forget()
