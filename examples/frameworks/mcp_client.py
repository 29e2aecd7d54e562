"""An agent whose tools an MCP server runs, in another process: one tree.

    pip install 'agenttrace-otel[mcp]' openai
    python examples/frameworks/mcp_client.py             # or with the URL of a server that listens
    agenttrace show

Without a key a scripted model on this machine answers. With ``OPENAI_API_KEY`` or ``OPENAI_BASE_URL`` set it is a real
one, which ``OPENAI_MODEL`` names.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from loopback import Asked, Call, Reply, openai_endpoint
from mcp import Client, StdioServerParameters
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from openai.types.chat import ChatCompletionMessageFunctionToolCall as FunctionCall
from openai.types.chat import ChatCompletionToolMessageParam as ToolAnswer
from openai.types.chat import ChatCompletionToolParam as Tool

from agenttrace import register, trace_agent, trace_llm, using_session, using_user
from agenttrace.integrations.mcp import traced_client

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
QUESTION = "How much warmer is it in Lima than in Oslo?"


@trace_llm
async def complete(model: AsyncOpenAI, messages: list[ChatCompletionMessageParam], tools: list[Tool]) -> ChatCompletion:
    """Ask the model."""
    return await model.chat.completions.create(model=MODEL, messages=messages, tools=tools)


async def list_tools(server: Client) -> list[Tool]:
    """The server's tools as the model wants to be told of them."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description or "", "parameters": tool.input_schema},
        }
        for tool in (await server.list_tools()).tools
    ]


async def run_tool(server: Client, call: FunctionCall) -> ToolAnswer:
    """Have the server do what the model asked for."""
    result = await server.call_tool(call.function.name, json.loads(call.function.arguments))
    text = "\n".join(block.text for block in result.content if block.type == "text")
    return {"role": "tool", "tool_call_id": call.id, "content": text}


@trace_agent(exclude_args=["server", "model"])
async def assistant(server: Client, model: AsyncOpenAI, question: str) -> str:
    """Answer a question with the help of the server's tools; those that are asked for at once run at once."""
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": question}]
    tools = await list_tools(server)
    while True:
        message = (await complete(model, messages, tools)).choices[0].message
        calls = [call for call in message.tool_calls or () if call.type == "function"]
        if not calls:
            return message.content or ""
        messages.append(message.to_dict())  # type: ignore[arg-type]
        messages += await asyncio.gather(*(run_tool(server, call) for call in calls))


def script(asked: Asked) -> Reply:
    """The model that answers where no other is configured: two tools at once, a third, an answer."""
    found = {result.arguments["city"]: float(result.text) for result in asked.results if "city" in result.arguments}
    differences = [float(result.text) for result in asked.results if result.tool == "subtract"]
    if not found:
        return Reply(calls=[Call("get_temperature", {"city": city}) for city in ("Oslo", "Lima")])
    if not differences:
        return Reply(calls=[Call("subtract", {"minuend": found["Lima"], "subtrahend": found["Oslo"]})])
    return Reply(f"It is {differences[-1]:g} °C warmer in Lima than in Oslo.")


def server_to_ask() -> str | StdioServerParameters:
    """The server at the URL of the command line, else one that is started for this run."""
    if sys.argv[1:]:
        return sys.argv[1]
    # A server gets no more of the environment than it is given: here, all that says where spans go.
    program = str(Path(__file__).with_name("mcp_server.py"))
    return StdioServerParameters(command=sys.executable, args=[program], env=dict(os.environ))


async def main() -> None:
    """Connect to the server, and let the agent work."""
    with openai_endpoint(script) as endpoint, using_session("mcp-1", propagate=True), using_user("ada", propagate=True):
        async with traced_client(server_to_ask()) as server, AsyncOpenAI(**endpoint) as model:
            print(await assistant(server, model, QUESTION))


if __name__ == "__main__":
    register(project_name="mcp")
    asyncio.run(main())
