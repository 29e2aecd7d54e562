"""The shape of OpenAI's legacy completions, whole and streamed: a prompt goes in, its continuation comes back."""

from __future__ import annotations

from ...semconv.fields import field, list_field, text_field
from ...semconv.parts import drop_none
from ...semconv.types import ModelCall, TokenCount
from ..interface import Assembler
from ..pieces import Pieces, Room
from ..token_counts import read_usage

__all__ = ["CompletionAssembler", "is_completion", "read_completion"]

_KINDS = ("text_completion", "text_completion.chunk")  # the second is LiteLLM's


def is_completion(value: object) -> bool:
    """Whether ``value``, an object or a mapping, has the shape of a completion; a chunk of one has the same."""
    if field(value, "object") not in _KINDS:
        return False
    return isinstance(field(value, "choices"), (list, tuple))


def read_completion(response: object) -> ModelCall:
    """What ``response``, a completion, says of the call."""
    assembler = CompletionAssembler()
    assembler.add(response)
    return assembler.result()


class CompletionAssembler(Assembler):
    """Puts chunks of completions together."""

    def __init__(self) -> None:
        """Nothing so far."""
        self._room = Room()
        self._texts: dict[int, Pieces] = {}
        self._reasons: dict[int, str] = {}
        self._model: str | None = None
        self._usage: TokenCount | None = None

    def add(self, chunk: object) -> None:
        """Take in ``chunk``: the texts of its choices, and the usage, of which the latest holds."""
        self._model = text_field(chunk, "model") or self._model
        self._usage = read_usage(field(chunk, "usage")) or self._usage
        for choice in list_field(chunk, "choices"):
            index = field(choice, "index")
            number = index if type(index) is int else 0
            if number not in self._texts:
                if not self._room.take(1):
                    continue
                self._texts[number] = Pieces(self._room)
            self._texts[number].add(field(choice, "text"))
            reason = text_field(choice, "finish_reason")
            if reason is not None:
                self._reasons[number] = reason

    def result(self) -> ModelCall:
        """The choices so far, in their order."""
        numbers = sorted(self._texts)
        return drop_none(  # type: ignore[return-value]
            model_name=self._model,
            choices=[self._texts[number].text() for number in numbers] or None,
            token_counts=self._usage,
            finish_reason=self._reasons.get(numbers[0]) if numbers else None,
        )
