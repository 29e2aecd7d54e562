"""An exception as attributes: OpenTelemetry's ``exception.*``, with nothing of the exception kept.

What is given here has passed the mask: where inputs or outputs are hidden, an exception is its types and its frames,
since its texts may repeat what is hidden.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType

from opentelemetry.util.types import AttributeValue

from ..blame import is_meant_for_program
from ..semconv.masking import REDACTED, current_mask
from ..tracebacks import is_own_file
from .encode import max_value_bytes
from .text import bounded_text, said

EXCEPTION_EVENT = "exception"

_TYPE, _MESSAGE, _STACKTRACE = "exception.type", "exception.message", "exception.stacktrace"
# Deep recursion makes tracebacks of a thousand frames; the ends tell the story.
_MOST_FRAMES = 100
_MOST_RELATED = 50  # causes and members of groups


def exception_attributes(error: BaseException, *, escaped: bool = False) -> dict[str, AttributeValue]:
    """The attributes of the event that stands for ``error`` (OpenTelemetry's exception semantic conventions), masked.

    Args:
        error: Any exception, also one whose ``__str__`` raises.
        escaped: Whether it left the span.

    Returns:
        ``exception.type``, ``exception.message``, ``exception.stacktrace`` (without the frames of tracing itself) and
        ``exception.escaped`` where it did.
    """
    mask = current_mask()
    attributes: dict[str, AttributeValue] = {_TYPE: _type_name(type(error))}
    if mask.hides_error_texts:
        attributes[_MESSAGE] = REDACTED
        attributes[_STACKTRACE] = _formatted(lambda: _without_texts(error))
    else:
        attributes[_MESSAGE] = mask.text(_MESSAGE, exception_message(error))
        attributes[_STACKTRACE] = mask.text(_STACKTRACE, _formatted(lambda: _lines(error)))
    if escaped:
        attributes["exception.escaped"] = True
    return attributes


def is_failure(error: BaseException) -> bool:
    """Whether ``error`` says that something failed: not so for cancellation, KeyboardInterrupt and SystemExit."""
    # A cancelled `concurrent.futures.Future` raises an Exception, unlike asyncio's.
    futures = sys.modules.get("concurrent.futures")
    return isinstance(error, Exception) and not (futures is not None and isinstance(error, futures.CancelledError))


def exception_message(error: BaseException) -> str:
    """``str(error)``, bounded and without the secrets that it quotes; a stand-in when that raises."""
    try:
        return bounded_text(said(str(error)), max_value_bytes())
    except BaseException as fault:
        if is_meant_for_program(fault):
            raise
        return f"<no text: {type(fault).__name__} in __str__>"


def describe(error: BaseException) -> str:
    """``Type: message``, masked, as the description of an ERROR status has it."""
    mask = current_mask()
    name = type(error).__qualname__
    if mask.hides_error_texts:
        return f"{name}: {REDACTED}"
    message = exception_message(error)
    return mask.status_description(f"{name}: {message}" if message else name)


def _type_name(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _formatted(lines: Callable[[], Iterator[str]]) -> str:
    """The text of ``lines``, up to what may be recorded; the rest of a longer one is never made."""
    try:
        parts: list[str] = []
        limit = room = max_value_bytes()
        for line in lines():
            parts.append(line)
            room -= len(line)
            if room < 0:
                break
        return bounded_text(said("".join(parts)), limit)
    except BaseException as fault:
        if is_meant_for_program(fault):
            raise
        return f"<no stack trace: {type(fault).__name__} while formatting it>"


def _lines(error: BaseException) -> Iterator[str]:
    report = traceback.TracebackException(type(error), error, _innermost(error.__traceback__), limit=-_MOST_FRAMES)
    _drop_tracing_frames(report, set())
    return report.format()


def _without_texts(error: BaseException) -> Iterator[str]:
    """As Python formats it, from the innermost cause on, with every exception's text and notes redacted."""
    chain: list[tuple[str, BaseException]] = [("", error)]
    seen = {id(error)}
    while len(chain) < _MOST_RELATED:
        last = chain[-1][1]
        words, earlier = _CAUSE, last.__cause__
        if earlier is None and not last.__suppress_context__:
            words, earlier = _CONTEXT, last.__context__
        if earlier is None or id(earlier) in seen:
            break
        seen.add(id(earlier))
        chain.append((words, earlier))
    before = ""
    for words, each in reversed(chain):
        yield before
        yield from _one_without_text(each)
        before = words
    members = [*getattr(error, "exceptions", ())]
    for told, member in enumerate(members):  # which grows by the members of members
        if told == _MOST_RELATED:
            break
        yield _MEMBER
        yield from _one_without_text(member)
        members += getattr(member, "exceptions", ())


def _one_without_text(error: BaseException) -> Iterator[str]:
    frames = traceback.StackSummary.extract(traceback.walk_tb(_innermost(error.__traceback__)), limit=-_MOST_FRAMES)
    frames[:] = [frame for frame in frames if not is_own_file(frame.filename)]
    if frames:
        yield "Traceback (most recent call last):\n"
        yield from frames.format()
    yield f"{_type_name(type(error))}: {REDACTED}\n"


_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"
_MEMBER = "\nIn this group:\n\n"


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


def _drop_tracing_frames(report: traceback.TracebackException, seen: set[int]) -> None:
    if id(report) in seen:
        return
    seen.add(id(report))
    report.stack[:] = [frame for frame in report.stack if not is_own_file(frame.filename)]
    related = [report.__cause__, report.__context__, *(getattr(report, "exceptions", None) or ())]
    for other in related:
        if other is not None:
            _drop_tracing_frames(other, seen)
