"""What Cohere's client (v2) returns: chats, whole and streamed, embeddings and reranked documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openinference.semconv.trace import OpenInferenceLLMSystemValues

from ...semconv.fields import field, from_package, has_fields, int_field, is_a, is_dict, is_list, list_field, text_field
from ...semconv.messages import read_message
from ...semconv.parts import drop_none
from ...semconv.types import ContentPart, ModelCall, TokenCount
from ..added_parts import with_parts
from ..as_sent import as_sent
from ..interface import Assembler, Reader
from ..openai.chat_choices import AssembledChoice
from ..pieces import Room, plain_copy
from ..token_counts import make_token_count
from ..turns import join_turns
from .results import is_embedding, is_ranking, read_embedding, read_ranking

__all__ = ["CohereReader"]

_REASONS = frozenset({"COMPLETE", "STOP_SEQUENCE", "MAX_TOKENS", "TOOL_CALL", "ERROR", "TIMEOUT"})
_EVENTS = frozenset(
    {
        *("message-start", "message-end", "content-start", "content-delta", "content-end", "tool-plan-delta"),
        *("tool-call-start", "tool-call-delta", "tool-call-end", "citation-start", "citation-end"),
    }
)


class CohereReader(Reader):
    """Reads ``cohere``'s responses of version 2, and the mappings that its API answers with."""

    name = "cohere"

    def reads(self, response: object) -> bool:
        """Whether it is a response of ``chat``, ``embed`` or ``rerank``."""
        return _is_chat(response) or is_embedding(response) or is_ranking(response)

    def read(self, response: object) -> ModelCall:
        """The message, the vectors or the documents, and the counts."""
        if is_embedding(response):
            return read_embedding(response)
        if is_ranking(response):
            return read_ranking(response)
        message = field(response, "message")
        written = {
            "role": text_field(message, "role"),
            "content": list_field(message, "content"),
            "tool_plan": field(message, "tool_plan"),
            "tool_calls": list_field(message, "tool_calls"),
        }
        reason, usage = text_field(response, "finish_reason"), field(response, "usage")
        return _model_call(written, list_field(message, "citations"), reason, usage)

    def reads_chunk(self, chunk: object) -> bool:
        """Whether it is an event of ``chat_stream``."""
        if is_dict(chunk):
            return text_field(chunk, "type") in _EVENTS and field(chunk, "delta", "index") is not None
        return from_package(chunk, "cohere") and text_field(chunk, "type") in (*_EVENTS, "debug")

    def assembler(self) -> Assembler:
        """A new one."""
        return _CohereAssembler()


class _CohereAssembler(Assembler):
    def __init__(self) -> None:
        self._room = Room()
        self._earlier: list[ModelCall] = []
        self._turn: _Turn | None = None

    def add(self, chunk: object) -> None:
        kind = text_field(chunk, "type")
        if kind == "message-start" and self._turn is not None and self._room.take(1):
            self._earlier.append(self._turn.result())
            self._turn = None
        if self._turn is None:
            self._turn = _Turn(self._room)
        self._turn.add(chunk)

    def result(self) -> ModelCall:
        turns = [] if self._turn is None else [self._turn.result()]
        return join_turns([*self._earlier, *turns])


class _Turn:
    """The events of one message."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._choice = AssembledChoice(room)
        self._citations: list[Any] = []
        self._usage: Any = None

    def add(self, event: object) -> None:
        delta = field(event, "delta")
        message = field(delta, "message")
        # What other events say in lists of one is said here without the list.
        content, call, citation = (field(message, name) for name in ("content", "tool_calls", "citations"))
        if is_list(citation):  # empty, in the first event
            citation = None
        written = drop_none(
            role=text_field(message, "role"),
            content=[_part_of(content)] if field(content, "text", "thinking") is not None else None,
            reasoning_content=text_field(message, "tool_plan"),
            tool_calls=[_call_of(call, field(event, "index"))] if field(call, "function") is not None else None,
        )
        self._choice.add({"delta": written, "finish_reason": text_field(delta, "finish_reason")})
        if citation is not None:
            self._citations.append(plain_copy(citation, self._room))
        usage = field(delta, "usage")
        if usage is not None:
            self._usage = plain_copy(usage, self._room)

    def result(self) -> ModelCall:
        return _model_call(self._choice.message(), self._citations, self._choice.finish_reason, self._usage)


def _is_chat(value: object) -> bool:
    if is_a(value, "cohere", "V2ChatResponse"):
        return True
    if not is_dict(value) or has_fields(value, ("choices",)) or text_field(value, "finish_reason") not in _REASONS:
        return False
    return text_field(field(value, "message"), "role") == "assistant"


def _part_of(content: object) -> dict[str, Any]:
    """A piece of a text or of a thought."""
    kind = "thinking" if field(content, "thinking") is not None else "text"
    return {"type": kind, kind: field(content, kind)}


def _call_of(call: object, index: object) -> dict[str, Any]:
    return {"index": index, "id": field(call, "id"), "function": field(call, "function")}


def _model_call(message: dict[str, Any], citations: Iterable[object], reason: str | None, usage: object) -> ModelCall:
    cited = _cited(citations)
    return drop_none(  # type: ignore[return-value]
        system=OpenInferenceLLMSystemValues.COHERE.value,
        output_messages=[with_parts(each, after=cited) for each in read_message(message, "assistant")],
        token_counts=_counts_of(usage),
        finish_reason=reason,
    )


def _cited(citations: Iterable[object]) -> list[ContentPart]:
    """What the text cites: each document, or tool's result, once, however often it is cited."""
    documents: dict[object, ContentPart] = {}
    for citation in citations:
        for source in list_field(citation, "sources"):
            document = field(source, "document", "tool_output")
            identifier = text_field(source, "id")
            part = drop_none(
                type="document",
                id=identifier,
                url=text_field(document, "url"),
                content=text_field(document, "text", "snippet", "content", "data") or as_sent(document, "cohere"),
                name=text_field(document, "title"),
            )
            documents.setdefault(identifier or len(documents), part)  # type: ignore[arg-type]
    return list(documents.values())


def _counts_of(usage: object) -> TokenCount | None:
    """What the model took and gave, not what of it is billed."""
    tokens = field(usage, "tokens")
    return make_token_count(
        prompt=int_field(tokens, "input_tokens"),
        completion=int_field(tokens, "output_tokens"),
        cache_read=int_field(usage, "cached_tokens"),
    )
