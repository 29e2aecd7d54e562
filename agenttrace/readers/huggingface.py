"""What Hugging Face's ``InferenceClient`` returns: chat completions and generated texts, whole and streamed.

Chat completions have OpenAI's shape. As mappings they are the OpenAI reader's; the client's objects, which are
dictionaries too, are read here. Its streams are plain generators.
"""

from __future__ import annotations

from typing import Any

from ..semconv.fields import field, int_field, is_a, is_dict, is_text, list_field, text_field
from ..semconv.parts import drop_none
from ..semconv.types import ModelCall, TokenCount
from .as_sent import as_sent
from .interface import Assembler, Reader
from .openai.chat_completions import ChatCompletionAssembler, read_chat_completion
from .pieces import Pieces, Room
from .token_counts import make_token_count

__all__ = ["HuggingFaceReader"]

_PACKAGE = "huggingface_hub"


class HuggingFaceReader(Reader):
    """Reads what ``chat_completion`` and ``text_generation(details=True)`` return."""

    name = "huggingface"

    def reads(self, response: object) -> bool:
        """Whether it is a chat completion of the client's, or a generated text with its details."""
        return is_a(response, _PACKAGE, "ChatCompletionOutput") or _is_generated(response)

    def read(self, response: object) -> ModelCall:
        """The messages or the texts, and the counts."""
        if _is_generated(response):
            return _read_generated(response)
        return read_chat_completion(as_sent(response, _PACKAGE))

    def reads_chunk(self, chunk: object) -> bool:
        """Whether it is a chunk of a chat completion of the client's, or a token of a generated text."""
        return is_a(chunk, _PACKAGE, "ChatCompletionStreamOutput") or _is_token(chunk)

    def assembler(self) -> Assembler:
        """A new one."""
        return _HuggingFaceAssembler()


class _HuggingFaceAssembler(Assembler):
    def __init__(self) -> None:
        self._chat = ChatCompletionAssembler()
        self._text = Pieces(Room())
        self._details: dict[str, Any] | None = None

    def add(self, chunk: object) -> None:
        if not _is_token(chunk):
            self._chat.add(_with_listed_calls(as_sent(chunk, _PACKAGE)))
            return
        token, details = field(chunk, "token"), field(chunk, "details")
        if self._details is None:
            self._details = {}
        whole = text_field(chunk, "generated_text")
        if whole is not None:  # the last chunk has the text as the server decoded it at once
            self._text = Pieces(Room())
            self._text.add(whole)
        elif field(token, "special") is not True:  # the mark of the end is no text
            self._text.add(field(token, "text"))
        if details is not None:
            names = ("finish_reason", "generated_tokens", "input_length")
            self._details = {name: field(details, name) for name in names}

    def result(self) -> ModelCall:
        if self._details is None:
            return self._chat.result()
        return _generated([self._text.text()], self._details, _counts_of([self._details], None))


def _is_generated(value: object) -> bool:
    """Whether ``value`` is an answer of ``text_generation`` with its details, or the mapping that a server sends."""
    if is_a(value, _PACKAGE, "TextGenerationOutput"):
        return True
    counted = int_field(field(value, "details"), "generated_tokens")
    return is_dict(value) and is_text(field(value, "generated_text")) and counted is not None


def _is_token(value: object) -> bool:
    if is_a(value, _PACKAGE, "TextGenerationStreamOutput"):
        return True
    token = field(value, "token")
    return is_dict(value) and is_text(field(token, "text")) and type(field(token, "special")) is bool


def _read_generated(response: object) -> ModelCall:
    details = field(response, "details")
    others = list_field(details, "best_of_sequences")
    texts = [text_field(sequence, "generated_text") or "" for sequence in (response, *others)]
    return _generated(texts, details, _counts_of([details, *others], len(list_field(details, "prefill")) or None))


def _generated(texts: list[str], details: object, counts: TokenCount | None) -> ModelCall:
    return drop_none(  # type: ignore[return-value]
        choices=texts, token_counts=counts, finish_reason=text_field(details, "finish_reason")
    )


def _counts_of(sequences: list[Any], prompt: int | None) -> TokenCount | None:
    """The tokens of all ``sequences``; those of the prompt are said by streams, or listed where it was asked for."""
    generated = [number for each in sequences if (number := int_field(each, "generated_tokens")) is not None]
    completion = sum(generated) if generated else None
    return make_token_count(prompt=prompt or int_field(sequences[0], "input_length"), completion=completion)


def _with_listed_calls(chunk: dict[str, Any]) -> dict[str, Any]:
    """``chunk`` with a call that stands alone, as some servers send it, in a list."""
    choices = list_field(chunk, "choices")
    if not any(is_dict(field(field(choice, "delta"), "tool_calls")) for choice in choices):
        return chunk
    listed = []
    for choice in choices:
        delta = field(choice, "delta")
        listed.append({**choice, "delta": {**delta, "tool_calls": [field(delta, "tool_calls")]}})
    return {**chunk, "choices": listed}
