"""From CrewAI's events to spans that are in the right place and have the right times.

The handlers are coroutine functions: CrewAI runs those one after another, in the order of the events, in a thread of
its own and in a copy of the context that the event was emitted in. It would run plain functions in a pool, in any
order. So a handler may come late, but never before the one of an earlier event; times are the events' own.

What runs meanwhile in the program's threads finds its place by the stack of open events that CrewAI keeps in a context
variable. Where a mark is faster than the handler, the event is taken from CrewAI's record of the run instead.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NamedTuple

from crewai.events import LLMStreamChunkEvent, crewai_event_bus
from crewai.events.event_bus import is_replaying
from crewai.events.event_context import get_current_parent_id
from crewai.events.types.llm_events import LLMThinkingChunkEvent
from openinference.semconv.trace import OpenInferenceSpanKindValues

from ... import faults
from ...span import Span
from ...yielded import first_item_event
from ..hook_spans import MOST_OPEN, HookSpans
from .beginnings import BEGINNINGS
from .endings import ENDINGS, Ending
from .sources import DETAILS

__all__ = ["FIRST_PIECES", "on_beginning", "on_ending", "on_piece"]

FIRST_PIECES: tuple[type[Any], ...] = (LLMStreamChunkEvent, LLMThinkingChunkEvent)
"""The events of a model's answer that comes in pieces."""
_FIRST_TOKEN = first_item_event(OpenInferenceSpanKindValues.LLM.value)


class _Place:
    """Something of CrewAI's that has begun and isn't over."""

    __slots__ = ("inner", "kind", "node", "parent", "streams")

    def __init__(self, kind: str, parent: str | None, node: str | None) -> None:
        self.kind = kind
        """The type of the event that began it."""
        self.parent = parent
        """The id of the event that it happened in."""
        self.node = node
        """The agent that it belongs to."""
        self.inner: dict[str, None] = {}
        """The keys of the places in it, in the order in which they began."""
        self.streams = False
        """Whether a first piece of an answer has come."""


class _State(NamedTuple):
    lock: threading.RLock
    places: dict[str, _Place]


_state = _State(threading.RLock(), {})
_working: ContextVar[bool] = ContextVar("agenttrace-crewai-working", default=False)
"""Whether spans are being opened here: the events' stack then says where the next one is, and not where this runs."""
_settles_at_exit = False


async def on_beginning(source: Any, event: Any) -> None:
    """Something begins."""
    with _working_on("recording that something began for CrewAI"):
        if not is_replaying():
            _begin(event)
            describe = DETAILS.get(type(event))
            if describe is not None and event.event_id in _spans:
                describe(_spans.span(event.event_id), source, event)


async def on_ending(source: Any, event: Any) -> None:
    """Something is over."""
    with _working_on("recording that something ended for CrewAI"):
        kind, read = ENDINGS[type(event)]
        key = None if is_replaying() else _begun(event.started_event_id, kind)
        if key is not None:
            _end(key, event, read(event))
            _forget(key)


async def on_piece(source: Any, event: Any) -> None:
    """A piece of a model's answer has come."""
    with _working_on("recording an answer's first piece for CrewAI"):
        key = event.parent_event_id
        place = _state.places.get(key)
        if place is not None and not place.streams and key in _spans:
            place.streams = True
            _spans.span(key).otel_span.add_event(_FIRST_TOKEN, timestamp=_nanoseconds(event.timestamp))


@contextmanager
def _working_on(what: str) -> Iterator[None]:
    token = _working.set(True)
    try:
        with _state.lock:
            yield
    except BaseException as error:
        faults.contain(what, error)
    finally:
        _working.reset(token)


def _begin(event: Any) -> None:
    """Open the span of what ``event`` says that begins, unless a mark inside of it was faster."""
    key, places = event.event_id, _state.places
    if key in places:
        return
    above = _nearest(event.parent_event_id)
    node = None if above is None else places[above].node
    beginning = BEGINNINGS[type(event)](event)
    while len(places) >= MOST_OPEN:
        del places[next(iter(places))]
    if beginning is None:
        _note(key, _Place(event.type, event.parent_event_id, node))
        return
    if beginning.outlives:
        above = _outermost(above)
    _spans.start(
        key,
        beginning.mark,
        beginning.name,
        parent=above,
        started_at=_nanoseconds(event.timestamp),
        graph_node_id=beginning.node,
        graph_node_parent_id=node if beginning.node else None,
        **beginning.options,
    )
    if key in _spans:
        parent = above if beginning.outlives else event.parent_event_id
        _note(key, _Place(event.type, parent, beginning.node or node))
        _settle_at_exit()


