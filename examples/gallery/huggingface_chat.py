"""Hugging Face's inference API: a chat completion, and plain text generation with its details."""

from __future__ import annotations

from typing import Any

from checked import checked_run

from agenttrace import trace_chain, trace_llm

CHAT = {
    "id": "1",
    "object": "chat.completion",
    "created": 1750000000,
    "model": "meta-llama/Llama-3.3-70B-Instruct",
    "system_fingerprint": "3.2.1-sha-1a2b3c4",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "It rains."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 40, "completion_tokens": 4, "total_tokens": 44},
}
GENERATED = {
    "generated_text": " of rain.",
    "details": {"finish_reason": "length", "generated_tokens": 3, "prefill": [], "tokens": []},
}


@trace_llm
def chat(messages: list[dict[str, str]], model: str = "meta-llama/Llama-3.3-70B-Instruct") -> dict[str, Any]:
    """Ask the model: ``return client.chat_completion(messages=messages, model=model)`` of ``InferenceClient``."""
    return CHAT


@trace_llm
def complete(prompt: str, model: str = "mistralai/Mistral-7B-v0.3", max_new_tokens: int = 3) -> dict[str, Any]:
    """Complete a text: ``return client.text_generation(prompt, model=model, max_new_tokens=3, details=True)``."""
    return GENERATED


@trace_chain
def both(question: str) -> str:
    """Ask the one model, and let the other go on."""
    answer = chat([{"role": "user", "content": question}])["choices"][0]["message"]["content"]
    return f"{answer} {complete('Oslo is a town')['generated_text']}"


with checked_run():
    print(both("What is the weather in Oslo?"))
