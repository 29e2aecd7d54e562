"""Where code runs by a framework's own account, for frameworks whose hooks can't make a span the current one.

A hook that is called in the program's context may leave nothing in it, and many are called in another context than the
body that they announce. But where a framework has a context variable of its own that says in which of its runs the code
is, that holds in threads, tasks and generators alike. An adapter adds a finder here that reads it.
"""

from __future__ import annotations

from collections.abc import Callable

from . import faults
from .current import Context

__all__ = ["Finder", "add_finder", "located"]

Finder = Callable[[Context], Context]
"""Gives the context that it is given, or that one with the span in it that a framework says the code runs in."""

_finders: list[Finder] = []


def add_finder(finder: Finder) -> None:
    """Have ``finder`` asked wherever a span begins, or the current one is asked for. For good: add one a module."""
    _finders.append(finder)


def located(context: Context) -> Context:
    """The current ``context``; where a framework knows better in which span the code runs, with that span in it."""
    for finder in _finders:
        try:
            context = finder(context)
        except BaseException as error:
            faults.contain("finding the span that code runs in", error)
    return context
