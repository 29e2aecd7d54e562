"""Spans gathered into trees as they end, in bounded memory, for a destination that shows a run when it is over."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from agenttrace.local.records import record_of
from agenttrace.local.tree import arrange, walk

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from agenttrace.local.records import SpanRecord

__all__ = ["Gathering", "Tree", "Why"]

_MOST_SPANS = 10_000
_MOST_BYTES = 32 * 1024 * 1024
_MOST_REMEMBERED = 10_000


class Why(Enum):
    """Why a tree is handed out now."""

    ROOT = auto()
    """Its root has no parent, and ended."""
    REMOTE_PARENT = auto()
    """Its root has its parent in another process, and ended."""
    LATE = auto()
    """Its root ended after its parent, which was handed out before."""
    UNFINISHED = auto()
    """Its root may still come, but it can't be waited for any longer."""


@dataclass(frozen=True)
class Tree:
    """Spans of one trace that belong together, in the order they started, and why they are handed out."""

    spans: Sequence[SpanRecord]
    why: Why


@dataclass(frozen=True)
class _Waiting:
    """A span that waits for the root of its tree."""

    span: SpanRecord
    has_remote_parent: bool
    size: float


class Gathering:
    """Keeps spans until the root of their tree has ended too.

    In this process that is a span without a parent, or with one in another process. Spans that end after their parent,
    of work that went on in the background, make trees of their own.

    Args:
        most_spans: How many spans wait at most. Beyond that the trace goes first that nothing came to for longest.
        most_bytes: How many bytes they may take, encoded.

    Example:
        >>> gathering = Gathering()
        >>> gathering.add([child], size=300)
        []
        >>> [tree] = gathering.add([root], size=300)
    """

    def __init__(self, most_spans: int = _MOST_SPANS, most_bytes: int = _MOST_BYTES) -> None:
        self._most_spans = most_spans
        self._most_bytes = most_bytes
        self._traces: OrderedDict[str, dict[str, _Waiting]] = OrderedDict()
        self._count = 0
        self._bytes = 0.0
        self._handed_out: OrderedDict[str, None] = OrderedDict()

    def add(self, spans: Sequence[ReadableSpan], size: int) -> list[Tree]:
        """Take ``spans``; the trees that are whole with them.

        Args:
            spans: Spans that ended.
            size: How many bytes all of them take, encoded.
        """
        new: dict[str, list[_Waiting]] = {}
        for span in spans:
            is_remote = span.parent is not None and span.parent.is_remote
            waiting = _Waiting(record_of(span), is_remote, size / len(spans))
            self._keep(waiting)
            new.setdefault(waiting.span.trace_id, []).append(waiting)
        trees: list[Tree] = []
        for trace_id, added in new.items():
            # Most payloads bring a long trace only some more spans: it isn't arranged anew for those.
            if any(self._why_root(waiting) for waiting in added):
                trees.extend(self._take_whole(trace_id))
        while self._traces and (self._count > self._most_spans or self._bytes > self._most_bytes):
            trees.append(self._take(next(iter(self._traces))))
        return trees

    def rest(self) -> list[Tree]:
        """What waits, each trace as one; afterwards nothing does."""
        return [self._take(trace_id) for trace_id in list(self._traces)]

    def _keep(self, waiting: _Waiting) -> None:
        span = waiting.span
        trace = self._traces.setdefault(span.trace_id, {})
        self._traces.move_to_end(span.trace_id)
        if span.span_id in trace:  # delivered twice
            self._release(trace, [span])
        trace[span.span_id] = waiting
        self._count += 1
        self._bytes += waiting.size

    def _why_root(self, waiting: _Waiting) -> Why | None:
        """Why a tree that begins with this span is whole; None when it isn't."""
        if waiting.span.parent_id is None:
            return Why.ROOT
        if waiting.has_remote_parent:
            return Why.REMOTE_PARENT
        return Why.LATE if f"{waiting.span.trace_id}{waiting.span.parent_id}" in self._handed_out else None

    def _take_whole(self, trace_id: str) -> Iterator[Tree]:
        trace = self._traces[trace_id]
        for root in arrange(waiting.span for waiting in trace.values()):
            why = self._why_root(trace[root.span.span_id])
            if why is not None:
                yield self._hand_out(trace, [node.span for node, _ in walk([root])], why)
        if not trace:
            del self._traces[trace_id]

    def _take(self, trace_id: str) -> Tree:
        trace = self._traces.pop(trace_id)
        return self._hand_out(trace, [waiting.span for waiting in trace.values()], Why.UNFINISHED)

    def _hand_out(self, trace: dict[str, _Waiting], spans: list[SpanRecord], why: Why) -> Tree:
        self._release(trace, spans)
        for span in spans:
            self._handed_out[f"{span.trace_id}{span.span_id}"] = None
        while len(self._handed_out) > _MOST_REMEMBERED:
            self._handed_out.popitem(last=False)
        return Tree(sorted(spans, key=lambda span: span.start_time), why)

    def _release(self, trace: dict[str, _Waiting], spans: Iterable[SpanRecord]) -> None:
        for span in spans:
            self._bytes -= trace.pop(span.span_id).size
            self._count -= 1
