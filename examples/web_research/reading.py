"""What the rules read: the conversation so far, and what a question is about."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SHORT_NAMES = re.compile(r"\b(?:the )?(?:(?:US|USA|America)\b|U\.S\.)")


@dataclass(frozen=True)
class Conversation:
    """An agent's memory: its system prompt, its task, what its steps gave, their number, and all of it in one text."""

    system: str
    task: str
    results: list[str]
    steps: int
    text: str


def country_of(question: str) -> str:
    """The country that ``question`` names, with its article if it has one; the United States where it names none."""
    spelled_out = _SHORT_NAMES.sub("the United States", question)
    found = re.search(r"(?:\bthe |(?<=[a-z] ))[A-Z][a-z]+(?: [A-Z][a-z]+)*", spelled_out)
    return found[0] if found else "the United States"


def year_of(question: str) -> str:
    """The year that ``question`` names, else 2024."""
    found = re.search(r"\b(?:19|20)\d\d\b", question)
    return found[0] if found else "2024"
