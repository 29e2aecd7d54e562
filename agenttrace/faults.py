"""What tracing does with its own faults: one line on the ``agenttrace`` logger for each place, and nothing else.

Nothing in this module can raise, whatever the error, its text, or the program's logging set-up are like.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from .blame import is_meant_for_program

logger: logging.Logger = logging.getLogger("agenttrace")

_reported: set[str] = set()
# A place may have a span's name in it, and a program may make up a new one for every span.
_MOST_PLACES = 200
_may_quote: Callable[[], bool] | None = None


def ask_before_quoting(may_quote: Callable[[], bool]) -> None:
    """Let ``may_quote`` say whether an error's own text may be logged. Before anybody can say, it isn't.

    Args:
        may_quote: Asked with no argument; what it raises counts as no.
    """
    global _may_quote
    _may_quote = may_quote


class Advice(Exception):  # noqa: N818 - what it says is for a person
    """A mistake in using tracing. Its text says what to write instead, quotes nothing of the user's, and is logged."""


def report(place: str, error: BaseException) -> None:
    """Log that tracing failed at ``place``, the first time it does in this process.

    The error's own text is left out: it may quote what the user's program handed to tracing, and with it a secret.
    The traceback goes along at DEBUG level only, and not where a `TraceConfig` hides or redacts texts.

    Args:
        place: What was being done, as a noun phrase (``"recording the input of plan"``). Later reports for the
            same place are dropped.
        error: What went wrong.
    """
    try:
        if place in _reported or len(_reported) >= _MOST_PLACES:
            return
        _reported.add(place)
        if type(error) is Advice:
            warn(f"agenttrace: {place}: {error}. The program goes on.")
            return
        warn(
            f"agenttrace: {place} failed with {type(error).__name__}; the program goes on. "
            "Further failures here are not logged."
        )
        if logger.isEnabledFor(logging.DEBUG):
            if _may_quote is not None and _may_quote():
                _log(logging.DEBUG, f"agenttrace: traceback of the failure in {place}", error)
            else:
                _log(logging.DEBUG, f"agenttrace: no traceback of the failure in {place}, as texts are hidden", None)
    except Exception:  # the stack is full, or the program's logging raises: there is nowhere left to say so
        return


def contain(place: str, error: BaseException) -> None:
    """`report` what a hook, a processor or an object of the user's raised, for an ``except BaseException`` block.

    Not even its ``SystemExit`` may leave a traced call. What a signal raised while it ran, such as Ctrl-C or a time
    limit's exception, does: without tracing it would have reached the program too.

    Args:
        place: As for `report`.
        error: What was caught.

    Raises:
        BaseException: ``error``, if it is meant for the program.
    """
    if is_meant_for_program(error):
        raise error
    report(place, error)


def warn_once(message: str) -> None:
    """Log ``message`` as a warning unless the same message was logged before."""
    if message not in _reported:
        _reported.add(message)
        warn(message)


def warn(message: str) -> None:
    """Log ``message`` as a warning, whatever the handlers that receive it do."""
    _log(logging.WARNING, message, None)


def forget() -> None:
    """Let every place be reported again (for tests)."""
    _reported.clear()


def _log(level: int, message: str, error: BaseException | None) -> None:
    try:
        logger.log(level, message, exc_info=error)
    except BaseException as fault:  # a handler or filter of the program's that raises: there is nowhere left to say so
        if is_meant_for_program(fault):
            raise
