"""A smolagents model that goes by rules. What it says depends on what the tools and the code really returned."""

# smolagents ships no types, so every class of it is Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from typing import Any

from smolagents import ChatMessage, Model
from smolagents.models import ChatMessageToolCall, ChatMessageToolCallFunction, MessageRole
from smolagents.monitoring import TokenUsage

from .manager import next_code
from .reading import Conversation
from .researcher import next_calls

CHARACTERS_A_TOKEN = 4  # as many as an English text has on average


class ScriptedModel(Model):
    """The rules behind smolagents' own interface: some for an agent that has tools, some for one that writes code.

    It keeps nothing: what happened so far stands in the messages.
    """

    def __init__(self) -> None:
        super().__init__(model_id="scripted")

    def generate(
        self, messages: list[ChatMessage], tools_to_call_from: list[Any] | None = None, **options: Any
    ) -> ChatMessage:
        """The next step after ``messages``: calls of the tools that are offered, else code."""
        conversation = read(messages)
        if tools_to_call_from:
            text, calls = next_calls(conversation)
        else:
            text, calls = next_code(conversation), []
        step = conversation.steps + 1
        tool_calls = [
            ChatMessageToolCall(ChatMessageToolCallFunction(arguments, name), f"call-{step}-{number}", "function")
            for number, (name, arguments) in enumerate(calls, 1)
        ]
        usage = TokenUsage(
            input_tokens=count_tokens(conversation.text),
            output_tokens=count_tokens(text + "".join(f"{name}{arguments}" for name, arguments in calls)),
        )
        return ChatMessage(MessageRole.ASSISTANT, text, tool_calls or None, token_usage=usage)


def read(messages: list[ChatMessage]) -> Conversation:
    """What the rules read of an agent's memory."""
    texts = [(MessageRole(message.role), text_of(message)) for message in messages]
    return Conversation(
        system=next(text for role, text in texts if role is MessageRole.SYSTEM),
        task=next(text for role, text in texts if role is MessageRole.USER).removeprefix("New task:\n"),
        results=[text for role, text in texts if role is MessageRole.TOOL_RESPONSE],
        steps=sum(role is MessageRole.ASSISTANT for role, _ in texts),
        text="\n".join(text for _, text in texts),
    )


def text_of(message: ChatMessage) -> str:
    """The text of a message, whose content is a string or a list of parts."""
    if isinstance(message.content, str):
        return message.content
    return "".join(part.get("text", "") for part in message.content or [])


def count_tokens(text: str) -> int:
    """About as many as a model would have counted."""
    return max(1, round(len(text) / CHARACTERS_A_TOKEN))
