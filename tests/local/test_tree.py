"""Spans as a tree and as plain text."""

from __future__ import annotations

from agenttrace.local.records import SpanRecord, TokenCounts, add_tokens
from agenttrace.local.tree import arrange, plain_tree


def span(name: str, parent: str | None = None, kind: str | None = "CHAIN", trace: str = "t") -> SpanRecord:
    """A span whose id is its name."""
    attributes = {} if kind is None else {"openinference.span.kind": kind}
    return SpanRecord(trace, name, parent, name, 0, 1, attributes=attributes)


def test_children_stand_below_their_parents_in_the_order_given() -> None:
    """Two spaces for each level; a span without a kind is a SPAN."""
    spans = [span("plan", kind="agent"), span("b", "plan"), span("a", "plan", None), span("deeper", "b", "TOOL")]
    assert plain_tree(spans) == "AGENT plan\n  CHAIN b\n    TOOL deeper\n  SPAN a\n"
    assert plain_tree([]) == ""


def test_a_parent_may_come_after_its_children() -> None:
    """Spans end from the inside out, and may be given so."""
    assert plain_tree([span("child", "root"), span("root")]) == "CHAIN root\n  CHAIN child\n"


def test_orphans_and_further_roots_stand_at_root_level() -> None:
    """A span whose parent isn't there is shown all the same, and so is one whose parent is another trace's."""
    spans = [span("one"), span("orphan", "gone"), span("two"), span("other", "one", trace="u")]
    assert plain_tree(spans) == "CHAIN one\nCHAIN orphan\nCHAIN two\nCHAIN other\n"


def test_spans_that_are_each_others_ancestors_are_all_shown() -> None:
    """Damaged data has cycles, of one span or of several, and spans that hang below them."""
    spans = [span("below", "b"), span("self", "self"), span("a", "b"), span("b", "a"), span("root")]
    tree = plain_tree(spans)
    assert sorted(line.split()[1] for line in tree.splitlines()) == ["a", "b", "below", "root", "self"]
    assert "CHAIN root\n" in tree
    assert plain_tree([span("self", "self")]) == "CHAIN self\n"


def test_deep_and_wide_traces_are_no_trouble() -> None:
    """Deeper than Python's recursion, and ten thousand siblings."""
    deep = [span(str(depth), str(depth - 1)) for depth in range(5_000)]
    lines = plain_tree(deep).splitlines()
    assert lines[-1] == "  " * 4_999 + "CHAIN 4999"
    wide = [span("root"), *(span(f"child {number}", "root") for number in range(10_000))]
    assert len(arrange(wide)[0].children) == 10_000


def test_names_cannot_break_lines_or_reach_the_terminal() -> None:
    """A line break in a name is a space; an escape sequence is shown as text."""
    assert plain_tree([span("a\nCHAIN b\x1b[2J\u202e")]) == "CHAIN a CHAIN b\\x1b[2J\\u202e\n"


def test_tokens_are_counted_once() -> None:
    """An agent's span that repeats its model calls' counts adds nothing; without those, the largest count stands."""
    agent, first, second = TokenCounts(30, 10, 40), TokenCounts(10, 5, 15), TokenCounts(20, None, 20)
    assert add_tokens([("AGENT", agent), ("LLM", first), ("EMBEDDING", second)]) == (30, 5, 35)
    assert add_tokens([("AGENT", agent), ("CHAIN", agent), (None, TokenCounts(None, None, None))]) == agent
    assert add_tokens([]) == (None, None, None)
