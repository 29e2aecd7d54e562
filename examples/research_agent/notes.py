"""Finding the paragraphs of ``data/notes/*.txt`` that answer a question, ranked by Okapi BM25."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

NOTES_FOLDER = Path(__file__).resolve().parent.parent / "data" / "notes"

_SATURATION = 1.5  # BM25's k1: how soon a word said again stops counting
_LENGTH_WEIGHT = 0.75  # BM25's b: how much long paragraphs are held back
_COMMON_WORDS = """
a about an and are as at be by can do does for from happen happens has have how in is it its mean means of often on one
ones or than that the their them there they this to today was were what when where which who why will with
"""
_COMMON = frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True)
class Paragraph:
    """One paragraph of a note, its words counted under its title's and its own."""

    identifier: str
    title: str
    text: str
    words: Counter[str]


def find_paragraphs(query: str, limit: int = 3, folder: Path = NOTES_FOLDER) -> list[tuple[Paragraph, float]]:
    """The best paragraphs in ``folder`` for ``query`` with their scores, best first; none without a word of it."""
    paragraphs = _read_notes(folder)
    average = sum(paragraph.words.total() for paragraph in paragraphs) / len(paragraphs)
    wanted = set(_words(query))
    scored = [(paragraph, _score(wanted, paragraph, paragraphs, average)) for paragraph in paragraphs]
    best = sorted((pair for pair in scored if pair[1] > 0), key=lambda pair: -pair[1])
    return best[:limit]


def _score(wanted: set[str], paragraph: Paragraph, paragraphs: tuple[Paragraph, ...], average: float) -> float:
    length = 1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * paragraph.words.total() / average
    score = 0.0
    for word in wanted:
        if count := paragraph.words[word]:
            holders = sum(1 for other in paragraphs if other.words[word])
            rarity = math.log(1 + (len(paragraphs) - holders + 0.5) / (holders + 0.5))
            score += rarity * count * (_SATURATION + 1) / (count + _SATURATION * length)
    return score


@lru_cache
def _read_notes(folder: Path) -> tuple[Paragraph, ...]:
    paragraphs = []
    for file in sorted(folder.glob("*.txt")):
        title, *texts = re.split(r"\n\s*\n", file.read_text(encoding="utf-8").strip())
        for number, text in enumerate(texts, 1):
            flat = " ".join(text.split())
            paragraphs.append(Paragraph(f"{file.stem}#{number}", title, flat, Counter(_words(f"{title} {flat}"))))
    return tuple(paragraphs)


def _words(text: str) -> list[str]:
    """The words of ``text`` that say something, without their plural s."""
    words = re.findall(r"[a-zà-ÿ0-9]+", text.lower())
    return [word.removesuffix("s") if len(word) > 3 else word for word in words if word not in _COMMON]
