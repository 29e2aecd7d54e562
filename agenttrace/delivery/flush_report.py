"""What became of the spans that ended: what `agenttrace.flush` returns."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FlushReport"]


@dataclass(frozen=True)
class FlushReport:
    """What became of the spans that ended since the flush before. True where all of them are safe.

    A span that goes to several destinations counts once for each.

    Args:
        sent: Spans that a destination has taken.
        on_disk: Spans that wait on disk for their destination. They survive the program.
        refused: Spans that a destination doesn't want; where its answer allows, they are kept as dead letters.
        lost: Spans that were dropped, because there was no room or because they couldn't be kept.
        waiting: Spans that wait in memory only.

    Example:
        >>> report = flush()
        >>> if not report:
        ...     print(report)
    """

    sent: int = 0
    on_disk: int = 0
    refused: int = 0
    lost: int = 0
    waiting: int = 0

    def __bool__(self) -> bool:
        """Whether every span is where it should be, or on disk on its way there."""
        return not (self.refused or self.lost or self.waiting)

    def __add__(self, other: FlushReport) -> FlushReport:
        """Both together."""
        return FlushReport(
            self.sent + other.sent,
            self.on_disk + other.on_disk,
            self.refused + other.refused,
            self.lost + other.lost,
            self.waiting + other.waiting,
        )

    def __str__(self) -> str:
        """For people: ``12 sent, 3 on disk``."""
        parts = (
            (self.sent, "sent"),
            (self.on_disk, "on disk"),
            (self.refused, "refused"),
            (self.lost, "lost"),
            (self.waiting, "waiting in memory"),
        )
        return ", ".join(f"{count:,} {name}" for count, name in parts if count) or "nothing to deliver"
