"""How spans are gathered, kept safe and sent: what `register` was told about it, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["DeliveryOptions", "Durability", "Overflow"]

Durability = Literal["memory", "batch", "write", "sync"]
Overflow = Literal["spill", "block", "drop"]


@dataclass(frozen=True)
class DeliveryOptions:
    """How spans get from the program to one destination.

    Args:
        interval: Seconds between a span's end and its way to the disk and the destination, at most. 0 sends each at
            once.
        timeout: Seconds to wait for an answer of the destination.
        batch_size: Spans in one request at most.
        batch_bytes: Bytes of one request at most, before compression. gRPC servers take 4 MB by default.
        durability: What survives. ``"memory"``: nothing is written to disk. ``"batch"``: what ended before the last
            interval survives the process's end, whatever ended it. ``"write"``: each span is written before the call
            that ended it returns. ``"sync"``: that, and the disk has it too, so that it survives a power cut.
        overflow: What happens to spans that end faster than they can be written to disk. ``"spill"``: the program waits
            for room, for ``overflow_timeout`` at most, then they are dropped and counted. ``"block"``: it waits until
            there is room, however long. ``"drop"``: it never waits.
        overflow_timeout: Seconds that a program may wait for room with ``"spill"``.
        shutdown_timeout: Seconds that the end of the program may wait for delivery.
        flush_on_root: Whether the end of each root span waits until what ended with it is safe.
        capacity: Spans that may wait in memory.
        memory_bytes: Bytes of encoded spans that may wait in memory, where they can't be on disk.
        outbox_bytes: Bytes that a destination's outbox may take on disk; the oldest go first.
        outbox_seconds: How long what wasn't delivered is kept on disk.
    """

    interval: float = 0.1
    timeout: float = 10.0
    batch_size: int = 512
    batch_bytes: int = 3_500_000
    durability: Durability = "batch"
    overflow: Overflow = "spill"
    overflow_timeout: float = 2.0
    shutdown_timeout: float = 2.0
    flush_on_root: bool = False
    capacity: int = 65_536
    memory_bytes: int = 67_108_864
    outbox_bytes: int = 536_870_912
    outbox_seconds: float = 604_800.0
