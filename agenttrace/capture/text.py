"""A string → valid UTF-8 text of bounded size."""

from __future__ import annotations

from typing import NamedTuple

from . import limits
from .redaction import hide_in_own_words, hide_in_string

UNREADABLE = "<unreadable>"
"""What stands for a value that can't be read at all."""

BITS_WORTH_PRINTING = 14_000
"""Python refuses to print integers of more than 4300 digits (14,284 bits): it takes time quadratic in their length."""


class Excerpt(NamedTuple):
    """The beginning of a text that may be longer."""

    text: str
    length: int
    """Characters of the whole text."""


def encode_text(value: str) -> str:
    r"""``value`` as text that every exporter can send: valid UTF-8, at most ``max_value_bytes()`` bytes long.

    Args:
        value: Any string; one of a subclass is read with ``str``'s own methods.

    Returns:
        The same text. Lone surrogates are written as ``\udc80``; of a text that is too long, the beginning and a mark
        with the number of its characters; secrets in JSON in it are redacted.

    Example:
        >>> encode_text("42 °C")
        '42 °C'
    """
    try:
        limit = limits.cached or limits.max_value_bytes()
        if type(value) is str and len(value) <= limit and value.isascii() and '"' not in value:
            return value
        shown = without_secrets(excerpt(value, limit))
        if shown.text is value and value.isascii():
            return value
        return bounded_text(shown, limit)
    except RecursionError:  # the caller stands at the interpreter's limit: no function can be called any more
        return UNREADABLE


def bounded_text(shown: Excerpt, limit: int) -> str:
    """``shown`` in at most ``limit`` bytes of UTF-8, marked where it was cut."""
    data = shown.text[:limit].encode("utf-8", "backslashreplace")
    if len(data) <= limit and len(shown.text) == shown.length <= limit:
        return data.decode("utf-8")
    mark = cut_mark(shown.length)
    room = limit - len(mark.encode("utf-8"))
    return data[:room].decode("utf-8", "ignore") + mark


def excerpt(value: str, limit: int) -> Excerpt:
    """The first ``limit`` characters of ``value`` as an exact ``str``, in time bounded by ``limit``."""
    return Excerpt(str.__getitem__(value, slice(0, limit)), str.__len__(value))


def without_secrets(shown: Excerpt) -> Excerpt:
    """``shown`` without the secrets in JSON in it."""
    return _instead(shown, hide_in_string(shown.text))


def said(text: str) -> Excerpt:
    """The beginning of what an object or an exception says of itself, without the secrets that it quotes."""
    shown = excerpt(text, limits.cached or limits.max_value_bytes())
    return _instead(shown, hide_in_own_words(shown.text))


def _instead(shown: Excerpt, text: str) -> Excerpt:
    """``shown`` with ``text`` in the place of its own."""
    return Excerpt(text, shown.length + len(text) - len(shown.text))


def valid_text(value: str) -> str:
    """``value`` with its lone surrogates written out, so that it can be encoded."""
    if value.isascii():
        return value
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def cut_mark(length: int) -> str:
    """What stands where a text of ``length`` characters was cut."""
    return f"… [truncated: {length} characters]"


def integer_text(value: int) -> str:
    """``value`` in decimal, or its size where printing it would take too long."""
    bits = int.bit_length(value)
    size = f"<int of {bits} bits>"
    try:
        return int.__repr__(value) if bits <= BITS_WORTH_PRINTING else size
    except ValueError:  # the program has set a lower limit of its own
        return size


def float_text(value: float) -> str:
    """The name that JSON has no number for: ``NaN``, ``Infinity`` or ``-Infinity``."""
    if value != value:
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
