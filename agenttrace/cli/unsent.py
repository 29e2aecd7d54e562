"""What lies in the outbox for others than those that were sent to, and the command that sends it."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agenttrace import environment
from agenttrace.delivery.endpoint import Protocol, parse_endpoint
from agenttrace.local.text import one_line
from agenttrace.outbox.survey import Leftovers, survey

if TYPE_CHECKING:
    from typing import Any

__all__ = ["command_for", "leftovers_from", "unsent", "unsent_document", "unsent_lines"]

_PROTOCOLS: tuple[Protocol | None, ...] = (None, "http/protobuf", "grpc")
_LANGFUSE_PATH = "/api/public/otel"


def unsent(but: Collection[Path | None], project: str | None) -> list[Leftovers]:
    """What lies in the folders of the outbox except for those that were seen to.

    Args:
        but: These folders.
        project: Only what is filed under it; None for all.

    Raises:
        ValueError: If this user has no home folder and ``AGENTTRACE_HOME`` isn't set.
    """
    return [left for left in survey() if left.folder not in but and project in (None, left.about.project)]


def leftovers_from(source: str, project: str | None) -> list[Leftovers]:
    """What waits for an address, in one folder for each project.

    Args:
        source: The address, as it is listed or as it was written, or the name of a folder.
        project: Only what is filed under it; None for all.

    Raises:
        ValueError: If there is nothing, or it has several owners.
    """
    everything = unsent((), project)
    names = {source, _as_listed(source)}
    found = [left for left in everything if left.about.address in names or left.folder.name == source]
    if not found:
        there = ", ".join(dict.fromkeys(one_line(left.about.address) for left in everything))
        raise ValueError(
            f"nothing waits for {one_line(source)}" + (f": the outbox has spans for {there}" if there else "")
        )
    if len({left.about.project for left in found}) < len(found):
        folders = ", ".join(left.folder.name for left in found)
        raise ValueError(f"{one_line(source)} has several accounts: name the folder of one instead, of {folders}")
    return found


def command_for(left: Leftovers) -> str:
    """The command that sends what ``left`` is about to where it was meant to go, and what has to be set for it.

    Credentials are never on disk, so they are the user's to add.
    """
    address, kind = left.about.address, left.about.kind
    if kind == "local":
        return f"agenttrace send --store {shlex.quote(address)}"
    if not left.has_account:
        written = _as_endpoint(address)
        if written is not None:
            return f"agenttrace send {written}"
        settings = ["AGENTTRACE_DESTINATIONS=otlp", f"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT={address}"]
    elif kind == "langfuse":
        base = address.partition(_LANGFUSE_PATH)[0]
        settings = ["AGENTTRACE_DESTINATIONS=langfuse", f"LANGFUSE_BASE_URL={base}"]
        settings += ["LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"]
    elif kind == "arize":
        settings = ["AGENTTRACE_DESTINATIONS=arize", f"ARIZE_COLLECTOR_ENDPOINT={address}"]
        settings += ["ARIZE_SPACE_ID", "ARIZE_API_KEY"]
    else:
        written = _as_endpoint(address) or f"--endpoint {shlex.quote(address)}"
        return f"agenttrace send --from {left.folder.name} {written}, with that account's headers in the environment"
    return f"agenttrace send, with {', '.join(settings[:-1])} and {settings[-1]} in the environment"


def unsent_lines(everything: Sequence[Leftovers]) -> Iterator[str]:
    """What wasn't sent, and how to send it, for people."""
    if any(left.is_stuck for left in everything):
        yield "not sent, as neither the command nor the environment names where to:"
    for index, left in enumerate(everything):
        yield f'  {one_line(left.about.address)} (project "{one_line(left.about.project)}"): {_counts(left)}'
        following = everything[index + 1] if index + 1 < len(everything) else None
        command = command_for(left)
        # Once below all projects that it sends.
        if left.is_stuck and (following is None or not following.is_stuck or command_for(following) != command):
            yield f"    {one_line(command)}"
    if any(left.is_stuck and left.about.kind != "local" for left in everything):
        yield "where an address was wrong: agenttrace send --from THAT_ADDRESS --endpoint THE_RIGHT_ONE"


def unsent_document(everything: Sequence[Leftovers]) -> list[dict[str, Any]]:
    """All of it as JSON can say it, as what was sent is said."""
    return [
        {
            "destination": left.about.address,
            "project": left.about.project,
            "from": None,
            "sent": 0,
            "refused": left.dead,
            "waiting": left.waiting + left.unfinished,
            "held": left.held,
            "problem": "not sent: neither the command nor the environment names it" if left.is_stuck else "",
            "command": command_for(left) if left.is_stuck else None,
        }
        for left in everything
    ]


def _counts(left: Leftovers) -> str:
    counts = (
        (left.waiting, "waiting"),
        (left.unfinished, "that a killed program left open"),
        (left.dead, "refused"),
        (left.held, "of a program that runs, which sends them itself"),
    )
    return ", ".join(f"{count:,} {name}" for count, name in counts if count)


def _as_endpoint(address: str) -> str | None:
    """The options that mean exactly ``address``; None where none do, as for a path without OTLP's end."""
    for protocol in _PROTOCOLS:
        try:
            endpoint = parse_endpoint(address, protocol, grpc_port=environment.grpc_port())
        except ValueError:
            continue
        if str(endpoint) == address:
            return f"--endpoint {shlex.quote(address)}" + (f" --protocol {protocol}" if protocol else "")
    return None


def _as_listed(source: str) -> str:
    try:
        return str(parse_endpoint(source, grpc_port=environment.grpc_port()))
    except ValueError:
        return source
