"""Ollama: a model on your own machine, with its thinking, its tool call and its counts."""

from __future__ import annotations

from typing import Any

from checked import checked_run

from agenttrace import trace_chain, trace_llm

Message = dict[str, Any]


def response(message: Message, prompt: int, completion: int) -> Message:
    """A response as the API documents it."""
    return {
        "model": "qwen3:8b",
        "created_at": "2025-07-01T10:00:00Z",
        "message": {"role": "assistant", **message},
        "done": True,
        "done_reason": "stop",
        "total_duration": 900_000_000,
        "prompt_eval_count": prompt,
        "eval_count": completion,
    }


CALL = {"function": {"name": "get_weather", "arguments": {"city": "Oslo"}}}
ANSWERS = iter(
    [
        response({"content": "", "thinking": "I need the weather.", "tool_calls": [CALL]}, 160, 45),
        response({"content": "It rains in Oslo."}, 190, 8),
    ]
)


@trace_llm(provider="ollama")
def chat(messages: list[Message], model: str = "qwen3:8b", options: Message | None = None) -> Message:
    """Ask the model: ``return ollama.chat(model=model, messages=messages, options=options, tools=[get_weather])``."""
    return next(ANSWERS)


@trace_chain
def answer(question: str) -> str:
    """Two turns, with the tool's result between them."""
    messages: list[Message] = [{"role": "user", "content": question}]
    messages.append(chat(messages, options={"temperature": 0})["message"])
    messages.append({"role": "tool", "tool_name": "get_weather", "content": "14 °C and rain"})
    return str(chat(messages, options={"temperature": 0})["message"]["content"])


with checked_run():
    print(answer("What is the weather in Oslo?"))
