"""Streams of LangChain's models: chunks of messages, and the two kinds of events that they are wrapped in."""

from __future__ import annotations

from ...semconv.fields import field, has_fields, is_a, is_dict, text_field
from ...semconv.types import ModelCall
from ..interface import Assembler
from ..pieces import Room
from ..turns import join_turns
from .events import EVENTS, EventTurn
from .messages import identity_of
from .turns import ChunkTurn, Turn

__all__ = ["LangChainAssembler", "is_chunk"]

_CHUNKS = ("AIMessageChunk", "ChatGenerationChunk", "GenerationChunk")
_RUN_EVENTS = ("on_chat_model_stream", "on_llm_stream")
_NO_RUN = ""
"""The key of the turn that what names no run belongs to."""


def is_chunk(value: object) -> bool:
    """Whether ``value`` is a chunk, an event of ``stream_events`` version 3, or one of ``astream_events``."""
    if is_a(value, "langchain_core", *_CHUNKS):
        return True
    event = text_field(value, "event") if is_dict(value) else None
    if event is None:
        return False
    return event in EVENTS or (event.startswith("on_") and has_fields(value, ("run_id", "data")))


class LangChainAssembler(Assembler):
    """Puts together what one model says, or each of several whose events take turns."""

    def __init__(self) -> None:
        """Nothing so far."""
        self._room = Room()
        self._ended: list[Turn] = []
        self._turns: dict[str, Turn] = {}

    def add(self, chunk: object) -> None:
        """Take in a chunk or an event."""
        event = text_field(chunk, "event") if is_dict(chunk) else None
        if event is None:
            self._add_chunk(_NO_RUN, chunk)
        elif event in EVENTS:
            turn = self._open(_NO_RUN, begins=event == "message-start") or self._begun(_NO_RUN, EventTurn(self._room))
            if isinstance(turn, EventTurn):
                turn.add(chunk)
        elif event in _RUN_EVENTS:
            turn = self._add_chunk(text_field(chunk, "run_id") or _NO_RUN, field(field(chunk, "data"), "chunk"))
            turn.asked = identity_of(field(chunk, "metadata"))

    def result(self) -> ModelCall:
        """All that was said so far."""
        return join_turns([turn.result() for turn in (*self._ended, *self._turns.values())])

    def _add_chunk(self, key: str, chunk: object) -> Turn:
        message = field(chunk, "message")
        said = chunk if message is None else message
        begins = any(field(said, name) for name in ("content", "tool_call_chunks", "text"))
        turn = self._open(key, begins=begins) or self._begun(key, ChunkTurn(self._room))
        if isinstance(turn, ChunkTurn):
            turn.add(chunk)
        return turn

    def _open(self, key: str, *, begins: bool) -> Turn | None:
        """The turn that goes on under ``key``; none where the last one had ended and something new begins."""
        turn = self._turns.get(key)
        if turn is not None and turn.ended and begins and self._room.take(1):
            self._ended.append(self._turns.pop(key))
            return None
        return turn

    def _begun(self, key: str, turn: Turn) -> Turn:
        self._turns[key] = turn
        return turn
