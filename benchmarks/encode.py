"""What encoding one value costs, in microseconds of processor time: the best of several repeats.

Run it with ``python benchmarks/encode.py``. What the standard library's ``json`` takes stands beside it, where it can
write the value at all.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pydantic

from agenttrace.capture.encode import encode_json


class Message(pydantic.BaseModel):
    """One message of a conversation, as most SDKs have it."""

    role: str
    content: str


def main() -> None:
    """Print the table."""
    print(f"{'value':48}{'encode_json':>14}{'json.dumps':>14}   µs")
    for name, value in _values().items():
        ours = _microseconds(partial(encode_json, value))
        by_hand = _microseconds(partial(json.dumps, value, default=_default))
        print(f"{name:48}{ours:14.2f}{by_hand:14.2f}")


def _values() -> dict[str, Any]:
    text = "hello world " * 42
    conversation = [{"role": "user" if i % 2 else "assistant", "content": text} for i in range(20)]
    models = [Message(**message) for message in conversation]
    return {
        "two short arguments": {"a": "x", "b": 3},
        "20 messages, 10 kB": {"messages": conversation, "model": "m"},
        "the same and a date": {"messages": conversation, "when": dt.date(2026, 1, 1)},
        "a pydantic model": {"message": models[0]},
        "20 pydantic messages": {"messages": models, "model": "m"},
        "an embedding of 1536 floats": {"vector": [i * 0.37 for i in range(1536)]},
        "1000 rows of 3 with a date": [{"a": i, "b": f"row {i}", "c": dt.date(2026, 1, 1)} for i in range(1000)],
        "a 50 MB string and a short one": {"document": "x" * 50_000_000, "question": "short"},
        "a list of 10 million integers": {"numbers": list(range(10_000_000)), "question": "short"},
    }


def _default(value: Any) -> Any:
    return value.model_dump() if isinstance(value, pydantic.BaseModel) else str(value)


def _microseconds(function: Callable[[], object], repeats: int = 5) -> float:
    function()
    started = time.perf_counter()
    function()
    count = max(1, int(0.1 / max(1e-7, time.perf_counter() - started)))
    best = float("inf")
    for _ in range(repeats if count > 1 else 2):
        started = time.process_time()
        for _ in range(count):
            function()
        best = min(best, (time.process_time() - started) / count)
    return best * 1e6


if __name__ == "__main__":
    main()
