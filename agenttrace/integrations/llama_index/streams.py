"""Which model's stream a call is made for, where LlamaIndex doesn't say.

A model that has one way to stream makes the others of it, but only once somebody reads: ``CustomLLM.astream_chat``
gives a stream that then calls ``stream_chat``. By that time the call that gave the stream is over.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any

from . import contents
from .roles import arguments_of

if TYPE_CHECKING:
    from .calls import Call

__all__ = ["stream_reading"]


def stream_reading(span_id: str, call: Call, calls: Mapping[str, Call]) -> str | None:
    """The id of the stream of the same object that makes the call; None where no stream does.

    Args:
        span_id: LlamaIndex's id of the call.
        call: The call, which begins.
        calls: All that are underway, by their ids.
    """
    streams = {
        other_id: other
        for other_id, other in list(calls.items())
        if other.stream is not None and other.instance is call.instance is not None
    }
    return (_running_here(streams) or _waiting_elsewhere(span_id, call, streams)) if streams else None


def _running_here(streams: Mapping[str, Call]) -> str | None:
    """The innermost stream whose code called this."""
    frames = {id(frame): stream_id for stream_id, other in streams.items() if (frame := _frame_of(other)) is not None}
    here: FrameType | None = inspect.currentframe()
    while here is not None:
        if id(here) in frames:
            return frames[id(here)]
        here = here.f_back
    return None


def _waiting_elsewhere(span_id: str, call: Call, streams: Mapping[str, Call]) -> str | None:
    """The asynchronous stream that has a thread make the call, as it is known by what both are asked."""
    asked = _question_of(call)
    for other_id, other in streams.items():
        stream = None if other.stream is None else other.stream()
        if (
            getattr(stream, "ag_running", False)
            and not other.is_read
            and _method_of(other_id) == f"a{_method_of(span_id)}"
            and _question_of(other) is asked
        ):
            other.is_read = True
            return other_id
    return None


def _frame_of(call: Call) -> FrameType | None:
    stream = None if call.stream is None else call.stream()
    frame = getattr(stream, "gi_frame", None) or getattr(stream, "ag_frame", None)
    return frame if isinstance(frame, FrameType) else None


def _method_of(span_id: str) -> str:
    """The method's name, of an id such as ``OpenAI.astream_chat-0a1b…``."""
    return span_id.partition("-")[0].rpartition(".")[2]


def _question_of(call: Call) -> Any:
    [question] = contents.prompt_of(arguments_of(call.arguments)).values()
    return question
