"""Gemini's usage metadata → token counts."""

from __future__ import annotations

from functools import cache
from typing import Any

from ...semconv.fields import int_field, list_field, text_field
from ...semconv.types import TokenCount
from ..token_counts import make_token_count

__all__ = ["field_names", "read_usage_metadata"]


@cache
def field_names(name: str) -> tuple[str, str]:
    """A field's name as the Python client has it and as the REST API does.

    Example:
        >>> field_names("usage_metadata")
        ('usage_metadata', 'usageMetadata')
    """
    first, *rest = name.split("_")
    return name, first + "".join(word.capitalize() for word in rest)


def read_usage_metadata(usage: object) -> TokenCount | None:
    """The counts in ``usage``, of a generated response or an embedding.

    Cached tokens are within Gemini's prompt; what tools gave it to read is counted beside it, and thought beside
    the candidates.

    Args:
        usage: The response's ``usage_metadata``, an object or a mapping.
    """
    prompt = _sum(_count(usage, "prompt_token_count"), _count(usage, "tool_use_prompt_token_count"))
    generated = _count(usage, "candidates_token_count")
    if generated is None:
        generated = _count(usage, "response_token_count")
    thoughts = _count(usage, "thoughts_token_count")
    total = _count(usage, "total_token_count")
    completion = _sum(generated, thoughts)
    if thoughts and generated is not None and generated >= thoughts and total == (prompt or 0) + generated:
        completion = generated  # some servers of this API count thought within
    return make_token_count(
        prompt=prompt,
        completion=completion,
        total=total,
        cache_read=_count(usage, "cached_content_token_count"),
        audio=_sum(_audio(usage, "prompt_tokens_details"), _audio(usage, "tool_use_prompt_tokens_details")),
        reasoning=thoughts,
        completion_audio=_sum(_audio(usage, "candidates_tokens_details"), _audio(usage, "response_tokens_details")),
    )


def _count(usage: object, name: str) -> int | None:
    return int_field(usage, *field_names(name))


def _audio(usage: object, name: str) -> int | None:
    """How many tokens of these were audio; None where it isn't said."""
    details: list[Any] = [
        detail
        for detail in list_field(usage, *field_names(name))
        if (text_field(detail, "modality") or "").upper() == "AUDIO"
    ]
    return _sum(*(int_field(detail, *field_names("token_count")) for detail in details))


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
