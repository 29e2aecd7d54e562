"""A program's own words, made fit for a terminal: no escape sequence in them reaches it."""

from __future__ import annotations

import json
import re

_WHITESPACE = re.compile(r"\s+")

# Control characters, which move the cursor, change the window's title or hide what follows; separators that break
# lines; the marks that turn the direction of writing around; invisible tags; halves of surrogate pairs. The joiners
# U+200C and U+200D stay, which Persian and the families among the emoji need.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)

# More of a value than this is never looked at for one line of a terminal.
_LONGEST_LINE = 4_000


def neutral(text: str) -> str:
    r"""``text`` with every character that a terminal might act on written as an escape, such as ``\x1b``.

    Line feeds and tabs stay.
    """
    return _UNSAFE.sub(_escape, text)


def one_line(text: str) -> str:
    """The first 4,000 characters of ``text`` on one line: white space made single spaces, the rest `neutral`."""
    return neutral(_WHITESPACE.sub(" ", text[:_LONGEST_LINE]).strip())


def safe_json(value: object, *, indent: int | None = None) -> str:
    """``value`` as JSON text that is readable in any script and can be printed to any terminal."""
    # The escapes of JSON are those of `neutral` but for their spelling; such characters stand inside strings only.
    return _UNSAFE.sub(_escape_for_json, json.dumps(value, ensure_ascii=False, indent=indent))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _escape_for_json(match: re.Match[str]) -> str:
    return "".join(f"\\u{unit:04x}" for unit in _utf16_units(match[0]))


def _utf16_units(character: str) -> list[int]:
    raw = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[start : start + 2], "big") for start in range(0, len(raw), 2)]
