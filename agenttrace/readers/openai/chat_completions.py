"""The shape of OpenAI's chat completions, which many providers share.

Mistral, Hugging Face, LiteLLM, Groq, DeepSeek, xAI, vLLM and others answer in it, each with fields of its own beside.
"""

from __future__ import annotations

from ...semconv.fields import as_list, field, fields, list_field, text_field
from ...semconv.messages import read_message
from ...semconv.parts import drop_none
from ...semconv.types import Message, ModelCall, TokenCount
from ..interface import Assembler
from ..pieces import Room
from ..token_counts import read_usage
from ..turns import join_turns
from .chat_choices import AssembledChoice

__all__ = ["ChatCompletionAssembler", "is_chat_completion", "is_chat_completion_chunk", "read_chat_completion"]


def is_chat_completion(value: object) -> bool:
    """Whether ``value``, an object or a mapping, has the shape of a chat completion.

    It says so itself (``object`` is ``chat.completion``), or its first choice has a message that names its role.
    """
    choices = field(value, "choices")
    if not isinstance(choices, (list, tuple)):
        return False
    said = field(value, "object")
    if isinstance(said, str) and said:
        return said == "chat.completion"
    return bool(choices) and text_field(field(choices[0], "message"), "role") is not None


def is_chat_completion_chunk(value: object) -> bool:
    """Whether ``value``, an object or a mapping, has the shape of a chunk of a streamed chat completion."""
    choices = field(value, "choices")
    if not isinstance(choices, (list, tuple)):
        return False
    said = field(value, "object")
    if isinstance(said, str) and said:
        return said == "chat.completion.chunk"
    if not choices:
        return said == "" and isinstance(field(value, "model"), str)  # Azure's first, of what its filters found
    return field(choices[0], "delta") is not None and field(choices[0], "index") is not None


def read_chat_completion(response: object) -> ModelCall:
    """What ``response``, a chat completion, says of the call: each choice is a message.

    Args:
        response: An object of a client, or the mapping that it stands for.
    """
    choices = list_field(response, "choices")
    messages = [message for choice in choices for message in _read_choice(choice)]
    reasons = [text_field(choice, "finish_reason") for choice in choices[:1]]
    return _model_call(text_field(response, "model"), messages, _usage_of(response), reasons)


class ChatCompletionAssembler(Assembler):
    """Puts chunks of chat completions together, whosever they are; of several completions one after another too."""

    def __init__(self) -> None:
        """Nothing so far."""
        self._room = Room()
        self._turns = [_Completion(self._room)]

    def add(self, chunk: object) -> None:
        """Take in ``chunk``: what its choices add, and the usage, of which the latest holds."""
        if self._turns[-1].is_followed_by(chunk) and self._room.take(1):
            self._turns.append(_Completion(self._room))
        self._turns[-1].add(chunk)

    def result(self) -> ModelCall:
        """The choices so far, in their order."""
        return join_turns([turn.result() for turn in self._turns])


class _Completion:
    """One completion, chunk by chunk."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._choices: dict[int, AssembledChoice] = {}
        self._identifier: str | None = None
        self._model: str | None = None
        self._usage: TokenCount | None = None

    def is_followed_by(self, chunk: object) -> bool:
        """Whether ``chunk`` begins another completion. Its id alone doesn't say: some servers give each chunk one."""
        if not self._choices or any(choice.finish_reason is None for choice in self._choices.values()):
            return False
        if text_field(chunk, "id") in (None, self._identifier):
            return False
        return any(text_field(field(choice, "delta"), "role") is not None for choice in list_field(chunk, "choices"))

    def add(self, chunk: object) -> None:
        """Take in one chunk."""
        self._identifier = text_field(chunk, "id") or self._identifier
        self._model = text_field(chunk, "model") or self._model
        self._usage = _usage_of(chunk) or self._usage
        for choice in list_field(chunk, "choices"):
            index = field(choice, "index")
            number = index if type(index) is int else 0
            assembled = self._choices.get(number)
            if assembled is None:
                if not self._room.take(1):
                    continue
                assembled = self._choices[number] = AssembledChoice(self._room)
            assembled.add(choice)

    def result(self) -> ModelCall:
        """The completion so far."""
        choices = [self._choices[number] for number in sorted(self._choices)]
        messages = [message for choice in choices for message in _read_turn(choice.message())]
        return _model_call(self._model, messages, self._usage, [choice.finish_reason for choice in choices[:1]])


def _model_call(
    model: str | None, messages: list[Message], usage: TokenCount | None, reasons: list[str | None]
) -> ModelCall:
    return drop_none(  # type: ignore[return-value]
        model_name=model,
        output_messages=messages or None,
        token_counts=usage,
        finish_reason=reasons[0] if reasons else None,
    )


def _usage_of(response: object) -> TokenCount | None:
    usage = field(response, "usage")
    if usage is None:
        usage = field(field(response, "x_groq"), "usage")  # where Groq's streams have it
    return read_usage(usage)


def _read_choice(choice: object) -> list[Message]:
    message = field(choice, "message")
    return [] if message is None else _read_turn(message)


def _read_turn(message: object) -> list[Message]:
    """One turn of the assistant, in which a refusal may stand beside the content."""
    refusal = text_field(message, "refusal")
    content = field(message, "content")
    if refusal is None or content is None:
        return read_message(message, "assistant")
    parts = [content] if isinstance(content, str) and content else as_list(content)
    return read_message({**fields(message), "content": [*parts, {"type": "refusal", "refusal": refusal}]}, "assistant")
