"""Tests of agents: catch the spans that a stretch of code makes, and say what they should be like.

Nothing global is touched: neither OpenTelemetry's provider nor the one that ``register()`` chose, and no thread, socket
or file is made. Captures may be nested, and run in many threads, tasks and test workers at once.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from agenttrace.provider import use_provider
from agenttrace.recording import import_ahead

from .captured import CapturedSpans
from .recorder import Recorder, provider_for

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CapturedSpans", "capture_spans"]


@contextmanager
def capture_spans(*, deterministic: bool = False) -> Iterator[CapturedSpans]:
    """Catch the spans that the marks make while the block runs; none of them goes anywhere else.

    Every span is caught, whatever the environment says about sampling or switching OpenTelemetry off. Spans of other
    libraries are caught when they are given `CapturedSpans.tracer_provider`.

    Args:
        deterministic: Let trace and span ids count up from 1, and the time go on by one millisecond with each start
            and each end, from 2025-01-01 on. Where the program runs things at the same time, their order still tells.

    Yields:
        The spans that have ended, in the order in which they started. It may be looked at inside the block and after
        it, and goes on to take the spans that end later.

    Example:
        >>> with capture_spans() as spans:
        ...     plan("what is the weather in Oslo?")
        >>> spans.assert_tools_called(["get_weather"])
        >>> spans.assert_no_errors()
    """
    import_ahead()
    recorder = Recorder(deterministic=deterministic)
    provider = provider_for(recorder, deterministic=deterministic)
    with use_provider(provider):
        yield CapturedSpans(recorder, provider)
