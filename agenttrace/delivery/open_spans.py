"""Spans that haven't ended yet: known at almost no cost, and written down only where they stay open for a while."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from opentelemetry.trace import TraceFlags

from agenttrace import faults

from .copies import SpanCopy
from .encoding import SpanEncoder

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Span

    from agenttrace.outbox.outbox import Outbox

__all__ = ["OpenSpans", "RunningSpans"]

_SAMPLED = TraceFlags.SAMPLED
_SHORTEST_PAUSE = 0.1  # however often spans are sent
_PUNCTUALITY = 0.8  # of a pause: one that was a moment short counts


class OpenSpans:
    """The spans of a process that have started and not ended. No method takes a lock or runs code of the program's.

    A span that is never ended is forgotten when the program lets go of it.
    """

    __slots__ = ("_spans",)

    def __init__(self) -> None:
        self._spans: dict[int, weakref.ref[Span]] = {}

    def add(self, span: Span) -> None:
        """``span`` has started."""
        self._spans[span.get_span_context().span_id] = weakref.ref(span)

    def remove(self, span_id: int) -> None:
        """A span has ended."""
        self._spans.pop(span_id, None)

    def now(self) -> dict[int, Span]:
        """The spans that are open at this moment, by span id."""
        found = {}
        for span_id, reference in list(self._spans.items()):
            span = reference()
            if span is None:
                self._spans.pop(span_id, None)
            else:
                found[span_id] = span
        return found

    def ids(self) -> frozenset[int]:
        """Their span ids."""
        return frozenset(list(self._spans))


class RunningSpans:
    """Writes down which spans of a destination are open, new ones once an interval at most. Used by one thread.

    Args:
        open_spans: The spans.
        encoder: Encodes them as the destination sees them.
        outbox: Where they are written down.
        show: Shows them to people while they run; None where the destination has no such place.
        interval: Seconds between two looks.
    """

    def __init__(
        self,
        open_spans: OpenSpans,
        encoder: SpanEncoder,
        outbox: Outbox | None,
        show: Callable[[bytes], None] | None,
        interval: float = _SHORTEST_PAUSE,
    ) -> None:
        self._open_spans = open_spans
        self._encoder = encoder
        self._outbox = outbox
        self._show = show
        self._seen: frozenset[int] = frozenset()
        self._noted: dict[int, bytes] = {}
        self._shown: set[bytes] = set()
        self._next_look = 0.0
        self.pause: float = max(_SHORTEST_PAUSE, interval)
        """Seconds between two looks."""

    @property
    def has_news(self) -> bool:
        """Whether there may be something to write down at the next interval."""
        return bool(self._outbox or self._show) and self._open_spans.ids() != self._noted.keys()

    def look(self) -> dict[int, Span]:
        """The spans that are open now. To be asked for before ended spans are taken from their queue."""
        return self._open_spans.now()

    def note(self, now: dict[int, Span], *, at_once: bool = False) -> None:
        """Write down what has changed, once the spans that had ended by `look` are safe.

        A span counts from the second time that it is seen, so those that are shorter than an interval cost nothing. The
        end of one that counts is written at once: if the process were killed before, it would be ended once more.

        Args:
            now: What `look` said.
            at_once: Whether it counts from the first time: there may be no second one, as the process is ending.
        """
        closed = [span_id for span_id in self._noted if span_id not in now]
        opened: dict[int, Span] = {}
        if at_once or time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + self.pause * _PUNCTUALITY
            opened = {
                span_id: span
                for span_id, span in now.items()
                if span_id not in self._noted and (at_once or span_id in self._seen)
            }
            self._seen = frozenset(now)  # not the spans, which are the program's to keep
        if not opened and not closed:
            return
        payloads: dict[bytes, bytes] = {}
        noted: dict[int, bytes] = {}
        for span_id, span in opened.items():
            key = _key(span)
            data = self._encode(span)
            if data is not None:
                payloads[key] = data
            noted[span_id] = key
        is_written = self._write(payloads, [self._noted[span_id] for span_id in closed])
        self._show_once(payloads)
        if is_written:  # else it is tried once more
            self._noted.update(noted)
            for span_id in closed:
                self._shown.discard(self._noted.pop(span_id))

    def _show_once(self, payloads: dict[bytes, bytes]) -> None:
        unseen = [data for key, data in payloads.items() if key not in self._shown]
        self._shown |= payloads.keys()
        if self._show is not None and unseen:
            self._show(b"".join(unseen))

    def hand_over(self) -> None:
        """Say that none is open: what goes on is somebody else's to write down."""
        closed = list(self._noted.values())
        self._seen, self._noted = frozenset(), {}
        self._write({}, closed)

    def _write(self, opened: dict[bytes, bytes], closed: list[bytes]) -> bool:
        """Whether the log says so now."""
        if self._outbox is None:
            return True
        try:
            log = self._outbox.running
            gone = [key for key in closed if key in log.keys]
            if opened or gone:
                log.note(opened, gone)
        except OSError as error:
            faults.report("writing down which spans are open", error)
            return False
        return True

    def _encode(self, span: Span) -> bytes | None:
        """``span`` as it is now, or None where the destination isn't to see it."""
        if not span.get_span_context().trace_flags & _SAMPLED:
            return None
        copy = SpanCopy(span, attributes=dict(span.attributes or {}), events=list(span.events), links=list(span.links))
        payloads = list(self._encoder.encode([copy]))
        return payloads[0].data if len(payloads) == 1 else None


def _key(span: Span) -> bytes:
    context = span.get_span_context()
    return context.trace_id.to_bytes(16, "big") + context.span_id.to_bytes(8, "big")
