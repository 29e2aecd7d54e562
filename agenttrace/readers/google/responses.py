"""Gemini's responses, whole and streamed, and its embeddings."""

from __future__ import annotations

import sys
from typing import Any

from openinference.semconv.trace import OpenInferenceLLMProviderValues, OpenInferenceLLMSystemValues

from ...semconv.fields import field, fields, has_fields, int_field, is_a, list_field, text_field
from ...semconv.parts import drop_none
from ...semconv.types import Embedding, Message, ModelCall, TokenCount
from ..interface import Assembler
from ..pieces import Room, plain_copy
from ..token_counts import make_token_count
from ..turns import add_token_counts, join_turns
from .candidates import AssembledCandidate
from .usage import field_names, read_usage_metadata

__all__ = [
    "GoogleAssembler",
    "is_embedding_response",
    "is_generated_content",
    "read_embedding_response",
    "read_generated_content",
]

_MOST_USAGE = 10_000


def is_generated_content(value: object) -> bool:
    """Whether ``value`` is a response or a chunk of the client's, or a mapping of that shape: in snake or camel case.

    Candidates with parts in their content are Gemini's alone; so are a blocked prompt's feedback and its usage's names.
    """
    if not isinstance(value, dict):
        return is_a(value, "google", "GenerateContentResponse") and has_fields(value, ("candidates",))
    candidates = field(value, "candidates")
    if candidates:
        first = candidates[0] if isinstance(candidates, list) else None
        content = field(first, "content")
        if isinstance(content, dict):
            return isinstance(field(content, "parts"), list) or field(content, "role") == "model"
        return content is None and field(first, *field_names("finish_reason")) is not None
    if field(field(value, *field_names("prompt_feedback")), *field_names("block_reason")) is not None:
        return True
    usage = field(value, *field_names("usage_metadata"))
    return usage is not None and field(value, *field_names("model_version")) is not None


def read_generated_content(response: object) -> ModelCall:
    """What ``response``, a whole one, says of the call."""
    assembler = GoogleAssembler(is_whole=True)
    assembler.add(response)
    return assembler.result()


class GoogleAssembler(Assembler):
    """Puts the chunks of one stream together, each of which is a response."""

    def __init__(self, *, is_whole: bool = False) -> None:
        """Nothing so far.

        Args:
            is_whole: Whether what is added is one whole response, of which nothing needs to be copied or cut.
        """
        self._room = Room(sys.maxsize) if is_whole else Room()
        self._is_whole = is_whole
        self._turns: list[_Turn] = []

    def add(self, chunk: object) -> None:
        """Take in ``chunk``: what its candidates add, and the counts, which are totals."""
        chunk = fields(chunk)
        identifier = text_field(chunk, *field_names("response_id"))
        begins_anew = not self._turns or self._turns[-1].is_followed_by(identifier)
        if begins_anew and self._room.take(1):
            self._turns.append(_Turn(self._room, is_whole=self._is_whole))
        if self._turns:
            self._turns[-1].add(chunk, identifier)

    def result(self) -> ModelCall:
        """The candidates so far; those of several calls where the client called functions itself and went on."""
        return join_turns([turn.result() for turn in self._turns])


