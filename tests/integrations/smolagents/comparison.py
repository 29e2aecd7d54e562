"""Two recordings of the same runs, span by span and attribute by attribute."""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, NamedTuple

from .recording import RecordedSpan

__all__ = ["Comparison", "Difference", "Occurrence", "Verdict", "compare", "outline"]

Verdict = Literal["same", "differs", "ours only", "theirs only"]
_PART_OF_A_LIST = re.compile(r"\.\d+(?=\.|$)")


class Difference(NamedTuple):
    """How an attribute compares, in all spans of a kind where it does so."""

    kind: str
    key: str
    """With ``*`` for each index; ``(status)`` and ``(events)`` stand for those."""
    verdict: Verdict


class Occurrence(NamedTuple):
    """Where an attribute compares in that way."""

    scenario: str
    span: str
    key: str
    """The whole key."""
    ours: dict[str, Any]
    """All attributes of our span."""
    theirs: dict[str, Any]
    """All attributes of theirs."""


@dataclass
class Comparison:
    """All that two recordings have in common, and all that they haven't."""

    attributes: dict[Difference, list[Occurrence]] = field(default_factory=dict)
    spans_of_ours: Counter[str] = field(default_factory=Counter)
    """Kinds and names of our spans that have no counterpart."""
    spans_of_theirs: list[str] = field(default_factory=list)
    """Their spans that have no counterpart at the same place."""


@dataclass
class _Node:
    span: RecordedSpan
    children: list[_Node] = field(default_factory=list)

    @property
    def title(self) -> str:
        """Kind and name. The instrumentor names spans of tools by the tool's class, which many tools share."""
        name = self.span.attributes.get("tool.name", self.span.name) if self.span.kind == "TOOL" else self.span.name
        return f"{self.span.kind} {name}"


def compare(ours: dict[str, list[RecordedSpan]], theirs: dict[str, list[RecordedSpan]]) -> Comparison:
    """Compare two recordings of the same scenarios.

    A span of theirs and one of ours belong together when they have the same kind and name at the same place of the
    tree. Where we have a span that they haven't, what is below it counts as below its parent.
    """
    found = Comparison()
    for scenario in ours:
        for our_node, their_node in _matched(_tree_of(ours[scenario]), _tree_of(theirs[scenario]), scenario, found):
            _compare_spans(our_node.span, their_node.span, scenario, found)
    return found


def outline(spans: list[RecordedSpan]) -> str:
    """Kinds and names, two spaces for each level."""
    return "\n".join(_outlined(_tree_of(spans), ""))


def _outlined(nodes: list[_Node], indent: str) -> Iterator[str]:
    for node in nodes:
        yield f"{indent}{node.title}"
        yield from _outlined(node.children, f"{indent}  ")


def _tree_of(spans: list[RecordedSpan]) -> list[_Node]:
    nodes = {span.span_id: _Node(span) for span in spans}
    roots: list[_Node] = []
    for node in nodes.values():
        above = nodes.get(node.span.parent_id or 0)
        (roots if above is None else above.children).append(node)
    for node in nodes.values():
        node.children = _in_order(node.children)
    return roots


def _in_order(children: list[_Node]) -> list[_Node]:
    """As they began, but for tools in a row, which may have run at once, and then began in any order."""
    ordered: list[_Node] = []
    for is_tool, group in groupby(children, lambda child: child.span.kind == "TOOL"):
        row = list(group)
        ordered += sorted(row, key=lambda n: (n.title, str(n.span.attributes.get("output.value")))) if is_tool else row
    return ordered


def _matched(ours: list[_Node], theirs: list[_Node], scenario: str, found: Comparison) -> Iterator[tuple[_Node, _Node]]:
    our_row, their_row = deque(ours), deque(theirs)
    while our_row:
        node = our_row.popleft()
        if their_row and their_row[0].title == node.title:
            counterpart = their_row.popleft()
            yield node, counterpart
            yield from _matched(node.children, counterpart.children, scenario, found)
        else:
            found.spans_of_ours[node.title] += 1
            our_row.extendleft(reversed(node.children))
    found.spans_of_theirs += [f"{scenario}: {line}" for line in _outlined(list(their_row), "")]


def _compare_spans(ours: RecordedSpan, theirs: RecordedSpan, scenario: str, found: Comparison) -> None:
    our_values, their_values = _values_of(ours), _values_of(theirs)
    for key in {**their_values, **our_values}:
        our_value, their_value = our_values.get(key), their_values.get(key)
        difference = Difference(ours.kind, _PART_OF_A_LIST.sub(".*", key), _verdict(our_value, their_value))
        found.attributes.setdefault(difference, []).append(
            Occurrence(scenario, ours.name, key, our_values, their_values)
        )


def _values_of(span: RecordedSpan) -> dict[str, Any]:
    events = sorted(set(span.events))
    return {**span.attributes, "(status)": span.status, **({"(events)": events} if events else {})}


def _verdict(ours: Any, theirs: Any) -> Verdict:
    if theirs is None:
        return "ours only"
    if ours is None:
        return "theirs only"
    return "same" if _meaning(ours) == _meaning(theirs) else "differs"


def _meaning(value: Any) -> Any:
    """What JSON stands for, as spaces and the order of keys mean nothing."""
    try:
        return json.loads(value) if isinstance(value, str) and value[:1] in "[{" else value
    except ValueError:
        return value
