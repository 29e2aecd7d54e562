"""Under which parent an agent's span is sent where the spans between it and its next of kin are left out."""

from __future__ import annotations

import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import ReadableSpan, Span
from opentelemetry.trace import TraceFlags, get_current_span

from agenttrace import faults
from agenttrace.current import HANDLE_KEY, get_current
from agenttrace.provider import SCOPE_NAME

from .agent_spans import is_agent_span

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanContext

__all__ = ["MOST_REMEMBERED", "Lineage"]

MOST_REMEMBERED = 20_000
"""How many ended spans that weren't sent are remembered, for children that end after them."""

_LONGEST_CHAIN = 100_000
_WORTH_SHORTENING = 8
_SAMPLED = TraceFlags.SAMPLED

_Key = tuple[int, int]


class _Open(weakref.ref[Span]):
    """A span that has started and hasn't ended. Its user's references alone keep it alive."""

    __slots__ = ("is_agents", "is_strangers", "key", "parent")

    key: _Key
    parent: SpanContext | None
    is_agents: bool
    """Whether a child was sent under it, which commits us to sending it too."""
    is_strangers: bool
    """Whether another provider made it: what that one sends never goes where our spans go."""


class _Recent:
    """The parents of the ended spans that weren't sent, the oldest forgotten first.

    A dictionary and a deque, whose single steps are atomic: an `OrderedDict` would cost twice the memory, and finding
    a plain dictionary's first key takes the longer the more were removed before it.
    """

    __slots__ = ("_order", "parents")

    def __init__(self) -> None:
        self.parents: dict[_Key, SpanContext | None] = {}
        self._order: deque[_Key] = deque()

    def put(self, key: _Key, parent: SpanContext | None) -> None:
        self.parents[key] = parent
        self._order.append(key)
        if len(self._order) > MOST_REMEMBERED:
            self.parents.pop(self._order.popleft(), None)


