"""Anthropic's messages: thinking with its signature, tools, results, and tokens that are cached beside the prompt."""

from __future__ import annotations

from typing import Any

from checked import checked_run

from agenttrace import trace_agent, trace_llm, trace_tool

Block = dict[str, Any]

TOOLS = [{"name": "get_weather", "description": "Weather today.", "input_schema": {"type": "object", "properties": {}}}]
ASKED: list[Block] = [
    {"type": "thinking", "thinking": "I need the weather.", "signature": "EqQBCgIYAg=="},
    {"type": "text", "text": "I'll look it up."},
    {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}},
]


def response(content: list[Block], stop_reason: str, **usage: int) -> Block:
    """A response as the API documents it."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-20250514",
        "content": content,
        "stop_reason": stop_reason,
        "usage": usage,
    }


ANSWERS = iter(
    [
        response(ASKED, "tool_use", input_tokens=20, cache_creation_input_tokens=1000, output_tokens=60),
        response(
            [{"type": "text", "text": "It rains in Oslo."}],
            "end_turn",
            input_tokens=30,
            cache_read_input_tokens=1000,
            output_tokens=8,
        ),
    ]
)


@trace_llm
def create(
    messages: list[Block],
    tools: list[Block],
    system: str,
    model: str = "claude-sonnet-4-20250514",
    max_tokens: int = 500,
) -> Block:
    """Ask the model: ``return client.messages.create(messages=messages, tools=tools, system=system, …)``."""
    return next(ANSWERS)


@trace_tool
def get_weather(city: str) -> str:
    """Weather today."""
    return f"14 °C and rain in {city}"


@trace_agent
def assistant(question: str) -> str:
    """Call the model, and the tools that it asks for, until it answers."""
    messages: list[Block] = [{"role": "user", "content": question}]
    while True:
        content = create(messages, TOOLS, system="You are a weather assistant.")["content"]
        messages.append({"role": "assistant", "content": content})
        calls = [block for block in content if block["type"] == "tool_use"]
        if not calls:
            return str(content[-1]["text"])
        results = [
            {"type": "tool_result", "tool_use_id": call["id"], "content": get_weather(**call["input"])}
            for call in calls
        ]
        messages.append({"role": "user", "content": results})


with checked_run():
    print(assistant("What is the weather in Oslo?"))
