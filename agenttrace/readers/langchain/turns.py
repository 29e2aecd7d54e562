"""One answer of one of LangChain's models, put together from the chunks of its message."""

from __future__ import annotations

from typing import Any

from ...semconv.fields import as_list, field, fields, is_a, is_text, list_field, text_field
from ...semconv.messages import read_message
from ...semconv.parts import drop_none
from ...semconv.types import ContentPart, Message, ModelCall, TokenCount
from ..added_parts import with_parts
from ..openai.chat_choices import AssembledChoice
from ..pieces import Pieces, Room, plain_copy
from ..turns import add_token_counts
from .messages import CALL_BLOCKS, as_known_block, cited_documents, identity_of
from .usage import read_usage_metadata, usage_of_provider

__all__ = ["ChunkTurn", "Turn"]


class Turn:
    """What all forms of a streamed answer have: who gives it, what it took, and whether it has ended."""

    def __init__(self, room: Room) -> None:
        """Nothing so far; all text goes into ``room``."""
        self.asked: dict[str, Any] = {}
        """What is known of the model that was asked, unless the answer says it itself."""
        self.ended: bool = False
        self.room = room
        self._identity: dict[str, Any] = {}
        self._counts: TokenCount | None = None

    def messages(self) -> list[Message]:
        """What was said so far."""
        raise NotImplementedError

    def result(self) -> ModelCall:
        """The answer so far."""
        return {**self.known(), "output_messages": self.messages()}  # type: ignore[typeddict-item]

    def known(self) -> dict[str, Any]:
        """What is known beside what was said."""
        return {**self.asked, **self._identity, **drop_none(token_counts=self._counts)}

    def identify(self, metadata: object) -> None:
        """Take in what ``metadata`` says of the model: what is said first counts, of the reasons to stop the last."""
        found = identity_of(metadata)
        self._identity = {**found, **self._identity, **drop_none(finish_reason=found.get("finish_reason"))}

    def count(self, usage: object) -> None:
        """Add up the usage, as LangChain does: its integrations give each chunk what it adds."""
        read = read_usage_metadata(usage)
        if read is not None:
            self._counts = add_token_counts(count for count in (self._counts, read) if count is not None)


class ChunkTurn(Turn):
    """An answer that comes as chunks of a message, or as pieces of a completed prompt."""

    def __init__(self, room: Room) -> None:
        """Nothing so far."""
        super().__init__(room)
        self._choice = AssembledChoice(room)
        self._text: Pieces | None = None
        self._documents: list[ContentPart] = []
        self._provider_usage: TokenCount | None = None

    def add(self, chunk: object) -> None:
        """Take in a chunk; one of a generation has its message within."""
        message = field(chunk, "message")
        self.identify(field(chunk, "generation_info"))
        if message is None and is_a(chunk, "langchain_core", "GenerationChunk"):
            self._text = self._text or Pieces(self.room)
            self._text.add(field(chunk, "text"))
            return
        self._add_message(chunk if message is None else message)

    def messages(self) -> list[Message]:
        """The message so far."""
        said = read_message(self._choice.message(), "assistant")
        return [with_parts(message, after=self._documents) for message in said]

    def result(self) -> ModelCall:
        """The answer so far; of a completed prompt, its text."""
        if self._text is not None:
            return {**self.known(), "choices": [self._text.text()]}  # type: ignore[typeddict-item]
        return super().result()

    def known(self) -> dict[str, Any]:
        """As of any turn; without LangChain's own counts, those of the provider."""
        return {**drop_none(token_counts=self._provider_usage), **super().known()}

    def _add_message(self, message: object) -> None:
        metadata, more = field(message, "response_metadata"), field(message, "additional_kwargs")
        self.identify(metadata)
        self.count(field(message, "usage_metadata"))
        self._provider_usage = usage_of_provider(field(metadata, "token_usage", "usage")) or self._provider_usage
        if text_field(message, "chunk_position") == "last":
            self.ended = True
        calls = list_field(message, "tool_call_chunks")
        thought = field(more, "reasoning_content", "reasoning")
        if thought is not None and not is_text(thought):  # OpenAI's items, their summary in pieces
            self._choice.add({"delta": {"content": self._pieces_of({**fields(thought), "type": "reasoning"})}})
        delta = {
            "content": self._content_of(field(message, "content"), has_calls=bool(calls)),
            "reasoning_content": thought,
            "refusal": text_field(more, "refusal"),
            "audio": field(more, "audio"),
            "tool_calls": [_call(call) for call in calls],
            "function_call": None if calls else field(more, "function_call"),
        }
        self._choice.add({"delta": delta})

    def _content_of(self, content: object, *, has_calls: bool) -> object:
        """The content of a chunk, without what is said among the calls again."""
        if is_text(content):
            return content or None
        blocks: list[object] = []
        for block in as_list(content):
            if is_text(block):
                blocks.append({"type": "text", "text": block})
            elif not (has_calls and text_field(block, "type") in CALL_BLOCKS):
                blocks.extend(self._pieces_of(block))
        return blocks

    def _pieces_of(self, block: object) -> list[object]:
        """``block`` in the forms that are put together: a text, or a thought; else itself."""
        known = as_known_block(block)
        self._documents += plain_copy(cited_documents(block), self.room) or []
        kind = text_field(known, "type")
        if kind == "text" and not field(known, "text"):
            return []
        if kind == "reasoning":
            summary = list_field(known, "summary")
            texts = [field(piece, "text") for piece in summary] or [field(known, "reasoning", "text")]
            return [{"type": "thinking", "thinking": text, "signature": field(known, "signature")} for text in texts]
        return [known]


def _call(piece: object) -> dict[str, Any]:
    """A piece of a call in the form that others stream."""
    function = {"name": field(piece, "name"), "arguments": field(piece, "args")}
    return {"index": field(piece, "index"), "id": field(piece, "id"), "function": function}
