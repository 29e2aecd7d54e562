"""An agent that is a loop around Anthropic's client: it calls the tools that the model asks for, until it answers.

    pip install anthropic
    python examples/frameworks/anthropic_loop.py         # add --stream to see the answer as it comes
    agenttrace show

Without a key a scripted model on this machine answers. With ``ANTHROPIC_API_KEY`` or ``ANTHROPIC_BASE_URL`` set it is a
real one, which ``ANTHROPIC_MODEL`` names.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from anthropic import Anthropic
from anthropic.lib.streaming import MessageStreamManager
from anthropic.types import Message, MessageParam, ToolParam, ToolResultBlockParam, ToolUseBlock
from loopback import Asked, Call, Reply, anthropic_endpoint

from agenttrace import ThreadPoolExecutor, register, trace_agent, trace_llm, trace_tool

MODEL = os.environ.get("ANTHROPIC_MODEL", "claude-sonnet-5")
SYSTEM = "Answer from what the tools say, in one sentence."
QUESTION = "How much warmer is it in Lima than in Oslo?"


@trace_tool
def get_temperature(city: str) -> float:
    """The temperature in a city now, in degrees Celsius."""
    return {"Oslo": 4.5, "Lima": 19.0}[city]


@trace_tool
def subtract(minuend: float, subtrahend: float) -> float:
    """How much is left of one number when another is taken away."""
    return minuend - subtrahend


FUNCTIONS: dict[str, Callable[..., float]] = {"get_temperature": get_temperature, "subtract": subtract}
NUMBER = {"type": "number"}
TOOLS: list[ToolParam] = [
    {
        "name": name,
        "description": FUNCTIONS[name].__doc__ or "",
        "input_schema": {"type": "object", "properties": properties, "required": list(properties)},
    }
    for name, properties in {
        "get_temperature": {"city": {"type": "string"}},
        "subtract": {"minuend": NUMBER, "subtrahend": NUMBER},
    }.items()
]


@trace_llm
def create(client: Anthropic, system: str, messages: list[MessageParam], tools: list[ToolParam]) -> Message:
    """Ask the model, and wait for all of its answer."""
    return client.messages.create(model=MODEL, max_tokens=1000, system=system, messages=messages, tools=tools)


@trace_llm
def stream(
    client: Anthropic, system: str, messages: list[MessageParam], tools: list[ToolParam]
) -> MessageStreamManager[None]:
    """Ask the model. The span ends when the stream that this returns does."""
    return client.messages.stream(model=MODEL, max_tokens=1000, system=system, messages=messages, tools=tools)


def ask(client: Anthropic, messages: list[MessageParam], *, streamed: bool) -> Message:
    """The model's next message; if it is streamed, its text is printed as it comes."""
    if not streamed:
        return create(client, SYSTEM, messages, TOOLS)
    with stream(client, SYSTEM, messages, TOOLS) as events:
        for text in events.text_stream:
            print(text, end="", flush=True)
        return events.get_final_message()


def run_tool(call: ToolUseBlock) -> ToolResultBlockParam:
    """Do what the model asked for. What went wrong it is told, too, so that it can ask for something better."""
    try:
        result, failed = str(FUNCTIONS[call.name](**call.input)), False
    except Exception as error:
        result, failed = f"{type(error).__name__}: {error}", True
    return {"type": "tool_result", "tool_use_id": call.id, "content": result, "is_error": failed}


@trace_agent(exclude_args=["client", "streamed"])
def assistant(client: Anthropic, question: str, *, streamed: bool = False) -> str:
    """Answer a question with the help of the tools; those that are asked for at once run at once."""
    messages: list[MessageParam] = [{"role": "user", "content": question}]
    with ThreadPoolExecutor() as pool:
        while True:
            message = ask(client, messages, streamed=streamed)
            calls = [block for block in message.content if block.type == "tool_use"]
            if not calls:
                return "".join(block.text for block in message.content if block.type == "text")
            messages.append({"role": "assistant", "content": message.content})
            messages.append({"role": "user", "content": list(pool.map(run_tool, calls))})


def script(asked: Asked) -> Reply:
    """The model that answers where no other is configured: two tools at once, a third, an answer."""
    found = {result.arguments["city"]: float(result.text) for result in asked.results if "city" in result.arguments}
    differences = [float(result.text) for result in asked.results if result.tool == "subtract"]
    if not found:
        return Reply("I look it up.", [Call("get_temperature", {"city": city}) for city in ("Oslo", "Lima")])
    if not differences:
        return Reply(calls=[Call("subtract", {"minuend": found["Lima"], "subtrahend": found["Oslo"]})])
    return Reply(f"It is {differences[-1]:g} °C warmer in Lima than in Oslo.")


if __name__ == "__main__":
    # Anthropic's client makes spans of its own where there is a global provider: each call would be there twice.
    register(project_name="anthropic-loop", set_global_tracer_provider=False)
    streamed = "--stream" in sys.argv[1:]
    with anthropic_endpoint(script) as endpoint, Anthropic(**endpoint) as client:
        answer = assistant(client, QUESTION, streamed=streamed)
        print("" if streamed else answer)
