"""What the tests of streams share: putting chunks together as tracing does, to the end or until they break off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from agenttrace.readers.interface import Reader
from agenttrace.semconv.types import ModelCall


def assembled(reader: Reader, chunks: Iterable[object]) -> ModelCall:
    """What ``chunks``, each of which ``reader`` says that it reads, amount to."""
    assembler = reader.assembler()
    for chunk in chunks:
        assert reader.reads_chunk(chunk)
        assembler.add(chunk)
    return assembler.result()


def assembled_until(reader: Reader, chunks: Iterable[object], error: type[BaseException]) -> ModelCall:
    """What ``chunks`` amount to until iterating them raises ``error``."""
    assembler = reader.assembler()
    try:
        for chunk in chunks:
            assembler.add(chunk)
    except error:
        return assembler.result()
    raise AssertionError(f"the stream ended without {error.__name__}")


def cut(text: str, places: Iterable[int]) -> Iterator[str]:
    """``text`` in pieces, cut at ``places``."""
    ends = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    return (text[start:end] for start, end in pairwise(ends))


def without(value: dict[str, Any], *names: str) -> dict[str, Any]:
    """``value`` but for these keys."""
    return {name: item for name, item in value.items() if name not in names}