class _Turn:
    """One answer of the model."""

    def __init__(self, room: Room, *, is_whole: bool) -> None:
        self._room = room
        self._is_whole = is_whole
        self._identifier: str | None = None
        self._model: str | None = None
        self._candidates: dict[int, AssembledCandidate] = {}
        self._feedback: dict[str, Any] = {}
        self._usages: dict[str | None, dict[str, Any]] = {}

    def is_followed_by(self, identifier: str | None) -> bool:
        """Whether a chunk of this response begins another answer, and doesn't go on with this one."""
        is_another = None not in (identifier, self._identifier) and identifier != self._identifier
        return is_another and any(candidate.is_finished for candidate in self._candidates.values())

    def add(self, chunk: object, identifier: str | None) -> None:
        """Take in one chunk."""
        self._identifier = identifier or self._identifier
        self._model = text_field(chunk, *field_names("model_version")) or self._model
        for position, candidate in enumerate(list_field(chunk, "candidates")):
            index = int_field(candidate, "index")
            number = position if index is None else index
            if number not in self._candidates:
                if not self._room.take(1):
                    continue
                self._candidates[number] = AssembledCandidate(self._room, is_whole=self._is_whole)
            self._candidates[number].add(candidate)
        self._feedback.update(_blocked(field(chunk, *field_names("prompt_feedback"))))
        usage = plain_copy(fields(field(chunk, *field_names("usage_metadata"))), Room(_MOST_USAGE))
        if usage and (not self._usages or self._identifier in self._usages or self._room.take(1)):
            # An answer that the client fetched in several pieces has a response, and counts, for each.
            self._usages.setdefault(self._identifier, {}).update(usage)

    def result(self) -> ModelCall:
        """What is known of the answer."""
        candidates = [self._candidates[number] for number in sorted(self._candidates)]
        reasons = [candidate.finish_reason for candidate in candidates[:1]] or [self._feedback.get("reason")]
        messages: list[Message] = [candidate.message() for candidate in candidates]
        if not messages and "message" in self._feedback:
            messages = [{"role": "model", "content": self._feedback["message"]}]
        counts = [count for usage in self._usages.values() if (count := read_usage_metadata(usage)) is not None]
        return drop_none(  # type: ignore[return-value]
            model_name=self._model,
            provider=OpenInferenceLLMProviderValues.GOOGLE.value,
            system=OpenInferenceLLMSystemValues.VERTEXAI.value,
            output_messages=messages or None,
            token_counts=add_token_counts(counts),
            finish_reason=reasons[0],
        )


def _blocked(feedback: object) -> dict[str, Any]:
    """Why a prompt was not answered at all."""
    return drop_none(
        reason=text_field(feedback, *field_names("block_reason")),
        message=text_field(feedback, *field_names("block_reason_message")),
    )


def is_embedding_response(value: object) -> bool:
    """Whether ``value`` is the client's response to a request for embeddings, or a mapping of that shape.

    The Gemini API has ``embedding`` for one text and ``embeddings`` for several, Vertex AI ``predictions``; the
    embeddings of Cohere and Ollama are bare lists.
    """
    if not isinstance(value, dict):
        return is_a(value, "google", "EmbedContentResponse") and has_fields(value, ("embeddings",))
    vectors = _vectors_of(value)
    return bool(vectors) and all(isinstance(vector, dict) and _is_vector(vector) for vector in vectors[:1])


def read_embedding_response(response: object) -> ModelCall:
    """The vectors in ``response``, and how many tokens their texts had."""
    vectors = _vectors_of(response)
    embeddings: list[Embedding] = [{"vector": list_field(vector, "values")} for vector in vectors]
    return drop_none(  # type: ignore[return-value]
        embeddings=embeddings or None,
        token_counts=_embedding_counts(response, vectors),
    )


def _vectors_of(response: object) -> Any:
    single = field(response, "embedding")
    if single is not None:
        return [single]
    return list_field(response, "embeddings") or [
        field(prediction, "embeddings") for prediction in list_field(response, "predictions")
    ]


def _is_vector(vector: object) -> bool:
    values = field(vector, "values")
    return isinstance(values, list) and all(isinstance(number, (int, float)) for number in values[:1])


def _embedding_counts(response: object, vectors: Any) -> TokenCount | None:
    usage = field(response, *field_names("usage_metadata"))
    if usage is not None:
        return read_usage_metadata(usage)
    counts = [int_field(field(vector, "statistics"), *field_names("token_count")) for vector in vectors]
    known = [count for count in counts if count is not None]
    return make_token_count(prompt=sum(known)) if known else None
