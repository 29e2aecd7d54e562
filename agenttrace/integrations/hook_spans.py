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
from ..context import Scope
from ..current import HANDLE_KEY, SPAN_KEY, Context, attach, create_key, detach, get_current
from ..running import RunningSpan
from ..span import NO_SPAN, Span
from ..tracing import Mark
from ..whereabouts import add_finder
from .blocks import open_block

__all__ = ["MOST_OPEN", "HookSpans"]

_INSIDE_KEY = create_key("agenttrace-hook-span")
"""Key of the `_HookSpan` whose body the context belongs to."""
_OF_THE_SPAN = (SPAN_KEY, HANDLE_KEY, _INSIDE_KEY)
MOST_OPEN = 100_000
"""How many spans of one framework may be open at once, and how much an adapter notes of what is underway."""
_MOST_LASTING = 100


class HookSpans:
    """The spans of one framework that have begun and are not over.

    No method raises. What is still open below a span that ends is ended with it, and beyond 100,000 open spans the
    oldest of the innermost is: a framework that never says that something is over fills no memory.

    Args:
        framework: The framework's name, for messages.
        locate: Tells the key of the span whose body the calling code runs in, where the framework keeps track of that;
            None for outside of all. Marks in that body then belong under that span, though it isn't current. Asked
            wherever a span begins from here on and for good, so only what a module makes once has one.

    Example:
        >>> spans = HookSpans("LangChain")
        >>> spans.start(run_id, trace_tool, "search", parent=parent_run_id, input={"query": "Oslo"})
        >>> spans.finish(run_id, "found nothing")
    """

    def __init__(self, framework: str, locate: Callable[[], Hashable | None] | None = None) -> None:
        self._framework = framework
        self._open: dict[Hashable, _HookSpan] = {}
        self._below: dict[Hashable, dict[Hashable, None]] = {}
        """The keys of the open spans below each, in the order in which they began."""
        self._lasting: dict[Hashable, _HookSpan] = {}
        if locate is not None:
            add_finder(lambda context: self._located(locate(), context))

    def start(
        self,
        key: Hashable,
        mark: Mark,
        name: str,
        *,
        parent: Hashable | None = None,
        current: bool = False,
        within: Scope | None = None,
        started_at: int | None = None,
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
            within: What holds for it and for all below it, such as ``using_session(thread)``.
            started_at: When it began, in nanoseconds since 1970, for hooks that tell it later; None for now.
            **options: What the mark takes for a ``with`` block: ``input``, ``metadata``, ``tags``, ``attributes``, and
                a tool's or a model's own.

        Returns:
            The span, for whatever is known beside its input.
        """
        try:
            self.drop(key)
            if len(self._open) >= MOST_OPEN:
                # Not one that others are below, which would all go with it.
                self.drop(next(open_key for open_key in list(self._open) if not self._below.get(open_key)))
            above = self._open.get(parent) or self._lasting.get(parent)
            span = _HookSpan.opened(
                lambda: open_block(mark, name, started_at=started_at, **options), above, parent, within
            )
            if span is None:
                return NO_SPAN
            self._open[key] = span
            if above is not None:
                self._below.setdefault(parent, {})[key] = None
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

    def __contains__(self, key: Hashable) -> bool:
        """Whether the span of ``key`` is open."""
        return key in self._open

    def ended_at(self, key: Hashable, moment: int) -> None:
        """Say when the body of ``key`` ended, for hooks that tell it later; what ends the span comes after that.

        Args:
            key: What it was started with.
            moment: In nanoseconds since 1970.
        """
        found = self._open.get(key)
        if found is not None:
            found.running.ended_at = moment

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

    def finish(self, key: Hashable, output: Any = None, *, lasts: bool = False) -> None:
        """End the span of ``key``, which went well.

        Args:
            key: What it was started with.
            output: What is recorded as its output; None records none. A model's answer, or documents, are understood as
                a marked function's result is.
            lasts: Whether something that it began goes on, such as a stream that it returned. What is open below it
                stays open then, and what begins below it later still belongs there: of the last 100 such spans.
        """
        if lasts and key in self._open:
            if len(self._lasting) >= _MOST_LASTING:
                forgotten = next(iter(self._lasting))
                self._lasting.pop(forgotten).context = None
                self._below.pop(forgotten, None)
            self._lasting[key] = self._open[key]
        self._end(key, lambda span: span.finish(output))

    def fail(self, key: Hashable, error: BaseException) -> None:
        """End the span of ``key``, which ``error`` came out of."""
        self._end(key, lambda span: span.running.raised(error))

    def drop(self, key: Hashable) -> None:
        """End the span of ``key`` with what is recorded so far, where it is still open."""
        if key in self._open:
            self._end(key, lambda span: span.running.closed())

    def _located(self, key: Hashable | None, context: Context) -> Context:
        found = None if key is None else self._open.get(key) or self._lasting.get(key)
        return context if found is None or found.is_around(context) else found.put_into(context)

    def _end(self, key: Hashable, end: Callable[[_HookSpan], None]) -> None:
        try:
            found = self._open.pop(key, None)
            if found is None:
                return
            self._below.get(found.parent, {}).pop(key, None)
            if found.parent not in self._open and found.parent not in self._lasting:
                self._below.pop(found.parent, None)
            lasts = key in self._lasting
            for below in () if lasts else list(self._below.pop(key, ())):
                self.drop(below)
            end(found)
            if not lasts:
                found.context = None
        except BaseException as error:
            self._contain("ending", error)

    def _contain(self, what: str, error: BaseException) -> None:
        faults.contain(f"{what} a span for {self._framework}", error)


class _HookSpan:
    """One span that has begun, and the key of the one that it belongs under."""

    __slots__ = ("above", "context", "parent", "running")

    def __init__(self, running: RunningSpan, parent: Hashable | None, context: Context) -> None:
        self.running = running
        self.parent = parent
        self.above = _innermost(context)
        """The one whose body it was opened in, whichever framework's."""
        self.context: Context | None = Context({**context, _INSIDE_KEY: self})
        """That of its body; None once nothing begins there any more."""

    @classmethod
    def opened(
        cls,
        open_span: Callable[[], RunningSpan | None],
        above: _HookSpan | None,
        parent: Hashable | None,
        within: Scope | None,
    ) -> _HookSpan | None:
        """A span below ``above`` that isn't current; None where nothing is recorded."""
        previous = context = get_current()
        if above is not None and previous.get(_INSIDE_KEY) is not above:
            context = above.put_into(previous)
        if within is not None:
            context = within.enclosed(context)
        token = attach(context)
        try:
            running = open_span()
            if running is None:
                return None
            running.pause()
            assert running.context is not None
            span = cls(running, parent, running.context)
            running.context = span.context
            return span
        finally:
            detach(token, context, previous)

    def is_around(self, context: Context) -> bool:
        """Whether ``context`` belongs to its body, or to the body of one further in."""
        inner = _innermost(context)
        while inner is not None and inner is not self:
            inner = inner.above
        return inner is self

    def put_into(self, context: Context) -> Context:
        """``context`` with this span as the current one.

        What else is said there, such as a session or that nothing is to be recorded, holds before what its own says.
        """
        own = self.context
        if own is None:
            return context
        kept = {key: own[key] for key in _OF_THE_SPAN if key in own}
        return Context({**own, **context, **kept})

    def finish(self, output: Any) -> None:
        """End it with ``output``."""
        if output is not None:
            self.running.handle().set_output(output)
        self.running.exhausted(None)


def _innermost(context: Context) -> _HookSpan | None:
    """The span whose body ``context`` belongs to, the innermost of several."""
    found = context.get(_INSIDE_KEY)
    return found if isinstance(found, _HookSpan) else None
