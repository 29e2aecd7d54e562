"""An agent that is a loop around OpenAI's client: it calls the tools that the model asks for, until it answers.

    pip install openai
    python examples/frameworks/openai_loop.py            # add --stream to see the answer as it comes
    agenttrace show

Without a key a scripted model on this machine answers. With ``OPENAI_API_KEY`` or ``OPENAI_BASE_URL`` set it is a real
one, which ``OPENAI_MODEL`` names.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from loopback import Asked, Call, Reply, openai_endpoint
from openai import OpenAI
from openai.lib.streaming.chat import ChatCompletionStreamManager
from openai.types.chat import ChatCompletion, ChatCompletionMessage, ChatCompletionMessageParam
from openai.types.chat import ChatCompletionMessageFunctionToolCall as FunctionCall
from openai.types.chat import ChatCompletionToolMessageParam as ToolAnswer
from openai.types.chat import ChatCompletionToolParam as Tool

from agenttrace import ThreadPoolExecutor, register, trace_agent, trace_llm, trace_tool

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
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
TOOLS: list[Tool] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": FUNCTIONS[name].__doc__ or "",
            "parameters": {"type": "object", "properties": properties, "required": list(properties)},
        },
    }
    for name, properties in {
        "get_temperature": {"city": {"type": "string"}},
        "subtract": {"minuend": NUMBER, "subtrahend": NUMBER},
    }.items()
]


@trace_llm
def complete(client: OpenAI, messages: list[ChatCompletionMessageParam], tools: list[Tool]) -> ChatCompletion:
    """Ask the model, and wait for all of its answer."""
    return client.chat.completions.create(model=MODEL, messages=messages, tools=tools)


@trace_llm
def stream(
    client: OpenAI, messages: list[ChatCompletionMessageParam], tools: list[Tool]
) -> ChatCompletionStreamManager[None]:
    """Ask the model. The span ends when the stream that this returns does."""
    return client.chat.completions.stream(
        model=MODEL, messages=messages, tools=tools, stream_options={"include_usage": True}
    )


def ask(client: OpenAI, messages: list[ChatCompletionMessageParam], *, streamed: bool) -> ChatCompletionMessage:
    """The model's next message; if it is streamed, its text is printed as it comes."""
    if not streamed:
        return complete(client, messages, TOOLS).choices[0].message
    with stream(client, messages, TOOLS) as events:
        for event in events:
            if event.type == "content.delta":
                print(event.delta, end="", flush=True)
        return events.get_final_completion().choices[0].message


def run_tool(call: FunctionCall) -> ToolAnswer:
    """Do what the model asked for. What went wrong it is told, too, so that it can ask for something better."""
    try:
        result = str(FUNCTIONS[call.function.name](**json.loads(call.function.arguments)))
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    return {"role": "tool", "tool_call_id": call.id, "content": result}


@trace_agent(exclude_args=["client", "streamed"])
def assistant(client: OpenAI, question: str, *, streamed: bool = False) -> str:
    """Answer a question with the help of the tools; those that are asked for at once run at once."""
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": question}]
    with ThreadPoolExecutor() as pool:
        while True:
            message = ask(client, messages, streamed=streamed)
            calls = [call for call in message.tool_calls or () if call.type == "function"]
            if not calls:
                return message.content or ""
            messages.append(message.to_dict())  # type: ignore[arg-type]
            messages += pool.map(run_tool, calls)


def script(asked: Asked) -> Reply:
    """The model that answers where no other is configured: two tools at once, a third, an answer."""
    found = {result.arguments["city"]: float(result.text) for result in asked.results if "city" in result.arguments}
    differences = [float(result.text) for result in asked.results if result.tool == "subtract"]
    if not found:
        return Reply(calls=[Call("get_temperature", {"city": city}) for city in ("Oslo", "Lima")])
    if not differences:
        return Reply(calls=[Call("subtract", {"minuend": found["Lima"], "subtrahend": found["Oslo"]})])
    return Reply(f"It is {differences[-1]:g} °C warmer in Lima than in Oslo.")


if __name__ == "__main__":
    register(project_name="openai-loop")
    streamed = "--stream" in sys.argv[1:]
    with openai_endpoint(script) as endpoint, OpenAI(**endpoint) as client:
        answer = assistant(client, QUESTION, streamed=streamed)
        print("" if streamed else answer)
