"""Texts that providers write in pieces → one text."""

from __future__ import annotations

from typing import Any

from .fields import as_list, field, fields, is_list, text_field, text_of

__all__ = ["MOST_PIECES", "TEXT_TYPES", "joined_text"]

TEXT_TYPES = ("text", "input_text", "output_text", "summary_text", "reasoning_text")
"""The types of parts that are nothing but a text."""
MOST_PIECES = 1000
"""A text in more pieces than that stays in pieces."""

_LONGEST = 8 * 1024 * 1024  # characters of texts that are made one, which copies them


def joined_text(content: object) -> Any:
    """The text of ``content`` where it is nothing but text, in one string; else ``content`` itself."""
    text = text_of(content)
    if text is not None:
        return text
    pieces = as_list(content) if is_list(content) else (content,)
    texts: list[str] = []
    length = 0
    for piece in pieces[: MOST_PIECES + 1]:
        text = text_of(piece)
        if text is None:
            text = _text_in(piece, is_listed=is_list(content))
        if text is None:
            return content
        length += len(text)
        texts.append(text)
    return "".join(texts) if texts and len(texts) == len(pieces) and length <= _LONGEST else content


def _text_in(piece: object, *, is_listed: bool) -> str | None:
    """The text of a part that is nothing else."""
    source = fields(piece)
    if text_field(source, "type") in TEXT_TYPES or (is_listed and source.keys() == {"text"}):
        return text_of(field(source, "text"))
    return None
