"""The queue by itself: who is told of what."""

from __future__ import annotations

from collections import deque

from opentelemetry.sdk.trace import ReadableSpan

from agenttrace.delivery.queue import CLOSED, IDLE, SpanQueue


def test_a_queue_that_is_closed_stays_closed_for_who_was_about_to_arm_it() -> None:
    """Else spans that end after the end of delivery would lie in it for ever, without a word."""
    queue = SpanQueue(10)

    class ClosedMeanwhile(deque[ReadableSpan]):
        """Another thread closes the queue while the worker counts what is in it."""

        def __len__(self) -> int:
            queue.close()
            return super().__len__()

    queue.spans = ClosedMeanwhile()
    queue.arm(IDLE)
    assert queue.threshold == CLOSED
    queue.disarm()
    assert queue.threshold == CLOSED
