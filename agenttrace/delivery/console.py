"""The console as a sink: each run is drawn on stderr when it is over."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, TextIO

from google.protobuf.message import DecodeError

from agenttrace import faults
from agenttrace.local.plain import plain_picture
from agenttrace.local.tree import PARENT_NOT_RECORDED, arrange, walk

from .decoding import decode_spans
from .gathering import Gathering, Tree, Why
from .sink import ACCEPTED, LOCAL_EXIT_SECONDS, Answer, Verdict

if TYPE_CHECKING:
    from agenttrace.local.records import SpanRecord

__all__ = ["ConsoleSink"]

_MOST_SHOWN = 200
_WIDTH_WITHOUT_TERMINAL = 120
_MISSING_PARENT = {
    Why.REMOTE_PARENT: "(parent in another process)",
    Why.LATE: "(ended after its parent, which is further up)",
}

_Draw = Callable[["Sequence[SpanRecord]", str, TextIO], str]


class ConsoleSink:
    """Draws each trace on stderr when its root has ended: with rich where that is installed, else as plain text.

    A root is a span without a parent, or with one in another process. What waits for its root is bounded by 10,000
    spans and 32 MB, and drawn without it beyond that, or when the sink is closed. It never fails: where nobody reads
    stderr, or it is closed, the pictures are gone.

    Example:
        >>> ConsoleSink().send(encode_spans(spans).SerializeToString(), timeout=10.0)
        Answer(verdict=<Verdict.ACCEPTED: 1>, problem='', retry_after=None, rejected=0)
    """

    name: str = "the console"
    exit_seconds: float | None = LOCAL_EXIT_SECONDS
    """How long an exit may wait for it."""

    def __init__(self) -> None:
        self._gathering = Gathering()
        self._draw: _Draw = _load_rich() if find_spec("rich") is not None else _draw_plainly

    def send(self, payload: bytes, timeout: float) -> Answer:
        """Take the spans in ``payload``, and draw the traces that are over with them.

        Args:
            payload: A serialised ``ExportTraceServiceRequest``, or several behind each other.
            timeout: Is not needed: nothing is waited for.

        Returns:
            ACCEPTED, or REFUSED when ``payload`` isn't one.
        """
        try:
            self._show(self._gathering.add(decode_spans(payload), len(payload)))
        except DecodeError:
            return Answer(Verdict.REFUSED, f"{self.name} was handed bytes that are no OTLP spans")
        except BaseException as error:
            faults.contain("drawing a trace on the console", error)
        return ACCEPTED

    def close(self) -> None:
        """Draw what waits for its root."""
        try:
            self._show(self._gathering.rest())
        except BaseException as error:
            faults.contain("drawing a trace on the console", error)

    def forget(self) -> None:
        """Drop what waits: it is the parent's to draw."""
        self._gathering = Gathering()

    def _show(self, trees: Iterable[Tree]) -> None:
        for tree in trees:
            stream = sys.stderr  # looked up each time, as programs put another one in its place
            if stream is None or getattr(stream, "closed", False):  # None: a program without a console on Windows
                continue
            spans = _first(tree.spans)
            text = self._draw(spans, _MISSING_PARENT.get(tree.why, PARENT_NOT_RECORDED), stream)
            if len(spans) < len(tree.spans):
                text += f"(and {len(tree.spans) - len(spans):,} more spans)\n"
            _write(stream, f"{text}\n")


class _Page(io.StringIO):
    """What rich draws on, like ``stream``, which it must not touch itself: at a broken pipe it ends the program."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override] # no stream lets anybody set it
        """The character set that there is to draw with."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Whether colours are of use."""
        return self._stream.isatty()


def _first(spans: Sequence[SpanRecord]) -> Sequence[SpanRecord]:
    """The first of the tree that ``spans`` make, from the top down, as many as are shown."""
    if len(spans) <= _MOST_SHOWN:
        return spans
    shown = (node.span for node, _ in islice(walk(arrange(spans)), _MOST_SHOWN))
    return sorted(shown, key=lambda span: span.start_time)


def _draw_plainly(spans: Sequence[SpanRecord], missing_parent: str, stream: TextIO) -> str:
    return plain_picture(spans, missing_parent)


def _load_rich() -> _Draw:
    from rich.console import Console

    from agenttrace.local.picture import TracePicture

    def draw(spans: Sequence[SpanRecord], missing_parent: str, stream: TextIO) -> str:
        page = _Page(stream)
        console = Console(file=page, highlight=False)
        if not console.is_terminal and "COLUMNS" not in os.environ:
            console.width = _WIDTH_WITHOUT_TERMINAL
        try:
            console.print(TracePicture(spans, missing_parent=missing_parent), soft_wrap=True)
        except ImportError:  # rich imports as it prints, which fails while the interpreter is taken apart
            return plain_picture(spans, missing_parent)
        return page.getvalue()

    return draw


def _write(stream: TextIO, text: str) -> None:
    """Write ``text`` at once, so that the program's own lines don't get into it."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except (OSError, ValueError):  # nobody reads it any more, or it is closed
        return
