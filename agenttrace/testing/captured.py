"""The spans that were caught, with questions and assertions in the words that agents are talked about in."""

from __future__ import annotations

import difflib
import json
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from openinference.semconv.trace import OpenInferenceMimeTypeValues, OpenInferenceSpanKindValues, SpanAttributes
from opentelemetry.sdk.trace import ReadableSpan

from agenttrace.local.records import kind_of, record_of
from agenttrace.local.tree import plain_tree

from .conformance import assert_conformant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import TracerProvider

    from .recorder import Recorder


class CapturedSpans(Sequence[ReadableSpan]):
    """The ended spans of a capture, in the order in which they started.

    Wherever a span is asked for, the name of one will do.
    """

    def __init__(self, recorder: Recorder, tracer_provider: TracerProvider) -> None:
        self._recorder = recorder
        self.tracer_provider = tracer_provider
        """The provider to hand to another library whose spans are to be caught too."""

    @overload
    def __getitem__(self, index: int) -> ReadableSpan: ...
    @overload
    def __getitem__(self, index: slice) -> list[ReadableSpan]: ...
    def __getitem__(self, index: int | slice) -> ReadableSpan | list[ReadableSpan]:
        return self._recorder.ended[index]

    def __len__(self) -> int:
        return len(self._recorder.ended)

    def __iter__(self) -> Iterator[ReadableSpan]:
        return iter(self._recorder.ended)

    def __repr__(self) -> str:
        return f"<CapturedSpans: {len(self)} spans>\n{self.tree()}"

    @property
    def unfinished(self) -> list[str]:
        """The names of the spans that have started and not ended yet."""
        return self._recorder.unfinished

    @property
    def roots(self) -> list[ReadableSpan]:
        """The spans whose parent was not caught."""
        spans = self._recorder.ended
        ids = {_id(span) for span in spans}
        return [span for span in spans if span.parent is None or span.parent.span_id not in ids]

    @property
    def tools_called(self) -> list[str]:
        """The names of the tools that were called, in the order in which the calls began."""
        return [_tool_name(span) for span in self if _kind(span) == OpenInferenceSpanKindValues.TOOL.value]

    def tree(self) -> str:
        r"""Kinds and names as text, two spaces for each level.

        Example:
            >>> spans.tree()
            'AGENT plan\n  TOOL search\n'
        """
        return plain_tree(record_of(span) for span in self._recorder.ended)

    def children(self, span: ReadableSpan | str) -> list[ReadableSpan]:
        """The spans right below ``span``, in the order in which they started."""
        parent_id = _id(self._one(span))
        return [child for child in self if child.parent is not None and child.parent.span_id == parent_id]

    def find_all(
        self, name: str | None = None, kind: str | OpenInferenceSpanKindValues | None = None
    ) -> list[ReadableSpan]:
        """The spans of that name and OpenInference kind (``"TOOL"``); None stands for any."""
        wanted = kind.value if isinstance(kind, OpenInferenceSpanKindValues) else kind and kind.upper()
        return [span for span in self if (name is None or span.name == name) and (not wanted or _kind(span) == wanted)]

    def find(self, name: str | None = None, kind: str | OpenInferenceSpanKindValues | None = None) -> ReadableSpan:
        """The one span of that name and OpenInference kind; None stands for any.

        Raises:
            AssertionError: If there is none, or more than one. Its text shows what there is.
        """
        __tracebackhide__ = True
        found = self.find_all(name, kind)
        if len(found) != 1:
            sought = " and ".join(
                f"{word} {value!r}" for word, value in (("name", name), ("kind", kind)) if value is not None
            )
            self._fail(f"expected one span{sought and ' with ' + sought}, found {len(found) or 'none'}")
        return found[0]

    def input(self, span: ReadableSpan | str) -> Any:
        """What went into ``span``: the value its JSON stands for, or the text; None when nothing was recorded."""
        return self._value(span, SpanAttributes.INPUT_VALUE, SpanAttributes.INPUT_MIME_TYPE)

    def output(self, span: ReadableSpan | str) -> Any:
        """What came out of ``span``: the value its JSON stands for, or the text; None when nothing was recorded."""
        return self._value(span, SpanAttributes.OUTPUT_VALUE, SpanAttributes.OUTPUT_MIME_TYPE)

    def assert_tools_called(self, names: Sequence[str], *, in_any_order: bool = False) -> None:
        """These tools were called and no others, as often as they are named, in this order.

        Args:
            names: The tools' names.
            in_any_order: Don't mind the order.

        Raises:
            AssertionError: If it was otherwise.
            TypeError: If ``names`` is a single name and no list.
        """
        __tracebackhide__ = True
        if isinstance(names, str):
            raise TypeError(f'assert_tools_called takes a list such as ["{names}"], not str')
        called, expected = self.tools_called, list(names)
        if in_any_order:
            called, expected = sorted(called), sorted(expected)
        if called != expected:
            order = " in any order" if in_any_order else ""
            self._fail(f"expected calls of the tools {list(names)}{order}, found {self.tools_called}")

    def assert_no_errors(self) -> None:
        """No span ended with status ERROR.

        Raises:
            AssertionError: If one did. Its text names each and what went wrong.
        """
        __tracebackhide__ = True
        failed = [record for record in map(record_of, self) if record.is_error]
        if failed:
            lines = [f"{record.kind} {record.name}: {record.status_description}" for record in failed]
            self._fail("expected no errors, found\n" + textwrap.indent("\n".join(lines), "  "))

    def assert_conformant(self, *, strict: bool = False) -> None:
        """Every span is as the OpenInference specification has it; see `agenttrace.testing.assert_conformant`.

        Args:
            strict: Warnings count too.

        Raises:
            AssertionError: If one isn't. Its text says what is wrong where, and what to do.
        """
        __tracebackhide__ = True
        assert_conformant(self, strict=strict)

    def assert_parent(self, child: ReadableSpan | str, parent: ReadableSpan | str | None) -> None:
        """``child`` stands right below ``parent``, or is a root where ``parent`` is None.

        Raises:
            AssertionError: If it stands elsewhere.
        """
        __tracebackhide__ = True
        below = self._one(child)
        above = None if parent is None else self._one(parent)
        found = next((span for span in self if below.parent is not None and _id(span) == below.parent.span_id), None)
        if (found and _id(found)) != (above and _id(above)):
            wanted = "a root" if above is None else f"a child of {above.name!r}"
            actual = "a root" if found is None else f"a child of {found.name!r}"
            self._fail(f"expected {below.name!r} to be {wanted}, found {actual}")

    def assert_tree(self, expected: str) -> None:
        """The tree is as drawn; the drawing may be indented as a whole and have empty lines around it.

        Raises:
            AssertionError: If it isn't. Its text marks the lines that differ.

        Example:
            >>> spans.assert_tree('''
            ...     AGENT plan
            ...       TOOL search
            ... ''')
        """
        __tracebackhide__ = True
        wanted = [line.rstrip() for line in textwrap.dedent(expected).strip("\n").rstrip().splitlines()]
        actual = [line.rstrip() for line in self.tree().splitlines()]
        if wanted != actual:
            difference = "\n".join(line.rstrip() for line in difflib.ndiff(wanted, actual))
            raise AssertionError(f"the tree is another (- expected, + found):\n{difference}{self._open_note()}")

    def _one(self, span: ReadableSpan | str) -> ReadableSpan:
        __tracebackhide__ = True
        return self.find(name=span) if isinstance(span, str) else span

    def _value(self, span: ReadableSpan | str, value_name: str, mime_type_name: str) -> Any:
        __tracebackhide__ = True
        attributes = self._one(span).attributes or {}
        value = attributes.get(value_name)
        if attributes.get(mime_type_name) == OpenInferenceMimeTypeValues.JSON.value and isinstance(value, str):
            try:
                return json.loads(value)
            except ValueError:
                return value
        return value

    def _fail(self, message: str) -> None:
        __tracebackhide__ = True
        tree = self.tree()
        if not tree:
            tree = "no span was caught: is the function marked, and called inside the capture?\n"
        raise AssertionError(f"{message}\n\n{tree}{self._open_note()}".rstrip())

    def _open_note(self) -> str:
        names = self.unfinished
        return f"\nnot ended yet: {', '.join(names)}" if names else ""


def _id(span: ReadableSpan) -> int:
    context = span.get_span_context()
    assert context is not None, "a span that was started has a context"
    return context.span_id


def _kind(span: ReadableSpan) -> str | None:
    return kind_of(span.attributes or {})


def _tool_name(span: ReadableSpan) -> str:
    name = (span.attributes or {}).get(SpanAttributes.TOOL_NAME)
    return name if isinstance(name, str) and name else span.name
