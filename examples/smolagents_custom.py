"""A real smolagents agent, traced by marks alone: nothing of smolagents is patched.

    pip install smolagents
    python examples/smolagents_custom.py ["a question about earthquakes"]

Three marks do it: ``@trace_tool`` on each tool's ``forward``, ``@trace_llm`` on the model's ``generate`` and
``@trace_agent`` on the agent's ``run``. The model is the rules of ``research_agent`` behind smolagents' own
``Model`` interface, so that no key and no network are needed; with ``OPENAI_API_KEY`` or ``OPENAI_BASE_URL`` set it is
smolagents' ``OpenAIModel`` (``pip install "smolagents[openai]"``).
"""

# smolagents ships no types, so every class of it is Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import argparse
import json
import os
import uuid
from collections.abc import Mapping
from typing import Any

from research_agent.arithmetic import evaluate
from research_agent.database import run_query
from research_agent.messages import FunctionCall, Message, ToolCall
from research_agent.notes import find_paragraphs
from research_agent.rules import answer_from, decide_next
from smolagents import ChatMessage, LogLevel, Model, OpenAIModel, Tool, ToolCallingAgent
from smolagents.models import ChatMessageToolCall, ChatMessageToolCallFunction, MessageRole

from agenttrace import register, trace_agent, trace_llm, trace_tool, using_session

QUESTION = "How much deeper were earthquakes in Fiji than in Alaska, and how many had a magnitude of 6 or more?"


class QueryData(Tool):
    """smolagents describes a tool by class attributes and calls its ``forward``: that is what is marked."""

    name = "query_data"
    description = "Runs one SQLite SELECT on the table earthquakes; sqlite_master has its columns."
    inputs = {"sql": {"type": "string", "description": "The statement"}}  # noqa: RUF012 - smolagents reads it so
    output_type = "string"

    @trace_tool(name=name, description=description)
    def forward(self, sql: str) -> str:
        """Run ``sql``; an error goes to smolagents, which shows it to the model."""
        return json.dumps(run_query(sql))


class Compute(Tool):
    """The calculator."""

    name = "compute"
    description = "Computes an arithmetic expression in Python's notation."
    inputs = {"expression": {"type": "string", "description": "Such as 10 ** (1.5 * 2)"}}  # noqa: RUF012 - as above
    output_type = "string"

    @trace_tool(name=name, description=description)
    def forward(self, expression: str) -> str:
        """Compute ``expression``."""
        return json.dumps(evaluate(expression))


class SearchNotes(Tool):
    """The retriever."""

    name = "search_notes"
    description = "Finds paragraphs about earthquakes in general."
    inputs = {"query": {"type": "string", "description": "What to look for"}}  # noqa: RUF012 - as above
    output_type = "string"

    @trace_tool(name=name, description=description)
    def forward(self, query: str) -> str:
        """Search the notes for ``query``."""
        found = find_paragraphs(query)
        return json.dumps([{"id": paragraph.identifier, "text": paragraph.text} for paragraph, _ in found])


def messages_of(arguments: Mapping[str, Any]) -> list[dict[str, str]]:
    """What to record as a model call's input: roles and texts, not smolagents' tool objects."""
    return [{"role": str(MessageRole(one.role).value), "content": text_of(one)} for one in arguments["messages"]]


class Rules(Model):
    """The rules as a smolagents model. It keeps nothing: what was called stands in the agent's memory."""

    @trace_llm(name="rules", process_input=messages_of, process_output=lambda message: message.content)
    def generate(self, messages: list[ChatMessage], **options: Any) -> ChatMessage:
        """The next tool call, or ``final_answer`` when enough is known."""
        conversation = read_memory(messages)
        decision = decide_next(conversation)
        if calls := decision.get("tool_calls"):
            identifier, function = calls[0]["id"], calls[0]["function"]
            name, arguments = function["name"], json.loads(function["arguments"])
        else:
            identifier, name, arguments = "final", "final_answer", {"answer": answer_from(conversation)}
        call = ChatMessageToolCall(ChatMessageToolCallFunction(arguments, name), identifier, "function")
        # smolagents keeps the text of a step whose tool failed but not its call: so the call is the text.
        text = json.dumps({"id": identifier, "name": name, "arguments": arguments}, ensure_ascii=False)
        return ChatMessage(MessageRole.ASSISTANT, text, [call])


class Chat(OpenAIModel):
    """smolagents' client for OpenAI-compatible endpoints, with the same mark."""

    @trace_llm(name="chat", process_input=messages_of, process_output=lambda message: message.render_as_markdown())
    def generate(self, messages: list[ChatMessage], **options: Any) -> ChatMessage:
        """The endpoint's reply."""
        return super().generate(messages, **options)


class Researcher(ToolCallingAgent):
    """The agent itself: only ``run`` is wrapped, to mark it."""

    @trace_agent(name="smolagents researcher")
    def run(self, task: str, **options: Any) -> Any:
        """Run ``task`` as ``ToolCallingAgent.run`` does."""
        return super().run(task, **options)


def read_memory(messages: list[ChatMessage]) -> list[Message]:
    """The memory of smolagents as the chat messages that the rules read."""
    conversation: list[Message] = []
    last_call = ""
    for message in messages:
        role, text = MessageRole(message.role), text_of(message)
        if role is MessageRole.USER:
            conversation.append({"role": "user", "content": text.removeprefix("New task:\n")})
        elif role is MessageRole.ASSISTANT:
            call = json.loads(text)
            last_call = call["id"]
            function: FunctionCall = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
            calls: list[ToolCall] = [{"id": last_call, "type": "function", "function": function}]
            conversation.append({"role": "assistant", "tool_calls": calls})
        elif role is MessageRole.TOOL_RESPONSE:
            worked = text.startswith("Observation:\n")
            content = text.removeprefix("Observation:\n") if worked else json.dumps({"error": text})
            conversation.append({"role": "tool", "tool_call_id": last_call, "content": content})
    return conversation


def text_of(message: ChatMessage) -> str:
    """The text of a message, whose content is a string or a list of parts."""
    if isinstance(message.content, str):
        return message.content
    return "".join(part.get("text", "") for part in message.content or [])


def choose_model() -> Model:
    """The model behind the configured OpenAI-compatible endpoint, else the rules."""
    key, base_url = os.environ.get("OPENAI_API_KEY"), os.environ.get("OPENAI_BASE_URL")
    if not key and not base_url:
        return Rules()
    return Chat(os.environ.get("OPENAI_MODEL") or "gpt-4o-mini", api_base=base_url, api_key=key or "none")


def main() -> None:
    """Answer the question of the command line."""
    parser = argparse.ArgumentParser(description="Answer a question about a week of earthquakes, traced.")
    parser.add_argument("question", nargs="?", default=QUESTION)
    parser.add_argument("--endpoint", help="where traces go, such as http://localhost:6006 (default: the environment)")
    parser.add_argument("--project", default=os.environ.get("PHOENIX_PROJECT_NAME") or "smolagents")
    options = parser.parse_args()
    register(project_name=options.project, endpoint=options.endpoint)
    tools = [QueryData(), Compute(), SearchNotes()]
    agent = Researcher(tools=tools, model=choose_model(), max_steps=15, verbosity_level=LogLevel.OFF)
    with using_session(f"smolagents-{uuid.uuid4().hex[:8]}"):
        print(f"> {options.question}\n{agent.run(options.question)}")


if __name__ == "__main__":
    main()
