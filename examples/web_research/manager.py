"""The rules for the agent that writes code: ask the agent below for the rate, then compute."""

from __future__ import annotations

import re

from .reading import Conversation, country_of, year_of


def next_code(conversation: Conversation) -> str:
    """What the agent thinks, and the code that it runs next."""
    country, year = country_of(conversation.task), year_of(conversation.task)
    if not conversation.results:
        (helper,) = re.findall(r"^def (\w+)\(task: str", conversation.system, re.MULTILINE)
        task = f"By how many percent did the GDP of {country} grow in {year}? Say which pages give the figure."
        return step("I need the growth rate.", f"report = {helper}(task={task!r})\nprint(report)")
    result = conversation.results[-1]
    rate = re.search(r"changed by (-?[\d.]+) percent", result)
    if rate is None:
        return step("The rate isn't known.", f"final_answer('I found no growth rate for {country} in {year}.')")
    sources = ", ".join(re.findall(r"\((https?://\S+)\)", result))
    if float(rate[1]) <= 0:
        answer = f"The GDP of {country} changed by {rate[1]} % in {year}: at that rate it never doubles ({sources})."
        return step("What doesn't grow never doubles.", f"final_answer({answer!r})")
    answer = (
        f"At {rate[1]} % a year, as in {year}, the GDP of {country} doubles in about {{years:.1f}} years ({sources})."
    )
    compute = f"import math\n\nyears = math.log(2) / math.log(1 + {rate[1]} / 100)\nfinal_answer(f{answer!r})"
    return step("Now I compute how long that takes to double.", compute)


def step(thought: str, code: str) -> str:
    """Thought and code as a ``CodeAgent`` wants them."""
    return f"Thought: {thought}\n<code>\n{code}\n</code>"
