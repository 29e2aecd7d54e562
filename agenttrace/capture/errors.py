"""An exception as attributes: OpenTelemetry's ``exception.*``, with nothing of the exception kept."""

from __future__ import annotations

import sys
import traceback
from types import TracebackType

from opentelemetry.util.types import AttributeValue

from ..blame import is_meant_for_program
from ..tracebacks import is_own_file
from .encode import encode_text, max_value_bytes

EXCEPTION_EVENT = "exception"

# Deep recursion makes tracebacks of a thousand frames; the ends tell the story.
_MOST_FRAMES = 100


def exception_attributes(error: BaseException, *, escaped: bool = False) -> dict[str, AttributeValue]:
    """The attributes of the event that stands for ``error`` (OpenTelemetry's exception semantic conventions).

    Args:
        error: Any exception, also one whose ``__str__`` raises.
        escaped: Whether it left the span.

    Returns:
        ``exception.type``, ``exception.message``, ``exception.stacktrace`` (without the frames of tracing itself) and
        ``exception.escaped`` where it did.
    """
    attributes: dict[str, AttributeValue] = {
        "exception.type": _type_name(type(error)),
        "exception.message": exception_message(error),
        "exception.stacktrace": _stacktrace(error),
    }
    if escaped:
        attributes["exception.escaped"] = True
    return attributes


def is_failure(error: BaseException) -> bool:
    """Whether ``error`` says that something failed: not so for cancellation, KeyboardInterrupt and SystemExit."""
    # A cancelled `concurrent.futures.Future` raises an Exception, unlike asyncio's.
    futures = sys.modules.get("concurrent.futures")
    return isinstance(error, Exception) and not (futures is not None and isinstance(error, futures.CancelledError))


def exception_message(error: BaseException) -> str:
    """``str(error)``, bounded; a stand-in when that raises."""
    try:
        return encode_text(str(error))
    except BaseException as fault:
        if is_meant_for_program(fault):
            raise
        return f"<no text: {type(fault).__name__} in __str__>"


def describe(error: BaseException) -> str:
    """``Type: message``, as the description of an ERROR status has it."""
    message = exception_message(error)
    name = type(error).__qualname__
    return f"{name}: {message}" if message else name


def _type_name(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _stacktrace(error: BaseException) -> str:
    try:
        report = traceback.TracebackException(type(error), error, _innermost(error.__traceback__), limit=-_MOST_FRAMES)
        _drop_tracing_frames(report, set())
        return encode_text(_joined(report))
    except BaseException as fault:
        if is_meant_for_program(fault):
            raise
        return f"<no stack trace: {type(fault).__name__} while formatting it>"


def _innermost(frames: TracebackType | None) -> TracebackType | None:
    """The last `_MOST_FRAMES` of ``frames``: `traceback` looks at each frame that a limit leaves out, and slowly."""
    ahead = frames
    for _ in range(_MOST_FRAMES):
        if ahead is None:
            return frames
        ahead = ahead.tb_next
    while frames is not None and ahead is not None:
        frames, ahead = frames.tb_next, ahead.tb_next
    return frames


def _joined(report: traceback.TracebackException) -> str:
    """The formatted lines, up to what may be recorded; the rest of a longer text is never made."""
    lines: list[str] = []
    room = max_value_bytes()
    for line in report.format():
        lines.append(line)
        room -= len(line)
        if room < 0:
            break
    return "".join(lines)


def _drop_tracing_frames(report: traceback.TracebackException, seen: set[int]) -> None:
    if id(report) in seen:
        return
    seen.add(id(report))
    report.stack[:] = [frame for frame in report.stack if not is_own_file(frame.filename)]
    related = [report.__cause__, report.__context__, *(getattr(report, "exceptions", None) or ())]
    for other in related:
        if other is not None:
            _drop_tracing_frames(other, seen)
