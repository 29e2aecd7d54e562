"""Runs one script against a plain function and a marked one, and writes down all that a program could tell apart.

A script is a list of operations on a generator or async generator. Its transcript says what each one gave or raised:
which object, with which cause and context, through which frames; and what the body noted while it ran.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from typing import Any

from agenttrace.tracebacks import is_own_file

Operation = tuple[Any, ...]
"""``("next",)``, ``("send", value)``, ``("throw", exception class)`` or ``("close",)``. With ``"while handling"`` at
its end it is done while the consumer handles an exception of its own."""

Transcript = list[Any]

HIDES_FRAMES = sys.version_info >= (3, 11)
"""Whether Python lets tracing take its own frames out of a traceback (from 3.11 on)."""

WHILE_HANDLING = "while handling"


class Note:
    """What a body notes down while it runs."""

    def __init__(self) -> None:
        self.lines: Transcript = []
        self.over = False

    def __call__(self, line: object) -> None:
        """Note ``line``, and the exception that is being handled."""
        handled = sys.exc_info()[1]
        self.lines.append((line, None if handled is None else type(handled).__name__))


def describe(error: BaseException | None, known: dict[int, str], driver: str, with_frames: bool) -> Any:
    """All that can be told about ``error``; ``known`` has the names of the script's own exceptions by id.

    A body that was never entered has a frame in no traceback; there Python shows the generator's own, and
    ``with_frames`` is to be False.
    """
    if error is None:
        return None
    name = known.get(id(error), type(error).__name__)
    return (
        name,
        str(error),
        describe(error.__cause__, known, driver, with_frames),
        describe(error.__context__, known, driver, with_frames),
        error.__suppress_context__,
        frames(error, driver) if with_frames else None,
    )


def frames(error: BaseException, driver: str) -> list[tuple[str, str]]:
    """The functions and lines that ``error`` came through, those of the driver left out."""
    summary = traceback.extract_tb(error.__traceback__)
    if not HIDES_FRAMES:
        summary = traceback.StackSummary.from_list([frame for frame in summary if not is_own_file(frame.filename)])
    return [(frame.name, frame.line or "") for frame in summary if frame.name != driver]


def run(make: Callable[..., Any], script: Sequence[Operation]) -> Transcript:
    """The transcript of ``script`` on the generator that ``make(note)`` gives."""
    note = Note()
    known: dict[int, str] = {}
    kept: list[BaseException] = []
    generator = make(note)
    transcript: Transcript = [("state", inspect.getgeneratorstate(generator))]
    for operation in script:
        started = inspect.getgeneratorstate(generator) != inspect.GEN_CREATED
        try:
            if operation[-1] == WHILE_HANDLING:
                try:
                    raise LookupError("the consumer's own")
                except LookupError:
                    given = _do(generator, operation, known, kept)
            else:
                given = _do(generator, operation, known, kept)
            transcript.append((operation[0], "gave", given))
        except BaseException as error:
            value = getattr(error, "value", None)
            transcript.append((operation[0], "raised", describe(error, known, "run", started), value))
        handled = sys.exc_info()[1]
        transcript.append((inspect.getgeneratorstate(generator), handled))
    transcript.append(list(note.lines))
    note.over = True
    return transcript


def _do(
    generator: Generator[Any, Any, Any], operation: Operation, known: dict[int, str], kept: list[BaseException]
) -> Any:
    match operation:
        case ("next", *_):
            return next(generator)
        case ("send", value, *_):
            return generator.send(value)
        case ("throw", kind, *_):
            return generator.throw(_made(kind, known, kept))
        case ("throw class", kind, *_):
            return generator.throw(kind)
        case _:
            return generator.close()


async def run_async(make: Callable[..., Any], script: Sequence[Operation]) -> Transcript:
    """The transcript of ``script`` on the async generator that ``make(note)`` gives."""
    note = Note()
    known: dict[int, str] = {}
    kept: list[BaseException] = []
    generator = make(note)
    transcript: Transcript = []
    started = False
    for operation in script:
        try:
            if operation[-1] == WHILE_HANDLING:
                try:
                    raise LookupError("the consumer's own")
                except LookupError:
                    given = await _do_async(generator, operation, known, kept)
            else:
                given = await _do_async(generator, operation, known, kept)
            transcript.append((operation[0], "gave", given))
        except BaseException as error:
            transcript.append((operation[0], "raised", describe(error, known, "run_async", started)))
        started = started or operation[0] != "send" or operation[1] is None
        handled = sys.exc_info()[1]
        transcript.append((generator.ag_running, generator.ag_frame is None, handled))
    transcript.append(list(note.lines))
    note.over = True
    return transcript


async def _do_async(
    generator: AsyncGenerator[Any, Any], operation: Operation, known: dict[int, str], kept: list[BaseException]
) -> Any:
    match operation:
        case ("next", *_):
            return await generator.__anext__()
        case ("send", value, *_):
            return await generator.asend(value)
        case ("throw", kind, *_):
            return await generator.athrow(_made(kind, known, kept))
        case ("throw class", kind, *_):
            return await generator.athrow(kind)
        case _:
            return await generator.aclose()


def _made(kind: type[BaseException], known: dict[int, str], kept: list[BaseException]) -> BaseException:
    error = kind("thrown in")
    known[id(error)] = f"thrown {kind.__name__} {len(kept)}"
    kept.append(error)
    return error
