"""A reader of your own: teach agenttrace what the client of a provider that it doesn't know returns."""

from __future__ import annotations

from dataclasses import dataclass

from checked import checked_run

from agenttrace import register_reader, trace_llm
from agenttrace.readers import Reader
from agenttrace.semconv.types import ModelCall


@dataclass
class Answer:
    """What the client of a small provider returns."""

    text: str
    thoughts: str
    engine: str
    tokens: tuple[int, int]


class AcmeReader(Reader):
    """Says what an `Answer` means; streams would have an assembler beside."""

    name = "acme"

    def reads(self, response: object) -> bool:
        """Whether ``response`` is such an answer."""
        return isinstance(response, Answer)

    def read(self, response: object) -> ModelCall:
        """Everything that is known of the call."""
        assert isinstance(response, Answer)
        prompt, completion = response.tokens
        return {
            "model_name": response.engine,
            "output_messages": [
                {
                    "role": "assistant",
                    "contents": [
                        {"type": "reasoning", "text": response.thoughts},
                        {"type": "text", "text": response.text},
                    ],
                }
            ],
            "token_counts": {"prompt": prompt, "completion": completion},
            "finish_reason": "done",
        }


@trace_llm(provider="acme")
def ask(prompt: str) -> Answer:
    """Ask the provider; it is not there, so the answer is fixed."""
    return Answer("It rains.", thoughts="Oslo, so rain.", engine="acme-large", tokens=(9, 4))


register_reader(AcmeReader())
with checked_run():
    print(ask("What is the weather in Oslo?").text)
