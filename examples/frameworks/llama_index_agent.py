"""A LlamaIndex agent, marked by hand: a FunctionAgent whose tools search notes and compute.

Run it with `python examples/frameworks/llama_index_agent.py`. A scripted model answers, offline.
"""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, LLMMetadata, ToolCallBlock
from llama_index.core.llms.mock import MockFunctionCallingLLM
from llama_index.core.schema import NodeWithScore, TextNode

from agenttrace import current_span, register, trace_agent, trace_llm, trace_retriever, trace_tool

NOTES = [
    "The 2024 growth rate of France was 1.1 percent.",
    "The 2024 growth rate of India was 6.5 percent.",
    "Paris is the capital of France.",
]


@trace_retriever
def retrieve(query: str) -> list[NodeWithScore]:
    """The notes with most words of the query in them; the retriever of an index is marked the same way."""
    wanted = set(query.lower().split())
    scored = [(len(wanted & set(note.lower().strip(".").split())) / len(wanted), note) for note in NOTES]
    return [NodeWithScore(node=TextNode(text=note), score=score) for score, note in sorted(scored, reverse=True)[:2]]


@trace_tool
def search_notes(query: str) -> str:
    """Search the notes."""
    best: str = retrieve(query)[0].text
    return best


@trace_tool
def years_to_double(percent: float) -> int:
    """How many years something takes to double that grows by so many percent a year."""
    years, size = 0, 1.0
    while size < 2:
        years, size = years + 1, size * (1 + percent / 100)
    return years


class TracedModel(MockFunctionCallingLLM):
    """A model whose calls are marked: of any LLM class of LlamaIndex's, a subclass with the methods that are used."""

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex wants to know of a model."""
        return LLMMetadata(is_function_calling_model=True, is_chat_model=True, model_name="scripted-1")

    @trace_llm(name="model", model="scripted-1")
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """What the model says next: messages, tools and answer are read from what goes in and out."""
        response: ChatResponse = await super().achat(messages, **kwargs)
        words = sum(len(str(message.content).split()) for message in messages)
        current_span().set_token_counts(prompt=words, completion=5)
        return response


@trace_agent(name="economist")
async def answer(question: str) -> str:
    """One run of the agent."""
    model = TracedModel()
    model.response_generator = say_next
    # Without streaming the agent calls `achat`; with it, `astream_chat`, which is marked in the same way.
    agent = FunctionAgent(tools=[search_notes, years_to_double], llm=model, streaming=False)
    return str(await agent.run(question))


def say_next(messages: Sequence[ChatMessage], **kwargs: Any) -> ChatMessage:
    """Stands for a model: it looks the rate up, computes, then answers."""
    results = [str(message.content) for message in messages if message.role.value == "tool"]
    if not results:
        return _call("search_notes", query="2024 growth rate of India")
    if len(results) == 1:
        return _call("years_to_double", percent=float(results[0].split()[-2]))
    return ChatMessage(role="assistant", content=f"It takes {results[-1]} years.")


def _call(name: str, **arguments: Any) -> ChatMessage:
    block = ToolCallBlock(tool_call_id=f"call-{name}", tool_name=name, tool_kwargs=arguments)
    return ChatMessage(role="assistant", blocks=[block])


if __name__ == "__main__":
    register(project_name="llama-index")
    print(asyncio.run(answer("How many years does India's GDP take to double at its 2024 growth rate?")))
