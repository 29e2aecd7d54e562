"""Streams of your own: a span lasts until the last item, notes when the first one came, and has the whole text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from checked import checked_run

from agenttrace import trace_agent, trace_llm


@trace_llm(model="gpt-4o-mini")
def words(prompt: str) -> Iterator[str]:
    """The answer word by word, as a model's stream comes."""
    yield from ("It ", "rains ", "in ", "Oslo.")


@trace_agent
async def assistant(question: str) -> AsyncIterator[str]:
    """Hand on what the model says while it says it."""
    for word in words(question):
        await asyncio.sleep(0)
        yield word


@trace_agent(reduce=len)
def count_down(start: int) -> Iterator[int]:
    """What is recorded of the items is up to you: here, how many there were."""
    yield from range(start, 0, -1)


async def main() -> None:
    """Print the answer as it comes."""
    async for word in assistant("What is the weather in Oslo?"):
        print(word, end="", flush=True)
    print()


with checked_run():
    asyncio.run(main())
    print(*count_down(3))
