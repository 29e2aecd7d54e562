"""Tests of agents: catch the spans that a stretch of code makes, and say what they should be like.

Nothing global is touched: neither OpenTelemetry's provider nor the one that ``register()`` chose, and no thread, socket
or file is made. Captures may be nested, and run in many threads, tasks and test workers at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agenttrace.recording import import_ahead

from .block import CaptureBlock
from .captured import CapturedSpans
from .conformance import assert_conformant

if TYPE_CHECKING:
    from agenttrace.semconv.privacy import TraceConfig

__all__ = ["CapturedSpans", "assert_conformant", "capture_spans"]


def capture_spans(*, deterministic: bool = False, config: TraceConfig | None = None) -> CaptureBlock:
    """Catch the spans that the marks make while the block runs; none of them goes anywhere else.

    Every span is caught, whatever the environment says about sampling or switching OpenTelemetry off. Spans of other
    libraries are caught when they are given `CapturedSpans.tracer_provider`.

    Args:
        deterministic: Let trace and span ids count up from 1, and the time go on by one millisecond with each start
            and each end, from 2025-01-01 on. Where the program runs things at the same time, their order still tells.
        config: What may be recorded while the block runs; None for what is in force anyway, by `register` or by the
            environment.

    Raises:
        TypeError: If ``config`` is no `TraceConfig`.

    Returns:
        A context manager whose block gets `CapturedSpans`: the spans that have ended, in the order in which they
        started. They may be looked at inside the block and after it; spans that end later are added.

    Example:
        >>> with capture_spans() as spans:
        ...     plan("what is the weather in Oslo?")
        >>> spans.assert_tools_called(["get_weather"])
        >>> spans.assert_no_errors()
    """
    import_ahead()
    if config is not None:
        from agenttrace.semconv.privacy import as_trace_config

        config = as_trace_config(config)
    return CaptureBlock(deterministic=deterministic, config=config)
