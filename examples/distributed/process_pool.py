"""Work spread over the processes of a pool: every worker's spans stand in the trace of the agent that asked for them.

    python examples/distributed/process_pool.py
    agenttrace show

agenttrace's `ProcessPoolExecutor` is the standard library's, with the context of each `submit` and `map` going along.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable

from agenttrace import ProcessPoolExecutor, register, trace_agent, trace_step, trace_tool, using_session, using_user

TEXTS = (
    "Tides follow the moon, and a little the sun.",
    "The moon is moving away from the earth.",
    "Bread needs flour, water, salt and time.",
)


@trace_tool
def count_words(text: str) -> int:
    """How many words there are."""
    return len(text.split())


@trace_step("score")
def score(text: str) -> float:
    """How much of a text is about the moon. Runs in a worker."""
    return text.lower().count("moon") / count_words(text)


@trace_agent
def find_best(texts: Iterable[str]) -> str:
    """The text that has the most to say about the moon."""
    texts = list(texts)
    # Spawned workers share nothing with this process, as if they were on another machine.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=2, mp_context=context, initializer=start_worker) as pool:
        scores = list(pool.map(score, texts))
    return texts[scores.index(max(scores))]


def start_worker() -> None:
    """What each worker does first: say where its spans go."""
    register(project_name="distributed", verbose=False)


if __name__ == "__main__":
    register(project_name="distributed")
    with using_session("reading-1"), using_user("ada"):
        print(find_best(TEXTS))
