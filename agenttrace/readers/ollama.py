"""What Ollama's client returns: chats, generated texts and embeddings.

Its streams are plain generators of the same objects as a whole answer is: each has the next piece, the last one the
counts as well.
"""

from __future__ import annotations

from typing import Any

from openinference.semconv.trace import OpenInferenceLLMProviderValues

from ..semconv.fields import as_list, field, int_field, is_a, is_dict, is_text, list_field, text_field
from ..semconv.messages import read_message
from ..semconv.parts import drop_none
from ..semconv.types import ModelCall, TokenCount
from .interface import Assembler, Reader
from .openai.chat_choices import AssembledChoice
from .pieces import Room
from .token_counts import make_token_count
from .turns import join_turns

__all__ = ["OllamaReader"]


class OllamaReader(Reader):
    """Reads ``ollama``'s responses, and the mappings that its API answers with."""

    name = "ollama"

    def reads(self, response: object) -> bool:
        """Whether it is an answer of ``chat``, ``generate``, ``embed`` or ``embeddings``."""
        return _is_answer(response) or _has_vectors(response)

    def read(self, response: object) -> ModelCall:
        """The message or the vectors, and the counts."""
        if _has_vectors(response):
            return _read_embeddings(response)
        return _model_call(response, _message_of(response), _counts_of(response))

    def reads_chunk(self, chunk: object) -> bool:
        """Whether it is a piece of an answer of ``chat`` or ``generate``."""
        return _is_answer(chunk)

    def assembler(self) -> Assembler:
        """A new one."""
        return _OllamaAssembler()


class _OllamaAssembler(Assembler):
    def __init__(self) -> None:
        self._room = Room()
        self._turns: list[_Turn] = []

    def add(self, chunk: object) -> None:
        if not self._turns or (self._turns[-1].ended and self._room.take(1)):
            self._turns.append(_Turn(self._room))
        self._turns[-1].add(chunk)

    def result(self) -> ModelCall:
        return join_turns([turn.result() for turn in self._turns])


class _Turn:
    """The chunks of one answer, up to the one that says it is done."""

    def __init__(self, room: Room) -> None:
        self.ended = False
        self._room = room
        self._choice = AssembledChoice(room)
        self._images: list[str] = []
        self._model: str | None = None
        self._counts: TokenCount | None = None

    def add(self, chunk: object) -> None:
        message = _message_of(chunk)
        self._choice.add({"delta": message, "finish_reason": text_field(chunk, "done_reason")})
        for image in as_list(message.get("images")):
            if isinstance(image, str) and self._room.take(len(image)):
                self._images.append(image)
        self._model = text_field(chunk, "model") or self._model
        self._counts = _counts_of(chunk) or self._counts
        self.ended = field(chunk, "done") is True

    def result(self) -> ModelCall:
        message = self._choice.message()
        if self._images:
            message["images"] = self._images
        last = {"model": self._model, "done_reason": self._choice.finish_reason}
        return _model_call(last, message, self._counts)


def _is_answer(value: object) -> bool:
    """Whether ``value`` is a whole answer in text, or one chunk of it."""
    if is_a(value, "ollama", "ChatResponse", "GenerateResponse"):
        return True
    if not is_dict(value) or text_field(value, "model") is None or field(value, "created_at") is None:
        return False
    has_text = text_field(field(value, "message"), "role") is not None or is_text(field(value, "response"))
    return type(field(value, "done")) is bool and has_text


def _has_vectors(value: object) -> bool:
    if is_a(value, "ollama", "EmbedResponse", "EmbeddingsResponse"):
        return True
    timed = field(value, "total_duration", "prompt_eval_count") is not None
    return is_dict(value) and timed and bool(list_field(value, "embeddings"))


def _message_of(response: object) -> dict[str, Any]:
    """The message of a chat; of a generated text, the one that it is."""
    message = field(response, "message")
    images = list_field(message, "images")
    if message is None:
        image = text_field(response, "image")
        images = () if image is None else (image,)
        message = {"content": field(response, "response"), "thinking": field(response, "thinking")}
    return drop_none(
        role=text_field(message, "role"),
        content=text_field(message, "content"),
        reasoning_content=text_field(message, "thinking"),
        images=[image if is_text(image) else field(image, "value") for image in images] or None,
        tool_calls=list_field(message, "tool_calls") or None,
    )


def _model_call(response: object, message: dict[str, Any], counts: TokenCount | None) -> ModelCall:
    return drop_none(  # type: ignore[return-value]
        provider=OpenInferenceLLMProviderValues.OLLAMA.value,
        model_name=text_field(response, "model"),
        output_messages=read_message(message, "assistant"),
        token_counts=counts,
        finish_reason=text_field(response, "done_reason"),
    )


def _counts_of(response: object) -> TokenCount | None:
    return make_token_count(
        prompt=int_field(response, "prompt_eval_count"), completion=int_field(response, "eval_count")
    )


def _read_embeddings(response: object) -> ModelCall:
    single = field(response, "embedding")
    vectors = list_field(response, "embeddings") if single is None else (single,)
    return drop_none(  # type: ignore[return-value]
        model_name=text_field(response, "model"),
        embeddings=[{"vector": vector} for vector in vectors],
        token_counts=_counts_of(response),
    )
