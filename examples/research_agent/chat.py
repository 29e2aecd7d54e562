"""A language model behind any endpoint that speaks the OpenAI chat completions API, with the standard library alone."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any, cast

from openinference.semconv.trace import SpanAttributes

from agenttrace import current_span, trace_llm

from .messages import Message

TIMEOUT_SECONDS = 60


class EndpointError(Exception):
    """The endpoint refused, or could not be reached; the text says why, never the key."""


@dataclass
class ChatModel:
    """The model called ``name`` at ``base_url`` (which ends in ``/v1`` for most servers)."""

    base_url: str
    name: str
    api_key: str = field(default="", repr=False)

    @trace_llm(name="plan")
    def plan(self, messages: list[Message]) -> str:
        """A plan of a few lines, without tool calls."""
        ask: Message = {"role": "user", "content": "Write a plan for this question in at most four short lines."}
        return self._complete([*messages, ask]).get("content") or ""

    @trace_llm(name="decide")
    def decide(self, messages: list[Message], tools: list[dict[str, Any]]) -> Message:
        """The model's next message."""
        return self._complete(messages, tools=tools)

    @trace_llm(name="write")
    def write(self, messages: list[Message]) -> Iterator[str]:
        """The answer as the endpoint streams it."""
        options = {"stream": True, "stream_options": {"include_usage": True}}
        with self._post({"messages": messages, **options}) as response:
            for line in response:
                data = line.decode("utf-8").strip().removeprefix("data:").strip()
                if data == "[DONE]":
                    break
                if data.startswith("{"):
                    chunk = json.loads(data)
                    self._record_usage(chunk)
                    for choice in chunk.get("choices") or []:
                        if text := (choice.get("delta") or {}).get("content"):
                            yield text

    def _complete(self, messages: list[Message], **options: Any) -> Message:
        with self._post({"messages": messages, **options}) as response:
            reply = json.loads(response.read())
        self._record_usage(reply)
        message = reply["choices"][0]["message"]
        answer: Message = {"role": "assistant", "content": message.get("content")}
        if message.get("tool_calls"):
            answer["tool_calls"] = message["tool_calls"]
        return answer

    def _post(self, body: dict[str, Any]) -> HTTPResponse:
        headers = {"Content-Type": "application/json"}
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key}"
        url = f"{self.base_url.rstrip('/')}/chat/completions"
        data = json.dumps({"model": self.name, **body}).encode()
        request = urllib.request.Request(url, data, headers)  # noqa: S310 - whoever runs this names the address
        try:
            response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310 - as above
            return cast("HTTPResponse", response)
        except urllib.error.HTTPError as error:
            raise EndpointError(f"{url} answered {error.code}: {error.read(500).decode(errors='replace')}") from None
        except OSError as error:
            raise EndpointError(f"{url} can't be reached: {error}") from None

    def _record_usage(self, reply: dict[str, Any]) -> None:
        """Put the model's name and the tokens it counted on the span of the call that is running."""
        span = current_span()
        span.set_attribute(SpanAttributes.LLM_MODEL_NAME, reply.get("model") or self.name)
        if usage := reply.get("usage"):
            span.set_attribute(SpanAttributes.LLM_TOKEN_COUNT_PROMPT, usage.get("prompt_tokens", 0))
            span.set_attribute(SpanAttributes.LLM_TOKEN_COUNT_COMPLETION, usage.get("completion_tokens", 0))
            span.set_attribute(SpanAttributes.LLM_TOKEN_COUNT_TOTAL, usage.get("total_tokens", 0))
