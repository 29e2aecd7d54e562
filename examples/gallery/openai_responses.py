"""OpenAI's responses: reasoning, a tool call and its result are items, and come back as one message each turn."""

from __future__ import annotations

from typing import Any

from checked import checked_run

from agenttrace import trace_chain, trace_llm

Item = dict[str, Any]

TOOLS = [{"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}}]
ASKED: list[Item] = [
    {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "I need the weather."}]},
    {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{}"},
]
SAID: list[Item] = [
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "It rains.", "annotations": []}],
    }
]


def response(output: list[Item], prompt: int, completion: int, cached: int, reasoning: int) -> Item:
    """A response as the API documents it."""
    return {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "model": "o4-mini-2025-04-16",
        "output": output,
        "usage": {
            "input_tokens": prompt,
            "input_tokens_details": {"cached_tokens": cached},
            "output_tokens": completion,
            "output_tokens_details": {"reasoning_tokens": reasoning},
            "total_tokens": prompt + completion,
        },
    }


ANSWERS = iter(
    [
        response(ASKED, prompt=75, completion=90, cached=0, reasoning=64),
        response(SAID, prompt=182, completion=6, cached=128, reasoning=0),
    ]
)


@trace_llm
def respond(input: list[Item], tools: list[Item], instructions: str, model: str = "o4-mini") -> Item:  # noqa: A002
    """Ask the model: ``return client.responses.create(input=input, tools=tools, instructions=…, model=model)``."""
    return next(ANSWERS)


@trace_chain
def answer(question: str) -> str:
    """Two turns, with the tool's result between them."""
    items: list[Item] = [{"role": "user", "content": question}]
    items += respond(items, TOOLS, "Be short.")["output"]
    items.append({"type": "function_call_output", "call_id": "call_1", "output": "14 °C and rain"})
    return str(respond(items, TOOLS, "Be short.")["output"][0]["content"][0]["text"])


with checked_run():
    print(answer("What is the weather?"))
