"""Whose exception it is: one that an object's own method raised, or one that was meant for the running program.

Encoding calls methods of foreign objects (``__repr__``, ``__iter__``) and must swallow whatever they raise, even
``KeyboardInterrupt``: with tracing off nobody would have called them. But a signal (Ctrl-C, an alarm, a worker's time
limit) may arrive at that very moment, and its exception must go on to the program as it would have without tracing.
"""

from __future__ import annotations

import signal
from inspect import CO_VARARGS  # opentelemetry.trace has imported it already
from opcode import opmap
from threading import get_ident, main_thread
from types import CodeType, FrameType, TracebackType

from .tracebacks import is_own_file

_RAISE = opmap["RAISE_VARARGS"]
_traceback_of = BaseException.__dict__["__traceback__"].__get__


def is_meant_for_program(error: BaseException) -> bool:
    """Whether ``error`` came from a signal and not from the object that was being read.

    It did when the frame of a Python signal handler is in its traceback; or, for ``KeyboardInterrupt``, when no
    ``raise`` statement raised it, which is how the interpreter itself delivers Ctrl-C.
    """
    if get_ident() != main_thread().ident:  # signals are handled in the main thread only
        return False
    # Not error.__traceback__, which the exception's class may have redefined.
    entry: TracebackType | None = _traceback_of(error)
    innermost = entry
    handlers: set[CodeType] | None = None
    while entry is not None:
        if _may_be_handler(entry.tb_frame):
            handlers = _signal_handlers() if handlers is None else handlers
            if entry.tb_frame.f_code in handlers:
                return True
        innermost, entry = entry, entry.tb_next
    return issubclass(type(error), KeyboardInterrupt) and not _was_raised_by_statement(innermost)


def _may_be_handler(frame: FrameType) -> bool:
    """Whether the frame's function can be called with a signal's two arguments: most need no look at the handlers."""
    code = frame.f_code
    if is_own_file(code.co_filename):
        return False
    return code.co_argcount >= 2 or bool(code.co_flags & CO_VARARGS)


def _was_raised_by_statement(entry: TracebackType | None) -> bool:
    if entry is None:
        return False
    instructions = entry.tb_frame.f_code.co_code
    # Frames of compiled extensions have no instructions to look at. What they raise is what a signal check gave them.
    return 0 <= entry.tb_lasti < len(instructions) and instructions[entry.tb_lasti] == _RAISE


def _signal_handlers() -> set[CodeType]:
    codes: set[CodeType] = set()
    for number in signal.valid_signals():
        handler: object = signal.getsignal(number)
        for wrapping in ("func", "__func__"):  # asyncio installs a functools.partial of a bound method
            handler = getattr(handler, wrapping, handler)
        for candidate in (handler, vars(type(handler)).get("__call__")):  # a function, or an instance with a method
            code = getattr(candidate, "__code__", None)
            if isinstance(code, CodeType):
                codes.add(code)
    return codes
