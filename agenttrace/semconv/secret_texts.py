r"""Secrets in texts: ``"password": "hunter2"`` in JSON that was handed over as a string, also JSON inside JSON.

The texts are what programs and models wrote, so they may be cut, broken, or JSON in part only. They are searched for
pairs of a name and a value and not parsed, in time linear in their length.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .masking import REDACTED
from .secret_schemas import schema_without_values
from .secrets import harmless, is_secret_name, secret_names

__all__ = ["has_nested_secret", "hide_in_json", "hide_in_text"]

_GAP = r"(?:\s|\\{1,15}[nrt]){0,64}"  # between a name, its colon and its value; a line break is an escape in inner JSON
_PAIR = re.compile(rf'"{_GAP}:')
_NAMES = re.compile(rf'"([^"\\]{{1,128}})\\{{0,15}}"{_GAP}:')
_PAIRS = re.compile(rf'"([^"\\]{{1,128}})(\\{{0,15}})"{_GAP}:{_GAP}')
_NESTED_GAP = _GAP.encode()
_NESTED_PAIR = re.compile(rb'\\"' + _NESTED_GAP + rb":")
_NESTED_NAMES = re.compile(rb'\\"([^"\\]{1,128})\\{1,15}"' + _NESTED_GAP + rb":")
# How Python writes them: in the repr of a dictionary, of an object, in a query string.
_PYTHON_PAIRS = re.compile(r"'([^'\"\\]{1,128})(\\{0,15})'\s{0,8}:\s{0,8}[bBuU]?")
_FIELD = re.compile(r"=\s?[bBuU]?(?=[\"'])")
_NAME_OF_FIELD = re.compile(r"[A-Za-z_][\w-]*\s?\Z")
_QUERY = re.compile(r"([?&])([\w.\-]{1,128})=([^&\s'\"#]+)")

_NOTHING = re.compile(r"(?:true|false|null|True|False|None)\b")
_NUMBER = re.compile(r"-?\d[\d.eE+-]{0,64}")
_BEFORE_LOGPROB = re.compile(rf'{_GAP},{_GAP}\\{{0,15}}"logprob')
_JSON_QUOTES = '"'
_PYTHON_QUOTES = "\"'"
_TOKENS = {quotes: re.compile(f"[{quotes}\\[\\]{{}}]") for quotes in (_JSON_QUOTES, _PYTHON_QUOTES)}
_DEPTHS = {0: 0, 1: 1, 3: 2, 7: 3, 15: 4}
"""How deep JSON stands in JSON, by the backslashes before its quotes."""
_MOST_HARMLESS = 4096
_LONGEST_NAME = 128
_harmless_nested: set[bytes] = set()


def hide_in_json(text: str) -> str:
    r"""``text`` with the values redacted that stand under a secret's name in JSON in it, at any depth.

    Example:
        >>> hide_in_json('{"user": "ann", "password": "hunter2"}')
        '{"user": "ann", "password": "__REDACTED__"}'
    """
    if '"' not in text or _PAIR.search(text) is None:
        return text
    if harmless.issuperset(_NAMES.findall(text)):
        return text
    return _hidden(text, _PAIRS, _JSON_QUOTES)


def hide_in_text(text: str) -> str:
    """As `hide_in_json`, for texts that quote Python's own: ``{'password': …}``, ``Client(api_key='…')``, ``?token=…``.

    Example:
        >>> hide_in_text("no such user: Login(name='ann', password='hunter2')")
        "no such user: Login(name='ann', password='__REDACTED__')"
    """
    text = hide_in_json(text)
    if "'" in text:
        text = _hidden(text, _PYTHON_PAIRS, _PYTHON_QUOTES)
    if "=" in text:
        text = _without_fields(text)
        text = _QUERY.sub(
            lambda match: f"{match[1]}{match[2]}={REDACTED}" if is_secret_name(match[2]) else match[0], text
        )
    return text


def has_nested_secret(data: bytes) -> bool:
    """Whether a string in the JSON ``data`` is, or holds, JSON of its own with a secret's name in it."""
    if _NESTED_PAIR.search(data) is None:
        return False
    names = set(_NESTED_NAMES.findall(data))
    if _harmless_nested.issuperset(names):
        return False
    if secret_names([name.decode("utf-8", "replace") for name in names]):
        return True
    if len(_harmless_nested) + len(names) > _MOST_HARMLESS:
        _harmless_nested.clear()
    if len(names) <= _MOST_HARMLESS:
        _harmless_nested.update(names)
    return False


