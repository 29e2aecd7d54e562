"""Spans as a tree, and the tree as plain text.

Nothing here recurses: a trace may be as deep as a program's recursion.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .records import SpanRecord

NO_KIND = "SPAN"
"""What stands in a span's kind's place when it has none: an HTTP client's span, a database's."""

PARENT_NOT_RECORDED = "(parent not recorded: still running, killed, or elsewhere)"
"""What stands above spans whose parent isn't there, where nothing more is known."""


@dataclass(eq=False)
class TreeNode:
    """A span and those of its children that are known."""

    span: SpanRecord
    children: list[TreeNode] = field(default_factory=list)


def arrange(spans: Iterable[SpanRecord]) -> list[TreeNode]:
    """The roots of the trees that ``spans`` make.

    A span whose parent isn't among them is a root: the parent may be another process's, still running, or lost.
    Siblings stand in the order in which they were given. Of spans that are each other's ancestors, which only damaged
    data has, one becomes a root.
    """
    nodes = {(span.trace_id, span.span_id): TreeNode(span) for span in spans}
    parents = {id(node): nodes.get((node.span.trace_id, node.span.parent_id or "")) for node in nodes.values()}
    roots = []
    for node in nodes.values():
        parent = parents[id(node)]
        if parent is None:
            roots.append(node)
        else:
            parent.children.append(node)
    reached = {id(node) for node, _ in walk(roots)}
    for node in nodes.values():
        if id(node) not in reached:
            root = _open_cycle(node, parents)
            roots.append(root)
            reached.update(id(below) for below, _ in walk([root]))
    return roots


def walk(roots: Sequence[TreeNode]) -> Iterator[tuple[TreeNode, Sequence[bool]]]:
    """Each node from the top down, with whether it and each of its ancestors has a sibling still to come.

    The sequence starts below the root, so a root's is empty and its length is the node's depth. It is one list that
    changes from step to step: a trace as deep as it is long would else take the square of its length.
    """
    guides: list[bool] = []
    stack = [(root, 0, False) for root in reversed(roots)]
    while stack:
        node, depth, has_next = stack.pop()
        if depth:
            guides[depth - 1 :] = [has_next]
        else:
            guides.clear()
        yield node, guides
        last = len(node.children) - 1
        stack.extend((node.children[index], depth + 1, index != last) for index in range(last, -1, -1))


def plain_tree(spans: Iterable[SpanRecord]) -> str:
    r"""Kinds and names as text, two spaces for each level, a line feed at the end of each line.

    Example:
        >>> plain_tree(store.spans("4bf92f35"))
        'AGENT plan\n  TOOL search\n  TOOL lookup\n'
    """
    return "".join(f"{'  ' * len(guides)}{label(node.span)}\n" for node, guides in walk(arrange(spans)))


def label(span: SpanRecord) -> str:
    """``span``'s kind and name on one line that is safe to print."""
    return f"{one_line(span.kind or NO_KIND)} {one_line(span.name)}"


def _open_cycle(node: TreeNode, parents: Mapping[int, TreeNode | None]) -> TreeNode:
    """Take one span of the cycle that ``node`` hangs on away from its parent; that span."""
    seen: set[int] = set()
    while id(node) not in seen:
        seen.add(id(node))
        parent = parents[id(node)]
        assert parent is not None, "a span without a parent is a root and has been reached"
        node = parent
    parent = parents[id(node)]
    assert parent is not None, "a span on a cycle has a parent"
    parent.children.remove(node)
    return node
