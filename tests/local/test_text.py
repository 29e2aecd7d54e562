"""A program's words in a terminal."""

from __future__ import annotations

import json
import time

from hypothesis import given
from hypothesis import strategies as st

from agenttrace.local.figures import (
    ago_text,
    clock_text,
    count_text,
    duration_text,
    local_time_text,
    tokens_text,
    utc_time_text,
)
from agenttrace.local.records import TokenCounts
from agenttrace.local.text import neutral, one_line, safe_json

texts = st.text(st.characters(exclude_categories=[]))
SECOND = 1_000_000_000


def is_safe(text: str) -> bool:
    """No control character but line feed and tab, nothing that turns writing around, no half of a pair."""
    forbidden = {
        *map(chr, range(32)),
        *map(chr, range(0x7F, 0xA0)),
        *"\u2028\u2029\u202a\u202b\u202c\u202d\u202e\ufeff",
    }
    forbidden |= set(map(chr, range(0x2066, 0x206A)))
    return not any(character in forbidden - {"\n", "\t"} or 0xD800 <= ord(character) < 0xE000 for character in text)


@given(texts)
def test_no_text_keeps_what_a_terminal_acts_on(text: str) -> None:
    """Escape sequences, cursor movements, reversed writing: whatever the text, none gets through."""
    assert is_safe(neutral(text))
    assert is_safe(one_line(text))
    assert "\n" not in one_line(text)


@given(st.recursive(texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)))
def test_safe_json_is_the_same_json(value: object) -> None:
    """What is escaped for the terminal's sake is read back by any JSON reader as it was."""
    text = safe_json(value)
    assert is_safe(text)
    assert json.loads(text) == value


def test_what_is_harmless_stays_readable() -> None:
    """Writing in any script, emoji with joiners, line breaks and tabs."""
    text = "Olá 日本語 👩‍👩‍👧 a\tb\nc"
    assert neutral(text) == text
    assert one_line(" a \r\n\t b\x07 ") == "a b\\x07"
    assert safe_json({"a": "日本語"}) == '{"a": "日本語"}'
    assert neutral("\U000e0041\x9b") == "\\U000e0041\\x9b"


def test_durations_have_three_figures() -> None:
    """From microseconds to hours, each in the unit that a person would choose."""
    durations = {
        None: "running",
        0: "0 µs",
        999_999: "999 µs",
        12_140_000: "12.1 ms",
        SECOND - 1: "1000 ms",
        1_240_000_000: "1.24 s",
        125 * SECOND: "2 min 05 s",
        7_320 * SECOND: "2 h 02 min",
    }
    assert {value: duration_text(value) for value in durations} == durations


def test_moments_outside_the_calendar_are_no_trouble() -> None:
    """A span may have any time; what no calendar has is said so."""
    assert utc_time_text(1_735_689_600_123_456_789) == "2025-01-01T00:00:00.123456789Z"
    assert utc_time_text(-1) == "1969-12-31T23:59:59.999999999Z"
    assert utc_time_text(2**63 - 1) == "2262-04-11T23:47:16.854775807Z"
    assert utc_time_text(10**30) is None
    assert local_time_text(10**30) == "?"
    assert len(local_time_text(1_735_689_600_000_000_000)) == len("2025-01-01 00:00:00")


def test_a_heading_says_how_long_ago() -> None:
    """In minutes, hours and days; a date for what is older than a week, "just now" for a clock that went back."""
    now = 1_735_689_600 * SECOND
    agos = {-5: "just now", 59: "just now", 60: "1 min ago", 7_200: "2 h ago", 3 * 86_400: "3 d ago"}
    assert {seconds: ago_text(now - seconds * SECOND, now) for seconds in agos} == agos
    assert ago_text(now - 30 * 86_400 * SECOND, now).startswith("2024-12-0")


def test_a_list_says_when() -> None:
    """To the second today, to the minute in the week before; else the date, also of what a clock puts in the future."""
    now = int(time.mktime((2025, 1, 15, 12, 0, 0, 0, 0, -1))) * SECOND  # a Wednesday
    day = 86_400 * SECOND
    whens = {5 * SECOND: "11:59:55", day: "Tue 12:00", 6 * day: "Thu 12:00", 7 * day: "2025-01-08", -day: "2025-01-16"}
    assert {past: clock_text(now - past, now) for past in whens} == whens
    assert (clock_text(10**30, now), clock_text(now, 10**30)) == ("?", "2025-01-15")


def test_counts_read_as_words() -> None:
    """One span, two spans; tokens read and written, or their sum."""
    assert [count_text(1, "span"), count_text(2_000, "span")] == ["1 span", "2,000 spans"]
    assert tokens_text(TokenCounts(1_204, 310, 1_514), "→") == "1,204 → 310 tokens"
    assert tokens_text(TokenCounts(None, None, 1), "→") == "1 token"
    assert tokens_text(TokenCounts(None, None, None), "→") == ""
