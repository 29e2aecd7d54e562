"""A provider's usage, as it stands in a response → token counts."""

from __future__ import annotations

from ..semconv.fields import field, has_fields
from ..semconv.types import TokenCount

__all__ = ["read_any_usage"]


def read_any_usage(usage: object) -> TokenCount | None:
    """The counts in ``usage``, an object or a mapping in the words of any provider that has a reader.

    Args:
        usage: What a response has as ``usage``, ``usage_metadata`` or the like.

    Example:
        >>> read_any_usage({"prompt_tokens": 3, "completion_tokens": 4})
        {'prompt': 3, 'completion': 4}
    """
    if field(usage, "prompt_token_count", "promptTokenCount", "candidates_token_count") is not None:
        from .google.usage import read_usage_metadata

        return read_usage_metadata(usage)
    if field(usage, "input_token_details", "output_token_details") is not None:
        from .langchain.usage import read_usage_metadata as read_langchain

        return read_langchain(usage)
    if has_fields(usage, ("cache_read_input_tokens",)) or has_fields(usage, ("cache_creation_input_tokens",)):
        from .anthropic.messages import read_usage as read_anthropic

        return read_anthropic(usage)
    from .token_counts import read_usage

    return read_usage(usage)
