"""The shapes in which OpenAI's API answers: told apart, and each read by its own file."""

from __future__ import annotations

from collections.abc import Callable

from ...semconv.types import ModelCall
from ..interface import Assembler
from .chat_completions import (
    ChatCompletionAssembler,
    is_chat_completion,
    is_chat_completion_chunk,
    read_chat_completion,
)
from .completions import CompletionAssembler, is_completion, read_completion
from .embeddings import is_embedding_response, read_embedding_response
from .response_streams import ResponseAssembler, is_response_event
from .responses import is_response, read_response

__all__ = ["ShapeAssembler", "assembler_of", "reading_of"]

_WHOLE: tuple[tuple[Callable[[object], bool], Callable[[object], ModelCall]], ...] = (
    (is_chat_completion, read_chat_completion),
    (is_response, read_response),
    (is_completion, read_completion),
    (is_embedding_response, read_embedding_response),
)
_STREAMED: tuple[tuple[Callable[[object], bool], Callable[[], Assembler]], ...] = (
    (is_chat_completion_chunk, ChatCompletionAssembler),
    (is_response_event, ResponseAssembler),
    (is_completion, CompletionAssembler),
)


def reading_of(response: object) -> Callable[[object], ModelCall] | None:
    """The function that reads ``response``, an object or a mapping; None where it has none of the shapes."""
    return next((read for has_shape, read in _WHOLE if has_shape(response)), None)


def assembler_of(chunk: object) -> Callable[[], Assembler] | None:
    """What makes the assembler for the stream of ``chunk``; None where it has none of the shapes."""
    return next((assembler for has_shape, assembler in _STREAMED if has_shape(chunk)), None)


class ShapeAssembler(Assembler):
    """Puts the chunks of one stream together, in the shape that the first of them shows."""

    def __init__(self) -> None:
        """No chunk so far."""
        self._assembler: Assembler | None = None

    def add(self, chunk: object) -> None:
        """Take in ``chunk``."""
        if self._assembler is None:
            found = assembler_of(chunk)
            self._assembler = None if found is None else found()
        if self._assembler is not None:
            self._assembler.add(chunk)

    def result(self) -> ModelCall:
        """What the chunks so far amount to."""
        return {} if self._assembler is None else self._assembler.result()
