"""What ``register(verbose=True)`` says: where spans go, and where that was said. Text only, at most one screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agenttrace.local.paths import store_option
from agenttrace.local.text import neutral

from .subject import sources

if TYPE_CHECKING:
    from agenttrace.destinations import Destination

__all__ = ["banner"]

_MOST_DESTINATIONS = 8
_MOST_NOTES = 8
_LONGEST_LINE = 200


def banner(destinations: Sequence[Destination], project: str, notes: Sequence[str] = ()) -> str:
    """Where spans go, in one line; in more where more is configured.

    Args:
        destinations: Where spans go.
        project: The project that they are filed under.
        notes: What else is worth knowing, such as that a provider is joined: a line each.

    Returns:
        Lines without a line break at the end. Holds no secret: destinations show none, and headers are only named.

    Example:
        >>> print(banner([local("run.db")], "weather"))
        agenttrace: recording to /srv/run.db (project "weather"). To look: agenttrace show --store /srv/run.db
    """
    lines = _one(destinations[0], project) if len(destinations) == 1 else _several(destinations, project)
    lines += [f"  {note}" for note in notes[:_MOST_NOTES]]
    return "\n".join(_short(line) for line in lines)


def _one(destination: Destination, project: str) -> list[str]:
    line, advice = f'agenttrace: {destination.activity} (project "{project}")', _how_to_look(destination)
    lines = [line]
    if advice:
        # A command that is cut can't be copied.
        lines = [f"{line}. {advice}"] if len(line) + len(advice) + 2 <= _LONGEST_LINE else [line, f"  {advice}"]
    configured = sources(destination, from_environment_only=True)
    return [*lines, f"  {configured}"] if configured else lines


def _several(destinations: Sequence[Destination], project: str) -> list[str]:
    if not destinations:
        return [f'agenttrace: spans go nowhere (project "{project}")']
    lines = [f'agenttrace: spans go to {len(destinations)} places (project "{project}")']
    kinds = [destination.kind for destination in destinations]
    width = max(map(len, kinds))
    for kind, destination in list(zip(kinds, destinations, strict=True))[:_MOST_DESTINATIONS]:
        configured = sources(destination, from_environment_only=True)
        behind = f"; {configured}" if configured else ""
        where = "" if kind == "console" else f"  {destination}"
        lines.append(f"  {kind:<{width}}{where}{_project_of(destination, project)}{behind}".rstrip())
    if len(destinations) > _MOST_DESTINATIONS:
        lines.append(f"  and {len(destinations) - _MOST_DESTINATIONS} more: agenttrace doctor lists them all")
    return lines + [f"  {advice}" for advice in map(_how_to_look, destinations) if advice][:1]


def _project_of(destination: Destination, project: str) -> str:
    own = destination.project
    return f' (project "{own}")' if own and own != project else ""


def _how_to_look(destination: Destination) -> str:
    # A server's web page is seldom at the address that spans are sent to.
    return f"To look: agenttrace show{store_option(destination.path)}" if destination.kind == "local" else ""


def _short(line: str) -> str:
    # A path or a project may have a line break in it, which would make a line look like one of ours.
    indent = line[: len(line) - len(line.lstrip(" "))]
    shown = indent + neutral(line.strip().replace("\n", " "))
    return shown if len(shown) <= _LONGEST_LINE else shown[: _LONGEST_LINE - 1] + "…"
