"""What the tests of LangChain's streams share: a model of the user's own, and what it is made to stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult


class Scripted(BaseChatModel):
    """A model of the user's own, as LangChain's guide has one written, which streams the chunks that it was given."""

    chunks: list[Any]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for written in self.chunks:
            yield ChatGenerationChunk(message=AIMessageChunk(**{"content": "", **written}))


def usage(prompt: int, completion: int, **details: Any) -> dict[str, Any]:
    return {"input_tokens": prompt, "output_tokens": completion, "total_tokens": prompt + completion, **details}


def piece(index: int | None, args: str, name: str | None = None, identifier: str | None = None) -> dict[str, Any]:
    return {"index": index, "args": args, "name": name, "id": identifier, "type": "tool_call_chunk"}


THOUGHT = {"type": "reasoning", "text": "It is November."}
RAIN = {"type": "text", "text": "Rain."}
CALLS = [
    {"id": "call_1", "name": "get_weather", "arguments": '{"city": "Oslo"}'},
    {"id": "call_2", "name": "get_weather", "arguments": '{"city": "Bergen"}'},
]
OPENAI: list[dict[str, Any]] = [
    {"content": "Ra", "response_metadata": {"model_provider": "openai"}},
    {"content": "in."},
    {"tool_call_chunks": [piece(0, "", "get_weather", "call_1")]},
    {"tool_call_chunks": [piece(1, "", "get_weather", "call_2"), piece(0, '{"city": ')]},
    {"tool_call_chunks": [piece(1, '{"city": "Bergen"}'), piece(0, '"Oslo"}')]},
    {"response_metadata": {"finish_reason": "tool_calls", "model_name": "gpt-4o-2024-08-06"}},
    {
        "usage_metadata": usage(
            19, 8, input_token_details={"cache_read": 16}, output_token_details={"reasoning": 5, "audio": 0}
        ),
        "chunk_position": "last",
    },
]
OPENAI_KNOWN: dict[str, Any] = {
    "model_name": "gpt-4o-2024-08-06",
    "finish_reason": "tool_calls",
    "token_counts": {
        "prompt": 19,
        "completion": 8,
        "total": 27,
        "cache_read": 16,
        "reasoning": 5,
        "completion_audio": 0,
    },
}
