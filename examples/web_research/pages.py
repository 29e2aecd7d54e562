"""Searching and visiting the pages in ``data/pages``, under the names that smolagents' own web tools have.

A page begins with its title and its address; what it says is read whenever it is visited.
"""

# smolagents ships no types, so its decorator is Any to mypy:
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from pathlib import Path

from research_agent.notes import find_paragraphs
from smolagents import tool

PAGES_FOLDER = Path(__file__).resolve().parent.parent / "data" / "pages"


@tool
def web_search(query: str) -> str:
    """Searches the web and returns the best results: title, address and what was found there.

    Args:
        query: What to look for.
    """
    results: dict[str, str] = {}
    for paragraph, _ in find_paragraphs(query, 8, PAGES_FOLDER):
        title, address = paragraph.title.splitlines()
        results.setdefault(address, f"[{title}]({address})\n{paragraph.text}")
    return "\n\n".join(["## Search Results", *results.values()])


@tool
def visit_webpage(url: str) -> str:
    """Visits a web page and returns what it says.

    Args:
        url: The page's address.
    """
    for file in PAGES_FOLDER.glob("*.txt"):
        text = file.read_text(encoding="utf-8")
        if text.splitlines()[1] == url:
            return f"# {text}"
    raise ValueError(f"there is no page at {url}")