def _hidden(text: str, pairs: re.Pattern[str], quotes: str) -> str:
    pieces: list[str] = []
    done = 0
    for match in pairs.finditer(text):
        name, slashes = match[1], len(match[2])
        if match.start() < done or name in harmless or not is_secret_name(name):
            continue
        if _slashes_before(text, match.start()) != slashes:
            continue
        start = match.end()
        end, shown = _Value(text, slashes, quotes).hidden(start)
        if shown is None or (name == "token" and _BEFORE_LOGPROB.match(text, end)):
            continue
        pieces += (text[done:start], shown)
        done = end
    return "".join((*pieces, text[done:])) if pieces else text


def _without_fields(text: str) -> str:
    pieces: list[str] = []
    done = 0
    for match in _FIELD.finditer(text):
        if match.start() < done:
            continue
        named = _NAME_OF_FIELD.search(text[max(0, match.start() - _LONGEST_NAME) : match.start()])
        if named is None or not is_secret_name(named[0].rstrip()):
            continue
        end, shown = _Value(text, 0, _PYTHON_QUOTES).hidden(match.end())
        pieces += (text[done : match.end()], shown or "")
        done = end
    return "".join((*pieces, text[done:])) if pieces else text


class _Value:
    """A value in a text, of JSON whose quotes have so many backslashes before them."""

    def __init__(self, text: str, slashes: int, quotes: str) -> None:
        self._text = text
        self._slashes = slashes
        self._quotes = quotes

    def hidden(self, start: int) -> tuple[int, str | None]:
        """Where the value that begins at ``start`` ends, and what to write in its place; None to leave it."""
        text, escape = self._text, "\\" * self._slashes
        quote = text[start + self._slashes : start + self._slashes + 1]
        if quote and quote in self._quotes and text.startswith(escape, start):
            end = self._end_of_string(start + self._slashes + 1, quote)
            return end, f"{escape}{quote}{REDACTED}{escape}{quote}"
        quote = self._quotes[-1]
        if text[start : start + 1] in ("{", "["):
            end = self._end_of_container(start)
            schema = self._as_schema(text[start:end])
            return end, schema or f"{escape}{quote}{REDACTED}{escape}{quote}"
        number = _NUMBER.match(text, start)
        if number is None or _NOTHING.match(text, start):
            return start, None
        return number.end(), f"{escape}{quote}{REDACTED}{escape}{quote}"

    def _end_of_string(self, start: int, quote: str) -> int:
        """Behind the quote that closes a string; where it is cut, the end of what holds it."""
        position = self._text.find(quote, start)
        while position >= 0:
            slashes = _slashes_before(self._text, position, start)
            if self._closes(slashes):
                return position + 1
            if slashes < self._slashes:
                return position - slashes
            position = self._text.find(quote, position + 1)
        return len(self._text)

    def _end_of_container(self, start: int) -> int:
        open_brackets = 0
        inside = ""  # the quote of the string that is being passed
        for token in _TOKENS[self._quotes].finditer(self._text, start):
            kind, position = token[0], token.start()
            if kind in self._quotes:
                slashes = _slashes_before(self._text, position, start)
                if slashes < self._slashes:
                    return position - slashes
                if inside == kind and self._closes(slashes):
                    inside = ""
                elif not inside and slashes == self._slashes:
                    inside = kind
            elif not inside:
                open_brackets += 1 if kind in "{[" else -1
                if not open_brackets:
                    return position + 1
        return len(self._text)

    def _closes(self, slashes: int) -> bool:
        # At each depth an escaped quote has twice the backslashes and one more, a backslash in the text twice as many.
        if self._slashes in _DEPTHS:
            return slashes % (2 * self._slashes + 2) == self._slashes
        return slashes == self._slashes

    def _as_schema(self, container: str) -> str | None:
        """``container`` without the values in it, where it is a JSON Schema."""
        depth = _DEPTHS.get(self._slashes)
        if depth is None or self._quotes != _JSON_QUOTES or len(container) > 4096:
            return None
        plain: Any = container
        try:
            for _ in range(depth):
                plain = json.loads(f'"{plain}"')
            schema = json.loads(plain)
        except (ValueError, TypeError, RecursionError):
            return None
        cleaned = schema_without_values(schema)
        if cleaned is None or cleaned is schema:
            return None if cleaned is None else container
        shown = json.dumps(cleaned, ensure_ascii=False)
        for _ in range(depth):
            shown = json.dumps(shown, ensure_ascii=False)[1:-1]
        return shown


def _slashes_before(text: str, position: int, start: int = 0) -> int:
    first = position
    while first > start and text[first - 1] == "\\":
        first -= 1
    return position - first
