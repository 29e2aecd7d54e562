"""What the agent and its models say to each other: messages in the form of the chat completions API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypedDict


class FunctionCall(TypedDict):
    """Which tool, and its arguments as JSON text."""

    name: str
    arguments: str


class ToolCall(TypedDict):
    """One tool call that a model asks for."""

    id: str
    type: str
    function: FunctionCall


class Message(TypedDict, total=False):
    """One message; ``role`` is ``system``, ``user``, ``assistant`` or ``tool``."""

    role: str
    content: str | None
    tool_calls: list[ToolCall]
    tool_call_id: str


class Model(Protocol):
    """What the agent needs of a model: the rules and the chat model both are one."""

    def plan(self, messages: list[Message]) -> str:
        """A short plan for the question in ``messages``."""

    def decide(self, messages: list[Message], tools: list[dict[str, Any]]) -> Message:
        """The next message: tool calls to make, or none when enough is known."""

    def write(self, messages: list[Message]) -> Iterator[str]:
        """The answer, piece by piece."""
