"""LangChain's messages: whichever integration made them, their fields are the same, the blocks in them are not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openinference.semconv.trace import OpenInferenceLLMProviderValues, OpenInferenceLLMSystemValues

from ...semconv.fields import as_list, field, fields, is_list, is_text, list_field, text_field
from ...semconv.messages import make_message
from ...semconv.parts import drop_none, read_parts, read_tool_call
from ...semconv.types import ContentPart, Message, ModelCall, TokenCount, ToolCall
from .usage import read_usage_metadata, usage_of_provider

__all__ = ["CALL_BLOCKS", "as_known_block", "cited_documents", "identity_of", "read_ai_message", "read_chat_message"]

CALL_BLOCKS = frozenset({"tool_use", "tool_call", "tool_call_chunk", "function_call", "input_json_delta"})
"""Blocks that say again what a message has as its tool calls."""
_System = OpenInferenceLLMSystemValues
_Provider = OpenInferenceLLMProviderValues
# By what integrations call themselves. OpenAI's talks to whoever speaks its API, so its name proves nothing.
_SYSTEMS = {
    "anthropic": _System.ANTHROPIC.value,
    "mistralai": _System.MISTRALAI.value,
    "cohere": _System.COHERE.value,
    **dict.fromkeys(("google_genai", "google_vertexai"), _System.VERTEXAI.value),
}
_PROVIDERS = {
    **dict.fromkeys(("google_genai", "google_vertexai"), _Provider.GOOGLE.value),
    **dict.fromkeys(("bedrock", "bedrock_converse", "amazon_bedrock", "anthropic_bedrock"), _Provider.AWS.value),
    "deepseek": _Provider.DEEPSEEK.value,
    "xai": _Provider.XAI.value,
    "groq": _Provider.GROQ.value,
    "ollama": _Provider.OLLAMA.value,
    "fireworks": _Provider.FIREWORKS.value,
    "together": _Provider.TOGETHER.value,
    "perplexity": _Provider.PERPLEXITY.value,
    "cerebras": _Provider.CEREBRAS.value,
}


def read_ai_message(message: object) -> ModelCall:
    """What ``message``, an ``AIMessage`` or the mapping of one, says of the call."""
    return drop_none(  # type: ignore[return-value]
        **identity_of(field(message, "response_metadata")),
        output_messages=[read_chat_message(message)],
        token_counts=_counts_of(message),
    )


def identity_of(metadata: object) -> dict[str, Any]:
    """Model, provider, system and reason to stop, by which names an integration gives them in ``metadata``."""
    named = text_field(metadata, "model_provider", "ls_provider") or ""
    return drop_none(
        model_name=text_field(metadata, "model_name", "model", "model_id", "ls_model_name"),
        finish_reason=text_field(metadata, "finish_reason", "stop_reason", "stopReason", "done_reason"),
        system=_SYSTEMS.get(named),
        provider=_PROVIDERS.get(named),
    )


def read_chat_message(message: object) -> Message:
    """``message``: its thoughts, its parts in order, its calls, those that couldn't be parsed as they were written."""
    calls = _calls_of(message)
    known = {call.get("id"): call for call in calls}
    contents = list(_thoughts_beside(message))
    content = field(message, "content")
    for block in as_list(content) if is_list(content) else (content,):
        contents.extend(_read_block(block, known))
    more = field(message, "additional_kwargs")
    refusal = text_field(more, "refusal")
    if refusal is not None:
        contents.append({"type": "text", "text": refusal})
    return make_message("assistant", contents, calls, name=text_field(message, "name"))


def as_known_block(block: object) -> object:
    """``block`` as one that is understood everywhere, where only LangChain or one integration has its form."""
    kind = text_field(block, "type")
    if kind == "reasoning":
        extras = field(block, "extras")
        signature = field(block, "signature") or field(extras, "signature")
        return {**fields(block), **drop_none(signature=signature, encrypted_content=field(extras, "encrypted_content"))}
    if kind == "reasoning_content":  # Bedrock's
        inner = field(block, "reasoning_content")
        return {"type": "thinking", "thinking": field(inner, "text"), "signature": field(inner, "signature")}
    if kind is None and field(block, "text") is not None:
        return {**fields(block), "type": "text"}
    return block


def cited_documents(block: object) -> list[ContentPart]:
    """What a text cites, in LangChain's own form or an integration's."""
    documents: list[Any] = []
    for citation in (*list_field(block, "annotations"), *list_field(block, "citations")):
        found = drop_none(
            id=text_field(citation, "file_id"),
            url=text_field(citation, "url", "source"),
            content=text_field(citation, "cited_text"),
            name=text_field(citation, "title", "document_title"),
        )
        if found:
            documents.append({"type": "document", **found})
    return documents


def _read_block(block: object, calls: dict[str | None, ToolCall]) -> Iterable[ContentPart]:
    if block is None or (is_text(block) and not block):
        return
    kind = text_field(block, "type")
    if kind in CALL_BLOCKS:
        call = calls.get(text_field(block, "call_id", "id"))
        if call is not None:
            yield {"type": "tool_use", "tool_call": call}
            return
        if calls:  # a piece of one of them
            return
    parts = read_parts([as_known_block(block)])
    yield from parts.contents
    for result in parts.results:
        yield {"type": "text", "text": result.content}
    if not is_text(block):
        yield from cited_documents(block)


def _calls_of(message: object) -> list[ToolCall]:
    more = field(message, "additional_kwargs")
    written = [*list_field(message, "tool_calls"), *list_field(message, "invalid_tool_calls")]
    if not written:
        legacy = field(more, "function_call")
        written = [*list_field(more, "tool_calls"), *(() if legacy is None else (legacy,))]
    return [call for call in map(read_tool_call, written) if call is not None]


def _thoughts_beside(message: object) -> Iterable[ContentPart]:
    """The thoughts, and the transcript of speech, that integrations leave beside the content."""
    more = field(message, "additional_kwargs")
    thought = field(more, "reasoning_content", "reasoning")
    if is_text(thought) and thought:
        yield {"type": "reasoning", "text": thought}
    elif thought is not None and not is_text(thought):
        yield from read_parts([{"type": "reasoning", **fields(thought)}]).contents
    transcript = text_field(field(more, "audio"), "transcript")
    if transcript is not None:
        yield {"type": "audio", "transcript": transcript}


def _counts_of(message: object) -> TokenCount | None:
    counts = read_usage_metadata(field(message, "usage_metadata"))
    metadata = field(message, "response_metadata")
    return counts or usage_of_provider(field(metadata, "token_usage", "usage"))
