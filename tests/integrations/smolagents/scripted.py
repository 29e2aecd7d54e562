"""A smolagents model that says what a test wrote down for it, and what such a script is made of."""

# smolagents ships no types, so every class of it is Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from smolagents import ChatMessage, Model, tool
from smolagents.models import (
    ChatMessageStreamDelta,
    ChatMessageToolCall,
    ChatMessageToolCallFunction,
    ChatMessageToolCallStreamDelta,
    MessageRole,
)
from smolagents.monitoring import TokenUsage

__all__ = ["ScriptedModel", "call", "calls", "code", "get_weather", "text"]


def text(content: str, *, prompt: int = 100, completion: int = 10) -> ChatMessage:
    """An answer of words alone, which took as many tokens as are given."""
    usage = TokenUsage(input_tokens=prompt, output_tokens=completion)
    return ChatMessage(role=MessageRole.ASSISTANT, content=content, token_usage=usage)


def code(source: str) -> ChatMessage:
    """An answer with code for a CodeAgent to run."""
    return text(f"<code>\n{source}\n</code>")


def calls(*wanted: tuple[str, Any]) -> ChatMessage:
    """An answer that asks for tools: a name and the arguments for each call."""
    message = text("")
    message.tool_calls = [
        ChatMessageToolCall(
            function=ChatMessageToolCallFunction(name=name, arguments=arguments), id=f"call_{index}", type="function"
        )
        for index, (name, arguments) in enumerate(wanted)
    ]
    return message


def call(name: str, **arguments: Any) -> ChatMessage:
    """An answer that asks for one tool."""
    return calls((name, arguments))


class ScriptedModel(Model):
    """A user's own model: gives one answer of its script a call, at once or in pieces, and raises what is an error.

    Args:
        *script: The answers, in order.
        **options: What ``Model`` takes; a ``model_id`` among them.
    """

    def __init__(self, *script: ChatMessage | BaseException, **options: Any) -> None:
        super().__init__(**{"model_id": "scripted-1", **options})
        self.script = list(script)

    def generate(self, messages: list[Any], *args: Any, **kwargs: Any) -> ChatMessage:
        """The next answer."""
        answer = self.script.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def generate_stream(self, messages: list[Any], *args: Any, **kwargs: Any) -> Iterator[ChatMessageStreamDelta]:
        """The next answer in pieces of three letters, then the calls, then the token counts."""
        answer = self.generate(messages)
        content = answer.content or ""
        for start in range(0, len(content), 3):
            yield ChatMessageStreamDelta(content=content[start : start + 3])
        for index, wanted in enumerate(answer.tool_calls or ()):
            # Providers stream arguments as text, and smolagents joins them as such.
            function = ChatMessageToolCallFunction(
                name=wanted.function.name, arguments=json.dumps(wanted.function.arguments)
            )
            delta = ChatMessageToolCallStreamDelta(index, wanted.id, wanted.type, function)
            yield ChatMessageStreamDelta(content="", tool_calls=[delta])
        yield ChatMessageStreamDelta(content="", token_usage=answer.token_usage)


@tool
def get_weather(city: str) -> str:
    """Look up today's weather.

    Args:
        city: Which city.
    """
    if city == "Nowhere":
        raise ValueError(f"no such city: {city}")
    return f"{city}: 14 °C and rain"
