"""The token counts of a response as OpenInference has them: cached tokens in the prompt, thought in the completion."""

from __future__ import annotations

from ..semconv.fields import field, int_field
from ..semconv.parts import drop_none
from ..semconv.types import TokenCount

__all__ = ["make_token_count", "read_usage"]


def read_usage(usage: object) -> TokenCount | None:
    """The counts in ``usage`` as OpenAI writes them (chat completions, responses, embeddings), and who follows it.

    Args:
        usage: The response's ``usage``; None where it has none.

    Returns:
        The counts, or None where nothing was counted.
    """
    prompt_details = field(usage, "prompt_tokens_details", "input_tokens_details")
    completion_details = field(usage, "completion_tokens_details", "output_tokens_details")
    prompt = int_field(usage, "prompt_tokens", "input_tokens")
    completion = int_field(usage, "completion_tokens", "output_tokens")
    total = int_field(usage, "total_tokens")
    reasoning = int_field(completion_details, "reasoning_tokens")
    if prompt is not None and completion is not None and reasoning and total == prompt + completion + reasoning:
        completion += reasoning  # xAI counts thought outside of the completion
    cache_read = int_field(prompt_details, "cached_tokens")
    if cache_read is None:
        cache_read = int_field(usage, "prompt_cache_hit_tokens", "cached_tokens")  # DeepSeek's, Moonshot's
    return make_token_count(
        prompt=prompt,
        completion=completion,
        total=total,
        cache_read=cache_read,
        cache_write=int_field(prompt_details, "cache_write_tokens"),
        audio=int_field(prompt_details, "audio_tokens"),
        reasoning=reasoning,
        completion_audio=int_field(completion_details, "audio_tokens"),
    )


def make_token_count(
    *,
    prompt: int | None = None,
    completion: int | None = None,
    total: int | None = None,
    cache_read: int | None = None,
    cache_write: int | None = None,
    audio: int | None = None,
    reasoning: int | None = None,
    completion_audio: int | None = None,
) -> TokenCount | None:
    """What was counted, None left out; a total less than its parts is raised to their sum.

    Args:
        prompt: All tokens of the prompt, cached ones included.
        completion: All tokens that were generated, thought included.
        total: The total as the provider says.
        cache_read: Tokens of the prompt that were read from a cache.
        cache_write: Tokens of the prompt that were written to one.
        audio: Audio tokens of the prompt.
        reasoning: Tokens of the completion that are thought.
        completion_audio: Audio tokens of the completion.

    Returns:
        The counts, or None where all are zero or unknown: clients fill in zeros where their server said nothing.
    """
    if not (prompt or completion or total):
        return None
    if total is not None:
        total = max(total, (prompt or 0) + (completion or 0))
    counts = drop_none(prompt=prompt, completion=completion, total=total)
    counts.update(drop_none(cache_read=cache_read, cache_write=cache_write, audio=audio))
    counts.update(drop_none(reasoning=reasoning, completion_audio=completion_audio))
    return counts  # type: ignore[return-value]
