"""`local` and `console`: the destinations on this machine."""

from __future__ import annotations

from pathlib import Path

from agenttrace.environment import find
from agenttrace.local.paths import HOME_VARIABLE, absolute_store_path

from .destination import Destination, Spans
from .mistakes import NO_SERVER, explain_mistakes
from .sources import check_spans, check_text

__all__ = ["console", "local"]


@explain_mistakes(**NO_SERVER)
def local(
    path: Path | str | None = None, *, project_name: str | None = None, spans: Spans | None = None
) -> Destination:
    """The local store, which ``agenttrace show`` reads.

    Args:
        path: The store's file; None for the one in ``$AGENTTRACE_HOME``, or in this user's data folder.
        project_name: The project to file spans under there; None for the one that `register` knows.
        spans: ``"agent"`` records the spans of agents and model calls, ``"all"`` those of web frameworks and databases
            too. None for ``AGENTTRACE_SPANS``, else ``"agent"``.

    Raises:
        TypeError: If an argument has the wrong type or isn't known.
        ValueError: If the path is empty, or none is given and this user has no home folder.

    Example:
        >>> str(local("/srv/traces/run.db"))
        '/srv/traces/run.db'
    """
    if path is not None and not isinstance(path, str | Path):
        raise TypeError(f"path is {type(path).__name__}: write a file's path, or leave it out")
    if path is not None and not str(path).strip():
        raise ValueError("path is empty: write a file's path, or leave it out")
    source = "argument"
    if path is None:
        source = "default" if find(HOME_VARIABLE) is None else HOME_VARIABLE
    return Destination(
        kind="local",
        path=absolute_store_path(path),
        spans=check_spans(spans),
        project=check_text("project_name", project_name) or None,
        origin=(("path", source),),
    )


@explain_mistakes(**NO_SERVER)
def console(*, project_name: str | None = None, spans: Spans | None = None) -> Destination:
    """The terminal: each trace is printed to stderr when it is complete.

    Args:
        project_name: The project that is named there; None for the one that `register` knows.
        spans: ``"agent"`` prints the spans of agents and model calls, ``"all"`` those of web frameworks and databases
            too. None for ``AGENTTRACE_SPANS``, else ``"agent"``.

    Raises:
        TypeError: If an argument has the wrong type or isn't known.
        ValueError: If ``spans`` is another word.

    Example:
        >>> str(console())
        'the console'
    """
    return Destination(
        kind="console", spans=check_spans(spans), project=check_text("project_name", project_name) or None
    )
