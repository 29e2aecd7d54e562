"""Anthropic's message, the answer of its Messages API, whoever runs it: Anthropic, Bedrock, Vertex AI or Foundry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openinference.semconv.trace import OpenInferenceLLMSystemValues

from ...semconv.fields import field, has_fields, int_field, is_a, list_field, text_field
from ...semconv.messages import make_message
from ...semconv.parts import drop_none, read_parts
from ...semconv.providers import infer_system
from ...semconv.types import ContentPart, DocumentPart, ModelCall, TokenCount
from ..token_counts import make_token_count

__all__ = ["is_anthropic_message", "read_anthropic_message", "read_usage"]


def is_anthropic_message(value: object) -> bool:
    """Whether ``value`` is a message of Anthropic's client, or a mapping of that shape.

    Others have messages with a ``type``, a ``role`` and a list of parts too, but not with the model and its usage.
    """
    if is_a(value, "anthropic", "Message", "BetaMessage"):
        return True
    return (
        isinstance(value, dict)
        and text_field(value, "type") == "message"
        and text_field(value, "role") == "assistant"
        and isinstance(field(value, "content"), list)
        and text_field(value, "model") is not None
        and has_fields(value, ("stop_reason", "usage"))
    )


def read_anthropic_message(message: object) -> ModelCall:
    """What ``message`` says of the call.

    Args:
        message: An object of the client's, or a mapping of the same shape.
    """
    contents = [part for block in list_field(message, "content") for part in _read_block(block)]
    refusal = text_field(field(message, "stop_details"), "explanation")
    if refusal is not None:
        contents.append({"type": "text", "text": refusal})
    model = text_field(message, "model")
    return drop_none(  # type: ignore[return-value]
        model_name=model,
        # Others serve their own models through this API.
        system=infer_system(model) or OpenInferenceLLMSystemValues.ANTHROPIC.value,
        output_messages=[make_message(text_field(message, "role") or "assistant", contents)],
        token_counts=read_usage(field(message, "usage")),
        finish_reason=text_field(message, "stop_reason"),
    )


def _read_block(block: object) -> Iterable[ContentPart]:
    """A block as parts: itself, and after a text what it cites."""
    parts = read_parts([block])
    for part in parts.contents:
        yield _without_empty_signature(part)
    for result in parts.results:  # of a tool that ran at the provider's, within the turn
        yield {"type": "text", "text": result.content}
    for citation in list_field(block, "citations"):
        document = _read_citation(citation)
        if document is not None:
            yield document


def _without_empty_signature(part: ContentPart) -> ContentPart:
    """A thought that broke off, or that a server which only speaks Anthropic's API had, has an empty one."""
    if part["type"] == "reasoning" and part.get("signature") == "":
        return {"type": "reasoning", "text": part["text"]} if "text" in part else {"type": "reasoning"}
    return part


def _read_citation(citation: object) -> DocumentPart | None:
    """The passage that a text cites, of whatever kind its source is."""
    document: dict[str, Any] = drop_none(
        id=text_field(citation, "file_id"),
        url=text_field(citation, "url", "source"),
        content=text_field(citation, "cited_text"),
        name=text_field(citation, "title", "document_title"),
    )
    return {"type": "document", **document} if document else None  # type: ignore[return-value]


def read_usage(usage: object) -> TokenCount | None:
    """The counts; tokens read from and written to a cache, which ``input_tokens`` leaves out, are added in."""
    uncached = int_field(usage, "input_tokens")
    cache_read = int_field(usage, "cache_read_input_tokens")
    cache_write = int_field(usage, "cache_creation_input_tokens")
    if cache_write is None:
        cache_write = _cache_writes(field(usage, "cache_creation"))
    counted = [count for count in (uncached, cache_read, cache_write) if count is not None]
    return make_token_count(
        prompt=sum(counted) if counted else None,
        completion=int_field(usage, "output_tokens"),
        cache_read=cache_read,
        cache_write=cache_write,
        reasoning=int_field(field(usage, "output_tokens_details"), "thinking_tokens"),
    )


def _cache_writes(by_duration: object) -> int | None:
    """What was written to caches, where only the counts for each duration are given."""
    counts = [int_field(by_duration, f"ephemeral_{duration}_input_tokens") for duration in ("5m", "1h")]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
