"""Mistral: chat completions with a tool call, and a reasoning model's thinking among the parts of its answer."""

from __future__ import annotations

from typing import Any

from checked import checked_run

from agenttrace import trace_chain, trace_llm

Message = dict[str, Any]

CALL = {"id": "D681PevKs", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}, "index": 0}
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Rain, so an umbrella."}]}


def response(model: str, message: Message, finish_reason: str, prompt: int, completion: int) -> Message:
    """A response as the API documents it."""
    return {
        "id": "cmpl-1",
        "object": "chat.completion",
        "created": 1750000000,
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion},
    }


ANSWERS = iter(
    [
        response("mistral-small-latest", {"content": "", "tool_calls": [CALL]}, "tool_calls", 70, 20),
        response(
            "magistral-small-latest",
            {"content": [THOUGHT, {"type": "text", "text": "Take an umbrella."}]},
            "stop",
            95,
            31,
        ),
    ]
)


@trace_llm
def complete(messages: list[Message], model: str, temperature: float = 0.7) -> Message:
    """Ask the model: ``return client.chat.complete(messages=messages, model=model, temperature=temperature)``."""
    return next(ANSWERS)


@trace_chain
def advise(question: str) -> str:
    """A small model looks the weather up, a reasoning one thinks about it."""
    messages: list[Message] = [{"role": "user", "content": question}]
    messages.append(complete(messages, "mistral-small-latest")["choices"][0]["message"])
    messages.append({"role": "tool", "tool_call_id": CALL["id"], "name": "get_weather", "content": "14 °C and rain"})
    return str(complete(messages, "magistral-small-latest")["choices"][0]["message"]["content"][-1]["text"])


with checked_run():
    print(advise("What do I need in Oslo?"))
