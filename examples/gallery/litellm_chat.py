"""LiteLLM: one call for all providers; who runs the model is told from its name, whose it is as well."""

from __future__ import annotations

from typing import Any

from checked import checked_run

from agenttrace import trace_chain, trace_llm


@trace_llm
def complete(messages: list[dict[str, str]], model: str) -> dict[str, Any]:
    """Ask the model: ``return litellm.completion(model=model, messages=messages)``."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1750000000,
        "model": model.partition("/")[2],
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {
                    "role": "assistant",
                    "content": "It rains.",
                    "reasoning_content": "Oslo, so rain.",
                    "tool_calls": None,
                },
            }
        ],
        "usage": {
            "prompt_tokens": 21,
            "completion_tokens": 9,
            "total_tokens": 30,
            "prompt_tokens_details": {"cached_tokens": 16},
            "completion_tokens_details": {"reasoning_tokens": 5},
        },
    }


@trace_chain
def compare(question: str) -> list[str]:
    """The same question to three providers."""
    messages = [{"role": "user", "content": question}]
    models = ("groq/llama-3.3-70b-versatile", "bedrock/anthropic.claude-sonnet-4-v1:0", "azure/gpt-4o")
    return [complete(messages, model)["choices"][0]["message"]["content"] for model in models]


with checked_run():
    print(compare("What is the weather in Oslo?"))
