"""Cohere's version 2: a plan, a tool call, an answer, and the tokens that the model saw, not those that are billed."""

from __future__ import annotations

from typing import Any

from checked import checked_run

from agenttrace import trace_chain, trace_llm

Message = dict[str, Any]

CALL = {"id": "get_weather_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}}


def response(message: Message, finish_reason: str, prompt: int, completion: int) -> Message:
    """A response as the API documents it."""
    return {
        "id": "c14c80c3",
        "finish_reason": finish_reason,
        "message": {"role": "assistant", **message},
        "usage": {
            "billed_units": {"input_tokens": 11, "output_tokens": completion},
            "tokens": {"input_tokens": prompt, "output_tokens": completion},
        },
    }


ANSWERS = iter(
    [
        response({"tool_plan": "I will look up the weather.", "tool_calls": [CALL]}, "TOOL_CALL", 500, 40),
        response({"content": [{"type": "text", "text": "It rains in Oslo."}]}, "COMPLETE", 560, 9),
    ]
)


@trace_llm
def chat(messages: list[Message], model: str = "command-a-03-2025") -> Message:
    """Ask the model: ``return client.chat(model=model, messages=messages)`` of ``cohere.ClientV2``."""
    return next(ANSWERS)


@trace_chain
def answer(question: str) -> str:
    """Two turns, with the tool's result between them."""
    messages: list[Message] = [{"role": "user", "content": question}]
    messages.append(chat(messages)["message"])
    result = {"type": "document", "document": {"data": '{"weather": "14 °C and rain"}'}}
    messages.append({"role": "tool", "tool_call_id": CALL["id"], "content": [result]})
    return str(chat(messages)["message"]["content"][0]["text"])


with checked_run():
    print(answer("What is the weather in Oslo?"))
