"""The rules for the agent with the tools: search, visit the two best pages at once, report what they say."""

from __future__ import annotations

import re
from typing import Any

from .reading import Conversation, country_of, year_of

Calls = list[tuple[str, dict[str, Any]]]

PAGE = re.compile(r"^# (.+)\n(\S+)\n((?:(?!# ).*\n?)*)", re.MULTILINE)
"""Title, address and text of a page that was visited."""
RESULT = re.compile(r"^\[.+\]\((\S+)\)$", re.MULTILINE)
"""The address of a page that was found."""
FALLING = re.compile(r"\b(?:fell|shrank|declined|decreased|contracted)\b")


def next_calls(conversation: Conversation) -> tuple[str, Calls]:
    """What the agent thinks, and the tools that it calls next, with their arguments."""
    task = conversation.task.partition("Task:\n")[2].partition("\n---")[0]
    country, year = country_of(task), year_of(task)
    if not conversation.results:
        return "First I search.", [("web_search", {"query": f"real GDP growth of {country} over the whole of {year}"})]
    seen = "\n".join(conversation.results)
    pages = PAGE.findall(seen)
    found = [(rate, title, address) for title, address, text in pages for rate in rates_in(text, country, year)]
    read = {address for _, address, _ in pages}
    unread = [address for address in RESULT.findall(seen) if address not in read]
    if not found and unread and "Error:" not in conversation.results[-1]:
        return "I read the two best of these pages.", [("visit_webpage", {"url": address}) for address in unread[:2]]
    return "That is all there is to find.", [("final_answer", {"answer": report(found, country, year)})]


def rates_in(text: str, country: str, year: str) -> list[float]:
    """The growth of the country's GDP over the whole year, in percent, if ``text`` gives it."""
    name = country.removeprefix("the ")
    for sentence in re.split(r"(?<=[.!?])\s+", " ".join(text.split())):
        rate = re.search(r"(-?\d+(?:\.\d+)?) ?(?:percent|%)", sentence)
        if rate and "GDP" in sentence and name in sentence and year in sentence and "quarter" not in sentence:
            return [-float(rate[1]) if FALLING.search(sentence[: rate.start()]) else float(rate[1])]
    return []


def report(found: list[tuple[float, str, str]], country: str, year: str) -> str:
    """The answer in the three parts that smolagents asks a managed agent for."""
    if not found:
        outcome = f"No page that I found gives the growth of the GDP of {country} in {year}."
        return f"### 1. Task outcome (short version):\n{outcome}"
    sources = "\n".join(f"- {rate:g} percent: {title} ({address})" for rate, title, address in found)
    return (
        f"### 1. Task outcome (short version):\nIn {year} the GDP of {country} changed by {found[0][0]:g} percent.\n"
        f"### 2. Task outcome (extremely detailed version):\n{sources}\n"
        "### 3. Additional context (if relevant):\nThe rates are of the whole year, at constant prices."
    )
