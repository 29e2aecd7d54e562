"""Everything that was recorded on a span, at its whole length, for ``agenttrace show --full``."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING

from openinference.semconv.trace import OpenInferenceMimeTypeValues, SpanAttributes
from rich.text import Text

from .documents import jsonable
from .figures import duration_text
from .outcome import stop_text
from .text import neutral, one_line, safe_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from .records import SpanRecord

_INDENT = 2
_NARROWEST = 8
_SHOWN_APART = frozenset(
    {
        SpanAttributes.OPENINFERENCE_SPAN_KIND,
        SpanAttributes.INPUT_VALUE,
        SpanAttributes.INPUT_MIME_TYPE,
        SpanAttributes.OUTPUT_VALUE,
        SpanAttributes.OUTPUT_MIME_TYPE,
    }
)


def detail_lines(console: Console, span: SpanRecord, width: int, carried: Sequence[str] = ()) -> Iterator[Text]:
    """The lines that stand below ``span`` in the full picture, each at most ``width`` cells wide.

    Args:
        console: What they are printed with.
        span: The span.
        width: How many cells there are.
        carried: What other spans say that they judge it.
    """
    judged = ((0, Text.assemble(("judged ", "dim"), (text, "magenta"))) for text in carried)
    for indent, block in chain(_blocks(span), judged):
        room = max(_NARROWEST, width - indent)
        # Only texts of one style have several lines, and splitting a string is a hundred times faster than a Text.
        lines = [Text(line, block.style) for line in block.plain.split("\n")] if "\n" in block.plain else [block]
        for line in lines:
            line.expand_tabs(4)
            for piece in line.wrap(console, room, overflow="fold") if line.cell_len > room else [line]:
                piece.pad_left(indent)
                yield piece
    yield Text()


def _blocks(span: SpanRecord) -> Iterator[tuple[int, Text]]:
    """Texts of one or more lines, and how far each is indented."""
    yield 0, Text(f"span {span.span_id}  status {span.status}", "dim")
    if span.status_description:
        yield 0, Text(neutral(span.status_description), "red")
    stopped = stop_text(span)
    if stopped is not None:
        yield 0, Text(f"stopped {neutral(stopped)}", "yellow")
    attributes = span.attributes
    for name, value, mime_type in (
        ("input", attributes.get(SpanAttributes.INPUT_VALUE), attributes.get(SpanAttributes.INPUT_MIME_TYPE)),
        ("output", attributes.get(SpanAttributes.OUTPUT_VALUE), attributes.get(SpanAttributes.OUTPUT_MIME_TYPE)),
    ):
        if value is not None:
            yield 0, Text(name, "dim")
            yield _INDENT, Text(_whole(value, mime_type))
    yield from _attributes({key: value for key, value in attributes.items() if key not in _SHOWN_APART}, 0)
    if span.dropped_attributes:
        yield 0, Text(f"{span.dropped_attributes:,} more attributes were over the provider's limit", "yellow")
    for event in span.events:
        after = duration_text(max(0, event.time - span.start_time))
        yield 0, Text(f"event {one_line(event.name)} after {after}", "dim")
        yield from _attributes(event.attributes, _INDENT)
    for link in span.links:
        yield 0, Text(f"link to span {link.span_id} of trace {link.trace_id}", "dim")
        yield from _attributes(link.attributes, _INDENT)


def _attributes(attributes: Mapping[str, object], indent: int) -> Iterator[tuple[int, Text]]:
    for key, value in attributes.items():
        text = neutral(value) if isinstance(value, str) else safe_json(jsonable(value))
        name = (one_line(key), "dim")
        if "\n" in text:
            yield indent, Text.assemble(name)
            yield indent + _INDENT, Text(text.rstrip("\n"))
        else:
            yield indent, Text.assemble(name, (" = ", "dim"), text)


def _whole(value: object, mime_type: object) -> str:
    if not isinstance(value, str):
        return safe_json(jsonable(value))
    if mime_type == OpenInferenceMimeTypeValues.JSON.value:
        try:
            return safe_json(json.loads(value), indent=2)
        except (ValueError, RecursionError):
            return neutral(value)
    return neutral(value)
