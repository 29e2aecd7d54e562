"""Durations, counts and moments as a person reads them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .records import TokenCounts

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = 1_000
_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_DATE_LENGTH = len("2025-01-31")
_MINUTE_LENGTH = len("14:03")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def duration_text(nanoseconds: int | None) -> str:
    """A duration to three figures (``12.1 ms``, ``1.24 s``, ``2 min 05 s``); None is a span that is running."""
    if nanoseconds is None:
        return "running"
    if nanoseconds >= _HOUR:
        return f"{nanoseconds // _HOUR:,} h {nanoseconds % _HOUR // _MINUTE:02d} min"
    if nanoseconds >= _MINUTE:
        return f"{nanoseconds // _MINUTE} min {nanoseconds % _MINUTE // _SECOND:02d} s"
    if nanoseconds >= _SECOND:
        return f"{_three_figures(nanoseconds / _SECOND)} s"
    if nanoseconds >= _MILLISECOND:
        return f"{_three_figures(nanoseconds / _MILLISECOND)} ms"
    return f"{nanoseconds // _MICROSECOND} µs"


def running_text(start: int, now: int) -> str:
    """For how long a span that started at ``start`` has been running at ``now`` (``running 5 min``)."""
    return f"running {rough_duration_text(now - start)}"


def rough_duration_text(nanoseconds: int) -> str:
    """A duration in its largest unit alone: ``12 s``, ``5 min``, ``3 h``, ``2 d``."""
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if nanoseconds >= unit:
            return f"{nanoseconds // unit:,} {name}"
    return f"{max(0, nanoseconds) // _SECOND} s"


def tokens_text(tokens: TokenCounts, arrow: str) -> str:
    """Token counts (``1,204 → 310 tokens``: read and written, or their sum alone), or nothing."""
    if tokens.prompt is not None and tokens.completion is not None:
        return f"{tokens.prompt:,} {arrow} {tokens.completion:,} tokens"
    return "" if tokens.total is None else count_text(tokens.total, "token")


def count_text(count: int, thing: str) -> str:
    """``1 span``, ``2,000 spans``."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def ago_text(nanoseconds: int, now: int) -> str:
    """How long before ``now`` a moment was (``5 min ago``); beyond a week its date on this machine."""
    past = now - nanoseconds
    if past < _MINUTE:
        return "just now"
    if past < 7 * _DAY:
        return f"{rough_duration_text(past)} ago"
    return local_time_text(nanoseconds)[:_DATE_LENGTH]


def clock_text(nanoseconds: int, now: int) -> str:
    """When a moment was, on this machine: ``14:03:22`` today, ``Tue 14:03`` in the week before, else its date."""
    date, _, clock = local_time_text(nanoseconds).partition(" ")
    today = local_time_text(now)[:_DATE_LENGTH]
    if "?" in (date, today):
        return date
    if date == today:
        return clock
    day = datetime.fromisoformat(date)
    if 0 < (datetime.fromisoformat(today) - day).days < len(_WEEKDAYS):
        return f"{_WEEKDAYS[day.weekday()]} {clock[:_MINUTE_LENGTH]}"
    return date


def local_time_text(nanoseconds: int) -> str:
    """A moment in this machine's time zone, to the second."""
    moment = _moment(nanoseconds)
    try:
        return "?" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
    except (OSError, OverflowError, ValueError):  # the platform's clock doesn't go as far
        return "?"


def utc_time_text(nanoseconds: int) -> str | None:
    """A moment as ISO 8601 in UTC with nanoseconds; None outside the years 1 to 9999."""
    moment = _moment(nanoseconds)
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds % _SECOND:09d}Z"


def _moment(nanoseconds: int) -> datetime | None:
    try:
        return _EPOCH + timedelta(seconds=nanoseconds // _SECOND)
    except OverflowError:
        return None


def _three_figures(value: float) -> str:
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
