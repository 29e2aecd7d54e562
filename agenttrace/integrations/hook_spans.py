"""Spans that a framework's hooks open and end: one call says that something began, another, later, that it is over.

A framework tells what belongs together by identifiers of its own, and calls its hooks in whatever thread or task it
likes. So these spans are found by the framework's identifier, have the parent that it names, and are current only where
a hook says that the body runs in the same context.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from .. import faults
from ..current import Context, attach, create_key, detach, get_current
from ..openers import BlockOpener
from ..running import RunningSpan
from ..span import NO_SPAN, Span
from ..tracing import Mark

__all__ = ["HookSpans"]

_INSIDE_KEY = create_key("agenttrace-hook-span")
"""Key of the `_HookSpan` whose body the context belongs to."""
_MOST_OPEN = 10_000


class HookSpans:
    """The spans of one framework that have begun and are not over.

    No method raises. What is still open below a span that ends is ended with it, and beyond 10,000 open spans the
    oldest are: a framework that never says that something is over fills no memory.

    Args:
        framework: The framework's name, for messages.

    Example:
        >>> spans = HookSpans("LangChain")
        >>> spans.start(run_id, trace_tool, "search", parent=parent_run_id, input={"query": "Oslo"})
        >>> spans.finish(run_id, "found nothing")
    """

    def __init__(self, framework: str) -> None:
        self._framework = framework
        self._open: dict[Hashable, _HookSpan] = {}

    def start(
        self,
        key: Hashable,
        mark: Mark,
        name: str,
        *,
        parent: Hashable | None = None,
        current: bool = False,
        **options: Any,
    ) -> Span:
        """Open a span.

        Args:
            key: What the framework knows it by. One that is open under the same key is ended first.
            mark: The mark whose kind it has, such as ``trace_tool``.
            name: The span's name.
            parent: The key of the span that it belongs under. The current span is the parent where that isn't open,
                or where the current span is inside it.
            current: Whether it is the current span from here on. Only for hooks that are called in the very context in
                which the body runs next, and again in that one when it is over.
            **options: What the mark takes for a ``with`` block: ``input``, ``metadata``, ``tags``, ``attributes``, and
                a tool's or a model's own.

        Returns:
            The span, for whatever is known beside its input.
        """
        try:
            self.drop(key)
            if len(self._open) >= _MOST_OPEN:
                self.drop(next(iter(self._open)))
            known = mark(name, **{option: value for option, value in options.items() if value is not None})
            span = _HookSpan.opened(BlockOpener(known.kind, name, known.options), self._open.get(parent), parent)
            if span is None:
                return NO_SPAN
            self._open[key] = span
            if current:
                span.running.enter()
            return span.running.handle()
        except BaseException as error:
            self._contain("opening", error)
            return NO_SPAN

    def span(self, key: Hashable) -> Span:
        """The span that is open under ``key``; one that records nothing where there is none."""
        found = self._open.get(key)
        return NO_SPAN if found is None else found.running.handle()

    @contextmanager
    def inside(self, key: Hashable) -> Iterator[Span]:
        """Make the span that is open under ``key`` the current one while the block runs.

        Args:
            key: What it was started with; where nothing is open under it the block runs as it is.
        """
        found = self._open.get(key)
        if found is None or found.running.context is None:
            yield NO_SPAN
            return
        context, previous = found.running.context, get_current()
        token = attach(context)
        try:
            yield found.running.handle()
        finally:
            detach(token, context, previous)

    def finish(self, key: Hashable, output: Any = None) -> None:
        """End the span of ``key``, which went well.

        Args:
            key: What it was started with.
            output: What is recorded as its output; None records none. A model's answer, or documents, are understood as
                a marked function's result is.
        """
        self._end(key, lambda span: span.finish(output))

    def fail(self, key: Hashable, error: BaseException) -> None:
        """End the span of ``key``, which ``error`` came out of."""
        self._end(key, lambda span: span.running.raised(error))

    def drop(self, key: Hashable) -> None:
        """End the span of ``key`` with what is recorded so far, where it is still open."""
        if key in self._open:
            self._end(key, lambda span: span.running.closed())

    def _end(self, key: Hashable, end: Callable[[_HookSpan], None]) -> None:
        try:
            found = self._open.pop(key, None)
            if found is None:
                return
            for below in [other for other, span in list(self._open.items()) if span.parent == key]:
                self.drop(below)
            end(found)
        except BaseException as error:
            self._contain("ending", error)

    def _contain(self, what: str, error: BaseException) -> None:
        faults.contain(f"{what} a span for {self._framework}", error)


class _HookSpan:
    """One span that has begun, and the key of the one that it belongs under."""

    __slots__ = ("parent", "running")

    def __init__(self, running: RunningSpan, parent: Hashable | None) -> None:
        self.running = running
        self.parent = parent

    @classmethod
    def opened(cls, opener: BlockOpener, above: _HookSpan | None, parent: Hashable | None) -> _HookSpan | None:
        """A span below ``above`` that isn't current; None where nothing is recorded."""
        previous = get_current()
        inside = above is None or previous.get(_INSIDE_KEY) is above
        context = previous if inside or above is None or above.running.context is None else above.running.context
        token = attach(context)
        try:
            running = opener.open((), {})
            if running is None:
                return None
            running.pause()
            span = cls(running, parent)
            assert running.context is not None
            running.context = Context({**running.context, _INSIDE_KEY: span})
            return span
        finally:
            detach(token, context, previous)

    def finish(self, output: Any) -> None:
        """End it with ``output``."""
        if output is not None:
            self.running.handle().set_output(output)
        self.running.exhausted(None)