class Lineage:
    """Which spans are an agent's, and what of the others must be remembered so that no tree gets orphans.

    A span that isn't an agent's (a web framework's, a database client's) is left out where ``spans="agent"``, and its
    children are sent under the nearest ancestor that isn't left out, or as roots. Children end before their parents,
    mostly, so a parent that is open is judged by what it carries so far. One that becomes an agent's only later, and
    whose scope doesn't say so from the start, is sent as well, beside those of its children that were sent before.

    What is and what isn't known:

    - A span that never ends, but is collected, isn't sent by anybody: its children pass it by too.
    - A local parent that wasn't sampled is sent by nobody. Nothing is known of its own parent, so its child is a root.
      So is the child of a remote parent that says it wasn't sampled.
    - A sampled remote parent that isn't in this process stays the parent, whatever became of it there.
    - A local parent that is unknown stays the parent: mostly it is agenttrace's own, of which nothing is kept here.
      It may also be one of more than 20,000 left-out spans ago; a child that ends so long after it is an orphan.
    - A parent that another provider made (`on_own_start` and `on_start` meet it in the context) is passed by.

    Everything on the traced path is a handful of dictionary steps that are each atomic, so it needs no lock and may
    run in signal handlers and finalizers. Memory is bounded: weak references to open spans, and two ids, a parent's
    context and nothing else for each of the last 20,000 spans that were left out.

    Example:
        >>> lineage = Lineage()
        >>> lineage.on_start(request_span)
        >>> lineage.on_end(request_span)
        >>> lineage.parent_of(agent_span) is None  # it ran inside the request, and is a root in our copy
        True
    """

    def __init__(self) -> None:
        self._open: dict[_Key, _Open] = {}
        self._left_out = _Recent()
        # Spans whose children were sent under them and whose attributes, of which the SDK drops the oldest at its
        # limit, no longer tell why.
        self._committed = _Recent()
        self._when_collected = self._forget_collected

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note a span of another scope than agenttrace's. Never raises.

        Args:
            span: The span that starts.
            parent_context: The context it starts in, as the SDK hands it to processors. None for the current one.
        """
        try:
            parent = span.parent
            if parent is not None:
                self._meet(parent, parent_context)
            self._note(span, parent)
        except BaseException as error:
            faults.contain("noting the start of a span", error)

    def on_own_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Look whether agenttrace's span ``span`` starts under one of another provider. Never raises.

        For a span inside another one of agenttrace's, the usual case, this is one look into the context. Where it
        isn't called, such a parent is taken for one of ours, and the span is an orphan.

        Args:
            span: The span that starts.
            parent_context: The context it starts in, as the SDK hands it to processors. None for the current one.
        """
        try:
            parent = span.parent
            if parent is None:
                return
            context = get_current() if parent_context is None else parent_context
            if _mark_in(context) is not parent and not parent.is_remote:
                self._meet(parent, context)
        except BaseException as error:
            faults.contain("looking at a span's parent", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Note the end of a span of another scope than agenttrace's. Never raises.

        To be called before the span is queued, so that a child that is sent meanwhile finds one or the other.
        """
        try:
            context = span.context
            if context is None:
                return
            key = _key(context)
            entry = self._open.get(key)
            if not context.trace_flags & _SAMPLED or not is_agent_span(span):
                if entry is None:
                    self._left_out.put(key, span.parent)
                elif entry.is_agents:
                    self._committed.put(key, None)
                else:
                    self._left_out.put(key, entry.parent)
            # After it has been put there: whoever looks for it looks here first.
            self._open.pop(key, None)
        except BaseException as error:
            faults.contain("noting the end of a span", error)

    def is_agents(self, span: ReadableSpan) -> bool:
        """Whether ``span`` is an agent's: it carries ``openinference.span.kind`` or a ``gen_ai.`` attribute.

        So is every span of agenttrace, of OpenInference's instrumentors and of the few other scopes that make no
        others, and a span that others have been sent under because it was an agent's when they ended.

        Args:
            span: An ended span, or an open one.
        """
        if is_agent_span(span):
            return True
        return span.context is not None and _key(span.context) in self._committed.parents

    def parent_of(self, span: ReadableSpan) -> SpanContext | None:
        """The nearest ancestor of ``span`` that is sent; None where it is to be a root.

        Args:
            span: The span, which may have ended some seconds ago.

        Returns:
            ``span.parent`` itself where that one is sent or nothing is known of it.
        """
        parent = span.parent
        for _ in range(_LONGEST_CHAIN):
            parent = self._past_left_out(parent)
            if parent is None:
                return None
            key = _key(parent)
            entry = self._open.get(key)
            if entry is not None:
                if _is_sent(entry, parent):
                    return parent
                parent = entry.parent
            elif key not in self._left_out.parents:  # else it ended this moment
                return parent if parent.trace_flags & _SAMPLED else None
        return None

    def _past_left_out(self, context: SpanContext | None) -> SpanContext | None:
        """``context``, or the nearest of its ancestors that isn't known to have been left out for good."""
        passed = 0
        first, parents = context, self._left_out.parents
        while context is not None:
            key = _key(context)
            # Open ones first: one that ends meanwhile is put among the others before it is taken from these.
            above = context if key in self._open else parents.get(key, context)
            if above is context:
                break
            context, passed = above, passed + 1
            if passed > MOST_REMEMBERED:
                return None  # the ids of a faulty generator lead in a circle
        if first is not None and passed > _WORTH_SHORTENING:
            # Or a program that goes on from span to span for days would be walked back further with each.
            self._left_out.put(_key(first), context)
        return context

    def _note(self, span: Span, parent: SpanContext | None, *, is_strangers: bool = False) -> None:
        entry = _Open(span, self._when_collected)
        entry.key = key = _key(span.get_span_context())
        entry.parent = parent
        entry.is_agents = False
        entry.is_strangers = is_strangers
        self._open[key] = entry

    def _meet(self, parent: SpanContext, context: Context | None) -> None:
        """Note ``parent`` too where another provider made it: it is in the context, and nowhere else to be seen."""
        key = _key(parent)
        if key in self._open or key in self._left_out.parents:
            return
        if context is None:
            context = get_current()
        stranger = get_current_span(context)
        if not isinstance(stranger, Span) or stranger.get_span_context() != parent:
            return
        scope = stranger.instrumentation_scope
        if scope is not None and scope.name == SCOPE_NAME:
            return
        if stranger.is_recording():
            self._note(stranger, self._known_above(stranger, context), is_strangers=True)
        elif not is_agent_span(stranger):  # else it was sent, if it was ours: nothing is kept of those
            self._left_out.put(key, self._known_above(stranger, context))

    def _known_above(self, stranger: Span, context: Context) -> SpanContext | None:
        """The nearest ancestor of ``stranger`` that may be ours."""
        parent = stranger.parent
        if parent is None or parent.is_remote:
            return parent
        key = _key(parent)
        if key in self._open or key in self._left_out.parents:
            return parent
        mark = _mark_in(context)
        return mark if mark is not None and mark.trace_id == parent.trace_id else None

    def _forget_collected(self, entry: _Open) -> None:
        try:
            if self._open.get(entry.key) is entry:
                self._left_out.put(entry.key, entry.parent)
                self._open.pop(entry.key, None)
        except BaseException as error:
            faults.contain("noting that a span was given up", error)


def _key(context: SpanContext) -> _Key:
    return context.trace_id, context.span_id


def _is_sent(entry: _Open, context: SpanContext) -> bool:
    """Whether the open span of ``entry`` will be sent, as far as can be known now."""
    if entry.is_agents:
        return True
    span = entry()
    if span is None or entry.is_strangers or not context.trace_flags & _SAMPLED or not is_agent_span(span):
        return False
    entry.is_agents = True
    return True


def _mark_in(context: Context) -> SpanContext | None:
    """The innermost span of agenttrace's in ``context``, whatever others stand between."""
    running: Any = context.get(HANDLE_KEY)
    if running is None:
        return None
    context_of_mark: SpanContext = running.otel_span.get_span_context()
    return context_of_mark
