"""Prompts: the template, its version and what fills it, on the model calls that were made with it."""

from __future__ import annotations

from string import Template

from checked import checked_run

from agenttrace import current_span, trace_llm, trace_prompt, using_prompt_template

TEMPLATE = "What is the weather in $city on a $day?"


@trace_prompt
def render(template: str, **variables: str) -> str:
    """Fill the template."""
    current_span().set_prompt(vendor="travel-prompts", id="weather-question", url="https://prompts.example/weather")
    return Template(template).substitute(variables)


@trace_llm(model="gpt-4o-mini")
def ask(prompt: str) -> str:
    """Ask the model; it is not there, so the answer is fixed."""
    return "Rain, 14 °C."


with checked_run():
    variables = {"city": "Oslo", "day": "Monday"}
    with using_prompt_template(template=TEMPLATE, version="v2", variables=variables):
        print(ask(render(TEMPLATE, **variables)))
