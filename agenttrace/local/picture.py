"""A trace drawn in the terminal: what called what, how long it took, and what went in and out.

Lines are laid out here and not by rich's own tree, which recurses, lets deep traces run off the screen and has no
columns. Every text of the program's goes through `neutral` and into a `Text`, so that neither escape sequences nor
rich's markup in it mean anything.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from .details import detail_lines
from .exchanges import input_text, output_text
from .figures import duration_text, rough_duration_text, running_text, tokens_text
from .heading import heading, label_line
from .judgements import Judgements
from .outcome import error_text, stop_text
from .records import summarise
from .text import one_line
from .tree import NO_KIND, PARENT_NOT_RECORDED, arrange, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from .records import SpanRecord
    from .tree import TreeNode

KIND_STYLES = {
    "AGENT": "bold magenta",
    "CHAIN": "bold blue",
    "TOOL": "bold yellow",
    "LLM": "bold cyan",
    "EMBEDDING": "bold cyan",
    "RETRIEVER": "bold green",
    "RERANKER": "bold green",
    "GUARDRAIL": "bold bright_blue",
    "EVALUATOR": "bold bright_magenta",
    "PROMPT": "bold bright_cyan",
}
QUIET_MEANS = "still running, or its process was killed"
"""What it may mean that a span is running but nothing new comes."""
LEFT_OPEN = "left open"
"""What stands in the place of a duration where the process has ended and the span hasn't."""
LEFT_OPEN_MEANS = "its process has ended"

_BAR_WIDTH = 20
_WIDTH_FOR_BARS = 90
_DURATION_WIDTH = 12


@dataclass(frozen=True)
class _Glyphs:
    """The characters that the tree is drawn with."""

    fork: str
    end: str
    line: str
    gap: str
    skipped: str
    cut: str
    error: str
    arrow: str
    bar: str
    point: str


_UNICODE = _Glyphs("├─ ", "└─ ", "│  ", "   ", "⋯  ", "…", "✗", "→", "━", "╸")
_ASCII = _Glyphs("|- ", "`- ", "|  ", "   ", ":  ", "~", "x", "->", "=", "-")