def _note(key: str, place: _Place) -> None:
    """Keep ``place``, and note it in the one around it."""
    _state.places[key] = place
    around = None if place.parent is None else _state.places.get(place.parent)
    if around is not None:
        around.inner[key] = None


def _end(key: str, event: Any, ending: Ending) -> None:
    if key not in _spans:
        return
    _spans.ended_at(key, _nanoseconds(event.timestamp))
    span: Span = _spans.span(key)
    if ending.describe is not None:
        ending.describe(span)
    if isinstance(ending.error, BaseException):
        _spans.fail(key, ending.error)
    elif ending.error is not None:
        span.set_status("error", str(ending.error))
        _spans.finish(key, ending.output)
    else:
        _spans.finish(key, ending.output)


def _forget(key: str) -> None:
    """Forget a place and all in it, whose spans have ended with its own."""
    place = _state.places.pop(key, None)
    if place is None:
        return
    around = None if place.parent is None else _state.places.get(place.parent)
    if around is not None:
        around.inner.pop(key, None)
    for inner in list(place.inner):
        _forget(inner)


def _nearest(event_id: str | None) -> str | None:
    """The id of the nearest event, from ``event_id`` upwards, that has an open span."""
    while event_id is not None and event_id not in _spans:
        place = _state.places.get(event_id)
        if place is None:
            recorded = _recorded(event_id)
            event_id = None if recorded is None else recorded.event.parent_event_id
        else:
            event_id = place.parent
    return event_id


def _outermost(event_id: str | None) -> str | None:
    """The id of the run that the event of ``event_id``, whose span is open, belongs to."""
    outer = event_id
    while outer is not None:
        event_id = outer
        outer = _nearest(_state.places[event_id].parent)
    return event_id


def _begun(event_id: str | None, kind: str) -> str | None:
    """The id of the event of type ``kind`` that is over, from ``event_id`` upwards.

    CrewAI takes an event off its stack for each that ends something, whichever it is. Where it forgot to end one
    inside, the id is of that one.
    """
    while event_id is not None:
        place = _state.places.get(event_id)
        if place is None:
            return None
        if place.kind == kind:
            return event_id
        event_id = place.parent
    return None


def _running_event() -> str | None:
    """The id of the event that the calling code runs in."""
    if not _state.places or _working.get():
        return None
    event_id: str | None = get_current_parent_id()
    if event_id is None or event_id in _spans:
        return event_id
    with _working_on("finding where code runs in CrewAI"):
        _catch_up(event_id)
        return _nearest(event_id)
    return None


def _catch_up(event_id: str | None) -> None:
    """Open the spans, down to that of ``event_id``, whose events are recorded and not handled yet."""
    missing: list[Any] = []
    while event_id is not None and event_id not in _state.places:
        recorded = _recorded(event_id)
        if recorded is None or recorded.neighbors("completed_by"):
            return  # nothing that is traced, or over already
        if type(recorded.event) in BEGINNINGS:
            missing.append(recorded.event)
        event_id = recorded.event.parent_event_id
    if event_id is not None:
        for event in reversed(missing):
            _begin(event)


def _recorded(event_id: str) -> Any:
    state = crewai_event_bus.runtime_state
    return None if state is None else state.event_record.get(event_id)


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1_000


def _settle_at_exit() -> None:
    """Have what is open or on its way at the program's end recorded before the spans are sent for the last time.

    Registered with the first span, and so after what ``register()`` has registered: the last one comes first.
    """
    global _settles_at_exit
    if not _settles_at_exit:
        _settles_at_exit = True
        atexit.register(_settle)


def _settle() -> None:
    crewai_event_bus.flush()
    with _working_on("ending what CrewAI left open"):
        # A run that was cancelled or interrupted: CrewAI emits nothing for that, and keeps hold of all that ran.
        for key in [key for key, place in _state.places.items() if place.parent is None]:
            _spans.drop(key)
            _forget(key)


def _renew() -> None:
    """Leave a forked child no lock that a thread holds which isn't there."""
    global _state
    _state = _State(threading.RLock(), _state.places)


_spans = HookSpans("CrewAI", locate=_running_event)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
