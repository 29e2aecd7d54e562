"""LlamaIndex's calls that have begun: which span stands for each, and what happens to it."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Mapping
from typing import Any

from llama_index.core.instrumentation.span import active_span_id

from ... import faults
from ...span import NO_SPAN, Span
from ...tracing import Mark, trace_llm
from ..hook_spans import MOST_OPEN, HookSpans
from . import contents
from .roles import Role, arguments_of, role_of
from .streams import stream_reading

__all__ = ["Call", "begin", "call_of", "end", "end_stream", "fail", "fail_stream", "give_up_all", "span_of", "told_of"]

_LASTING = ("StreamingAgentChatResponse", "StreamingResponse", "AsyncStreamingResponse")
_RUN = ".run-"


class Call:
    """One call that LlamaIndex told of."""

    __slots__ = (
        "above",
        "arguments",
        "has_tokens",
        "instance",
        "is_read",
        "is_run",
        "mark",
        "stream",
        "tells",
        "template",
        "visible",
    )

    def __init__(self, instance: object, arguments: Mapping[str, Any], above: Call | None, visible: str | None) -> None:
        self.instance: object = instance
        self.arguments: Mapping[str, Any] = arguments
        self.above: Call | None = above
        self.visible: str | None = visible
        """The id of the call whose span stands for it: its own, or where it is no more than a wrapper another's."""
        self.mark: Mark | None = None
        self.is_run: bool = False
        """Whether it is a workflow's run."""
        self.template: Any = None
        """The template, and what fills it, of the prompt that is made in it."""
        self.has_tokens: bool = False
        self.is_read: bool = False
        """Whether it is a stream for which another call is known to be made."""
        self.stream: weakref.ref[Any] | None = None
        self.tells: bool = False
        """Whether LlamaIndex tells of its answer, as it does of methods that have its decorator."""


_calls: dict[str, Call] = {}


def _current_call() -> str | None:
    """The id of the span whose body the calling code is."""
    span_id = active_span_id.get()
    call = None if span_id is None else _calls.get(span_id)
    return span_id if call is None else call.visible


_spans = HookSpans("LlamaIndex", locate=_current_call)


def begin(span_id: str, instance: object, bound: Mapping[str, Any], parent_id: str | None) -> None:
    """A call begins: open its span, unless it only wraps another."""
    if span_id in _calls:
        return
    above = None if parent_id is None else _calls.get(parent_id)
    # One that is over may have begun a stream that goes on.
    parent = parent_id if above is None else above.visible
    call = Call(instance, bound, above, parent)
    call.is_run = instance is not None and _RUN in span_id
    if len(_calls) >= MOST_OPEN:
        give_up(next(iter(list(_calls))))
    _calls[span_id] = call
    role = role_of(span_id, instance, bound, above is not None and above.is_run)
    if role is None:
        return
    if _repeats(call, role, parent):
        call.mark = role.mark
        return
    if role.mark is trace_llm and (stream := stream_reading(span_id, call, _calls)) is not None:
        call.visible, call.mark = _calls[stream].visible, trace_llm
        return
    call.visible, call.mark = span_id, role.mark
    asked: dict[str, Any] = {}
    try:
        asked = contents.asked(role, instance, arguments_of(bound))
    except Exception as error:  # somebody's own class, which has its own idea of what it is
        faults.contain(f"reading the arguments of {role.name}", error)
    span = _spans.start(span_id, role.mark, role.name, parent=parent, **asked)
    contents.add_asked(role, span, call)


def end(span_id: str, result: Any) -> None:
    """A call returned; where that is a model's stream, its span ends with the stream."""
    call = _calls.get(span_id)
    if call is None:
        return
    if call.mark is trace_llm and (inspect.isgenerator(result) or inspect.isasyncgen(result)):
        # One that is never read to its end, and never closed, is told of no more.
        call.stream = weakref.ref(result, lambda _: give_up(span_id))
        return
    _calls.pop(span_id, None)
    if call.visible != span_id:
        return
    lasts = type(result).__name__ in _LASTING
    contents.add_answered(call, _spans.span(span_id), None if lasts else result)
    _spans.finish(span_id, lasts=lasts)


def end_stream(span_id: str, response: Any) -> None:
    """A model's stream was read to its end."""
    call = _calls.get(span_id)
    if call is None or call.stream is None:
        return
    told = told_of(span_id)
    _calls.pop(span_id, None)
    if told is not None:
        contents.add_answered(call, _spans.span(told), response)
    if told == span_id:
        _spans.finish(span_id)


def fail_stream(span_id: str, error: BaseException | None) -> None:
    """An error broke a model's stream off."""
    call = _calls.get(span_id)
    if call is None or call.stream is None:
        return
    told = told_of(span_id)
    fail(span_id, error)
    if told is not None:
        fail(told, error)


def fail(span_id: str, error: BaseException | None) -> None:
    """An error came out of a call, or out of its stream."""
    call = _calls.pop(span_id, None)
    if call is None or call.visible != span_id:
        return
    if error is None or type(error).__name__ == "WaitingForEvent":  # by which a workflow's step is left until later
        _spans.drop(span_id)
    else:
        _spans.fail(span_id, error)


def give_up(span_id: str) -> None:
    """Nothing more will be heard of a call."""
    if _calls.pop(span_id, None) is not None:
        _spans.drop(span_id)


def give_up_all() -> None:
    """Nothing more will be heard of any call."""
    for span_id in list(_calls):
        give_up(span_id)


def call_of(span_id: str | None) -> Call | None:
    """The call of LlamaIndex's id ``span_id`` that has begun and isn't over."""
    return None if span_id is None else _calls.get(span_id)


def told_of(span_id: str | None) -> str | None:
    """The id of the call whose span records what is told of the call ``span_id``; None where none does.

    That is its own, or that of the one that it is made for, where nothing is told of that one.
    """
    call = call_of(span_id)
    if call is None or call.visible is None or call.visible == span_id:
        return None if call is None else call.visible
    outer = call_of(call.visible)
    is_for_it = outer is not None and call.mark is outer.mark is trace_llm and not outer.tells
    return call.visible if is_for_it else None


def span_of(span_id: str | None) -> Span:
    """The span that stands for a call, be it its own or that of the one around it."""
    call = call_of(span_id)
    return NO_SPAN if call is None or call.visible is None else _spans.span(call.visible)


def _repeats(call: Call, role: Role, parent: str | None) -> bool:
    """Whether an object does by another of its methods what the call around this one does already."""
    around = None if parent is None else _calls.get(parent)
    return around is not None and around.instance is call.instance is not None and around.mark is role.mark
