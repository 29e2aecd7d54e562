"""Token counts as LangChain has them: in its own terms, and as the provider said."""

from __future__ import annotations

from ...semconv.fields import field, int_field
from ...semconv.types import TokenCount
from ..token_counts import make_token_count, read_usage

__all__ = ["read_usage_metadata", "usage_of_provider"]

_TIERS = ("", "priority_", "flex_")
"""OpenAI's integration writes the tier that served a request before the names of its details."""


def read_usage_metadata(usage: object) -> TokenCount | None:
    """The counts in ``usage_metadata``. Its inputs include what was cached, its outputs the thoughts.

    Args:
        usage: The field of a message or a chunk; None where it has none.
    """
    inputs, outputs = field(usage, "input_token_details"), field(usage, "output_token_details")
    prompt = int_field(usage, "input_tokens")
    cache_read = _tiered(inputs, "cache_read")
    # Anthropic's integration counts writes by how long they last, and then nothing under the common name.
    cache_write = _sum_of(inputs, "cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
    cached = (cache_read or 0) + (cache_write or 0)
    if prompt is not None and prompt < cached:  # an integration that left them out
        prompt += cached
    return make_token_count(
        prompt=prompt,
        completion=int_field(usage, "output_tokens"),
        total=int_field(usage, "total_tokens"),
        cache_read=cache_read,
        cache_write=cache_write,
        audio=int_field(inputs, "audio"),
        reasoning=_tiered(outputs, "reasoning"),
        completion_audio=int_field(outputs, "audio"),
    )


def usage_of_provider(usage: object) -> TokenCount | None:
    """The counts as the provider itself said them, which integrations keep in ``response_metadata``, ``llm_output``."""
    cached = _sum_of(usage, "cache_read_input_tokens", "cache_creation_input_tokens")
    if cached is None:
        return read_usage(usage)
    return make_token_count(  # Anthropic's, which counts cached tokens apart
        prompt=cached + (int_field(usage, "input_tokens") or 0),
        completion=int_field(usage, "output_tokens"),
        cache_read=int_field(usage, "cache_read_input_tokens"),
        cache_write=int_field(usage, "cache_creation_input_tokens"),
    )


def _tiered(details: object, name: str) -> int | None:
    return int_field(details, *(tier + name for tier in _TIERS))


def _sum_of(details: object, *names: str) -> int | None:
    counts = [count for name in names if (count := int_field(details, name)) is not None]
    return sum(counts) if counts else None
