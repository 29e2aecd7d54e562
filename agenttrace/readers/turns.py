"""Several calls of a model in one stream: a function that runs a loop of tools yields the chunks of them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..semconv.types import ModelCall, TokenCount

__all__ = ["add_token_counts", "join_turns"]


def join_turns(turns: Sequence[ModelCall]) -> ModelCall:
    """``turns`` as one call: all their messages and the sum of their tokens; the rest is as the last one ended.

    Args:
        turns: What each call amounts to, in order.
    """
    joined: ModelCall = {}
    for turn in turns:
        joined.pop("finish_reason", None)  # of a turn that another followed; one that broke off has none
        joined.update(turn)
    messages = [message for turn in turns for message in turn.get("output_messages", ())]
    counts = add_token_counts(turn["token_counts"] for turn in turns if "token_counts" in turn)
    if messages:
        joined["output_messages"] = messages
    if counts is not None:
        joined["token_counts"] = counts
    return joined


def add_token_counts(counts: Iterable[TokenCount]) -> TokenCount | None:
    """The sum of ``counts``, each kind for itself; None of none.

    Where some have a total, those that have none, of calls that broke off, count with their parts.
    """
    known = list(counts)
    added: dict[str, int] = {}
    for count in known:
        for name, number in count.items():
            if type(number) is int:
                added[name] = added.get(name, 0) + number
    if "total" in added:
        added["total"] += sum(
            count.get("prompt", 0) + count.get("completion", 0) for count in known if "total" not in count
        )
    return added or None  # type: ignore[return-value]
