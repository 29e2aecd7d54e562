"""Google GenAI: contents and parts, a thought, a function call with its signature, and thinking counted apart."""

from __future__ import annotations

from typing import Any

from checked import checked_run

from agenttrace import trace_chain, trace_llm

Content = dict[str, Any]

TOOLS = [{"functionDeclarations": [{"name": "get_weather", "parameters": {"type": "OBJECT", "properties": {}}}]}]
ASKED: list[Content] = [
    {"text": "I need the weather.", "thought": True},
    {"functionCall": {"name": "get_weather", "args": {"city": "Oslo"}}, "thoughtSignature": "CpQBAVSo"},
]


def response(parts: list[Content], prompt: int, completion: int, thoughts: int, cached: int) -> Content:
    """A response as the API documents it."""
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}],
        "modelVersion": "gemini-2.5-flash",
        "usageMetadata": {
            "promptTokenCount": prompt,
            "cachedContentTokenCount": cached,
            "candidatesTokenCount": completion,
            "thoughtsTokenCount": thoughts,
            "totalTokenCount": prompt + completion + thoughts,
        },
    }


ANSWERS = iter(
    [
        response(ASKED, prompt=60, completion=12, thoughts=40, cached=0),
        response([{"text": "It rains in Oslo."}], prompt=90, completion=6, thoughts=0, cached=32),
    ]
)


@trace_llm
def generate(contents: list[Content], config: Content, model: str = "gemini-2.5-flash") -> Content:
    """Ask the model: ``return client.models.generate_content(model=model, contents=contents, config=config)``."""
    return next(ANSWERS)


@trace_chain
def answer(question: str) -> str:
    """Two turns, with the tool's result between them."""
    config: Content = {"system_instruction": "Be short.", "temperature": 0.2, "tools": TOOLS}
    contents: list[Content] = [{"role": "user", "parts": [{"text": question}]}]
    contents.append(generate(contents, config)["candidates"][0]["content"])
    result = {"functionResponse": {"name": "get_weather", "response": {"weather": "14 °C and rain"}}}
    contents.append({"role": "user", "parts": [result]})
    return str(generate(contents, config)["candidates"][0]["content"]["parts"][0]["text"])


with checked_run():
    print(answer("What is the weather in Oslo?"))
