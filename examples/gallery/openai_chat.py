"""OpenAI's chat completions: two turns with a tool call between them, read from arguments and responses alone."""

from __future__ import annotations

import json
from typing import Any

from checked import checked_run

from agenttrace import trace_agent, trace_llm, trace_tool

Message = dict[str, Any]

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Weather today.", "parameters": CITY}}]
CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}


def response(message: Message, finish_reason: str, prompt: int, completion: int, cached: int) -> Message:
    """A response as the API documents it."""
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", **message}}],
        "usage": {**usage, "prompt_tokens_details": {"cached_tokens": cached}},
    }


ANSWERS = iter(
    [
        response({"content": None, "tool_calls": [CALL]}, "tool_calls", prompt=82, completion=17, cached=0),
        response({"content": "It rains in Oslo, at 14 °C."}, "stop", prompt=118, completion=12, cached=64),
    ]
)


@trace_llm
def complete(messages: list[Message], tools: list[Message], model: str = "gpt-4o-mini") -> Message:
    """Ask the model: ``return client.chat.completions.create(messages=messages, tools=tools, model=model)``."""
    return next(ANSWERS)


@trace_tool
def get_weather(city: str) -> str:
    """Weather today."""
    return f"14 °C and rain in {city}"


@trace_agent
def assistant(question: str) -> str:
    """Call the model, and the tools that it asks for, until it answers."""
    messages = [{"role": "user", "content": question}]
    while True:
        message = complete(messages, TOOLS)["choices"][0]["message"]
        messages.append(message)
        if not message.get("tool_calls"):
            return str(message["content"])
        for call in message["tool_calls"]:
            result = get_weather(**json.loads(call["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


with checked_run():
    print(assistant("What is the weather in Oslo?"))
