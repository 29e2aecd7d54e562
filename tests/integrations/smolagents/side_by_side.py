"""What the integration and OpenInference's instrumentor record of the same runs, as a part of docs/smolagents.md.

    python -m tests.integrations.smolagents.side_by_side

writes it anew.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

from .comparison import Comparison, compare
from .differences import ALLOWED, SPANS_OF_OURS, SPANS_OF_THEIRS, allowed_by
from .recording import record_in_process

__all__ = ["COMMAND", "PAGE", "compared", "faults", "table", "unused", "written_block"]

COMMAND = "python -m tests.integrations.smolagents.side_by_side"
PAGE = Path(__file__).resolve().parents[3] / "docs" / "smolagents.md"
_BLOCK = re.compile(r"(?<=<!-- side by side -->\n).*?(?=<!-- end -->)", re.DOTALL)


def compared() -> Comparison:
    """Both sides, each run in a process of its own."""
    return compare(record_in_process("ours"), record_in_process("theirs"))


def faults(found: Comparison) -> list[str]:
    """What of theirs is neither in ours nor known to be different for a reason."""
    lost = [f"only they have the span {span}" for span in found.spans_of_theirs if span not in SPANS_OF_THEIRS]
    lost += [
        f"only we have the span {title}, for no known reason"
        for title in found.spans_of_ours
        if title not in SPANS_OF_OURS
    ]
    for difference, occurrences in sorted(found.attributes.items()):
        if difference.verdict in ("same", "ours only"):
            continue
        rows = allowed_by(difference)
        for one in occurrences:
            if not any(row.explains(one) for row in rows):
                values = f"ours {one.ours.get(one.key)!r}, theirs {one.theirs.get(one.key)!r}"
                lost.append(f"{one.scenario}, {difference.kind} {one.span}, {one.key}: {values}")
    return lost


def unused(found: Comparison) -> list[str]:
    """What is said to differ and doesn't."""
    rows = [
        row.of
        for row in ALLOWED
        if not any(
            row in allowed_by(difference) and row.explains(one)
            for difference, occurrences in found.attributes.items()
            for one in occurrences
        )
    ]
    spans = [title for title in SPANS_OF_OURS if title not in found.spans_of_ours]
    return rows + spans + [title for title in SPANS_OF_THEIRS if title not in found.spans_of_theirs]


def table(found: Comparison) -> str:
    """The part of the page, as Markdown."""
    return "\n".join([*_spans(), "", *_differences(), "", *_attributes(found), ""])


def _spans() -> list[str]:
    ours = [f"| {row.of} | {row.otherwise} | {row.there} |" for row in SPANS_OF_OURS.values()]
    theirs = [f"| {row.of} | {row.there} | {row.otherwise} |" for row in SPANS_OF_THEIRS.values()]
    return [
        "| only one has a span for | `SmolagentsInstrumentor` | agenttrace |",
        "| --- | --- | --- |",
        *ours,
        *theirs,
    ]


def _differences() -> list[str]:
    rows = [f"| {row.of} | {row.theirs} | {row.ours} |" for row in ALLOWED]
    return ["| both have, but differently | `SmolagentsInstrumentor` | agenttrace |", "| --- | --- | --- |", *rows]


def _attributes(found: Comparison) -> list[str]:
    keys: dict[tuple[str, str], set[str]] = defaultdict(set)
    for difference in found.attributes:
        if not difference.key.startswith("("):
            keys[difference.kind, difference.verdict].add(difference.key)
    lines = ["| attributes | that both have | that agenttrace alone has |", "| --- | --- | --- |"]
    for kind in ("AGENT", "CHAIN", "LLM", "TOOL"):
        both = keys[kind, "same"] | keys[kind, "differs"]
        lines.append(f"| {kind} | {_listed(both)} | {_listed(keys[kind, 'ours only'] - both)} |")
    return lines


def _listed(keys: set[str]) -> str:
    return ", ".join(f"`{key}`" for key in sorted(keys)) or "nothing"


def written_block() -> str | None:
    """The part of the page as it stands there."""
    found = _BLOCK.search(PAGE.read_text(encoding="utf-8"))
    return found and found[0]


def _write() -> None:
    page = PAGE.read_text(encoding="utf-8")
    block = table(compared())
    PAGE.write_text(_BLOCK.sub(lambda _: block, page), encoding="utf-8")


if __name__ == "__main__":
    wrong = faults(compared()) + unused(compared())
    _write()
    sys.exit("\n".join(wrong) or None)