class TracePicture:
    """A trace, for ``rich``'s ``Console.print``.

    Args:
        spans: All spans of one trace, in the order they started.
        full: Show everything that was recorded, at its whole length, in place of one line of input and of output.
        now: The moment that the trace's age, and how long it has been running, are counted to, in nanoseconds since
            1970; None for the present.
        carriers: The spans of other traces that carry annotations of these.
        missing_parent: What is said above spans whose parent isn't among them.
        left_open: Whether the process that ran the trace is known to have ended before its spans did.
    """

    def __init__(
        self,
        spans: Sequence[SpanRecord],
        *,
        full: bool = False,
        now: int | None = None,
        carriers: Sequence[SpanRecord] = (),
        missing_parent: str = PARENT_NOT_RECORDED,
        left_open: bool = False,
    ) -> None:
        self._left_open = left_open
        self._missing_parent = missing_parent
        self._judgements = Judgements(spans, carriers)
        self._labels = label_line(spans)
        self._now = time.time_ns() if now is None else now
        self._span_ids = {span.span_id for span in spans}
        self._roots = arrange(spans)
        self._summary = summarise(spans)
        self._full = full
        self._start, self._end = self._summary.start_time, self._summary.last_time
        if self._summary.end_time is None and not left_open and not self._summary.is_quiet(self._now):
            self._end = max(self._end, self._now)
        self._duration_width = max(_DURATION_WIDTH, *(len(self._duration(span)) for span in spans))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """What rich calls: one `Text` for each line, none wider than the terminal."""
        glyphs = _ASCII if options.ascii_only else _UNICODE
        for line in self._lines(console, options.max_width, glyphs):
            line.no_wrap = True
            line.overflow = "crop"
            line.rstrip()
            yield line

    def _lines(self, console: Console, width: int, glyphs: _Glyphs) -> Iterator[Text]:
        yield heading(self._summary, width, self._now)
        if self._labels is not None:
            yield _fitted(self._labels.copy(), width, glyphs)
        yield Text()
        if self._left_open:
            yield _fitted(Text(f"({LEFT_OPEN_MEANS})", "yellow"), width, glyphs)
        elif self._summary.is_quiet(self._now):
            silence = rough_duration_text(self._now - self._summary.last_time)
            yield _fitted(Text(f"(nothing new for {silence}: {QUIET_MEANS})", "yellow"), width, glyphs)
        missing = None
        # Guides take at most half of the width; deeper spans show only the nearest of their ancestors' lines.
        most_levels = max(1, width // 2 // len(glyphs.gap))
        for node, guides in walk(self._roots):
            if not guides and self._parent_missing(node.span) not in (None, missing):
                missing = self._parent_missing(node.span)
                yield _fitted(Text(self._missing_parent, "yellow"), width, glyphs)
            shown = list(guides[-most_levels:])
            lead = glyphs.skipped if len(shown) < len(guides) else ""
            above = lead + "".join(glyphs.line if more else glyphs.gap for more in shown[:-1])
            branch = (glyphs.fork if shown[-1] else glyphs.end) if shown else ""
            yield self._span_line(node.span, above + branch, width, glyphs)
            below = above + ((glyphs.line if shown[-1] else glyphs.gap) if shown else "")
            below += glyphs.line if node.children else glyphs.gap
            yield from self._lines_below(console, node, below, width, glyphs)

    def _parent_missing(self, span: SpanRecord) -> str | None:
        """The id of ``span``'s parent when that isn't among the spans; None when it is, or ``span`` has none."""
        return None if not span.parent_id or span.parent_id in self._span_ids else span.parent_id

    def _span_line(self, span: SpanRecord, prefix: str, width: int, glyphs: _Glyphs) -> Text:
        kind = one_line(span.kind or NO_KIND)
        left = Text.assemble((prefix, "dim"), (kind, KIND_STYLES.get(kind, "bold")), "  ")
        left.append(one_line(span.name), "red" if span.is_error else "bold" if not prefix else "")
        if span.is_error:
            left.append(f" {glyphs.error}", "bold red")
        right = Text.assemble(
            (tokens_text(span.tokens, glyphs.arrow), "cyan"),
            (self._duration(span).rjust(self._duration_width), "yellow" if span.end_time is None else ""),
        )
        if width >= _WIDTH_FOR_BARS:
            right.append("  ")
            right.append(self._bar(span, glyphs), "red" if span.is_error else "blue")
        room = max(8, width - right.cell_len - 2)
        return Text.assemble(_fitted(left, room, glyphs), "  ", right)

    def _duration(self, span: SpanRecord) -> str:
        if span.end_time is not None:
            return duration_text(span.duration)
        return LEFT_OPEN if self._left_open else running_text(span.start_time, self._now)

    def _bar(self, span: SpanRecord, glyphs: _Glyphs) -> str:
        whole = max(1, self._end - self._start)
        end = self._end if span.end_time is None else span.end_time
        first = min(_BAR_WIDTH - 1, max(0, (span.start_time - self._start) * _BAR_WIDTH // whole))
        length = min(_BAR_WIDTH - first, max(0, round((end - span.start_time) * _BAR_WIDTH / whole)))
        return (" " * first + (glyphs.bar * length or glyphs.point)).ljust(_BAR_WIDTH)

    def _lines_below(
        self, console: Console, node: TreeNode, prefix: str, width: int, glyphs: _Glyphs
    ) -> Iterator[Text]:
        room = max(8, width - cell_len(prefix))
        if self._full:
            for line in detail_lines(console, node.span, room, self._judgements.carried(node.span)):
                yield Text.assemble((prefix, "dim"), line)
            return
        for name, value, style in self._short_lines(node.span):
            line = Text.assemble((f"{name:<6} ", f"dim {style}".rstrip()), (value, style))
            yield Text.assemble((prefix, "dim"), _fitted(line, room, glyphs))

    def _short_lines(self, span: SpanRecord) -> Iterator[tuple[str, str, str]]:
        """What there is to say of ``span`` below it: each line's name, its text, and its style."""
        for name, value in (("input", input_text(span)), ("output", output_text(span))):
            if value is not None:
                yield name, value, ""
        if span.is_error:
            yield "error", one_line(error_text(span)), "red"
        stopped = stop_text(span)
        if stopped is not None:
            yield "stopped", one_line(stopped), "yellow"
        word, given = self._judgements.given(span)
        for text in given:
            yield word, text, "magenta"
        for text in self._judgements.carried(span):
            yield "judged", text, "magenta"


def _fitted(line: Text, width: int, glyphs: _Glyphs) -> Text:
    """``line`` padded or cut to ``width`` cells."""
    if line.cell_len > width:
        kept = set_cell_size(line.plain, max(0, width - cell_len(glyphs.cut))).rstrip()
        line = line[: len(kept)]
        line.append(glyphs.cut, "dim")
    line.append(" " * (width - line.cell_len))
    return line
