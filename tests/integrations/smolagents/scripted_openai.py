"""smolagents' own OpenAIModel and OpenAI's own client, which get their answers from a script and not from a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
from smolagents import ChatMessage, OpenAIModel

__all__ = ["openai_model"]


def openai_model(*script: ChatMessage | int, thoughts: str | None = None, **options: Any) -> Any:
    """A model that gives one answer of ``script`` a call, as the API does.

    Args:
        *script: The answers, in order; a number is the HTTP status of a refusal.
        thoughts: What each answer says that the model thought.
        **options: Parameters of the calls.
    """
    answers = list(script)

    def respond(request: httpx.Request) -> httpx.Response:
        answer = answers.pop(0)
        if isinstance(answer, int):
            return httpx.Response(answer, json={"error": {"message": "the model is ill", "type": "server_error"}})
        message = {**_message(answer), **({} if thoughts is None else {"reasoning_content": thoughts})}
        if json.loads(request.content).get("stream"):
            lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in _chunks(message, _usage(answer))]
            body = "".join([*lines, "data: [DONE]\n\n"])
            return httpx.Response(200, text=body, headers={"Content-Type": "text/event-stream"})
        finish = "tool_calls" if "tool_calls" in message else "stop"
        choice = {"index": 0, "finish_reason": finish, "message": message}
        return httpx.Response(200, json=_body("chat.completion", choices=[choice], usage=_usage(answer)))

    client = httpx.Client(transport=httpx.MockTransport(respond))
    settings = {"http_client": client, "max_retries": 0}
    return OpenAIModel("gpt-4o", api_key="none", client_kwargs=settings, **{"temperature": 0.2, **options})


def _body(kind: str, **parts: Any) -> dict[str, Any]:
    return {"id": "chat-1", "object": kind, "created": 1, "model": "gpt-4o-2024-08-06", **parts}


def _message(answer: ChatMessage) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.content or None}
    if answer.tool_calls:
        message["tool_calls"] = [
            {
                "id": wanted.id,
                "type": "function",
                "function": {"name": wanted.function.name, "arguments": json.dumps(wanted.function.arguments)},
            }
            for wanted in answer.tool_calls
        ]
    return message


def _usage(answer: ChatMessage) -> dict[str, Any]:
    usage = answer.token_usage
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.input_tokens // 2},
        "completion_tokens_details": {"reasoning_tokens": usage.output_tokens // 2},
    }


def _chunks(message: dict[str, Any], usage: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The answer as a stream: pieces of the text, the calls, why it ended, and what it took."""
    content = message["content"] or ""
    deltas: list[dict[str, Any]] = [{"content": content[start : start + 5]} for start in range(0, len(content), 5)]
    deltas += [
        {"tool_calls": [{"index": index, **wanted}]} for index, wanted in enumerate(message.get("tool_calls", ()))
    ]
    for delta in deltas:
        yield _body("chat.completion.chunk", choices=[{"index": 0, "delta": delta, "finish_reason": None}])
    yield _body("chat.completion.chunk", choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
    yield _body("chat.completion.chunk", choices=[], usage=usage)
