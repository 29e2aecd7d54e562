"""A run of an agent with every kind of step in it, nested, as a program would have it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agenttrace import (
    current_span,
    trace_agent,
    trace_chain,
    trace_embedding,
    trace_evaluator,
    trace_guardrail,
    trace_llm,
    trace_prompt,
    trace_reranker,
    trace_retriever,
    trace_step,
    trace_tool,
    using_metadata,
    using_session,
    using_tags,
    using_user,
)

QUESTION = "What is the weather in Oslo?"
SYSTEM = {"role": "system", "content": "Be brief."}
CALL = {
    "id": "call-1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
NAMES = {
    "planner": "AGENT",
    "check": "GUARDRAIL",
    "compose": "PROMPT",
    "choose": "GENERATION",
    "get_weather": "TOOL",
    "look up": "CHAIN",
    "embed": "EMBEDDING",
    "find": "RETRIEVER",
    "rank": "RERANKER",
    "stream": "GENERATION",
    "judge": "EVALUATOR",
    "wrap up": "CHAIN",
}


@trace_guardrail(name="check")
def check(question: str) -> bool:
    return True


@trace_prompt(name="compose")
def compose(question: str) -> list[dict[str, Any]]:
    return [SYSTEM, {"role": "user", "content": question}]


@trace_llm(name="choose")
def choose(messages: list[dict[str, Any]], tools: list[Any], model: str, temperature: float) -> dict[str, Any]:
    message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    return {
        "object": "chat.completion",
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 30,
            "total_tokens": 130,
            "prompt_tokens_details": {"cached_tokens": 40},
            "completion_tokens_details": {"reasoning_tokens": 10},
        },
    }


@trace_tool
def get_weather(city: str) -> str:
    raise ConnectionError(f"no station in {city}")


@trace_embedding(name="embed")
def embed(texts: list[str], model: str) -> dict[str, Any]:
    data = [{"object": "embedding", "index": 0, "embedding": [0.25, -0.5]}]
    return {"object": "list", "model": model, "data": data, "usage": {"prompt_tokens": 4, "total_tokens": 4}}


@trace_retriever(name="find")
def find(query: str) -> list[dict[str, Any]]:
    return [{"id": "d-1", "content": "It rains.", "score": 0.5}, {"id": "d-2", "content": "It snows.", "score": 0.25}]


@trace_reranker(name="rank", model="rerank-v3.5")
def rank(query: str, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return documents[:1]


@trace_chain(name="look up")
def look_up(question: str) -> list[dict[str, Any]]:
    embed([question], model="text-embedding-3-small")
    return rank(question, find(question))


@trace_llm(name="stream", model="gpt-4o")
def stream(prompt: str) -> Iterator[str]:
    yield from ("Ra", "in.")


@trace_evaluator(name="judge")
def judge(answer: str) -> float:
    return 1.0


@trace_agent(name="planner")
def planner(question: str) -> str:
    check(question)
    choose(compose(question), tools=TOOLS, model="gpt-4o", temperature=0.5)
    try:
        get_weather("Oslo")
    except ConnectionError:
        current_span().set_metadata({"station": "missing"})
    look_up(question)
    answer = "".join(stream(question))
    judge(answer)
    with trace_step("wrap up", input=answer) as step:
        step.set_tags(["late"])
    return answer


def run() -> str:
    """One question, asked by somebody in a conversation."""
    with (
        using_session("conversation-7"),
        using_user("ada"),
        using_tags(["beta", "weather"]),
        using_metadata({"team": "weather", "attempt": 2, "limits": {"steps": 3}}),
    ):
        return planner(QUESTION)
