"""What the worker hands batches to, and what it is told in return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

__all__ = ["ACCEPTED", "Answer", "ExporterSink", "PreparingSink", "Sink", "Verdict", "keep_for_ever"]


class Verdict(Enum):
    """What became of a batch."""

    ACCEPTED = auto()
    """The destination has it."""
    LATER = auto()
    """The destination lives but can't take it now, or didn't say: send it again."""
    UNREACHABLE = auto()
    """Nobody answers: send it again, but don't let anybody wait for that."""
    FAULTY = auto()
    """The destination failed over it: send it again a few times."""
    SPLIT = auto()
    """Too large, or one of its spans is unfit: send it in halves; a single span is given up."""
    REFUSED = auto()
    """It won't be taken however often it is sent."""


@dataclass(frozen=True)
class Answer:
    """A verdict and what there is to say about it.

    Args:
        verdict: What became of the batch.
        problem: What is wrong and what to do about it, as a sentence without a full stop and without secrets. Empty
            where the sink has said it itself.
        retry_after: Seconds that the destination asks to be left alone for.
        rejected: How many spans of an accepted batch the destination threw away.
    """

    verdict: Verdict
    problem: str = ""
    retry_after: float | None = None
    rejected: int = 0


ACCEPTED = Answer(Verdict.ACCEPTED)


class Sink(Protocol):
    """Where a worker's batches go. Used by one thread at a time."""

    @property
    def name(self) -> str:
        """Where the spans go, for messages; holds no secret."""

    def deliver(self, spans: Sequence[ReadableSpan], timeout: float) -> Answer:
        """Send ``spans``, waiting at most ``timeout`` seconds for each answer of the network."""

    def close(self) -> None:
        """Let go of connections. A later delivery makes new ones."""

    def forget(self) -> None:
        """Drop connections that were inherited through a fork, untouched: the parent is using them."""


LOCAL_EXIT_SECONDS = 10.0
"""How long an exit may go on writing a backlog to the local store; a full queue takes about three."""

_kept: list[object] = []


def keep_for_ever(inherited: object) -> None:
    """Keep an inherited connection alive, since its finalizer could speak to the parent's peer."""
    _kept.append(inherited)


class ExporterSink:
    """A sink over an OpenTelemetry SDK exporter, which is made when the first batch is there.

    Args:
        name: Where the spans go.
        make_exporter: Makes the exporter; called again after a fork.
    """

    def __init__(self, name: str, make_exporter: Callable[[], SpanExporter]) -> None:
        # Not above, as only this kind of sink needs it. Not in `deliver`, as nothing can be imported any more when the
        # last spans of a program end, while the interpreter takes itself apart.
        from opentelemetry.sdk.trace.export import SpanExportResult

        self.name: str = name
        self._success = SpanExportResult.SUCCESS
        # What it hands to is on this machine: it takes a backlog or fails, and leaves no exit waiting for nothing.
        self.exit_seconds: float | None = LOCAL_EXIT_SECONDS
        self._make_exporter = make_exporter
        self._exporter: SpanExporter | None = None

    def deliver(self, spans: Sequence[ReadableSpan], timeout: float) -> Answer:
        """Export ``spans``; a failure is the exporter's to explain."""
        if self._exporter is None:
            self._exporter = self._make_exporter()
        if self._exporter.export(spans) is self._success:
            return ACCEPTED
        return Answer(Verdict.UNREACHABLE)

    def close(self) -> None:
        """Shut the exporter down; a later batch gets a new one."""
        exporter, self._exporter = self._exporter, None
        if exporter is not None:
            exporter.shutdown()

    def forget(self) -> None:
        """Make a new exporter for the next batch."""
        if self._exporter is not None:
            keep_for_ever(self._exporter)
            self._exporter = None


class PreparingSink:
    """A sink that sends copies of the spans, or leaves some out; the spans themselves stay as they are.

    Args:
        sink: Where the copies go.
        prepare: Makes the copy of a span, or None where it is to be left out. Called by the worker, on each attempt.
    """

    def __init__(self, sink: Sink, prepare: Callable[[ReadableSpan], ReadableSpan | None]) -> None:
        self.name: str = sink.name
        self.exit_seconds: float | None = getattr(sink, "exit_seconds", None)
        self._sink = sink
        self._prepare = prepare

    def deliver(self, spans: Sequence[ReadableSpan], timeout: float) -> Answer:
        """Send the copies of ``spans``."""
        copies = [copy for copy in map(self._prepare, spans) if copy is not None]
        return self._sink.deliver(copies, timeout) if copies else ACCEPTED

    def close(self) -> None:
        """Close the sink."""
        self._sink.close()

    def forget(self) -> None:
        """Drop the sink's inherited connections."""
        self._sink.forget()
