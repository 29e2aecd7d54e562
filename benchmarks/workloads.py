"""What is traced in the benchmarks: functions that do next to nothing, so that what is measured is the tracing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

SHORT = ("Oslo", "celsius")
"""Two short arguments."""

CONVERSATION = (
    [
        {"role": "assistant" if number % 2 else "user", "content": f"{number}: " + "the quick brown fox jumps " * 19}
        for number in range(20)
    ],
    "a-model",
)
"""A conversation of 20 messages, 10 kB in all, and a model's name."""

WORKLOADS: dict[str, tuple[Any, ...]] = {"short": SHORT, "conversation": CONVERSATION}
ITEMS = 50
"""What the generators yield in one run."""


def answer(first: Any, second: Any) -> str:
    return "ok"


async def answer_async(first: Any, second: Any) -> str:
    return "ok"


def answer_stream(first: Any, second: Any) -> Iterator[str]:
    for _ in range(ITEMS):
        yield "ok"


async def answer_stream_async(first: Any, second: Any) -> AsyncIterator[str]:
    for _ in range(ITEMS):
        yield "ok"


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sync": answer,
    "async": answer_async,
    "generator": answer_stream,
    "async generator": answer_stream_async,
}


def seconds_per_call(form: str, function: Callable[..., Any], arguments: tuple[Any, ...], calls: int) -> float:
    """The mean time of one call, in seconds, over ``calls`` calls in a row."""
    if form == "sync":
        started = time.perf_counter()
        for _ in range(calls):
            function(*arguments)
        return (time.perf_counter() - started) / calls
    if form == "generator":
        started = time.perf_counter()
        for _ in range(calls):
            for _ in function(*arguments):
                pass
        return (time.perf_counter() - started) / calls
    return asyncio.run(_seconds_per_call_async(form, function, arguments, calls))


async def _seconds_per_call_async(
    form: str, function: Callable[..., Any], arguments: tuple[Any, ...], calls: int
) -> float:
    started = time.perf_counter()
    if form == "async":
        for _ in range(calls):
            await function(*arguments)
    else:
        for _ in range(calls):
            async for _ in function(*arguments):
                pass
    return (time.perf_counter() - started) / calls
